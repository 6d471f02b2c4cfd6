"""Whether somebody outside has success, before a cluster is blamed for what its pods have not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pytest_ipv6k8s.agent.ops import Request, ping
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import expect_all, remark
from pytest_ipv6k8s.external.model import Role, Target
from pytest_ipv6k8s.external.view import ExternalTargets
from pytest_ipv6k8s.probe.probes import Probe

A = TypeVar("A")
DENIED = ("EACCES", "EPERM")
"""What the kernel says where a seccomp profile, an LSM or a filter of its own forbids to send."""


def hosts_with_ipv6(external: ExternalTargets) -> list[Probe]:
    """Return the hosts outside that have IPv6 and can be asked, one without IPv4 first."""
    targets = [external.network.find(role) for role in (Role.V6, Role.DUAL)]
    return [external.host(target.role) for target in targets if target and target.ask]


def is_served_by(target: Target) -> Callable[[Record[Any]], bool]:
    """Return the condition that a target itself took a connection, as far as it can tell.

    Where it identifies itself, neither a proxy on the way nor another host will do.
    """

    def condition(record: Record[Any]) -> bool:
        answer = record.answer
        if not target.identifies:
            return bool(answer.connected)
        return bool(answer.echoed) and answer.pod == f"target-{target.role.value}"

    return condition


def connection_to(target: Target) -> str:
    """Return in words what :func:`is_served_by` demands."""
    return f"an echo of target {target.role.value}" if target.identifies else "a connection"


def permitted(records: Sequence[Record[ping.Answer]]) -> list[Record[ping.Answer]]:
    """Return the answers of those probes that may send echo requests.

    Raises:
        Inconclusive: none may.
    """
    allowed = [record for record in records if record.answer.permitted]
    if not allowed:
        raise Inconclusive("no probe may send ICMPv6 echo requests")
    if len(allowed) < len(records):
        remark(f"{len(allowed)} of {len(records)} asked: other pods may not send echo requests")
    return allowed


def _may_try(record: Record[Any]) -> bool:
    """Tell whether a host was allowed to try: what it was not says nothing of the network."""
    answer = record.answer
    return getattr(answer, "permitted", True) and getattr(answer, "error", "") not in DENIED


def expect_served(
    hosts: Sequence[Probe],
    request: Request[A],
    records: Sequence[Record[A]],
    condition: Callable[[Record[A]], object],
    *,
    expected: str,
) -> None:
    """Expect that what is outside serves all probes, provided that it serves anybody.

    Args:
        hosts: who else can try it, outside and from elsewhere: not the server itself.
        request: what they try when a probe has no success.
        records: what the probes got.
        condition: tells whether one answer is a success.
        expected: what should be found, as a phrase.

    Raises:
        Inconclusive: neither a host outside nor any probe has success: whose fault is it? A host
            that may not try is no witness.
        Unmet: some probes have none.
    """
    if not all(condition(record) for record in records):
        outside = [host.ask(request) for host in hosts]
        tried = [record for record in outside if _may_try(record)]
        if not any(condition(record) for record in (*tried, *records)):
            if outside and not tried:
                raise Inconclusive(f"no host outside may try it: {outside[0]}")
            raise Inconclusive(f"it works for nobody, here or outside: {(*tried, *records)[0]}")
    expect_all(records, condition, expected=expected)
