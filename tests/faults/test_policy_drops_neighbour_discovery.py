"""Pods that start under a policy get no ICMPv6 neighbour discovery: default deny takes it, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import POLICY_AREA, Fault, expect_red
from tests.real import RealTestbed, nodes_of, on_node

pytestmark = pytest.mark.real_cluster
FOLDER = "/run/ipv6k8s-fault"
RULES = """
table ip6 ipv6k8s_fault {
  chain input {
    type filter hook input priority filter;
    icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } drop
  }
}
"""
# Of an arena's pods only those that start while a policy stands are named after a check. Their
# network namespace is known before their container starts.
FILTER = f"""
cd /run/containerd/io.containerd.runtime.v2.task/k8s.io
while [ -e {FOLDER}/rules ]; do
  for file in $(grep -l 'sandbox-name":"pol-' */config.json 2>/dev/null); do
    netns=$(grep -o '/var/run/netns/[^"]*' $file | head -n 1)
    in="nsenter --net=$netns nft"
    [ -z "$netns" ] || $in list table ip6 ipv6k8s_fault >/dev/null 2>&1 || $in -f {FOLDER}/rules
  done
  sleep 0.1
done
"""
START = f"""
mkdir -p {FOLDER}
cat > {FOLDER}/rules <<'END'
{RULES}
END
cat > {FOLDER}/filter <<'END'
{FILTER}
END
setsid sh {FOLDER}/filter >/dev/null 2>&1 </dev/null &
"""


@contextmanager
def neighbour_discovery_dropped(cluster: Cluster) -> Iterator[None]:
    """Let no neighbour discovery into pods that start under a policy; the filter goes with them."""
    for node in nodes_of(cluster):
        on_node(node, START)
    try:
        yield
    finally:
        for node in nodes_of(cluster):
            on_node(node, f"rm -rf {FOLDER}")


DROPPED = "drops ICMPv6 neighbour discovery"
FAULT = Fault(
    broken=neighbour_discovery_dropped,
    must=frozenset({"POL-10", "POL-11"}),
    may=frozenset(),
    cause={"POL-10": DROPPED, "POL-11": DROPPED},
)


def test_default_deny_drops_neighbour_discovery(
    cilium_cluster: Cluster, cilium_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, cilium_cluster, tmp_path, cilium_testbed.option, *POLICY_AREA)
