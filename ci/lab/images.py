"""Recipes for the images: the probe's, those inside a node, and the node's own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ci.lab import archive, rootfs, settings
from ci.lab.archive import Image, pack_layer, write_archive
from ci.lab.settings import FILES, Layout
from ci.lab.steps import Artefact, LabProblem, Log, content_key

PACKING = Path(archive.__file__)
RECIPES = (Path(__file__), PACKING)
ARCHIVE = "image.tar"
FLANNEL_IMAGE = f"docker.io/ipv6k8s-lab/flannel:{settings.FLANNEL}"
KUBERNETES_IMAGES = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """What was built from Go modules for the inside of a node."""

    version: str
    kubernetes: Artefact
    coredns: Artefact
    flannel: Artefact


def probe(layout: Layout, root: Artefact) -> Artefact:
    """Python and nothing that asks the network: what a stock Python image has, or less."""
    return Artefact(
        name="probe-image",
        key=content_key([root.key], RECIPES),
        outputs=layout.outputs,
        recipe=partial(_build_probe, root),
    )


def components(layout: Layout, programs: Programs, root: Artefact) -> Artefact:
    """The images that kubeadm and the CNI start in a node, under the names kubeadm knows."""
    parts = (programs.kubernetes, programs.coredns, programs.flannel, root)
    return Artefact(
        name=f"component-images-{programs.version}",
        key=content_key([part.key for part in parts], [*RECIPES, FILES / "images"]),
        outputs=layout.outputs,
        recipe=partial(_build_components, programs, root),
    )


def probe_tag(image: Artefact) -> str:
    """The name of the probe image in the engine and in the nodes."""
    return f"ipv6k8s-lab/probe:{image.key}"


def kubeadm_images(kubernetes: Artefact, version: str, log: Log) -> dict[str, str]:
    """The images that this Kubernetes wants, by the last word of their names."""
    command: list[str | Path] = [kubernetes.path / "kubeadm", "config", "images", "list"]
    listed = log.output([*command, "--kubernetes-version", version]).split()
    return {name.rpartition("/")[2].partition(":")[0]: name for name in listed}


def _build_probe(root: Artefact, out: Path, log: Log) -> None:
    image_root, layer = out / "root", out / "layer.tar"
    rootfs.unpack(root, image_root, log)
    pack_layer(image_root, layer, log)
    shutil.rmtree(image_root)
    tag = f"ipv6k8s-lab/probe:{content_key([root.key], RECIPES)}"
    config = {"Cmd": ["python3"], "User": "65532:65532", "WorkingDir": "/tmp"}
    write_archive(out / ARCHIVE, [Image(tags=[tag], layer=layer, config=config)])
    layer.unlink()


def _build_components(programs: Programs, root: Artefact, out: Path, log: Log) -> None:
    names = kubeadm_images(programs.kubernetes, programs.version, log)
    _check_coredns(names["coredns"], programs.coredns)
    pause = out / "pause"
    log.run(["gcc", "-static", "-Os", "-s", "-Wall", "-o", pause, FILES / "images" / "pause.c"])
    layers = {
        "kubernetes": _kubernetes_layer(programs, root, out, log),
        "etcd": _one_file_layer(programs.kubernetes.path / "etcd", "usr/local/bin/etcd", out, log),
        "coredns": _one_file_layer(programs.coredns.path / "coredns", "coredns", out, log),
        "pause": _one_file_layer(pause, "pause", out, log),
    }
    kubernetes_tags = [FLANNEL_IMAGE, *(names[name] for name in KUBERNETES_IMAGES)]
    write_archive(
        out / ARCHIVE,
        [
            Image(tags=kubernetes_tags, layer=layers["kubernetes"]),
            Image(tags=[names["etcd"]], layer=layers["etcd"]),
            _started(names, layers, "coredns"),
            _started(names, layers, "pause"),
        ],
    )
    for layer in layers.values():
        layer.unlink()


def _check_coredns(kubeadm_name: str, built: Artefact) -> None:
    wanted = kubeadm_name.rpartition(":")[2]
    if built.name != f"coredns-{wanted}":
        raise LabProblem(f"kubeadm names CoreDNS {wanted}, settings.COREDNS says {built.name}")


def _started(names: Mapping[str, str], layers: Mapping[str, Path], name: str) -> Image:
    return Image(tags=[names[name]], layer=layers[name], config={"Entrypoint": [f"/{name}"]})


def _kubernetes_layer(programs: Programs, root: Artefact, out: Path, log: Log) -> Path:
    image_root, layer = out / "root", out / "kubernetes.tar"
    rootfs.unpack(root, image_root, log)
    folder = image_root / "usr/local/bin"
    shutil.copy(programs.kubernetes.path / "kube", folder / "kube")
    for name in KUBERNETES_IMAGES:
        (folder / name).symlink_to("kube")
    shutil.copy(programs.flannel.path / "flannel", folder / "flanneld")
    shutil.copy(FILES / "images" / "flannel-node", folder / "flannel-node")
    pack_layer(image_root, layer, log)
    shutil.rmtree(image_root)
    return layer


def _one_file_layer(program: Path, place: str, out: Path, log: Log) -> Path:
    image_root, layer = out / "root", out / f"{program.name}.tar"
    target = image_root / place
    target.parent.mkdir(parents=True)
    shutil.copy(program, target)
    pack_layer(image_root, layer, log)
    shutil.rmtree(image_root)
    return layer
