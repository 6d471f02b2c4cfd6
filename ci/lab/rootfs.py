"""Root folders of Debian: one small base, and what is installed on top of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ci.lab import settings
from ci.lab.settings import Layout
from ci.lab.steps import Artefact, Log, content_key

RECIPE = Path(__file__)
TAR = "rootfs.tar"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
PURGE = ("--purge", "--force-remove-essential", "--force-remove-protected", "--force-depends")
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

UNUSED = (
    "usr/share/doc",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/bash-completion",
    "usr/share/zsh",
    "var/cache/apt",
    "var/cache/debconf",
    "var/lib/apt/lists",
    "var/log",
)
KEPT_FOLDERS = ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial", "var/log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """What a root folder has more, and what less, than the base."""

    installed: Sequence[str]
    removed: Sequence[str] = ()


DERIVED = {
    "probe-root": Packages(
        installed=settings.PROBE_PACKAGES, removed=settings.LEFT_OUT_OF_CONTAINERS
    ),
    "network-root": Packages(
        installed=settings.NETWORK_PACKAGES, removed=settings.LEFT_OUT_OF_CONTAINERS
    ),
    "node-root": Packages(installed=settings.NODE_PACKAGES),
}


def base(layout: Layout) -> Artefact:
    """Debian's minbase without documentation and locales."""
    return Artefact(
        name=f"debian-{settings.DEBIAN}",
        key=content_key([settings.DEBIAN, settings.debian_mirror()], [RECIPE]),
        outputs=layout.outputs,
        recipe=_bootstrap,
    )


def derived(layout: Layout, name: str, packages: Packages, on: Artefact) -> Artefact:
    """The base with other packages."""
    return Artefact(
        name=name,
        key=content_key([on.key, repr(packages)], [RECIPE]),
        outputs=layout.outputs,
        recipe=partial(_derive, packages, on),
    )


def unpack(artefact: Artefact, root: Path, log: Log) -> None:
    """Lay out a root folder from its tar."""
    root.mkdir(parents=True)
    log.run(["tar", "--extract", "--file", artefact.path / TAR, "--directory", root])


def _bootstrap(out: Path, log: Log) -> None:
    root = out / "root"
    mirror = settings.debian_mirror()
    log.run(["debootstrap", "--variant=minbase", settings.DEBIAN, root, mirror])
    excluded = "".join(
        f"path-exclude=/{folder}/*\n" for folder in UNUSED if folder.startswith("usr/share")
    )
    (root / "etc/dpkg/dpkg.cfg.d/ipv6k8s-lab").write_text(excluded)
    _finish(root, out, log)


def _derive(packages: Packages, on: Artefact, out: Path, log: Log) -> None:
    root = out / "root"
    unpack(on, root, log)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "PATH": PATH}
    apt: list[str | Path] = ["chroot", root, "apt-get", "--yes", "--quiet"]
    log.run([*apt, "update"], env=env)
    log.run([*apt, "install", "--no-install-recommends", *packages.installed], env=env)
    if packages.removed:
        log.run(["chroot", root, "dpkg", *PURGE, *packages.removed], env=env)
    _finish(root, out, log)


def _finish(root: Path, out: Path, log: Log) -> None:
    for folder in UNUSED:
        shutil.rmtree(root / folder, ignore_errors=True)
    for folder in KEPT_FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for file in ("etc/resolv.conf", "etc/hostname", "etc/machine-id"):
        (root / file).write_text("")
    log.run(["tar", "--create", "--numeric-owner", "--file", out / TAR, "--directory", root, "."])
    shutil.rmtree(root)
