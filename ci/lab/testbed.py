"""The image of the testbed: the packages that the plugin's Dockerfile installs."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from ci.lab import rootfs
from ci.lab.archive import Image, pack_layer, write_archive
from ci.lab.images import ARCHIVE, PACKING
from ci.lab.rootfs import Packages
from ci.lab.settings import Layout
from ci.lab.steps import Artefact, Log, content_key

RECIPES = (Path(__file__), PACKING)
PACKAGES = Path(__file__).resolve().parents[2] / "fixtures" / "testbed" / "packages.txt"


def root(layout: Layout, base: Artefact) -> Artefact:
    """Debian with those packages."""
    return rootfs.derived(
        layout, "testbed-root", Packages(installed=PACKAGES.read_text().split()), base
    )


def image(layout: Layout, root: Artefact) -> Artefact:
    """The image, as an archive that the engine loads."""
    return Artefact(
        name="testbed-image",
        key=content_key([root.key], RECIPES),
        outputs=layout.outputs,
        recipe=partial(_build, root),
    )


def tag(image: Artefact) -> str:
    """The name of the image in the engine."""
    return f"ipv6k8s-lab/testbed:{image.key}"


def _build(root: Artefact, out: Path, log: Log) -> None:
    image_root, layer = out / "root", out / "layer.tar"
    rootfs.unpack(root, image_root, log)
    pack_layer(image_root, layer, log)
    shutil.rmtree(image_root)
    key = content_key([root.key], RECIPES)
    config = {"Cmd": ["sleep", "infinity"]}
    write_archive(
        out / ARCHIVE, [Image(tags=[f"ipv6k8s-lab/testbed:{key}"], layer=layer, config=config)]
    )
    layer.unlink()
