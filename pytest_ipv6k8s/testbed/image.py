"""The image of the testbed's container: one that is given, or our own, built on this machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pytest_ipv6k8s import data
from pytest_ipv6k8s.docker import Docker, reason
from pytest_ipv6k8s.errors import HostProblem
from pytest_ipv6k8s.process import CommandFailed, Progress

_BUILT_FROM = ("Dockerfile", "packages.txt")


def own() -> str:
    """Return the name of our own image, whose tag changes with what it is built from."""
    content = "".join(data.text(f"testbed/{file}") for file in _BUILT_FROM)
    return f"ipv6k8s/testbed:{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def base() -> str:
    """Return the image from which our own is built."""
    lines = data.text(f"testbed/{_BUILT_FROM[0]}").splitlines()
    (line,) = (line for line in lines if line.startswith("FROM "))
    return line.removeprefix("FROM ")


def require(image: str | None, docker: Docker, home: Path, progress: Progress) -> str:
    """Return an image for the container: the one given, or our own, built where it is missing.

    Raises:
        HostProblem: it cannot be had.
    """
    if image:
        docker.require_image(image, "testbed image", "--ipv6k8s-testbed-image", progress)
        return image
    tag = own()
    if docker.has_image(tag):
        return tag
    progress(f"building the image of the testbed, {tag}")
    folder = home / "testbed-image"
    folder.mkdir(exist_ok=True)
    for file in _BUILT_FROM:
        (folder / file).write_text(data.text(f"testbed/{file}"))
    try:
        docker.build_image(tag, folder, progress)
    except CommandFailed as error:
        raise HostProblem(
            f"the image of the testbed cannot be had: {reason(error)}",
            remedy="give one with --ipv6k8s-testbed-image, or do without: --ipv6k8s-external none",
        ) from None
    return tag
