"""What providers ask of the container engine: images, and a network of the cluster's own."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pytest_ipv6k8s.addresses import Family, overlaps
from pytest_ipv6k8s.errors import HostProblem
from pytest_ipv6k8s.process import CommandFailed, Progress, must_run, run

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
    if run(["docker", "image", "inspect", image], timeout=LOOK).ok:
        return
    progress(f"pulling {what} {image}")
    try:
        must_run(["docker", "pull", "--quiet", image], timeout=PULL)
    except CommandFailed as error:
        said = error.finished.last_words if error.finished else f"no image after {PULL:.0f} s"
        raise HostProblem(
            f"{what} {image} is not on this machine and cannot be pulled: {last_line(said)}",
            remedy=f"pull it beforehand, or give another with {option}",
        ) from None


def api_version() -> tuple[int, int]:
    """Return the version of the API that the engine and its client agree on.

    Raises:
        HostProblem: the engine does not answer.
    """
    command = ["docker", "version", "--format", "{{.Client.APIVersion}}"]
    major, _, minor = must_run(command, timeout=LOOK).strip().partition(".")
    return int(major), int(minor)


def subnets() -> dict[str, tuple[str, ...]]:
    """Return the subnets of all networks that the engine has, by the network's name.

    Raises:
        HostProblem: the engine does not answer.
    """
    ids = must_run(["docker", "network", "ls", "--quiet"], timeout=LOOK).split()
    if not ids:
        return {}
    found = json.loads(must_run(["docker", "network", "inspect", *ids], timeout=LOOK))
    return {network["Name"]: _subnets(network) for network in found}


def make_network(
    name: str,
    run_id: str,
    families: Collection[Family],
    *,
    avoid: Sequence[str] = (),
    fixed: bool = False,
) -> tuple[str, ...]:
    """Make a bridge network that has just these families; IPv6 is a unique local /64 (RFC 4193).

    Args:
        name: of the network.
        run_id: goes into its label.
        families: without IPv4 it is IPv6-only, which an engine may not know.
        avoid: ranges that it must not overlap.
        fixed: containers are to choose their own addresses, which the engine allows only in
            subnets that were given.

    Returns:
        Its subnets.

    Raises:
        HostProblem: the engine makes none, or none like that.
    """
    chosen = [_unique_local_subnet(avoid)] if Family.V6 in families else []
    made = _create_network(name, run_id, families, chosen)
    if fixed and Family.V4 in families:  # the engine knows best which IPv4 subnets are free
        chosen = list(made)
        must_run(["docker", "network", "rm", name], timeout=CHANGE)
        made = _create_network(name, run_id, families, chosen)
    overlapping = [pair for pair in overlaps([*made, *avoid]) if pair[0] in made]
    if overlapping:
        subnet, cidr = overlapping[0]
        raise HostProblem(
            f"the container engine chose {subnet} for its network, which overlaps {cidr}",
            remedy="give other ranges with --ipv6k8s-pod-cidr and --ipv6k8s-service-cidr",
        )
    return made


def _create_network(
    name: str, run_id: str, families: Collection[Family], chosen: Sequence[str]
) -> tuple[str, ...]:
    command = ["docker", "network", "create", "--driver", "bridge", "--label", f"{LABEL}={run_id}"]
    if Family.V4 not in families:
        command += ["--ipv4=false"]
    if Family.V6 in families:
        command += ["--ipv6"]
    for subnet in chosen:
        command += ["--subnet", subnet]
    must_run([*command, name], timeout=CHANGE)
    (found,) = json.loads(must_run(["docker", "network", "inspect", name], timeout=LOOK))
    if Family.V6 in families and not found.get("EnableIPv6"):
        raise HostProblem(
            "the container engine makes no networks with IPv6",
            remedy='put "ipv6": true and "ip6tables": true into /etc/docker/daemon.json',
        )
    if Family.V4 not in families and found.get("EnableIPv4", True):
        raise HostProblem(
            "the container engine makes no networks without IPv4",
            remedy="install Docker Engine 28 or newer",
        )
    return _subnets(found)


def _unique_local_subnet(avoid: Sequence[str]) -> str:
    for _ in range(100):
        subnet = f"fd{secrets.token_hex(1)}:{secrets.token_hex(2)}:{secrets.token_hex(2)}::/64"
        if not any(subnet in pair for pair in overlaps([subnet, *avoid])):
            return subnet
    raise HostProblem(
        "the ranges of pods and Services leave no room in fd00::/8 for a network",
        remedy="give a smaller range with --ipv6k8s-pod-cidr",
    )


def _subnets(network: Any) -> tuple[str, ...]:
    configured = (network.get("IPAM") or {}).get("Config") or []
    return tuple(entry["Subnet"] for entry in configured if entry.get("Subnet"))


def remove_network(name: str) -> None:
    """Remove a network and all containers on it; it is fine when there is none.

    Raises:
        HostProblem: they could not be removed.
    """
    network = run(["docker", "network", "inspect", name], timeout=LOOK)
    if not network.ok:
        return
    guests = [*json.loads(network.out)[0]["Containers"]]
    remove_containers(guests)
    must_run(["docker", "network", "rm", name], timeout=CHANGE)


def containers(run_id: str) -> list[str]:
    """Return the names of all containers of a run, also of those that ended.

    Raises:
        HostProblem: the engine does not answer.
    """
    command = ["docker", "ps", "--all", "--filter", f"label={LABEL}={run_id}"]
    return sorted(must_run([*command, "--format", "{{.Names}}"], timeout=LOOK).split())


def remove_containers(names: Sequence[str]) -> None:
    """Remove containers and their volumes.

    Raises:
        HostProblem: they could not be removed.
    """
    if names:
        must_run(["docker", "rm", "--force", "--volumes", *names], timeout=CHANGE)


def on_nodes(nodes: Sequence[str], script: str, timeout: float) -> dict[str, str]:
    """Run a shell script in containers, side by side, and return what each of them said."""

    def ask(node: str) -> str:
        try:
            done = run(["docker", "exec", node, "sh", "-c", script], timeout=timeout)
        except CommandFailed as error:
            return str(error)
        return done.out or done.last_words

    with ThreadPoolExecutor(8) as pool:
        return dict(zip(nodes, pool.map(ask, nodes), strict=True))


def last_line(text: str) -> str:
    """Return the last line of what a program said, short enough for an error message."""
    return (text.strip().splitlines() or [""])[-1][:300]
