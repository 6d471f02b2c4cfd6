"""One of three DNS servers, each on its own node, answers nobody, and is ready all the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EACH_NODE, Fault, expect_red
from tests.real import kubectl, on_node

pytestmark = pytest.mark.real_cluster
INSIDE = """
for pid in $(pgrep -x coredns); do
    if grep -qz "^HOSTNAME={pod}$" /proc/$pid/environ; then nsenter -t $pid -n {command}; fi
done
"""
DROP = (
    "nft 'table inet dead { chain in { type filter hook input priority 0;"
    " meta l4proto { tcp, udp } th dport 53 drop; }; }'"
)
HEAL = "nft delete table inet dead"


def _pods(cluster: Cluster) -> dict[str, str]:
    """Return the name of a DNS pod of each node that has one."""
    where = ("-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-dns", "-o", "json")
    found = json.loads(kubectl(cluster, *where))["items"]
    staying = (pod for pod in found if not pod["metadata"].get("deletionTimestamp"))
    return {pod["spec"]["nodeName"]: pod["metadata"]["name"] for pod in staying}


def _scale(cluster: Cluster, replicas: int) -> None:
    """Run so many DNS servers; they spread over the nodes."""
    coredns = ("-n", "kube-system", "deployment/coredns")
    kubectl(cluster, "scale", *coredns, f"--replicas={replicas}")
    kubectl(cluster, "rollout", "status", *coredns, "--timeout=80s")


@contextmanager
def one_dead(cluster: Cluster, node: str) -> Iterator[str]:
    """Drop what comes to port 53 of a node's CoreDNS pod, inside it: its readiness is elsewhere."""
    _scale(cluster, 3)
    name = _pods(cluster)[node]
    on_node(node, INSIDE.format(pod=name, command=DROP))
    try:
        yield name
    finally:
        on_node(node, INSIDE.format(pod=name, command=HEAL))
        _scale(cluster, 2)


@pytest.mark.parametrize("end", EACH_NODE)
def test_one_dns_server_dead(three_nodes: Cluster, tmp_path: Path, end: str) -> None:
    node, dead = f"{three_nodes.name}-{end}", list[str]()

    @contextmanager
    def broken(cluster: Cluster) -> Iterator[None]:
        with one_dead(cluster, node) as name:
            dead.append(name)
            yield

    fault = Fault(
        broken=broken,
        must=frozenset({"DNS-01"}),
        cause={"DNS-01": "the way to one server's node is broken (see ADDR-16), or that server"},
    )
    run = expect_red(fault, three_nodes, tmp_path, "-k", "DNS")

    named = set(re.findall(r"that is pod (\S+) \(node ([^)]+)\)", run.words("DNS-01")))
    assert named == {(dead[0], node)}, run.words("DNS-01")
