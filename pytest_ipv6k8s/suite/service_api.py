"""The family fields of Services: policies, names, and what a proposal got."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pytest_ipv6k8s import words
from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.kube.client import Outcome
from pytest_ipv6k8s.suite import admission

SINGLE, PREFER, REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
DRY_RUN_LOOK = "kubectl create --dry-run=server -o yaml -f service.yaml"
_FIELDS = ("ipFamilyPolicy", "ipFamilies", "clusterIP", "clusterIPs")


def names(families: Iterable[Family]) -> list[str]:
    """Return families as the API writes them."""
    return [family.value for family in families]


def has_families(spec: dict[str, Any], policy: str, families: Iterable[Family]) -> bool:
    """Tell whether a Service got this policy and, in this order, these families."""
    return spec.get("ipFamilyPolicy") == policy and spec.get("ipFamilies") == names(families)


def describe(record: Record[Outcome]) -> str:
    """Return the family fields that a proposal got, or why it was refused."""
    if not record.answer.accepted:
        return admission.describe(record)
    spec = record.answer.object["spec"]
    return f"{record.path}: {words.answer({name: spec.get(name) for name in _FIELDS})}"
