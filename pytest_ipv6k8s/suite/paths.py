"""Paths between pods: who has to answer, and whom the other end has to see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_ipv6k8s.addresses import Family, same_address
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.probe.probes import Probe, Probes

NODE_LOCAL_EGRESS = ("169.254.172.0/22",)
"""IPv4 for egress that never leaves the node, as EKS gives it to IPv6 pods."""

Condition = Callable[[Record[Any]], bool]


def echoed_by(probe: Probe) -> Condition:
    """Return the condition that a certain pod echoed."""
    return lambda record: bool(record.answer.echoed) and record.answer.pod == probe.name


def echoed_by_owner(probes: Probes) -> Condition:
    """Return the condition that the pod echoed whose address was asked."""
    return lambda record: echoed_by(probes.owner(record.request["address"]))(record)


def seen_as_itself(probes: Probes, family: Family) -> Condition:
    """Return the condition that the other end saw the asking pod's own address."""
    return lambda record: same_address(
        record.answer.seen_source, probes.named(record.source).address(family)
    )
