"""The command ``ipv6k8s doctor``: what keeps this machine from making clusters."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_ipv6k8s.clusters.contract import ClusterProvider, Problem
    from pytest_ipv6k8s.docker import Docker
    from pytest_ipv6k8s.settings import Settings

OK, PROBLEM = 0, 1
_EXTRAS = {"xdist": "several checks at once, with -n"}


def add(commands: Any) -> None:
    """Add the command and its options."""
    command = commands.add_parser("doctor", help="say what keeps this machine from making clusters")
    command.add_argument("--provider", default="kind", help="for this provider (kind)")
    command.set_defaults(run=_doctor)


def _doctor(chosen: argparse.Namespace) -> int:
    from pytest_ipv6k8s.clusters import ownership
    from pytest_ipv6k8s.clusters.contract import provider
    from pytest_ipv6k8s.docker import Docker, is_installed
    from pytest_ipv6k8s.settings import resolve

    settings, asked = resolve({}, os.environ, {}), provider(chosen.provider)
    spec = dataclasses.replace(settings.cluster, run_id=ownership.new_run_id())
    docker, problems = Docker(timeouts=spec.timeouts), asked.problems(spec)
    if chosen.provider != "existing" and is_installed() and not docker.info().error:
        problems = [*problems, *_missing_images(docker, settings, asked)]
    for problem in problems:
        print(f"problem  {problem.text}\nremedy   {problem.remedy}")
    for extra, what in _EXTRAS.items():
        if importlib.util.find_spec(extra) is None:
            print(f"extra    for {what}: pip install 'pytest-ipv6k8s[{extra}]'")
    if not problems:
        print(f"This machine is ready for provider {chosen.provider}.")
    return PROBLEM if problems else OK


def _missing_images(
    docker: Docker, settings: Settings, provider: ClusterProvider
) -> Iterator[Problem]:
    """Say of each image where it is; yield those that are not to be had."""
    from pytest_ipv6k8s.clusters.contract import Problem
    from pytest_ipv6k8s.testbed import image as bed

    own = bed.own() if docker.has_image(bed.own()) else bed.base()
    wanted = {
        "node": settings.cluster.node_image or getattr(provider, "node_image", ""),
        "probe": settings.cluster.probe_image,
        "testbed": settings.external.testbed_image or own,
    }
    for what, image in wanted.items():
        if not image:
            print(f"image    {what}: the provider's own")
        elif docker.has_image(image):
            print(f"image    {what}: {image}, on this machine")
        elif docker.can_pull(image):
            print(f"image    {what}: {image}, can be pulled")
        else:
            yield Problem(
                text=f"{what} image {image} is not on this machine and cannot be pulled",
                remedy=f"pull it beforehand, or give another with IPV6K8S_{what.upper()}_IMAGE",
            )
