"""Whether somebody outside has success, before a cluster is blamed for what its pods have not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pytest_ipv6k8s.agent.ops import Question
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.external.model import Role
from pytest_ipv6k8s.external.view import ExternalTargets

A = TypeVar("A")


def require_alive(
    external: ExternalTargets,
    request: Question[A],
    records: Sequence[Record[A]],
    condition: Callable[[Record[A]], object],
) -> None:
    """Make sure that a target or helper serves somebody: a host outside, or some probe.

    Args:
        external: the hosts outside that can be asked.
        request: what they try.
        records: what the probes got.
        condition: tells whether one answer is a success.

    Raises:
        Inconclusive: nobody has any, and whose fault that is stays open.
    """
    targets = [external.network.find(role) for role in (Role.V6, Role.DUAL)]
    asked = [external.host(t.role).ask(request) for t in targets if t and t.ask]
    everybody = [*asked, *records]
    if not any(condition(record) for record in everybody):
        raise Inconclusive(f"it works for nobody, here or outside: {everybody[0]}")
