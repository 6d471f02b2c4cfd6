"""The Debian below the probe image: a newer one, whose Python is as strict as `python:3-slim`'s."""

from __future__ import annotations

import shutil
from pathlib import Path

from ci.lab import settings
from ci.lab.rootfs import TAR
from ci.lab.settings import Layout
from ci.lab.steps import Artefact, Log, content_key

RECIPE = Path(__file__)


def base(layout: Layout) -> Artefact:
    """Debian's minbase; what is installed on it trims it, too."""
    release, mirror = settings.PROBE_DEBIAN, settings.debian_mirror()
    return Artefact(
        name=f"debian-{release}",
        key=content_key([release, mirror], [RECIPE]),
        outputs=layout.outputs,
        recipe=_bootstrap,
    )


def _bootstrap(out: Path, log: Log) -> None:
    root, mirror = out / "root", settings.debian_mirror()
    log.run(["debootstrap", "--variant=minbase", settings.PROBE_DEBIAN, root, mirror])
    log.run(["tar", "--create", "--numeric-owner", "--file", out / TAR, "--directory", root, "."])
    shutil.rmtree(root)
