"""Being installed costs a project nothing but our own few modules and the standard library."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"kubernetes", "dns", "yaml", "tenacity", "filelock", "urllib3", "websocket"}
HEAVY |= {"jsonschema", "xml", "pyroute2"}
OF_A_RUN = tuple(f"pytest_ipv6k8s.{room}" for room in ("kube", "probe", "reports", "netpol"))
CONFTEST = """
import json, sys
def pytest_unconfigure(config):
    (config.rootpath / "modules.json").write_text(json.dumps(sorted(sys.modules)))
"""


def _modules(pytester: pytest.Pytester, *arguments: str) -> set[str]:
    pytester.makeconftest(CONFTEST)
    pytester.runpytest_subprocess(*arguments)
    return set(json.loads((pytester.path / "modules.json").read_text()))


def test_configuring_an_empty_project_brings_nothing_heavy(pytester: pytest.Pytester) -> None:
    alone = _modules(pytester, "-p", "no:ipv6k8s")

    brought = _modules(pytester) - alone

    assert "pytest_ipv6k8s.plugin" in brought
    assert not [name for name in brought if name.startswith(OF_A_RUN)]
    tops = {name.partition(".")[0] for name in brought}
    assert tops - set(sys.stdlib_module_names) == {"pytest_ipv6k8s"}
    assert not tops & HEAVY


def test_importing_the_plugin_brings_nothing_heavy() -> None:
    program = (
        "import pytest, sys; before = set(sys.modules); import pytest_ipv6k8s.plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    tops = {name.partition(".")[0] for name in told.stdout.split()}
    assert tops - set(sys.stdlib_module_names) == {"pytest_ipv6k8s"}
    assert not tops & HEAVY
