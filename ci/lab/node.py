"""The kind node image: Debian with systemd, Kubernetes, and the images that a node starts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ci.lab import archive, images, rootfs
from ci.lab.archive import Image, pack_layer, write_archive
from ci.lab.images import ARCHIVE, FLANNEL_IMAGE, Programs
from ci.lab.settings import FILES, Layout
from ci.lab.steps import Artefact, Log, content_key

NODE_FILES = FILES / "node"
RECIPES = (Path(__file__), Path(archive.__file__), NODE_FILES)
ENTRYPOINT = '["/usr/local/bin/entrypoint", "/sbin/init"]'
CONFIG = {
    "Env": [archive.PATH, "container=docker"],
    "Entrypoint": ["/usr/local/bin/entrypoint", "/sbin/init"],
    "StopSignal": "SIGRTMIN+3",
}
LEFT_OUT = (
    "opt/cni/bin/dhcp",
    "opt/cni/bin/ipvlan",
    "opt/cni/bin/sbr",
    "opt/cni/bin/vlan",
    "opt/cni/bin/vrf",
    "usr/bin/containerd-shim",
    "usr/bin/containerd-shim-runc-v1",
)
PLACES = {
    "entrypoint": "usr/local/bin/entrypoint",
    "import-images": "kind/bin/import-images",
    "delegate-cgroups": "kind/bin/delegate-cgroups",
    "containerd.toml": "etc/containerd/config.toml",
    "containerd.service": "etc/systemd/system/containerd.service",
    "kubelet.service": "etc/systemd/system/kubelet.service",
    "kubelet-lab.conf": "kind/kubelet.conf.d/lab.conf",
    "journald.conf": "etc/systemd/journald.conf.d/lab.conf",
    "sysctl.conf": "etc/sysctl.d/lab.conf",
    "default-cni.yaml": "kind/manifests/default-cni.yaml",
    "default-storage.yaml": "kind/manifests/default-storage.yaml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a node image is put together from."""

    programs: Programs
    root: Artefact
    components: Artefact
    probe: Artefact

    @property
    def key(self) -> str:
        """Changes with any part and any file of the node."""
        made = (self.programs.kubernetes, self.root, self.components, self.probe)
        return content_key([self.programs.version, *(part.key for part in made)], RECIPES)

    @property
    def tag(self) -> str:
        """The name of the node image in the engine."""
        return f"ipv6k8s-lab/node:{self.programs.version}-{self.key}"


def node(layout: Layout, parts: Parts) -> Artefact:
    """The node image as an archive."""
    return Artefact(
        name=f"node-image-{parts.programs.version}",
        key=parts.key,
        outputs=layout.outputs,
        recipe=partial(_build, parts),
    )


def _build(parts: Parts, out: Path, log: Log) -> None:
    root, layer, bare = out / "root", out / "layer.tar", out / "bare.tar"
    bare_tag = f"ipv6k8s-lab/node-without-images:{parts.key}"
    rootfs.unpack(parts.root, root, log)
    _furnish(root, parts, log)
    pack_layer(root, layer, log)
    shutil.rmtree(root)
    write_archive(bare, [Image(tags=[bare_tag], layer=layer, config=CONFIG)])
    layer.unlink()
    log.run(["docker", "load", "--input", bare])
    bare.unlink()
    try:
        import_images([parts.components, parts.probe], bare_tag, parts.tag, log)
    finally:
        log.run(["docker", "rmi", bare_tag])
    log.run(["docker", "save", "--output", out / ARCHIVE, parts.tag])


def _furnish(root: Path, parts: Parts, log: Log) -> None:
    names = images.kubeadm_images(parts.programs.kubernetes, parts.programs.version, log)
    for name, place in PLACES.items():
        target = root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        text = (NODE_FILES / name).read_text()
        target.write_text(
            text.replace("@PAUSE_IMAGE@", names["pause"]).replace("@FLANNEL_IMAGE@", FLANNEL_IMAGE)
        )
        target.chmod((NODE_FILES / name).stat().st_mode)
    (root / "kind/version").write_text(parts.programs.version + "\n")
    shutil.copy(parts.programs.kubernetes.path / "kube", root / "usr/bin/kube")
    for name in ("kubelet", "kubeadm", "kubectl"):
        (root / "usr/bin" / name).symlink_to("kube")
    (root / "opt/cni").mkdir(parents=True)
    shutil.move(root / "usr/lib/cni", root / "opt/cni/bin")
    for name in LEFT_OUT:
        (root / name).unlink()
    _choose_units(root)


def _choose_units(root: Path) -> None:
    units = root / "etc/systemd/system"
    for name in (NODE_FILES / "masked-units").read_text().split():
        unit = units / name
        unit.unlink(missing_ok=True)
        unit.symlink_to("/dev/null")
    wanted = units / "multi-user.target.wants"
    wanted.mkdir(exist_ok=True)
    for name in ("containerd.service", "kubelet.service"):
        link = wanted / name
        link.unlink(missing_ok=True)
        link.symlink_to(f"/etc/systemd/system/{name}")


def import_images(archives: Sequence[Artefact], base: str, tag: str, log: Log) -> None:
    """Make an image whose containerd has these images: only one that runs can fill its store."""
    container = f"ipv6k8s-lab-build-{content_key([tag], [])}"
    inside = [f"/images/{number}.tar" for number in range(len(archives))]
    mounts = [
        f"--volume={made.path / ARCHIVE}:{place}:ro"
        for made, place in zip(archives, inside, strict=True)
    ]
    run = ["docker", "run", "--name", container, "--privileged", "--network=none", *mounts]
    try:
        log.run([*run, "--entrypoint=/kind/bin/import-images", base, *inside])
        changes = [f"--change=ENTRYPOINT {ENTRYPOINT}", "--change=CMD []"]
        log.run(["docker", "commit", *changes, container, tag])
    finally:
        log.run(["docker", "rm", "--force", container])
