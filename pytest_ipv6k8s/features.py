"""Preconditions of checks, each with the sentence that a skip carries."""

from __future__ import annotations

import enum


class Feature(enum.Enum):
    """Something that must be there or allowed before a check can be asked."""

    TWO_NODES = "two nodes with a probe: only one node can run probes"
    NODE_POD_CIDRS = "pod CIDRs on the nodes: this cluster's CNI has an IP pool of its own"
    HOST_NETWORK_PROBES = "host-network probe pods: allow them with --ipv6k8s-allow privileged"
    HOST_NETWORK_PODS = "a running host-network pod that may be read: none was found"
    IPV6_TARGET = (
        "an IPv6 target outside the cluster: declare one, or run with --ipv6k8s-external testbed"
    )
    IPV4_TARGET = (
        "an IPv4-only target outside the cluster: declare one, or "
        "run with --ipv6k8s-external testbed"
    )
    DUAL_TARGET = (
        "a dual-stack target outside the cluster: declare one, or "
        "run with --ipv6k8s-external testbed"
    )
    SPEAKING_TARGET = "a target that runs our agent and can be asked: declare `ask` for one"
    NARROW_TARGET = (
        "a target behind a 1280-byte link: declare one, or run with --ipv6k8s-external testbed"
    )
    DEAD_ENDS = (
        "a black hole and a rejecter outside: declare them, or run with --ipv6k8s-external testbed"
    )
    EGRESS = "a declared egress style other than none: declare `egress`"
    NATIVE_EGRESS = "egress without translation: `egress` is declared to be something else"
    MASQUERADE = "masqueraded egress: `egress` is declared to be something else"
    NAT64 = "a NAT64 gateway: declare `nat64`, or run with --ipv6k8s-external testbed"
    NAT64_POOL = "the IPv4 pool of the NAT64 gateway: declare `nat64.pool`"
    NAT64_PREFIXES = (
        "NAT64 prefixes of all six lengths: declare them, or run with --ipv6k8s-external testbed"
    )
    WELL_KNOWN_PREFIX = "64:ff9b::/96 and a private host behind it: declare `nat64`"
    LOCAL_USE_PREFIX = "64:ff9b:1::/48 and a private host behind it: declare `nat64`"
    DNS64 = "DNS64: declare `dns64: true`, or run with --ipv6k8s-external testbed"
    ZONE = "a DNS zone with known records: declare `zone`, or run with --ipv6k8s-external testbed"
    CLAT = "a CLAT in IPv6-only pods: declare `clat: true`"
    PROXY = "a web proxy: declare `proxy`, or run with --ipv6k8s-external testbed"
    REGISTRY = "a registry cache: declare `registry`, or run with --ipv6k8s-external testbed"
    NETWORK_POLICY = (
        "a CNI that enforces NetworkPolicy: this cluster's is not known to; if it does, declare "
        "`networkPolicy: enforced`"
    )
    SCTP = "SCTP in the nodes' kernels: it is not loaded there, or closed to pods"
    CLUSTER_DNS = "a cluster DNS Service: kube-system has none labelled k8s-app=kube-dns"

    @property
    def key(self) -> str:
        """Its name in reports."""
        return self.name.lower().replace("_", "-")

    @property
    def skip_reason(self) -> str:
        """What is missing, for the reason of a skip."""
        return f"needs {self.value}"
