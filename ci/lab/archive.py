"""Image archives (`docker load`, `ctr images import`) made of one layer each, without an engine."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ci.lab.steps import Log

EPOCH = "1970-01-01T00:00:00Z"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One layer, what to run in it, and the names it goes by."""

    tags: Sequence[str]
    layer: Path
    config: Mapping[str, object] = field(default_factory=dict)


def pack_layer(root: Path, layer: Path, log: Log) -> None:
    """Write a root folder as a layer; the same folder gives the same bytes.

    Files keep their times: Python takes byte code only for sources as old as it remembers.
    """
    command: list[str | Path] = ["tar", "--create", "--file", layer, "--directory", root]
    stable = ["--sort=name", "--numeric-owner"]
    machine = ["--exclude=./dev/*", "--exclude=./proc/*", "--exclude=./sys/*"]
    log.run([*command, *stable, *machine, "."])


def write_archive(archive: Path, images: Sequence[Image]) -> None:
    """Write images as one archive."""
    manifest = []
    with tarfile.open(archive, "w") as tar:
        for number, image in enumerate(images):
            config_name, layer_name = f"{number}.json", f"{number}.tar"
            _add_text(tar, config_name, _config(image))
            tar.add(image.layer, layer_name)
            manifest.append(
                {"Config": config_name, "RepoTags": list(image.tags), "Layers": [layer_name]}
            )
        _add_text(tar, "manifest.json", manifest)


def _config(image: Image) -> dict[str, object]:
    with image.layer.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": EPOCH,
        "config": {"Env": [PATH]} | dict(image.config),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "history": [{"created": EPOCH, "created_by": "ci/lab"}],
    }


def _add_text(tar: tarfile.TarFile, name: str, document: object) -> None:
    content = json.dumps(document).encode()
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
