"""A control plane that was away: who watches it comes back in its own time."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

from pytest_ipv6k8s import waiting
from pytest_ipv6k8s.kube import paths
from pytest_ipv6k8s.kube.client import Api, ApiError

WATCHERS_BACK = 90.0
"""Seconds after which DNS servers, proxies and kubelets see again what is new.

client-go asks again after thirty seconds at most, up to doubled by chance (reflector.go), and again
so long where the first answer is an error of a server that has just begun: 93 s were seen with
CoreDNS. The leader of the controllers is some fifteen seconds later than the API server.
"""
_LEADER = paths.inside(paths.KUBE_SYSTEM, "leases", "kube-controller-manager")


def await_watchers(api: Api, tell: Callable[[str], None]) -> None:
    """Wait until whoever watches the API server has seen it again after it was away.

    kube-controller-manager gives its Lease up when it has not reached the API server for ten
    seconds. Shorter absences need no waiting: the time between two attempts grows with them. Where
    the Lease may not be read, or is not there, nobody waits.

    Args:
        api: the API server; its controllers work, as pods of ours run.
        tell: is told once why we wait, and how long.

    Raises:
        ControlChannelError: the API server could not be reached.
    """
    if (age := _age(api)) >= WATCHERS_BACK:
        return
    left = WATCHERS_BACK - age
    tell(
        f"the control plane came back {age:.0f} s ago; waiting {left:.0f} s more, "
        "until everything that watches it has to be back"
    )
    waiting.poll(lambda: _age(api), lambda age: age >= WATCHERS_BACK, timeout=left, interval=1.0)


def _age(api: Api) -> float:
    """Return for how long the leader leads, by its own clock; endless where it is the first."""
    try:
        spec = (api.find(_LEADER) or {}).get("spec") or {}
        if not spec.get("leaseTransitions"):
            return math.inf
        return _seconds(spec["renewTime"]) - _seconds(spec["acquireTime"])
    except (ApiError, KeyError, ValueError):
        return math.inf


def _seconds(time: object) -> float:
    return datetime.fromisoformat(str(time).replace("Z", "+00:00")).timestamp()
