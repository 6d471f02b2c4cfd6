"""Pointing a cluster's CoreDNS at another resolver, and back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from pytest_ipv6k8s.errors import ClusterError, Inconclusive, by_reason
from pytest_ipv6k8s.kube import paths, plight, status
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.waiting import wait_until

_DEPLOYMENT = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
_CONFIG_MAP = "/api/v1/namespaces/kube-system/configmaps/coredns"
_BEFORE = "ipv6k8s/corefile-before"
_FORWARD = re.compile(r"^(\s*forward\s+\.\s+)([^\n{]+?)(\s*\{|\s*)$", re.MULTILINE)


class DnsDown(ClusterError):
    """CoreDNS does not come back when it is restarted as it was: the cluster's own trouble."""


def healthy_corefile(api: Api) -> str:
    """Return the Corefile, or what it was before a run that was killed changed it."""
    config_map = api.get(_CONFIG_MAP)
    before = (config_map.get("metadata", {}).get("annotations") or {}).get(_BEFORE)
    return str(before or config_map["data"]["Corefile"])


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


def runs(api: Api) -> bool:
    """Tell whether a pod of CoreDNS is available."""
    return bool(api.get(_DEPLOYMENT)["status"].get("availableReplicas", 0))


def point(api: Api, corefile: str, *, before: str | None, wait: bool) -> None:
    """Change the Corefile and restart CoreDNS: its own reload can take two minutes.

    Args:
        api: the cluster's API server.
        corefile: the new one.
        before: the old one, which an annotation keeps until it is there again; None when it is.
        wait: whether to wait until it is back: where none of its pods was available before, that
            is for DNS-01 to judge.

    Raises:
        DnsDown: CoreDNS is not back after 90 s, with the Corefile that it had before.
        ClusterError: the same with the new one.
    """
    metadata = {"annotations": {_BEFORE: before}}
    api.patch(_CONFIG_MAP, {"metadata": metadata, "data": {"Corefile": corefile}})
    digest = hashlib.sha256(corefile.encode()).hexdigest()[:12]
    template = {"metadata": {"annotations": {"ipv6k8s/corefile": digest}}}
    api.patch(_DEPLOYMENT, {"spec": {"template": template}})
    try:
        if wait:
            wait_until("CoreDNS is back", lambda: _is_back(api), timeout=api.timeouts.coredns)
    except Inconclusive:
        kind, which = (DnsDown, "as it was") if before is None else (ClusterError, "changed")
        text = f"CoreDNS does not come back when it is restarted with its Corefile {which}"
        raise kind(f"{text}: {_stuck(api)}", remedy="look at its pods") from None


def _is_back(api: Api) -> bool:
    deployment = api.get(_DEPLOYMENT)
    found, replicas = deployment["status"], deployment["spec"]["replicas"]
    counts = ("updatedReplicas", "replicas", "availableReplicas")
    current = found.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return bool(current) and all(found.get(count, 0) == replicas for count in counts)


def _stuck(api: Api) -> str:
    """Say which pods of CoreDNS are not ready, where, and why."""
    labels = api.get(_DEPLOYMENT)["spec"]["selector"]["matchLabels"]
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    pods = api.items(paths.pods("kube-system"), labelSelector=selector)
    return by_reason(
        (f"{pod['metadata']['name']} on {pod['spec'].get('nodeName')}", plight.of(api, pod).reason)
        for pod in pods
        if not status.is_ready(pod) and not pod["metadata"].get("deletionTimestamp")
    )


def is_pointed(api: Api, corefile: str) -> bool:
    """Tell whether the cluster has this Corefile."""
    return bool(api.get(_CONFIG_MAP)["data"]["Corefile"] == corefile)
