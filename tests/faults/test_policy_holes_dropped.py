"""An admission policy takes the holes out of IPv6 blocks: what is enforced is not as written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import POLICY_AREA, Fault, expect_red
from tests.faults.makers import changed_policies
from tests.real import RealTestbed

pytestmark = pytest.mark.real_cluster
WHICH = (
    "object.spec.?egress.orValue([]).size() > 0"
    " && object.spec.egress[0].?to.orValue([]).size() > 0"
    " && has(object.spec.egress[0].to[0].ipBlock)"
    " && has(object.spec.egress[0].to[0].ipBlock.except)"
)
PATCH = '[JSONPatch{op: "remove", path: "/spec/egress/0/to/0/ipBlock/except"}]'
HOLE = {"ipBlock": {"cidr": "::/0", "except": ["2001:db8::/32"]}}


@contextmanager
def holes_dropped(cluster: Cluster) -> Iterator[None]:
    """Take `except` out of egress blocks before they are validated, until the end."""
    spec = {"egress": [{"to": [HOLE]}]}
    with changed_policies(cluster, WHICH, PATCH, spec, r"(?s)cidr(?!.*except)"):
        yield


FAULT = Fault(
    broken=holes_dropped,
    must=frozenset({"POL-06", "POL-13"}),
    cause={
        "POL-06": "the API server's admission dropped it",
        "POL-13": "repairs or rewrites blocks before they are validated",
    },
)


def test_holes_of_ipv6_blocks_are_dropped(
    cilium_cluster: Cluster, cilium_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, cilium_cluster, tmp_path, cilium_testbed.option, *POLICY_AREA)
