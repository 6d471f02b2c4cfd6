"""What on this machine keeps containers from being Kubernetes nodes with IPv6."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.clusters.contract import ClusterSpec, Problem
from pytest_ipv6k8s.docker import ENGINE, Docker, EngineInfo, is_installed, other_engines

FEWEST_INSTANCES, FEWEST_WATCHES = 128, 8192
LEAST_FREE = 2 << 30
_SYSCTLS = {
    "ipv6_disabled": "net/ipv6/conf/all/disable_ipv6",
    "ipv6_forwarding": "net/ipv6/conf/all/forwarding",
    "ipv4_forwarding": "net/ipv4/ip_forward",
    "inotify_instances": "fs/inotify/max_user_instances",
    "inotify_watches": "fs/inotify/max_user_watches",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """What matters of this machine; a number is None where it cannot be read.

    ``engine_error`` is the message of the engine's client when it cannot reach its engine;
    ``engine_is_here`` tells that the engine uses this machine's kernel; ``others`` are engines that
    we cannot use.
    """

    has_engine: bool
    engine_error: str
    engine_is_here: bool
    free_bytes: int | None
    ipv6_disabled: int | None
    ipv6_forwarding: int | None
    ipv4_forwarding: int | None
    inotify_instances: int | None
    inotify_watches: int | None
    others: tuple[str, ...] = ()


def read_facts(docker: Docker) -> HostFacts:
    """Look at this machine; changes nothing."""
    has_engine = is_installed()
    info = docker.info() if has_engine else EngineInfo()
    sysctls = {name: _sysctl(path) for name, path in _SYSCTLS.items()}
    elsewhere = os.environ.get("DOCKER_HOST", "").startswith(("tcp:", "ssh:"))
    here = info.operating_system not in ("", "Docker Desktop") and not elsewhere
    folder = Path(info.data_folder)
    return HostFacts(
        has_engine=has_engine,
        engine_error=info.error,
        engine_is_here=here,
        free_bytes=shutil.disk_usage(folder).free if here and folder.is_dir() else None,
        others=() if has_engine else tuple(other_engines()),
        **sysctls,
    )


def _sysctl(path: str) -> int | None:
    try:
        return int((Path("/proc/sys") / path).read_text())
    except (OSError, ValueError):
        return None


def problems(facts: HostFacts, spec: ClusterSpec) -> list[Problem]:
    """Return what stands in the way of nodes in containers; empty when nothing does."""
    found = _engine_problems(facts)
    if facts.engine_is_here and not facts.engine_error:
        found += [*_sysctl_problems(facts, spec), *_limit_problems(facts)]
    return found


def _engine_problems(facts: HostFacts) -> list[Problem]:
    if not facts.has_engine:
        return [
            Problem(
                text=f"there is no container engine: {ENGINE} is not on PATH"
                + (f", and {' and '.join(facts.others)} cannot be used" if facts.others else ""),
                remedy="install Docker Engine or Docker Desktop"
                + (
                    f"; a cluster in {facts.others[0]} is tested as it is: ipv6k8s run --kubeconfig"
                    if facts.others
                    else ""
                ),
            )
        ]
    if "permission denied" in facts.engine_error.lower():
        return [
            Problem(
                text="this user may not talk to the container engine",
                remedy="add the user to the group docker and log in again",
            )
        ]
    if facts.engine_error:
        return [
            Problem(
                text=f"the container engine does not answer: {facts.engine_error.splitlines()[-1]}",
                remedy="start it: systemctl start docker, or Docker Desktop",
            )
        ]
    return []


def _sysctl_problems(facts: HostFacts, spec: ClusterSpec) -> list[Problem]:
    families = spec.stack.families
    wrong = []
    if Family.V6 in families and facts.ipv6_disabled == 1:
        wrong.append(("IPv6 is switched off", "net.ipv6.conf.all.disable_ipv6=0"))
    if Family.V6 in families and facts.ipv6_forwarding == 0:
        wrong.append(("IPv6 packets are not forwarded", "net.ipv6.conf.all.forwarding=1"))
    if Family.V4 in families and facts.ipv4_forwarding == 0:
        wrong.append(("IPv4 packets are not forwarded", "net.ipv4.ip_forward=1"))
    return [
        Problem(text=f"{text} on this machine", remedy=f"sysctl -w {setting}")
        for text, setting in wrong
    ]


def _limit_problems(facts: HostFacts) -> list[Problem]:
    found = []
    for name, value, least in (
        ("max_user_instances", facts.inotify_instances, FEWEST_INSTANCES),
        ("max_user_watches", facts.inotify_watches, FEWEST_WATCHES),
    ):
        if value is not None and value < least:
            setting = f"fs.inotify.{name}"
            found.append(
                Problem(
                    text=f"{setting} is {value}, too few for nodes",
                    remedy=f"sysctl -w {setting}={least * 4}",
                )
            )
    if facts.free_bytes is not None and facts.free_bytes < LEAST_FREE:
        found.append(
            Problem(
                text=f"the container engine's disk has {facts.free_bytes >> 20} MiB left",
                remedy="free some space: docker system prune",
            )
        )
    return found
