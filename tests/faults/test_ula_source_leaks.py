"""A pod's unique local address is seen outside: packets are not translated at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red
from tests.real import RealTestbed, in_testbed, kubectl, nodes_of, on_node

pytestmark = pytest.mark.real_cluster
RULES = """
table ip6 ipv6k8s_fault {
  chain raw {
    type filter hook prerouting priority raw;
    ip6 saddr fd00:10:244::/56 ip6 daddr 2001:db8::/32 notrack
    ip6 saddr 2001:db8::/32 ip6 daddr fd00:10:244::/56 notrack
  }
}
"""


@contextmanager
def ula_leaks(cluster: Cluster) -> Iterator[None]:
    """Exempt pods from translation, and route answers back to them."""
    for node in nodes_of(cluster):
        address = "{.status.addresses[?(@.type=='InternalIP')].address}"
        via = kubectl(cluster, "get", "node", node, "-o", f"jsonpath={address}")
        cidr = kubectl(cluster, "get", "node", node, "-o", "jsonpath={.spec.podCIDR}")
        in_testbed(cluster, f"ip -6 route replace {cidr} via {via}")
        on_node(node, f"nft -f - <<'END'\n{RULES}\nEND")
    try:
        yield
    finally:
        in_testbed(cluster, "ip -6 route flush root fd00:10:244::/56 proto boot")
        for node in nodes_of(cluster):
            on_node(node, "nft delete table ip6 ipv6k8s_fault")


FAULT = Fault(
    broken=ula_leaks,
    must=frozenset({"EGR-03", "EGR-12"}),
    may={
        "EGR-04": "the source outside is the pod's own",
        "MTU-07": "its path is not the masquerade's",
        "MTU-12": "its path is not the masquerade's",
    },
    cause={"EGR-03": "masquerading is not what was declared", "EGR-12": "does not masquerade IPv6"},
)


def test_ula_leaks(ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
