"""When a feature is there, and the sentence that says what is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Egress, Stack
from pytest_ipv6k8s.external.model import ExternalNetwork, Nat64, Role, Target
from pytest_ipv6k8s.features import Feature, OfTargets
from pytest_ipv6k8s.kube.inventory import DnsService, Inventory, Node
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.probe.services import Service
from pytest_ipv6k8s.testbed import testbed


@dataclass(frozen=True, kw_only=True)
class Run:
    """The facts of a run, as far as features read them; nothing is there by default."""

    inventory: Inventory
    pods: tuple[ProbePod, ...] = ()
    hosts: tuple[ProbePod, ...] = ()
    sctp: bool = False
    ping: bool = False
    services: tuple[Service, ...] = ()
    external: ExternalNetwork | None = None
    no_hosts: str = ""
    no_targets: str = ""


def _pod(name: str, ip: str) -> ProbePod:
    return ProbePod(name=name, namespace="n", node="n1", ips=(ip,), host_ips=("fd00::a",))


NODE = Node(
    name="n1",
    internal_ips=("fd00::a",),
    pod_cidrs=("fd00:1::/64",),
    labels={},
    kubelet="v1",
    kernel="6",
    runtime="c",
)
EMPTY = Inventory(
    version="v1.36.3",
    stack=Stack.IPV6,
    nodes=(NODE,),
    service_cidrs=(),
    dns=None,
    cni="none",
    proxy="none",
    host_network_pods=False,
)
BARE = Run(inventory=EMPTY)
OTHER_POOL = _pod("p", "fd00:2::1")
DNS = DnsService(namespace="kube-system", name="kube-dns", cluster_ips=("fd00::10",))
NODE_PORT = Service(name="s", namespace="n", families=(), cluster_ips=(), node_ports=((80, 30080),))
HAVE: dict[Feature, Run] = {
    Feature.TWO_NODES: replace(BARE, pods=(OTHER_POOL, replace(OTHER_POOL, node="other"))),
    Feature.PEER: replace(BARE, pods=(OTHER_POOL, OTHER_POOL)),
    Feature.NODE_POD_CIDRS: replace(BARE, inventory=replace(EMPTY, pod_cidrs_used=True)),
    Feature.HOST_NETWORK_PROBES: replace(BARE, hosts=(OTHER_POOL,)),
    Feature.HOST_NETWORK_PODS: replace(BARE, inventory=replace(EMPTY, host_network_pods=True)),
    Feature.NETWORK_POLICY: replace(BARE, inventory=replace(EMPTY, policy_engine="Calico")),
    Feature.NODE_PORT: replace(BARE, services=(NODE_PORT,)),
    Feature.SCTP: replace(BARE, sctp=True),
    Feature.ECHO_REQUESTS: replace(BARE, ping=True),
    Feature.CLUSTER_DNS: replace(BARE, inventory=replace(EMPTY, dns=DNS)),
}
TESTBED = testbed.network_of(Egress.MASQUERADE)
ASSUMED = {Feature.EGRESS, Feature.NO_CLAT}
OF_ANY_PAIR = {Feature.TWO_PROBES}
"""There with two probes, wherever they stand."""
EXTERNAL = [feature for feature in Feature if isinstance(feature.value, OfTargets)]


def _with(network: ExternalNetwork, **changed: Any) -> Run:
    return replace(BARE, external=replace(network, **changed))


def test_features_are_of_the_run_or_of_its_targets() -> None:
    assert set(HAVE) | set(EXTERNAL) | ASSUMED | OF_ANY_PAIR == set(Feature)
    assert not set(HAVE) & set(EXTERNAL)


def test_every_feature_has_a_sentence_that_says_what_is_missing() -> None:
    for feature in Feature:
        assert feature.skip_reason(BARE) == f"needs {feature.sentence}"
        assert ": " in feature.sentence


def test_nothing_has_no_feature() -> None:
    bare, nothing = replace(BARE, pods=(OTHER_POOL,)), ExternalNetwork(source="declared")
    assert {f for f in Feature if f.is_met(bare) or f.is_met(_with(nothing))} == ASSUMED


@pytest.mark.parametrize("feature", HAVE)
def test_a_run_has_the_one_feature_whose_fact_it_has(feature: Feature) -> None:
    met = {other for other in Feature if other.is_met(HAVE[feature])}
    assert met - ASSUMED - OF_ANY_PAIR == {feature}
    assert (met >= OF_ANY_PAIR) == (feature in (Feature.TWO_NODES, Feature.PEER))


@pytest.mark.parametrize("feature", EXTERNAL)
def test_a_testbed_provides_all_but_a_clat(feature: Feature) -> None:
    wanted = feature not in (Feature.CLAT, Feature.NATIVE_EGRESS)

    assert feature.is_met(_with(TESTBED)) is wanted


PREFIX = ("64:ff9b::/96",)
BLACK_HOLE = Target(role=Role.BLACK_HOLE, addresses=("2001:db8::1",))
CHANGED: list[tuple[Feature, dict[str, Any], bool]] = [
    (Feature.EGRESS, {"egress": Egress.NONE}, False),
    (Feature.EGRESS, {"egress": Egress.NPTV6}, True),
    (Feature.NATIVE_EGRESS, {"egress": Egress.NATIVE}, True),
    (Feature.MASQUERADE, {"egress": Egress.NATIVE}, False),
    (Feature.CLAT, {"clat": True}, True),
    (Feature.NO_CLAT, {"clat": True}, False),
    (Feature.DEAD_ENDS, {"targets": (BLACK_HOLE,)}, False),
    (Feature.SPEAKING_TARGET, {"targets": (replace(BLACK_HOLE, role=Role.DUAL),)}, False),
    (Feature.IPV6_TARGET_TCP, {"targets": (replace(BLACK_HOLE, role=Role.V6, tcp=1),)}, True),
    (Feature.IPV6_TARGET_UDP, {"targets": (replace(BLACK_HOLE, role=Role.V6, tcp=1),)}, False),
    (Feature.EGRESS, {"egress": None}, True),
    (Feature.EGRESS_STYLE, {"egress": None}, False),
    (Feature.NAT64_POOL, {"nat64": Nat64(prefixes=PREFIX)}, False),
    (Feature.NAT64_PREFIXES, {"nat64": Nat64(prefixes=PREFIX)}, False),
    (Feature.LOCAL_USE_PREFIX, {"nat64": Nat64(prefixes=PREFIX, local_use=True)}, False),
    (Feature.WELL_KNOWN_PREFIX, {"nat64": Nat64(prefixes=PREFIX, private_host="10.0.0.1")}, False),
]


@pytest.mark.parametrize(("feature", "changed", "met"), CHANGED)
def test_a_testbed_that_is_changed(feature: Feature, changed: dict[str, Any], met: bool) -> None:
    assert feature.is_met(_with(TESTBED, **changed)) is met


def test_host_network_probes_that_were_refused_are_not_said_to_be_not_allowed() -> None:
    refused = replace(BARE, no_hosts='no host-network probe: admission webhook "x" denied it')

    reasons = [Feature.HOST_NETWORK_PROBES.skip_reason(facts) for facts in (refused, BARE)]

    assert reasons[0].endswith('pods: no host-network probe: admission webhook "x" denied it')
    assert reasons[1].endswith("allow them with --ipv6k8s-allow privileged")


def test_a_testbed_that_was_wanted_is_not_said_to_be_undeclared() -> None:
    without = replace(BARE, no_targets="no external targets: CoreDNS does not come back")

    reasons = [Feature.DUAL_TARGET.skip_reason(facts) for facts in (without, BARE)]

    assert reasons[0].endswith("outside: no external targets: CoreDNS does not come back")
    assert reasons[1].endswith("declare `dual`")
