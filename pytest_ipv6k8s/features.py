"""Features: what must be there or allowed before a check can be asked.

A feature is a member of :class:`Feature`: the sentence that a skip carries, the predicate which
tells of a run whether it is there, and how to get it.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pytest_ipv6k8s.addresses import Egress, Family
from pytest_ipv6k8s.remedies import Remedy, what

ABSENT = "declared not to be there"
"""Begins the reason of a check that is not applicable, for what it is about is declared away."""


class Facts(Protocol):
    """What predicates read of a run; their parts are those of higher layers."""

    @property
    def pods(self) -> Sequence[Any]:
        """The probe pods: one a node, and if there is room one more on the first node."""

    @property
    def hosts(self) -> Sequence[Any]:
        """The probe pods in the network of their node."""

    @property
    def services(self) -> Sequence[Any]:
        """The shared Services."""

    @property
    def no_hosts(self) -> str:
        """Why there are none of these although they are allowed; empty when they are not."""

    @property
    def sctp(self) -> bool:
        """Whether probes can open an SCTP socket."""

    @property
    def ping(self) -> bool:
        """Whether any pod may send echo requests."""

    @property
    def inventory(self) -> Any:
        """The ``Inventory``: what is known of the cluster."""

    @property
    def external(self) -> Any:
        """The ``ExternalNetwork``, None when there is none."""

    @property
    def no_targets(self) -> str:
        """Why there is none although it was wanted; empty when it was not."""


@dataclass(frozen=True, slots=True, eq=False)
class OfRun:
    """A feature of the cluster or of its probes.

    Attributes:
        sentence: what is needed, and after a colon why it is missing or how to get it.
        predicate: whether it is there.
        remedy: how to get it.
        why: what is known better than the sentence of why it is missing; empty when nothing.
    """

    sentence: str
    predicate: Callable[[Facts], bool]
    remedy: Remedy
    why: Callable[[Facts], str] = lambda facts: ""

    def is_met(self, facts: Facts) -> bool:
        """Tell whether it is there."""
        return self.predicate(facts)


@dataclass(frozen=True, slots=True, eq=False)
class OfTargets:
    """A feature of external targets, of whom the predicate tells it; without any, it is not there.

    The other attributes are those of :class:`OfRun`.
    """

    sentence: str
    predicate: Callable[[Any], bool]
    remedy: Remedy
    why: Callable[[Facts], str] = lambda facts: facts.no_targets

    def is_met(self, facts: Facts) -> bool:
        """Tell whether it is there."""
        return facts.external is not None and self.predicate(facts.external)


def _target(role: str, *parts: str, family: Family | None = None) -> Callable[[Any], bool]:
    """Return a predicate: whether there is a target of a role with all that is asked of it.

    Args:
        role: the role's name.
        parts: attributes of a ``Target`` that must be declared.
        family: of which it must have an address; None when any will do.
    """
    return lambda network: any(
        target.role.value == role
        and all(getattr(target, part) for part in parts)
        and (family is None or target.address(family))
        for target in network.targets
    )


def _ipv6_target(*parts: str) -> Callable[[Any], bool]:
    return lambda network: network.ipv6_target_with(*parts) is not None


def _all_of(*predicates: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda network: all(predicate(network) for predicate in predicates)


def _all_prefix_lengths(network: Any) -> bool:
    prefixes = network.nat64.prefixes if network.nat64 else ()
    lengths = {ipaddress.ip_network(prefix).prefixlen for prefix in prefixes}
    return lengths == {32, 40, 48, 56, 64, 96}


def _private_host(network: Any, attribute: str) -> bool:
    """Tell whether a private host answers behind a prefix of the NAT64 gateway."""
    nat64 = network.nat64
    return bool(nat64 and nat64.private_host and getattr(nat64, attribute))


class Feature(enum.Enum):
    """Something that must be there or allowed before a check can be asked."""

    value: OfRun | OfTargets

    TWO_NODES = OfRun(
        "two nodes with a probe: only one node can run probes",
        lambda facts: len({pod.node for pod in facts.pods}) > 1,
        remedy=Remedy.NODES,
    )
    TWO_PROBES = OfRun(
        "two probes: there was room for one only",
        lambda facts: len(facts.pods) > 1,
        remedy=Remedy.NODES,
    )
    PEER = OfRun(
        "two probes on one node: no node had room for a second one",
        lambda facts: len(facts.pods) > len({pod.node for pod in facts.pods}),
        remedy=Remedy.NODES,
    )
    NODE_PORT = OfRun(
        "a Service with node ports: host-network probes are not allowed, or admission refuses it",
        lambda facts: any(service.node_ports for service in facts.services),
        remedy=Remedy.PRIVILEGED,
    )
    NODE_POD_CIDRS = OfRun(
        "a CNI that takes addresses of pods from their node's podCIDRs: this cluster's is not "
        "known to; if it does, declare `podCIDRs: used`",
        lambda facts: bool(facts.inventory.pod_cidrs_used),
        remedy=Remedy.POD_CIDRS,
    )
    HOST_NETWORK_PROBES = OfRun(
        "host-network probe pods: allow them with --ipv6k8s-allow privileged",
        lambda facts: bool(facts.hosts),
        why=lambda facts: facts.no_hosts,
        remedy=Remedy.PRIVILEGED,
    )
    HOST_NETWORK_PODS = OfRun(
        "a running host-network pod that may be read: none was found",
        lambda facts: bool(facts.inventory.host_network_pods),
        remedy=Remedy.CLUSTER,
    )
    IPV6_TARGET_TCP = OfTargets(
        "an IPv6 target with a TCP port: declare `tcp` of `dual` or `v6`",
        _ipv6_target("tcp"),
        remedy=Remedy.TARGET,
    )
    IPV6_TARGET_UDP = OfTargets(
        "an IPv6 target with a UDP port of our agent: declare `udp` of `dual` or `v6`",
        _ipv6_target("udp"),
        remedy=Remedy.AGENT,
    )
    IPV6_TARGET_PING = OfTargets(
        "an IPv6 target that answers echo requests which pods may send: declare `ping: true` of "
        "`dual` or `v6`",
        _ipv6_target("ping"),
        remedy=Remedy.DETAILS,
    )
    IPV6_TARGET_NAME = OfTargets(
        "an IPv6 target with a DNS name: declare `name` of `dual` or `v6`",
        _ipv6_target("name"),
        remedy=Remedy.DETAILS,
    )
    IPV4_TARGET = OfTargets(
        "an IPv4-only target outside: declare `v4`", _target("v4"), remedy=Remedy.TARGET
    )
    IPV4_TARGET_TCP = OfTargets(
        "an IPv4-only target with a TCP port: declare `tcp` of `v4`",
        _target("v4", "tcp"),
        remedy=Remedy.TARGET,
    )
    IPV4_TARGET_UDP = OfTargets(
        "an IPv4-only target with a UDP port of our agent: declare `udp` of `v4`",
        _target("v4", "udp"),
        remedy=Remedy.AGENT,
    )
    IPV4_TARGET_HTTP = OfTargets(
        "an IPv4-only target with a web server: declare `http` of `v4`",
        _target("v4", "http"),
        remedy=Remedy.AGENT,
    )
    IPV4_TARGET_PING = OfTargets(
        "an IPv4-only target that answers echo requests which pods may send: declare `ping: true` "
        "of `v4`",
        _target("v4", "ping"),
        remedy=Remedy.DETAILS,
    )
    IPV4_TARGET_IDENTIFIES = OfTargets(
        "an IPv4-only target that says whom it saw: declare `tcp` and `identifies: true` of `v4`",
        _target("v4", "tcp", "identifies"),
        remedy=Remedy.AGENT,
    )
    DUAL_TARGET = OfTargets(
        "a dual-stack target outside: declare `dual`", _target("dual"), remedy=Remedy.TARGET
    )
    DUAL_TARGET_TCP = OfTargets(
        "a dual-stack target with a TCP port: declare `tcp` of `dual`",
        _target("dual", "tcp"),
        remedy=Remedy.TARGET,
    )
    DUAL_TARGET_UDP = OfTargets(
        "a dual-stack target with a UDP port of our agent: declare `udp` of `dual`",
        _target("dual", "udp"),
        remedy=Remedy.AGENT,
    )
    DUAL_TARGET_IDENTIFIES = OfTargets(
        "a dual-stack target that says whom it saw: declare `tcp` and `identifies: true` of `dual`",
        _target("dual", "tcp", "identifies"),
        remedy=Remedy.AGENT,
    )
    SPEAKING_TARGET = OfTargets(
        "a dual-stack target that runs our agent and can be asked: declare `ask` of `dual`",
        _target("dual", "ask"),
        remedy=Remedy.ASKED,
    )
    NARROW_TARGET_UDP = OfTargets(
        "an IPv6 target behind a 1280-byte link, with a UDP port of our agent: declare `udp` of "
        "`narrow`",
        _target("narrow", "udp", family=Family.V6),
        remedy=Remedy.SPECIAL,
    )
    NARROW_TARGET_HTTP = OfTargets(
        "an IPv6 target behind a 1280-byte link, with the web server of our agent: declare `http` "
        "of `narrow`",
        _target("narrow", "http", family=Family.V6),
        remedy=Remedy.SPECIAL,
    )
    SPEAKING_NARROW_TARGET = OfTargets(
        "an IPv6 target behind a 1280-byte link that runs our agent and can be asked: declare "
        "`ask` of `narrow`",
        _target("narrow", "ask", family=Family.V6),
        remedy=Remedy.SPECIAL,
    )
    NARROW_IPV4_TARGETS = OfTargets(
        "targets with IPv4 behind links of 1280 and of 1400 bytes, with the web server of our "
        "agent: declare `http` of `narrow` and `narrow-1400`",
        _all_of(
            _target("narrow", "http", family=Family.V4),
            _target("narrow-1400", "http", family=Family.V4),
        ),
        remedy=Remedy.SPECIAL,
    )
    DEAD_ENDS = OfTargets(
        "a black hole and a rejecter of both families outside: declare them",
        _all_of(*(_target(r, family=f) for r in ("black-hole", "rejecter") for f in Family)),
        remedy=Remedy.SPECIAL,
    )
    EGRESS = OfTargets(
        "a way out of the cluster: `egress` is declared to be none",
        lambda network: network.egress is not Egress.NONE,
        remedy=Remedy.EGRESS,
    )
    EGRESS_STYLE = OfTargets(
        "a declared egress style other than none: declare `egress`",
        lambda network: network.egress not in (None, Egress.NONE),
        remedy=Remedy.EGRESS,
    )
    NATIVE_EGRESS = OfTargets(
        "egress without translation: `egress` is not declared to be native",
        lambda network: network.egress is Egress.NATIVE,
        remedy=Remedy.EGRESS,
    )
    MASQUERADE = OfTargets(
        "masqueraded egress: `egress` is not declared to be masquerade",
        lambda network: network.egress is Egress.MASQUERADE,
        remedy=Remedy.EGRESS,
    )
    NAT64 = OfTargets(
        "a NAT64 gateway: declare `nat64`",
        lambda network: network.nat64 is not None,
        remedy=Remedy.NAT64,
    )
    NAT64_POOL = OfTargets(
        "the IPv4 pool of the NAT64 gateway: declare `nat64.pool`",
        lambda network: bool(network.nat64 and network.nat64.pool),
        remedy=Remedy.NAT64,
    )
    NAT64_PREFIXES = OfTargets(
        "NAT64 prefixes of all six lengths: declare them", _all_prefix_lengths, remedy=Remedy.NAT64
    )
    WELL_KNOWN_PREFIX = OfTargets(
        "64:ff9b::/96 and a private host behind it: declare `nat64`",
        lambda network: _private_host(network, "well_known_prefix"),
        remedy=Remedy.NAT64,
    )
    LOCAL_USE_PREFIX = OfTargets(
        "64:ff9b:1::/48 and a private host behind it: declare `nat64`",
        lambda network: _private_host(network, "local_use"),
        remedy=Remedy.NAT64,
    )
    DNS64 = OfTargets(
        "DNS64: declare `dns64: true`", lambda network: bool(network.dns64), remedy=Remedy.DNS64
    )
    ZONE = OfTargets(
        "a DNS zone with known records: declare `zone`",
        lambda network: bool(network.zone),
        remedy=Remedy.ZONE,
    )
    CLAT = OfTargets(
        "a CLAT in IPv6-only pods: declare `clat: true`",
        lambda network: bool(network.clat),
        remedy=Remedy.CLAT,
    )
    NO_CLAT = OfRun(
        "pods without a CLAT: one is declared, and N64-27 judges it",
        lambda facts: not (facts.external and facts.external.clat),
        remedy=Remedy.CLAT,
    )
    PROXY = OfTargets(
        "a web proxy: declare `proxy`", lambda network: bool(network.proxy), remedy=Remedy.HELPERS
    )
    REGISTRY = OfTargets(
        "a registry cache: declare `registry`",
        lambda network: bool(network.registry),
        remedy=Remedy.HELPERS,
    )
    NETWORK_POLICY = OfRun(
        "a CNI that enforces NetworkPolicy: this cluster's is not known to; if it does, declare "
        "`networkPolicy: enforced`",
        lambda facts: bool(facts.inventory.policy_engine),
        remedy=Remedy.POLICY,
    )
    SCTP = OfRun(
        "SCTP in the nodes' kernels: it is not loaded there, or closed to pods",
        lambda facts: facts.sctp,
        remedy=Remedy.CLUSTER,
    )
    ECHO_REQUESTS = OfRun(
        "pods that may send echo requests: their runtime refuses (net.ipv4.ping_group_range)",
        lambda facts: facts.ping,
        remedy=Remedy.CLUSTER,
    )
    CLUSTER_DNS = OfRun(
        "a Service of the cluster's DNS: none has the address of the pods' nameserver",
        lambda facts: facts.inventory.dns is not None,
        remedy=Remedy.CLUSTER,
    )

    @property
    def key(self) -> str:
        """Its name in reports."""
        return self.name.lower().replace("_", "-")

    @property
    def sentence(self) -> str:
        """What is needed, and after a colon why it is missing or how to get it."""
        return self.value.sentence

    @property
    def remedy(self) -> Remedy:
        """How to get it."""
        return self.value.remedy

    @property
    def reason(self) -> str:
        """The reason of a skip, where nothing is known better."""
        return f"needs {self.sentence}"

    def skip_reason(self, facts: Facts) -> str:
        """Return what is missing and why, for the reason of a skip."""
        return f"{what(self.reason)}: {why}" if (why := self.value.why(facts)) else self.reason

    def is_met(self, facts: Facts) -> bool:
        """Tell whether it is there."""
        return self.value.is_met(facts)
