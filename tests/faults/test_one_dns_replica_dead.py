"""One of the cluster's two DNS servers answers nobody, and is ready all the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import IMPATIENT
from tests.real import kubectl, on_node, run_suite

pytestmark = pytest.mark.real_cluster
ONLY = ("-k", "DNS")
MUST = frozenset({"DNS-01", "DNS-02", "DNS-03", "DNS-04", "DNS-07", "DNS-08", "DNS-11", "DNS-14"})
MAY = frozenset({"DNS-16", "DNS-17"})
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


def _pods(cluster: Cluster) -> list[tuple[str, str]]:
    where = ("-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-dns", "-o", "json")
    found = json.loads(kubectl(cluster, *where))["items"]
    return sorted((pod["metadata"]["name"], pod["spec"]["nodeName"]) for pod in found)


@contextmanager
def one_dead(cluster: Cluster, place: int) -> Iterator[tuple[str, str]]:
    """Drop what comes to port 53 of a CoreDNS pod, inside it: its readiness is asked elsewhere."""
    name, node = _pods(cluster)[place]
    on_node(node, INSIDE.format(pod=name, command=DROP))
    try:
        yield name, node
    finally:
        on_node(node, INSIDE.format(pod=name, command=HEAL))


@pytest.mark.parametrize("place", [0, 1])
def test_one_dns_server_dead(ipv6_cluster: Cluster, tmp_path: Path, place: int) -> None:
    with one_dead(ipv6_cluster, place) as (name, node):
        run = run_suite(ipv6_cluster, tmp_path, *IMPATIENT, *ONLY)

    failed = run.ids("fail")
    assert failed >= MUST, f"not red: {sorted(MUST - failed)}\n{run.out}"
    assert run.red <= MUST | MAY, f"red for no reason: {sorted(run.red - MUST - MAY)}\n{run.out}"
    assert f"pod {name} (node {node})" in run.out
    healed = run_suite(ipv6_cluster, tmp_path, *ONLY)
    assert not healed.red, healed.out
