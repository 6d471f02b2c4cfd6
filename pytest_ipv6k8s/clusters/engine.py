"""What providers ask of the container engine: images, and a network of the cluster's own."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.clusters import Progress
from pytest_ipv6k8s.errors import HostProblem
from pytest_ipv6k8s.process import CommandFailed, must_run, run

LABEL = "ipv6k8s.run"
PULL, LOOK, CHANGE = 30.0, 20.0, 60.0


def have_image(image: str, what: str, option: str, progress: Progress) -> None:
    """Make sure that the engine has an image: it is there, or it can be pulled.

    Args:
        image: its reference.
        what: what it is for, for progress and errors.
        option: the option with which another can be given.
        progress: told when it has to be pulled.

    Raises:
        HostProblem: it is not to be had.
    """
    if run(["docker", "image", "inspect", image], within=LOOK).ok:
        return
    progress(f"pulling {what} {image}")
    try:
        must_run(["docker", "pull", "--quiet", image], within=PULL)
    except CommandFailed as error:
        said = error.finished.last_words if error.finished else f"no image after {PULL:.0f} s"
        raise HostProblem(
            f"{what} {image} is not on this machine and cannot be pulled: {last_line(said)}",
            remedy=f"pull it beforehand, or give another with {option}",
        ) from None


def make_network(name: str, run_id: str, families: Collection[Family]) -> None:
    """Make a bridge network that has these families, IPv6 with a unique local /64 (RFC 4193).

    Raises:
        HostProblem: the engine makes none, or none with IPv6.
    """
    command = ["docker", "network", "create", "--driver", "bridge", "--label", f"{LABEL}={run_id}"]
    if Family.V6 in families:
        command += ["--ipv6", "--subnet", _unique_local_subnet()]
    must_run([*command, name], within=CHANGE)
    found = json.loads(must_run(["docker", "network", "inspect", name], within=LOOK))
    if Family.V6 in families and not found[0].get("EnableIPv6"):
        raise HostProblem(
            "the container engine makes no networks with IPv6",
            remedy='put "ipv6": true and "ip6tables": true into /etc/docker/daemon.json',
        )


def _unique_local_subnet() -> str:
    return f"fd{secrets.token_hex(1)}:{secrets.token_hex(2)}:{secrets.token_hex(2)}::/64"


def remove_network(name: str) -> None:
    """Remove a network and all containers on it; it is fine when there is none.

    Raises:
        HostProblem: they could not be removed.
    """
    network = run(["docker", "network", "inspect", name], within=LOOK)
    if not network.ok:
        return
    guests = [*json.loads(network.out)[0]["Containers"]]
    if guests:
        must_run(["docker", "rm", "--force", "--volumes", *guests], within=CHANGE)
    must_run(["docker", "network", "rm", name], within=CHANGE)


def last_line(text: str) -> str:
    """Return the last line of what a program said, short enough for an error message."""
    return (text.strip().splitlines() or [""])[-1][:300]
