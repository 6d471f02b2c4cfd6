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
    kind, rancher = (cluster.node_image or image for image in ("kindest/node", k3s.IMAGE))
    rows = [
        (cluster.probe_image, "probe-image", "probes; all that a cluster which exists needs"),
        (kind, "node-image", "nodes of kind; the tag that its release names"),
        (rancher, "node-image", "nodes of K3s"),
        (testbed, "testbed-image", "the testbed; built where it is missing"),
    ]
    named = [(image, f"--ipv6k8s-{name}", use) for image, name, use in rows]
    return [*named, (LOOK_IMAGE, "-", "commands to look further, run by hand")]


def _images() -> int:
    show_table(HEAD, images(), "images; --ipv6k8s-cni brings those of its chart")
    return OK
