"""Three packets in a hundred are lost one way between two nodes, of one family and one protocol."""

from __future__ import annotations

import ipaddress
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import IMPATIENT
from tests.real import kubectl, on_node, run_suite

pytestmark = pytest.mark.real_cluster
JUDGES = {"udp": "ADDR-17", "tcp": "ADDR-34"}
ONLY = ("-k", "ADDR or SVC or NODE")
LOSS = (
    "nft 'table inet lossy {{ chain forward {{ type filter hook forward priority -50;"
    " {daddr} {range} meta l4proto {protocol} numgen random mod 1000 < 30 drop; }}; }}'"
)
HEAL = "nft delete table inet lossy"


def _pod_ranges(cluster: Cluster) -> dict[str, list[str]]:
    nodes = json.loads(kubectl(cluster, "get", "nodes", "-o", "json"))["items"]
    return {node["metadata"]["name"]: node["spec"]["podCIDRs"] for node in nodes}


@contextmanager
def lossy(
    cluster: Cluster, source: str, target: str, family: Family, protocol: str
) -> Iterator[None]:
    """Drop at one node what its pods send to those of another."""
    version = 6 if family is Family.V6 else 4
    (towards,) = (
        text
        for text in _pod_ranges(cluster)[target]
        if ipaddress.ip_network(text).version == version
    )
    daddr = "ip6 daddr" if version == 6 else "ip daddr"
    on_node(source, LOSS.format(daddr=daddr, range=towards, protocol=protocol))
    try:
        yield
    finally:
        on_node(source, HEAL)


def test_a_little_loss_is_seen_and_blamed_on_nothing_else(
    dual_cluster: Cluster, tmp_path: Path
) -> None:
    source, target = random.sample(sorted(_pod_ranges(dual_cluster)), 2)
    family, protocol = random.choice(list(Family)), random.choice(sorted(JUDGES))
    judge = JUDGES[protocol]
    drawn = f"3 % of {family.value} {protocol} is lost from {source} to {target}"

    with lossy(dual_cluster, source, target, family, protocol):
        run = run_suite(dual_cluster, tmp_path, *IMPATIENT, *ONLY)

    assert run.red == {judge}, f"{drawn}\n{run.out}"
    verdicts = {item["family"]: item["verdict"] for item in run.check(judge)["items"]}
    assert [name for name, verdict in verdicts.items() if verdict == "fail"] == [family.value], (
        drawn
    )
    assert source in run.words(judge), drawn
    assert target in run.words(judge), drawn
    healed = run_suite(dual_cluster, tmp_path, "-k", judge)
    assert not healed.red, healed.out
