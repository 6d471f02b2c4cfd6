"""What a pod finds out about the network beyond its cluster, written into a declaration.

All of it is how the cluster is, which need not be how it is meant to be: each line says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ipv6k8s.addresses import (
    WELL_KNOWN_ADDRESSES,
    WELL_KNOWN_NAME,
    Egress,
    Family,
    nat64_prefixes,
)
from pytest_ipv6k8s.agent.ops import lookup, tcp_connect
from pytest_ipv6k8s.agent.ports import TCP_PORT
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.external.egress import Observation, classify
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.inventory import Inventory
from pytest_ipv6k8s.kube.objects import Manner
from pytest_ipv6k8s.probe import deploy, guests
from pytest_ipv6k8s.probe.placing import Wish, place
from pytest_ipv6k8s.probe.probes import Probe

_SOURCE_PORT = 19992
_CHECK = "check it: the suite judges by this line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What was found.

    Attributes:
        prefixes: the NAT64 prefixes that DNS64 uses (RFC 7050); empty without DNS64.
        egress: how the pod looked to a target; None when that is not known.
        seen: as whom it was seen, or why nobody knows.
    """

    prefixes: tuple[str, ...] = ()
    egress: Egress | None = None
    seen: str = "no target was asked; see --target"


def observe(api: Api, facts: Inventory, *, run_id: str, manner: Manner, target: str) -> Observed:
    """Start a pod in a namespace of its own, ask, and delete the namespace.

    Args:
        api: the API server.
        facts: of the cluster.
        run_id: by which what is made is known.
        manner: how the pod is made.
        target: ``[ADDRESS]:agent``, or empty.

    Raises:
        ConfigError: the target is no good.
        ClusterError: the pod does not run.
    """
    address = _address_of(target)
    plan = deploy.Plan(
        run_id=run_id,
        manner=manner,
        stack=facts.stack,
        nodes=place(facts.nodes, Wish(most=1, selector={})).nodes,
        host_network=False,
    )
    with guests.for_a_moment(api, plan, "observer") as probe:
        return _ask(probe, facts, address)


def _address_of(target: str) -> str:
    if not target:
        return ""
    address, _, port = target.removeprefix("dual=").rpartition(":")
    if port != "agent" or not address.startswith("["):
        raise ConfigError(
            f"--target: {target!r} is not of the form [ADDRESS]:agent",
            remedy="start one with `ipv6k8s target`",
        )
    return address.strip("[]")


def _ask(probe: Probe, facts: Inventory, target: str) -> Observed:
    found = probe.ask(lookup.Request(WELL_KNOWN_NAME)).answer.addresses
    prefixes = prefixes_in(found)
    if not target:
        return Observed(prefixes=prefixes)
    request = tcp_connect.Request(target, TCP_PORT, source_port=_SOURCE_PORT)
    answer = probe.ask(request).answer
    if not answer.seen_source:
        why = answer.error or "it is not our agent"
        return Observed(prefixes=prefixes, seen=f"{target} did not say whom it saw: {why}")
    own = probe.address(Family.V6)
    seen = Observation(
        pod=own, port=_SOURCE_PORT, source=answer.seen_source, seen_port=answer.seen_port
    )
    nodes = [ip for node in facts.nodes for ip in (*node.internal_ips, *node.external_ips)]
    (style,) = classify([seen], nodes)
    return Observed(
        prefixes=prefixes,
        egress=style,
        seen=f"pod {own} was seen as {answer.seen_source} by {target}",
    )


def prefixes_in(addresses: Sequence[str]) -> tuple[str, ...]:
    """Return the prefixes with which ipv4only.arpa was synthesised, as RFC 7050 section 3 wants."""
    six = [address for address in addresses if Family.of(address) is Family.V6]
    pairs = itertools.product(six, WELL_KNOWN_ADDRESSES)
    return tuple(dict.fromkeys(p for pair in pairs for p in nat64_prefixes(*pair)))


def written(draft: str, found: Observed, *, policy_engine: str) -> str:
    """Return a draft of a declaration with what was found, each with how and a word of warning."""
    if found.prefixes:
        listed = ", ".join(f'"{prefix}"' for prefix in found.prefixes)
        draft = draft.replace(
            '#nat64:\n#  prefixes: ["64:ff9b::/96"]    # DNS64 uses the first\n',
            f"# Found: AAAA records of {WELL_KNOWN_NAME} in a pod (RFC 7050); {_CHECK}.\n"
            f"nat64:\n  prefixes: [{listed}]\n",
        )
        draft = draft.replace("#dns64: true", f"# Found in the same way; {_CHECK}.\ndns64: true")
    else:
        why = f"pods are told of no prefix, no AAAA record of {WELL_KNOWN_NAME}"
        line = f"# Found: {why}; {_CHECK}.\n"
        draft = draft.replace("#nat64:\n", f"{line}nat64: none\n#nat64:\n")
    if found.egress is None:
        draft = draft.replace("#egress: ", f"# Not found: {found.seen}.\n#egress: ")
    else:
        line = f"# Found: {found.seen}; {_CHECK}.\negress: {found.egress.value}"
        draft = draft.replace("#egress: masquerade", line)
    if policy_engine:
        line = f"# Found: {policy_engine} runs here and enforces it; {_CHECK}.\n"
        draft = draft.replace("#networkPolicy: ", f"{line}networkPolicy: ")
    else:
        line = f"# Found: nothing here is known to enforce it; {_CHECK}.\n"
        draft = draft.replace("#networkPolicy: enforced", f"{line}networkPolicy: none")
    return draft
