"""What lets skipped checks be asked: each said once, whatever number of checks it is for."""

from __future__ import annotations

import enum

BY_TESTBED = "--ipv6k8s-external testbed"
_HOW = ("declare ", "allow ")
"""So begins, after the colon of a feature's sentence, how to get it; other words say why not."""


def what(sentence: str) -> str:
    """Return what a feature's sentence says that is needed; an address has colons, too."""
    return sentence.partition(": ")[0]


def without_cluster(sentence: str) -> str:
    """Return what a feature's sentence says where no cluster was looked at.

    That is what is needed and, where the sentence has it, how to get it.
    """
    more = sentence.partition(": ")[2]
    return sentence if more.startswith(_HOW) else what(sentence)


class Remedy(enum.Enum):
    """What lets checks be asked that were skipped: its name, and how to get it."""

    TARGET = (
        "a target outside",
        "--ipv6k8s-target 'v6=[ADDRESS]:443', or --ipv6k8s-target internet",
    )
    AGENT = "a target that runs our agent", "`ipv6k8s target` prints the command that starts it"
    DETAILS = "a name or echo replies of a target", "declare `name` and `ping: true` of it"
    ASKED = (
        "a target that can be asked",
        "declare `ask` of dual: a command that starts our agent there",
    )
    SPECIAL = (
        "narrow links and dead ends outside",
        "declare narrow, narrow-1400, black-hole and rejecter",
    )
    EGRESS = "the style of egress", "`ipv6k8s init --probe`, or --ipv6k8s-egress STYLE"
    NAT64 = "NAT64", "`ipv6k8s init --probe`, or declare `nat64`; `nat64: none` where there is none"
    DNS64 = "DNS64", "`ipv6k8s init --probe`, or declare `dns64: true` beside `nat64`"
    ZONE = "a DNS zone with known records", "serve one, and declare `zone`"
    HELPERS = "a web proxy and a registry cache", "declare `proxy` and `registry`"
    POLICY = (
        "NetworkPolicy",
        "--ipv6k8s-enforces-policy where it is enforced, else `networkPolicy: none`",
    )
    PRIVILEGED = "host-network probes", "--ipv6k8s-allow privileged"
    POD_CIDRS = "a pod range for each node", "declare `podCIDRs: used` where the CNI uses them"
    NODES = "more room for probes", "two nodes that take pods, and on one room for two"
    CLAT = "a CLAT", "declare `clat: true` where IPv6-only pods have one, and only there"
    CLUSTER = "other parts of the cluster", "nothing to declare; each check says what it lacks"

    @property
    def title(self) -> str:
        """What was missing, in a few words."""
        return self.value[0]

    def how(self, *, made: bool) -> str:
        """Return how to get it, in one line.

        Args:
            made: whether a run made the cluster, so that the testbed can stand beside it.
        """
        return BY_TESTBED if made and self in _IN_TESTBED else self.value[1]


_IN_TESTBED = {
    *(Remedy.TARGET, Remedy.AGENT, Remedy.DETAILS, Remedy.ASKED, Remedy.SPECIAL, Remedy.EGRESS),
    *(Remedy.NAT64, Remedy.DNS64, Remedy.ZONE, Remedy.HELPERS),
}
