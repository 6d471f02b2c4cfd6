"""Loss on the way from one node's pods to another's, of one family and one protocol."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.clusters.contract import Cluster
from tests.real import kubectl, on_node

JUDGES = {"udp": "ADDR-17", "tcp": "ADDR-34"}
DROP = (
    "nft 'table inet lossy {{ chain forward {{ type filter hook forward priority -50;"
    " {ip} daddr {range} meta l4proto {protocol} numgen random mod 100 < {percent} drop; }}; }}'"
)
HEAL = "nft delete table inet lossy"


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What is lost where: so many packets in a hundred, from the one node to the other."""

    percent: int
    source: str
    target: str
    family: Family
    protocol: str

    @property
    def judge(self) -> str:
        """The check that has to turn red."""
        return JUDGES[self.protocol]

    def __str__(self) -> str:
        way = f"{self.source} → {self.target}"
        return f"{self.percent} % of {self.family.value} {self.protocol}, {way}"


def pod_ranges(cluster: Cluster) -> dict[str, list[str]]:
    """Return the pod ranges of each node."""
    nodes = json.loads(kubectl(cluster, "get", "nodes", "-o", "json"))["items"]
    return {node["metadata"]["name"]: node["spec"]["podCIDRs"] for node in nodes}


def drawn(cluster: Cluster, random: Random, *, percent: int = 3) -> Loss:
    """Draw two nodes, a family and a protocol."""
    source, target = random.sample(sorted(pod_ranges(cluster)), 2)
    family, protocol = random.choice(list(Family)), random.choice(sorted(JUDGES))
    return Loss(percent=percent, source=source, target=target, family=family, protocol=protocol)


@contextmanager
def lossy(cluster: Cluster, loss: Loss) -> Iterator[None]:
    """Drop at one node what its pods send to those of another."""
    version = 6 if loss.family is Family.V6 else 4
    (towards,) = (
        text
        for text in pod_ranges(cluster)[loss.target]
        if ipaddress.ip_network(text).version == version
    )
    rule = DROP.format(
        ip="ip6" if version == 6 else "ip",
        range=towards,
        protocol=loss.protocol,
        percent=loss.percent,
    )
    on_node(loss.source, rule)
    try:
        yield
    finally:
        on_node(loss.source, HEAL)
