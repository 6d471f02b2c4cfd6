"""What is read first in a bundle: tables of its objects, and what of them looks odd."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ipv6k8s.bundle.tables import tables
from pytest_ipv6k8s.kube import odd, paths

LABELS = {"k8s-app": "kube-dns"}
Objects = dict[str, list[dict[str, Any]]]


def _meta(name: str, **labels: str) -> dict[str, Any]:
    return {"name": name, "namespace": "kube-system", "labels": labels}


def _objects() -> Objects:
    """Return a cluster in order: one node, a DNS with one server, an agent."""
    ready = [{"type": "Ready", "status": "True"}, {"type": "DiskPressure", "status": "False"}]
    address = {"type": "InternalIP", "address": "fd00::1"}
    return {
        "nodes": [
            {
                "metadata": {"name": "n1", "labels": {"node-role.kubernetes.io/control-plane": ""}},
                "spec": {"podCIDRs": ["fd00:1::/64"]},
                "status": {"conditions": ready, "addresses": [address], "nodeInfo": {}},
            }
        ],
        "pods": [
            {
                "metadata": _meta("coredns-1"),
                "spec": {"nodeName": "n1", "containers": [{"name": "c"}]},
                "status": {
                    "phase": "Running",
                    "podIPs": [{"ip": "fd00:1::5"}],
                    "conditions": ready[:1],
                    "containerStatuses": [{"name": "c", "ready": True, "restartCount": 3}],
                },
            },
            {"metadata": _meta("job-1"), "status": {"phase": "Succeeded"}},
        ],
        **_asked(),
        **_workloads(),
    }


def _asked() -> Objects:
    return {
        "services": [
            {
                "metadata": _meta("kube-dns"),
                "spec": {
                    "clusterIPs": ["fd00:96::a"],
                    "ipFamilies": ["IPv6"],
                    "selector": LABELS,
                    "ports": [{"port": 53, "protocol": "UDP", "nodePort": 30053}],
                },
            },
            {"metadata": _meta("by-hand"), "spec": {"ipFamilies": ["IPv6"]}},
            {
                "metadata": _meta("empty", **{"ipv6k8s/run": "abc"}),
                "spec": {"ipFamilies": ["IPv6"], "selector": {"a": "b"}},
            },
        ],
        "endpointslices": [
            {
                "metadata": _meta("kube-dns-x", **{paths.SERVICE_OF_SLICE: "kube-dns"}),
                "addressType": "IPv6",
                "endpoints": [{"addresses": ["fd00:1::5"], "conditions": {"ready": True}}],
            }
        ],
    }


def _workloads() -> Objects:
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"image": "coredns:1"}]}}
    return {
        "deployments": [
            {
                "metadata": _meta("coredns"),
                "spec": {"replicas": 1, "template": template},
                "status": {"readyReplicas": 1},
            },
            {
                "metadata": _meta("switched-off"),
                "spec": {"replicas": 0, "template": {"metadata": {}}},
            },
        ],
        "daemonsets": [
            {
                "metadata": _meta("windows-agent"),
                "spec": {"template": {"metadata": {}}},
                "status": {"desiredNumberScheduled": 0, "numberReady": 0},
            }
        ],
        "networkpolicies": [
            {"metadata": _meta("all"), "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}
        ],
    }


def _texts(objects: Objects) -> list[str]:
    return [finding.text for finding in odd.among(objects)]


def test_of_a_cluster_in_order_nothing_is_odd() -> None:
    assert _texts(_objects()) == []
    assert _texts({}) == []


@pytest.mark.parametrize(
    ("kind", "change", "told"),
    [
        ("deployments", {"spec": {"replicas": 2}}, "Deployment kube-system/coredns: 1 of 2 "),
        (
            "deployments",
            {"spec": {"replicas": 0}, "status": {}},
            "Deployment kube-system/coredns: 0 of 0 replicas ready",
        ),
        (
            "daemonsets",
            {"status": {"desiredNumberScheduled": 3, "numberReady": 2}},
            "DaemonSet kube-system/windows-agent: 2 of 3 replicas ready",
        ),
        ("endpointslices", {"endpoints": []}, "kube-dns has 0 of 0 IPv6 endpoints ready"),
        ("endpointslices", {"addressType": "IPv4"}, "kube-dns has 0 of 0 IPv6 endpoints ready"),
        (
            "nodes",
            {"status": {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "r"}]}},
            "node n1: Ready is Unknown (r)",
        ),
        (
            "pods",
            {
                "status": {
                    "containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]
                }
            },
            "pod kube-system/coredns-1 on n1 is not Ready (CrashLoopBackOff)",
        ),
    ],
)
def test_what_is_odd_is_told(kind: str, change: dict[str, Any], told: str) -> None:
    objects = _objects()
    first = objects[kind][0]
    keeps = {"spec": {**first.get("spec", {}), **change.get("spec", {})}}
    objects[kind][0] = {**first, **change, **keeps}

    (text,) = _texts(objects)

    assert told in text


def test_each_kind_has_a_table_as_kubectl_shows_it() -> None:
    found = {file.name: file.text.splitlines() for file in tables(_objects())}

    assert set(found) == {f"tables/{kind}.txt" for kind in _objects()}
    heads = {name: lines[0].split()[:4] for name, lines in found.items()}
    assert heads["tables/nodes.txt"] == ["NAME", "STATUS", "ROLES", "VERSION"]
    assert heads["tables/pods.txt"] == ["NAMESPACE", "NAME", "READY", "STATUS"]
    rows = {name: lines[1].split() for name, lines in found.items()}
    assert rows["tables/nodes.txt"][:5] == ["n1", "Ready", "control-plane", "<none>", "fd00::1"]
    assert rows["tables/pods.txt"] == (
        ["kube-system", "coredns-1", "1/1", "Running", "3", "fd00:1::5", "n1", "no"]
    )
    assert "53:30053/UDP" in rows["tables/services.txt"]
    assert rows["tables/endpointslices.txt"][2:5] == ["kube-dns", "IPv6", "1/1"]
    assert rows["tables/deployments.txt"][:3] == ["kube-system", "coredns", "1/1"]
    assert rows["tables/daemonsets.txt"][2] == "0/0"
    assert rows["tables/networkpolicies.txt"][2:] == ["<all>", "Ingress"]
