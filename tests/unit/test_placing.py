"""Which nodes get a probe, and what is said of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.kube.inventory import Node
from pytest_ipv6k8s.kube.taints import Taint
from pytest_ipv6k8s.probe.placing import Wish, named, place

ZONE, ARCH = "topology.kubernetes.io/zone", "kubernetes.io/arch"
GPU = Taint(key="nvidia.com/gpu")


def _node(name: str, *taints: Taint, kernel: str = "6", **more: Any) -> Node:
    return Node(
        name=name,
        internal_ips=more.pop("ips", ()),
        pod_cidrs=(),
        labels=more.pop("labels", {}),
        kubelet="v1",
        kernel=kernel,
        runtime="c",
        taints=taints,
        **more,
    )


def _chosen(nodes: Sequence[Node], most: int = 10, **wish: Any) -> list[str]:
    wanted = Wish(most=most, selector=wish.pop("selector", {}), **wish)
    return [node.name for node in place(nodes, wanted).nodes]


def test_nodes_that_cannot_take_a_probe_are_left_out_and_named() -> None:
    nodes = (
        _node("a"),
        _node("control", Taint(key="node-role.kubernetes.io/control-plane")),
        _node("cordoned", Taint(key="node.kubernetes.io/unschedulable")),
        _node("gpu-1", GPU),
        _node("gpu-2", GPU),
        _node("master", Taint(key="node-role.kubernetes.io/master", effect="NoExecute")),
        _node("pressed", Taint(key="node.kubernetes.io/disk-pressure")),
        _node("silent", ready=False),
    )

    placed = place(nodes, Wish(most=10, selector={}))

    assert [node.name for node in placed.nodes] == ["a", "control", "master"]
    assert named(placed.left_out) == (
        "cordoned (cordoned), gpu-1, gpu-2 (taint nvidia.com/gpu), pressed (DiskPressure), "
        "silent (NotReady)"
    )


@pytest.mark.parametrize(
    ("toleration", "fits"),
    [
        ({"key": "k", "operator": "Exists"}, True),
        ({"key": "k", "operator": "Equal", "value": "v"}, True),
        ({"key": "k", "operator": "Equal", "value": "w"}, False),
        ({"key": "k", "operator": "Exists", "effect": "NoSchedule"}, True),
        ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"operator": "Exists"}, True),
    ],
)
def test_a_toleration_matches_as_the_scheduler_has_it(
    toleration: dict[str, str], fits: bool
) -> None:
    nodes = (_node("a"), _node("tainted", Taint(key="k", value="v")))

    assert ("tainted" in _chosen(nodes, tolerations=[toleration])) is fits


def test_all_nodes_tainted_is_one_sentence_with_the_option() -> None:
    with pytest.raises(ConfigError) as caught:
        _chosen((_node("a", GPU), _node("b", GPU)))

    assert str(caught.value) == (
        "no node can take a probe: a, b (taint nvidia.com/gpu). "
        "Let probes tolerate a taint with --ipv6k8s-toleration KEY."
    )


def test_only_nodes_with_the_labels_are_taken() -> None:
    nodes = (_node("a", labels={"zone": "x"}), _node("b"))

    assert _chosen(nodes, selector={"zone": "x"}) == ["a"]
    with pytest.raises(ConfigError, match="--ipv6k8s-node-selector"):
        _chosen(nodes, selector={"zone": "y"})


def test_few_nodes_of_many_differ_in_all_that_nodes_differ_in() -> None:
    usual = [_node(f"n{i:03}", labels={ZONE: f"z{i % 3}", ARCH: "amd64"}) for i in range(500)]
    odd = [
        _node("arm", labels={ZONE: "z0", ARCH: "arm64"}),
        _node("control", labels={ZONE: "z1", "node-role.kubernetes.io/control-plane": ""}),
        _node("old", kernel="5.4", labels={ZONE: "z2", ARCH: "amd64"}),
        _node("pool", labels={ZONE: "z0", ARCH: "amd64", "karpenter.sh/nodepool": "spot"}),
    ]
    nodes = (*usual, *odd)

    first, second = _chosen(nodes, turn="a"), _chosen(nodes, turn="b")

    assert first == _chosen(nodes, turn="a")
    assert first != second
    zones = {node.name: node.labels[ZONE] for node in nodes}
    for chosen in (first, second):
        assert len(chosen) == 10
        assert {"arm", "control", "old", "pool"} < set(chosen)
        assert {zones[name] for name in chosen} == {"z0", "z1", "z2"}
    left_out = place(nodes, Wish(most=10, selector={})).left_out
    assert "and 491 more (more than --ipv6k8s-max-nodes 10)" in named(left_out)


def test_the_first_node_has_all_families_where_one_does() -> None:
    nodes = (_node("v4", ips=("10.0.0.1",)), _node("both", ips=("10.0.0.2", "fd00::2")))

    assert _chosen(nodes) == ["both", "v4"]
