"""Preconditions of checks, each with the sentence that a skip carries."""

from __future__ import annotations

import enum


class Need(enum.Enum):
    """Something that must be there or allowed before a check can be asked."""

    TWO_NODES = "two nodes with a probe: only one node can run probes"
    NODE_POD_CIDRS = "pod CIDRs on the nodes: this cluster's CNI has an IP pool of its own"
    HOST_NETWORK_PROBES = "host-network probe pods: allow them with --ipv6k8s-allow privileged"
    HOST_NETWORK_PODS = "a running host-network pod that may be read: none was found"
    CLUSTER_DNS = "a cluster DNS Service: kube-system has none labelled k8s-app=kube-dns"

    @property
    def sentence(self) -> str:
        """What is missing, for the reason of a skip."""
        return f"needs {self.value}"
