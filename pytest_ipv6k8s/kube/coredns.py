"""Pointing a cluster's CoreDNS at another resolver, and back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from pytest_ipv6k8s.errors import ClusterError
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.waiting import wait_until

_COREDNS = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
_COREFILE = "/api/v1/namespaces/kube-system/configmaps/coredns"
_KEPT = "ipv6k8s/corefile-before"
_FORWARD = re.compile(r"^(\s*forward\s+\.\s+)([^\n{]+?)(\s*\{|\s*)$", re.MULTILINE)


def healthy_corefile(api: Api) -> str:
    """Return the Corefile, or what it was before a run that was killed changed it."""
    found = api.get(_COREFILE)
    kept = (found.get("metadata", {}).get("annotations") or {}).get(_KEPT)
    return str(kept or found["data"]["Corefile"])


def corefile_towards(before: str, upstreams: Sequence[str], *, dns64: str = "") -> str:
    """Return a Corefile that forwards to these resolvers.

    Args:
        before: the Corefile as it is.
        upstreams: addresses of the resolvers.
        dns64: a prefix with which CoreDNS itself is to synthesise AAAA records; empty: it is not.

    Raises:
        ClusterError: the Corefile forwards nowhere.
    """
    changed, count = _FORWARD.subn(rf"\g<1>{' '.join(upstreams)}\g<3>", before)
    if not count:
        raise ClusterError(
            "CoreDNS forwards nowhere, so pods cannot ask the testbed's resolver",
            remedy="add `forward . /etc/resolv.conf` to its Corefile",
        )
    return _FORWARD.sub(rf"    dns64 {dns64}\n\g<0>", changed) if dns64 else changed


def point(api: Api, corefile: str, *, before: str | None) -> None:
    """Change the Corefile and start CoreDNS anew: its own reload can take two minutes.

    What was there before is kept beside it until it is there again.
    """
    kept = {"annotations": {_KEPT: before}}
    api.patch(_COREFILE, {"metadata": kept, "data": {"Corefile": corefile}})
    stamp = hashlib.sha256(corefile.encode()).hexdigest()[:12]
    annotations = {"ipv6k8s/corefile": stamp}
    api.patch(_COREDNS, {"spec": {"template": {"metadata": {"annotations": annotations}}}})

    def rolled_out() -> bool:
        found = api.get(_COREDNS)
        status, wanted = found["status"], found["spec"]["replicas"]
        counts = ("updatedReplicas", "replicas", "availableReplicas")
        current = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
        return bool(current) and all(status.get(count) == wanted for count in counts)

    wait_until("CoreDNS has been started anew", rolled_out, timeout=api.timeouts.coredns)


def is_pointed(api: Api, corefile: str) -> bool:
    """Tell whether this is the Corefile."""
    return bool(api.get(_COREFILE)["data"]["Corefile"] == corefile)
