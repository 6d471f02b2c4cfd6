"""Where packaged data files are found."""

from __future__ import annotations

from importlib import resources


def text(name: str) -> str:
    """Return a data file below ``fixtures/``, such as ``kind/dual.yaml``.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return resources.files("pytest_ipv6k8s.fixtures").joinpath(name).read_text(encoding="utf-8")
