"""What `lab up` makes for one version of Kubernetes, in order."""

from __future__ import annotations

import enum
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ci.lab import cilium, gobuild, images, node, probe, rootfs, testbed
from ci.lab.cilium import Cilium
from ci.lab.images import ARCHIVE, Programs
from ci.lab.node import Parts
from ci.lab.runner import Lane, Stage
from ci.lab.settings import Layout
from ci.lab.steps import Artefact, Log, Step

ESTIMATES = {
    "kind": 15,
    "kubernetes": 300,
    "coredns": 110,
    "flannel": 75,
    "debian": 30,
    "probe-root": 8,
    "network-root": 7,
    "node-root": 12,
    "testbed-root": 20,
    "probe-image": 3,
    "testbed-image": 5,
    "component-images": 5,
    "node-image": 35,
    "helm": 100,
    "cilium": 400,
    "cilium-root": 12,
    "cilium-image": 4,
}
"""Seconds on two quiet cores with nothing cached, by the artefact's name without its version."""


class Extra(enum.Enum):
    """What `lab up --with` adds to the core."""

    CILIUM = "cilium"


Extras = frozenset[Extra]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The artefacts of one version, and the images that come out."""

    layout: Layout
    kind: Artefact
    base: Artefact
    probe_base: Artefact
    probe_root: Artefact
    network_root: Artefact
    parts: Parts
    node: Artefact
    testbed_root: Artefact
    testbed: Artefact
    cilium: Cilium

    @property
    def probe_tag(self) -> str:
        """The name of the probe image in the engine."""
        return images.probe_tag(self.parts.probe)

    @property
    def testbed_tag(self) -> str:
        """The name of the testbed's image in the engine."""
        return testbed.tag(self.testbed)

    @property
    def cilium_node_tag(self) -> str:
        """The name of the node image for clusters with Cilium."""
        return self.cilium.node_tag(self.parts)

    def stages(self, extras: Extras, host: Lane) -> list[Stage]:
        """Return what is to be done: Go's and Debian's work beside each other, then the nodes.

        Args:
            extras: what is wanted beside the core.
            host: what the machine needs first; Go needs nothing of it.
        """
        with_cilium = Extra.CILIUM in extras
        programs = self.parts.programs
        compiled = [self.kind, programs.kubernetes]
        installed = [self.base, self.probe_base, self.probe_root, self.network_root]
        installed += [self.parts.root, self.testbed_root, self.parts.probe, self.testbed]
        also_compiled = [programs.flannel, programs.coredns]
        nodes = [self.parts.components, self.node]
        if with_cilium:
            compiled.append(self.cilium.programs)
            installed.append(self.cilium.root)
            also_compiled.append(self.cilium.helm)
            nodes.append(self.cilium.image)
        beside = [*host, *_made(installed), *self._loads(), *_made(also_compiled)]
        last = [*_made(nodes), _load("load node image", self.parts.tag, self.node)]
        return [
            [_made(compiled), beside],
            [[*last, *([self._cilium_node()] if with_cilium else [])]],
        ]

    def artefacts(self, extras: Extras) -> list[Artefact]:
        """Everything that is kept in the cache, each after what it needs."""
        programs = self.parts.programs
        core = [
            self.kind,
            programs.kubernetes,
            programs.coredns,
            programs.flannel,
            self.base,
            self.probe_base,
            self.probe_root,
            self.network_root,
            self.parts.root,
            self.parts.probe,
            self.parts.components,
            self.node,
            self.testbed_root,
            self.testbed,
        ]
        made = self.cilium
        cilium_artefacts = [made.helm, made.programs, made.root, made.image]
        return [*core, *(cilium_artefacts if Extra.CILIUM in extras else [])]

    def tags(self, extras: Extras) -> list[str]:
        """The images that the engine must have."""
        core = [self.parts.tag, self.probe_tag, self.testbed_tag]
        return [*core, *([self.cilium_node_tag] if Extra.CILIUM in extras else [])]

    def built(self, extras: Extras) -> bool:
        """Whether nothing is left to build."""
        return all(artefact.path.is_dir() for artefact in self.artefacts(extras))

    def missing(self, extras: Extras) -> list[str]:
        """Return the programs and images that clusters need and that are not there now."""
        programs = [self.kind, self.parts.programs.kubernetes]
        if Extra.CILIUM in extras:
            programs += [self.cilium.helm, self.cilium.programs, self.cilium.image]
        absent = [artefact.name for artefact in programs if not artefact.path.is_dir()]
        return absent + [tag for tag in self.tags(extras) if image_size(tag) is None]

    def link_programs(self) -> None:
        """Put those of kind, kubectl and helm that are built where `lab env` says they are."""
        self.layout.programs.mkdir(parents=True, exist_ok=True)
        sources = {
            "kind": self.kind.path,
            "kubectl": self.parts.programs.kubernetes.path,
            "helm": self.cilium.helm.path,
        }
        for name, folder in sources.items():
            if not folder.is_dir():
                continue
            link = self.layout.programs / name
            fresh = link.with_name(f"{name}.new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(folder / name)
            fresh.replace(link)

    def _loads(self) -> list[Step]:
        return [
            _load("load probe image", self.probe_tag, self.parts.probe),
            _load("load testbed image", self.testbed_tag, self.testbed),
        ]

    def _cilium_node(self) -> Step:
        return Step(
            name="node image with Cilium",
            done=lambda: image_size(self.cilium_node_tag) is not None,
            act=partial(cilium.load_node, self.cilium, self.parts),
            estimate=20,
        )


def make(layout: Layout, kubernetes: str) -> Plan:
    """Work out the artefacts of one version; nothing is built."""
    base = rootfs.base(layout)
    others = {"probe-root": probe.base(layout)}
    roots = {
        name: rootfs.derived(layout, name, packages, others.get(name, base))
        for name, packages in rootfs.DERIVED.items()
    }
    programs = Programs(
        version=kubernetes,
        kubernetes=gobuild.kubernetes(layout, kubernetes),
        coredns=gobuild.tool(layout, gobuild.coredns(kubernetes)),
        flannel=gobuild.tool(layout, gobuild.FLANNEL),
    )
    parts = Parts(
        programs=programs,
        root=roots["node-root"],
        components=images.components(layout, programs, roots["network-root"]),
        probe=images.probe(layout, roots["probe-root"]),
    )
    testbed_root = testbed.root(layout, base)
    return Plan(
        layout=layout,
        kind=gobuild.tool(layout, gobuild.KIND),
        base=base,
        probe_base=others["probe-root"],
        probe_root=roots["probe-root"],
        network_root=roots["network-root"],
        parts=parts,
        node=node.node(layout, parts),
        testbed_root=testbed_root,
        testbed=testbed.image(layout, testbed_root),
        cilium=cilium.plan(layout, base),
    )


def image_size(tag: str) -> int | None:
    """How many bytes an image takes in the engine; None when it is not there."""
    if shutil.which("docker") is None:
        return None
    inspect = ["docker", "image", "inspect", "--format", "{{.Size}}", tag]
    found = subprocess.run(
        inspect, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return int(found.stdout) if found.returncode == 0 else None


def estimate(artefact: str) -> int:
    """Return about how many seconds an artefact takes, by its name: kind-v0.33.0."""
    exact = ESTIMATES.get(artefact)
    return ESTIMATES[artefact.rpartition("-")[0]] if exact is None else exact


def _made(artefacts: Sequence[Artefact]) -> list[Step]:
    return [artefact.step(estimate=estimate(artefact.name)) for artefact in artefacts]


def _load(name: str, tag: str, artefact: Artefact) -> Step:
    return Step(
        name=name,
        done=lambda: image_size(tag) is not None,
        act=partial(_load_archive, artefact),
        estimate=4,
    )


def _load_archive(artefact: Artefact, log: Log) -> None:
    log.run(["docker", "load", "--input", artefact.path / ARCHIVE])
