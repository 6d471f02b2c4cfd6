"""What `lab up` makes for one version of Kubernetes, in order."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import partial

from ci.lab import cilium, gobuild, images, node, rootfs, testbed
from ci.lab.cilium import Cilium
from ci.lab.images import ARCHIVE, Programs
from ci.lab.node import Parts
from ci.lab.settings import Layout
from ci.lab.steps import Artefact, Log, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The artefacts of one version, and the images that come out."""

    layout: Layout
    kind: Artefact
    base: Artefact
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

    def artefacts(self) -> list[Artefact]:
        """Everything that is kept in the cache, each after what it needs."""
        programs = self.parts.programs
        return [
            self.kind,
            programs.kubernetes,
            programs.coredns,
            programs.flannel,
            self.base,
            self.probe_root,
            self.network_root,
            self.parts.root,
            self.parts.probe,
            self.parts.components,
            self.node,
            self.testbed_root,
            self.testbed,
            self.cilium.helm,
            self.cilium.programs,
            self.cilium.root,
            self.cilium.image,
        ]

    def tags(self) -> tuple[str, ...]:
        """The images that the engine must have."""
        return self.parts.tag, self.probe_tag, self.testbed_tag, self.cilium_node_tag

    def steps(self) -> list[Step]:
        """Build each artefact, then see that the engine has the images."""
        loads = [
            _load("load node image", self.parts.tag, self.node),
            _load("load probe image", self.probe_tag, self.parts.probe),
            _load("load testbed image", self.testbed_tag, self.testbed),
            Step(
                name="node image with Cilium",
                done=lambda: image_size(self.cilium_node_tag) is not None,
                act=partial(cilium.load_node, self.cilium, self.parts),
            ),
        ]
        return [*(artefact.step() for artefact in self.artefacts()), *loads]

    def built(self) -> bool:
        """Whether nothing is left to build."""
        return all(artefact.path.is_dir() for artefact in self.artefacts())

    def complete(self) -> bool:
        """Whether the programs and the images can be used now."""
        return self.kind.path.is_dir() and all(image_size(tag) is not None for tag in self.tags())

    def link_programs(self) -> None:
        """Put kind, kubectl and helm where `lab env` says they are."""
        self.layout.programs.mkdir(parents=True, exist_ok=True)
        sources = {
            "kind": self.kind.path,
            "kubectl": self.parts.programs.kubernetes.path,
            "helm": self.cilium.helm.path,
        }
        for name, folder in sources.items():
            link = self.layout.programs / name
            fresh = link.with_name(f"{name}.new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(folder / name)
            fresh.replace(link)


def make(layout: Layout, kubernetes: str) -> Plan:
    """Work out the artefacts of one version; nothing is built."""
    base = rootfs.base(layout)
    roots = {
        name: rootfs.derived(layout, name, packages, base)
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
    inspect = ["docker", "image", "inspect", "--format", "{{.Size}}", tag]
    found = subprocess.run(
        inspect, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return int(found.stdout) if found.returncode == 0 else None


def _load(name: str, tag: str, artefact: Artefact) -> Step:
    return Step(
        name=name,
        done=lambda: image_size(tag) is not None,
        act=partial(_load_archive, artefact),
    )


def _load_archive(artefact: Artefact, log: Log) -> None:
    log.run(["docker", "load", "--input", artefact.path / ARCHIVE])
