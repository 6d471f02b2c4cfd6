"""On one node ip6tables-restore refuses the Service proxy's rules: one bad one rejects all.

It was an IPv4 mask in the IPv6 table, or a chain that was missing (kubernetes/kubernetes#88780,
#96468); new Services are unknown there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import undone

pytestmark = pytest.mark.real_cluster
# What the proxy's container runs is a link in its own root.
LINK = "/proc/$(pgrep -x kube-proxy)/root/etc/alternatives/ip6tables-restore"
KEPT = "/run/ipv6k8s-fault-restore"
REJECT = f"readlink {LINK} > {KEPT}; ln -sfn /bin/false {LINK}"
ACCEPT = f"ln -sfn $(cat {KEPT}) {LINK}; rm {KEPT}"


@contextmanager
def rules_rejected(cluster: Cluster) -> Iterator[None]:
    """Put a program that fails in the place of kube-proxy's ip6tables-restore."""
    with undone(f"{cluster.name}-worker", REJECT, ACCEPT):
        yield


FAULT = Fault(
    broken=rules_rejected,
    must=frozenset({"SVC-01"}),
    cause={"SVC-01": "one bad rule rejects the whole table"},
)


def test_proxy_rules_rejected(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
