"""Features: what must be there or allowed before a check can be asked.

A feature is one member of :class:`Feature`: the sentence that a skip carries, and the predicate
that tells from the facts of a run whether it is there.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pytest_ipv6k8s.addresses import Egress, Family


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


@dataclass(frozen=True, slots=True, eq=False)
class OfRun:
    """A feature of the cluster or of its probes.

    Attributes:
        sentence: what is needed, and after a colon why it is missing or how to get it.
        predicate: whether it is there.
        why: what is known better than the sentence of why it is missing; empty when nothing.
    """

    sentence: str
    predicate: Callable[[Facts], bool]
    why: Callable[[Facts], str] = lambda facts: ""

    def is_met(self, facts: Facts) -> bool:
        """Tell whether it is there."""
        return self.predicate(facts)


@dataclass(frozen=True, slots=True, eq=False)
class OfTargets:
    """A feature of external targets; without any, it is not there.

    Attributes:
        sentence: what is needed, and after a colon how to get it.
        predicate: whether an ``ExternalNetwork`` has it.
    """

    sentence: str
    predicate: Callable[[Any], bool]

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


_TESTBED = "or run with --ipv6k8s-external testbed"


class Feature(enum.Enum):
    """Something that must be there or allowed before a check can be asked."""

    value: OfRun | OfTargets

    TWO_NODES = OfRun(
        "two nodes with a probe: only one node can run probes",
        lambda facts: len({pod.node for pod in facts.pods}) > 1,
    )
    PEER = OfRun(
        "two probes on one node: no node had room for a second one",
        lambda facts: len(facts.pods) > len({pod.node for pod in facts.pods}),
    )
    NODE_PORT = OfRun(
        "a Service with node ports: host-network probes are not allowed, or admission refuses it",
        lambda facts: any(service.node_ports for service in facts.services),
    )
    NODE_POD_CIDRS = OfRun(
        "a CNI that takes addresses of pods from their node's podCIDRs: this cluster's is not "
        "known to; if it does, declare `podCIDRs: used`",
        lambda facts: bool(facts.inventory.pod_cidrs_used),
    )
    HOST_NETWORK_PROBES = OfRun(
        "host-network probe pods: allow them with --ipv6k8s-allow privileged",
        lambda facts: bool(facts.hosts),
        lambda facts: facts.no_hosts,
    )
    HOST_NETWORK_PODS = OfRun(
        "a running host-network pod that may be read: none was found",
        lambda facts: bool(facts.inventory.host_network_pods),
    )
    IPV6_TARGET_TCP = OfTargets(
        f"an IPv6 target with a TCP port: declare `tcp` of `dual` or `v6`, {_TESTBED}",
        _ipv6_target("tcp"),
    )
    IPV6_TARGET_UDP = OfTargets(
        f"an IPv6 target with a UDP port of our agent: declare `udp` of `dual` or `v6`, {_TESTBED}",
        _ipv6_target("udp"),
    )
    IPV6_TARGET_PING = OfTargets(
        "an IPv6 target that answers echo requests which pods may send: declare `ping: true` of "
        f"`dual` or `v6`, {_TESTBED}",
        _ipv6_target("ping"),
    )
    IPV6_TARGET_NAME = OfTargets(
        f"an IPv6 target with a DNS name: declare `name` of `dual` or `v6`, {_TESTBED}",
        _ipv6_target("name"),
    )
    IPV4_TARGET = OfTargets(
        f"an IPv4-only target outside the cluster: declare `v4`, {_TESTBED}", _target("v4")
    )
    IPV4_TARGET_TCP = OfTargets(
        f"an IPv4-only target with a TCP port: declare `tcp` of `v4`, {_TESTBED}",
        _target("v4", "tcp"),
    )
    IPV4_TARGET_UDP = OfTargets(
        f"an IPv4-only target with a UDP port of our agent: declare `udp` of `v4`, {_TESTBED}",
        _target("v4", "udp"),
    )
    IPV4_TARGET_HTTP = OfTargets(
        f"an IPv4-only target with a web server: declare `http` of `v4`, {_TESTBED}",
        _target("v4", "http"),
    )
    IPV4_TARGET_PING = OfTargets(
        "an IPv4-only target that answers echo requests which pods may send: declare `ping: true` "
        f"of `v4`, {_TESTBED}",
        _target("v4", "ping"),
    )
    IPV4_TARGET_IDENTIFIES = OfTargets(
        "an IPv4-only target that says whom it saw: declare `tcp` and `identifies: true` of `v4`, "
        f"{_TESTBED}",
        _target("v4", "tcp", "identifies"),
    )
    DUAL_TARGET = OfTargets(
        f"a dual-stack target outside the cluster: declare `dual`, {_TESTBED}", _target("dual")
    )
    DUAL_TARGET_TCP = OfTargets(
        f"a dual-stack target with a TCP port: declare `tcp` of `dual`, {_TESTBED}",
        _target("dual", "tcp"),
    )
    DUAL_TARGET_UDP = OfTargets(
        f"a dual-stack target with a UDP port of our agent: declare `udp` of `dual`, {_TESTBED}",
        _target("dual", "udp"),
    )
    DUAL_TARGET_IDENTIFIES = OfTargets(
        "a dual-stack target that says whom it saw: declare `tcp` and `identifies: true` of "
        f"`dual`, {_TESTBED}",
        _target("dual", "tcp", "identifies"),
    )
    SPEAKING_TARGET = OfTargets(
        "a dual-stack target that runs our agent and can be asked: declare `ask` of `dual`, "
        f"{_TESTBED}",
        _target("dual", "ask"),
    )
    NARROW_TARGET_UDP = OfTargets(
        "an IPv6 target behind a 1280-byte link, with a UDP port of our agent: declare `udp` of "
        f"`narrow`, {_TESTBED}",
        _target("narrow", "udp", family=Family.V6),
    )
    NARROW_TARGET_HTTP = OfTargets(
        "an IPv6 target behind a 1280-byte link, with the web server of our agent: declare `http` "
        f"of `narrow`, {_TESTBED}",
        _target("narrow", "http", family=Family.V6),
    )
    SPEAKING_NARROW_TARGET = OfTargets(
        "an IPv6 target behind a 1280-byte link that runs our agent and can be asked: declare "
        f"`ask` of `narrow`, {_TESTBED}",
        _target("narrow", "ask", family=Family.V6),
    )
    NARROW_IPV4_TARGETS = OfTargets(
        "targets with IPv4 behind links of 1280 and of 1400 bytes, with the web server of our "
        f"agent: declare `http` of `narrow` and `narrow-1400`, {_TESTBED}",
        _all_of(
            _target("narrow", "http", family=Family.V4),
            _target("narrow-1400", "http", family=Family.V4),
        ),
    )
    DEAD_ENDS = OfTargets(
        f"a black hole and a rejecter of both families outside: declare them, {_TESTBED}",
        _all_of(
            *(_target(r, family=f) for r in ("black-hole", "rejecter") for f in Family),
        ),
    )
    EGRESS = OfTargets(
        "a way out of the cluster: `egress` is declared to be none",
        lambda network: network.egress is not Egress.NONE,
    )
    EGRESS_STYLE = OfTargets(
        "a declared egress style other than none: declare `egress`",
        lambda network: network.egress not in (None, Egress.NONE),
    )
    NATIVE_EGRESS = OfTargets(
        "egress without translation: `egress` is declared to be something else",
        lambda network: network.egress is Egress.NATIVE,
    )
    MASQUERADE = OfTargets(
        "masqueraded egress: `egress` is declared to be something else",
        lambda network: network.egress is Egress.MASQUERADE,
    )
    NAT64 = OfTargets(
        f"a NAT64 gateway: declare `nat64`, {_TESTBED}",
        lambda network: network.nat64 is not None,
    )
    NAT64_POOL = OfTargets(
        "the IPv4 pool of the NAT64 gateway: declare `nat64.pool`",
        lambda network: bool(network.nat64 and network.nat64.pool),
    )
    NAT64_PREFIXES = OfTargets(
        f"NAT64 prefixes of all six lengths: declare them, {_TESTBED}", _all_prefix_lengths
    )
    WELL_KNOWN_PREFIX = OfTargets(
        "64:ff9b::/96 and a private host behind it: declare `nat64`",
        lambda network: _private_host(network, "well_known_prefix"),
    )
    LOCAL_USE_PREFIX = OfTargets(
        "64:ff9b:1::/48 and a private host behind it: declare `nat64`",
        lambda network: _private_host(network, "local_use"),
    )
    DNS64 = OfTargets(
        f"DNS64: declare `dns64: true`, {_TESTBED}", lambda network: bool(network.dns64)
    )
    ZONE = OfTargets(
        f"a DNS zone with known records: declare `zone`, {_TESTBED}",
        lambda network: bool(network.zone),
    )
    CLAT = OfTargets(
        "a CLAT in IPv6-only pods: declare `clat: true`", lambda network: bool(network.clat)
    )
    NO_CLAT = OfRun(
        "pods without a CLAT: one is declared, and N64-27 judges it",
        lambda facts: not (facts.external and facts.external.clat),
    )
    PROXY = OfTargets(
        f"a web proxy: declare `proxy`, {_TESTBED}", lambda network: bool(network.proxy)
    )
    REGISTRY = OfTargets(
        f"a registry cache: declare `registry`, {_TESTBED}",
        lambda network: bool(network.registry),
    )
    NETWORK_POLICY = OfRun(
        "a CNI that enforces NetworkPolicy: this cluster's is not known to; if it does, declare "
        "`networkPolicy: enforced`",
        lambda facts: bool(facts.inventory.policy_engine),
    )
    SCTP = OfRun(
        "SCTP in the nodes' kernels: it is not loaded there, or closed to pods",
        lambda facts: facts.sctp,
    )
    ECHO_REQUESTS = OfRun(
        "pods that may send echo requests: their runtime refuses (net.ipv4.ping_group_range)",
        lambda facts: facts.ping,
    )
    CLUSTER_DNS = OfRun(
        "a Service of the cluster's DNS: none has the address of the pods' nameserver",
        lambda facts: facts.inventory.dns is not None,
    )

    @property
    def key(self) -> str:
        """Its name in reports."""
        return self.name.lower().replace("_", "-")

    @property
    def sentence(self) -> str:
        """What is needed, and after a colon why it is missing or how to get it."""
        return self.value.sentence

    def skip_reason(self, facts: Facts) -> str:
        """Return what is missing and why, for the reason of a skip."""
        why = self.value.why(facts) if isinstance(self.value, OfRun) else ""
        return (
            f"needs {self.sentence.partition(':')[0]}: {why}" if why else f"needs {self.sentence}"
        )

    def is_met(self, facts: Facts) -> bool:
        """Tell whether it is there."""
        return self.value.is_met(facts)
