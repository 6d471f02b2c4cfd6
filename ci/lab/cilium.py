"""Cilium, the second CNI: its programs, one image for all of them, its chart, and nodes with it."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ci.lab import archive, gobuild, node, rootfs, settings
from ci.lab.archive import Image, pack_layer, write_archive
from ci.lab.images import ARCHIVE
from ci.lab.node import Parts
from ci.lab.rootfs import Packages
from ci.lab.settings import FILES, Layout
from ci.lab.steps import Artefact, Log, content_key

MODULE = "github.com/cilium/cilium"
VALUES = FILES / "cilium" / "values.yaml"
RECIPE = Path(__file__)
HELM = gobuild.Tool(name="helm", package="helm.sh/helm/v3/cmd/helm", version=settings.HELM)

# Where each package of the module goes in the image; the operator has one build tag.
PROGRAMS = {
    "daemon": "usr/bin/cilium-agent",
    "operator": "usr/bin/cilium-operator-generic",
    "cilium-dbg": "usr/bin/cilium-dbg",
    "cilium-health/responder": "usr/bin/cilium-health-responder",
    "plugins/cilium-cni": "opt/cni/bin/cilium-cni",
    "tools/mount": "usr/bin/cilium-mount",
    "tools/sysctlfix": "usr/bin/cilium-sysctlfix",
}
TAGS = {"operator": "ipam_provider_operator"}
SCRIPTS = (
    "images/cilium/init-container.sh",
    "plugins/cilium-cni/install-plugin.sh",
    "plugins/cilium-cni/cni-uninstall.sh",
)
BPF = "var/lib/cilium/bpf"
CHART = "chart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cilium:
    """What there is of it, each artefact after what it needs."""

    helm: Artefact
    programs: Artefact
    root: Artefact
    image: Artefact

    @property
    def chart(self) -> Path:
        """The Helm chart, with the defaults of its makers."""
        return self.programs.path / CHART

    @property
    def values(self) -> Path:
        """The values with which the chart uses the lab's image."""
        return self.image.path / VALUES.name

    def node_tag(self, parts: Parts) -> str:
        """The name of the node image that has Cilium's image in it."""
        return f"ipv6k8s-lab/node-cilium:{parts.programs.version}-{parts.key}-{self.image.key}"


def plan(layout: Layout, base: Artefact) -> Cilium:
    """Work out the artefacts; nothing is built."""
    facts = [settings.CILIUM, *PROGRAMS, *TAGS.values()]
    programs = Artefact(
        name=f"cilium-{settings.CILIUM}",
        key=content_key(facts, [RECIPE]),
        outputs=layout.outputs,
        recipe=_build_programs,
    )
    root = rootfs.derived(
        layout,
        "cilium-root",
        Packages(installed=settings.CILIUM_PACKAGES, removed=settings.LEFT_OUT_OF_CILIUM),
        base,
    )
    key = content_key([programs.key, root.key], [RECIPE, VALUES, Path(archive.__file__)])
    image = Artefact(
        name="cilium-image",
        key=key,
        outputs=layout.outputs,
        recipe=partial(_build_image, programs, root, f"docker.io/ipv6k8s-lab/cilium:{key}"),
    )
    return Cilium(helm=gobuild.tool(layout, HELM), programs=programs, root=root, image=image)


def load_node(made: Cilium, parts: Parts, log: Log) -> None:
    """Add Cilium's image to the node image; the engine keeps only what is new."""
    node.import_images([made.image], parts.tag, made.node_tag(parts), log)


def module_file(upstream: str, version: str) -> str:
    """A go.mod that builds Cilium: what it requires, and the forks that it uses instead."""
    replaced = re.findall(r"^(?:replace)?\s+(\S+ => \S+ v\S+)", upstream, re.MULTILINE)
    lines = [f"go {gobuild.go_version(upstream)}", f"require {MODULE} {version}"]
    lines += [f"require {module}" for module in gobuild.required(upstream)]
    lines += [f"replace {fork}" for fork in replaced]
    return "\n".join(["module ipv6k8s.invalid/lab", *lines]) + "\n"


def _build_programs(out: Path, log: Log) -> None:
    go = settings.go_program()
    version = settings.CILIUM
    downloaded = log.output([go, "mod", "download", "-json", f"{MODULE}@{version}"])
    upstream = Path(json.loads(downloaded)["Dir"])
    source = out / "source"
    source.mkdir()
    (source / "go.mod").write_text(module_file((upstream / "go.mod").read_text(), version))
    shutil.copyfile(upstream / "go.sum", source / "go.sum")
    stamp = f"-X {MODULE}/pkg/version.ciliumVersion={version.removeprefix('v')}"
    flags: list[str | Path] = ["-mod=mod", "-ldflags", f"{gobuild.PLAIN} {stamp}"]
    root = out / "root"
    for package, place in PROGRAMS.items():
        build = [go, "build", *flags, "-tags", TAGS.get(package, ""), "-o", root / place]
        log.run([*build, f"{MODULE}/{package}"], cwd=source, env=gobuild.environment(cgo=False))
    for script in SCRIPTS:
        shutil.copyfile(upstream / script, root / Path(script).name)
        (root / Path(script).name).chmod(0o755)
    _copy_tree(upstream / "bpf", root / BPF)
    _copy_tree(upstream / "install/kubernetes/cilium", out / CHART)


def _copy_tree(source: Path, target: Path) -> None:
    """Copy from the module cache, where everything is read-only."""
    unused = shutil.ignore_patterns("tests", "complexity-tests")
    shutil.copytree(source, target, ignore=unused, copy_function=shutil.copyfile)
    for folder in (target, *target.rglob("*")):
        folder.chmod(0o755 if folder.is_dir() else 0o644)


def _build_image(programs: Artefact, root: Artefact, tag: str, out: Path, log: Log) -> None:
    image_root, layer = out / "root", out / "layer.tar"
    rootfs.unpack(root, image_root, log)
    shutil.copytree(programs.path / "root", image_root, dirs_exist_ok=True)
    (image_root / "usr/bin/clang").symlink_to("../lib/llvm-19/bin/clang")
    pack_layer(image_root, layer, log)
    shutil.rmtree(image_root)
    write_archive(out / ARCHIVE, [Image(tags=[tag], layer=layer)])
    layer.unlink()
    (out / VALUES.name).write_text(VALUES.read_text().replace("@IMAGE@", tag))
