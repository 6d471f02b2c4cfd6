"""The command ``ipv6k8s images``: what a site without the Internet has to mirror."""

from __future__ import annotations

import os
from typing import Any

from pytest_ipv6k8s.checks import LOOK_IMAGE
from pytest_ipv6k8s.cli.tables import show_table

OK = 0
HEAD = ("IMAGE", "OPTION", "FOR")


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "images", help="list the container images that runs use, with what each is for"
    )
    command.set_defaults(run=lambda chosen: _images())


def images() -> list[tuple[str, str, str]]:
    """Return each image, the option that names another one, and what it is for.

    Options that the environment has count.

    Raises:
        ConfigError: an option in the environment has a value that cannot be.
    """
    from pytest_ipv6k8s.clusters.providers import k3s
    from pytest_ipv6k8s.settings import resolve
    from pytest_ipv6k8s.testbed import image as bed

    settings = resolve({}, os.environ, {})
    cluster, testbed = settings.cluster, settings.external.testbed_image or bed.own()
    nodes = {"kind": "kindest/node", "k3s": k3s.IMAGE}
    if cluster.node_image:
        nodes[_provider_of(cluster.node_image, settings.provider)] = cluster.node_image
    rows = [
        (cluster.probe_image, "probe-image", "probes; all that a cluster which exists needs"),
        (nodes["kind"], "node-image", "nodes of kind; the tag that its release names"),
        (nodes["k3s"], "node-image", "nodes of K3s"),
        (testbed, "testbed-image", "the testbed; built where it is missing"),
    ]
    named = [(image, f"--ipv6k8s-{name}", use) for image, name, use in rows]
    return [*named, (LOOK_IMAGE, "-", "commands to look further, run by hand")]


def _provider_of(node_image: str, chosen: str | None) -> str:
    """Return whose nodes an image is for: the provider's that was chosen, else as its name says."""
    return chosen or ("k3s" if "k3s" in node_image else "kind")


def _images() -> int:
    show_table(HEAD, images(), "images; --ipv6k8s-cni brings those of its chart")
    return OK
