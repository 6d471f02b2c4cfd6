"""What all of a run know of its cluster."""

from __future__ import annotations

from dataclasses import replace

from pytest_ipv6k8s.kube.inventory import Node
from tests.unit.test_declaration import FACTS as INVENTORY
from tests.unit.test_pausing import FACTS


def test_addresses_of_nodes_have_a_place_without_a_probe_there() -> None:
    node = Node(
        name="a",
        internal_ips=("fd00::1",),
        external_ips=("2001:db8::1",),
        pod_cidrs=(),
        labels={},
        kubelet="v1",
        kernel="6",
        runtime="containerd",
    )
    facts = replace(FACTS, inventory=replace(INVENTORY, nodes=(node,)))

    for address in ("fd00::1", "2001:db8::1"):
        assert facts.where[address] == "a"
    assert facts.where["probe-01"] == "b"
