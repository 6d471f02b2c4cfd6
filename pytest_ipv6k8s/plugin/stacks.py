"""Whether a cluster has the families that it is meant to have, before anything is asked of it."""

from __future__ import annotations

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.errors import ClusterError
from pytest_ipv6k8s.kube.inventory import Inventory


def refuse_another(facts: Inventory, declared: Stack | None) -> None:
    """Refuse a cluster that is another than it was declared to be.

    Raises:
        ClusterError: it is.
    """
    if declared is not None and declared is not facts.stack:
        raise ClusterError(
            f"the cluster was declared to be {declared.value}, and it is {facts.stack.value}",
            remedy="correct --ipv6k8s-stack or the declaration, or the cluster",
        )


def refuse_without_ipv6(facts: Inventory, declared: Stack | None) -> None:
    """Refuse a cluster without IPv6, unless it was declared to be one.

    Else a cluster that lost its IPv6 would pass all checks that are left.

    Raises:
        ClusterError: neither pods nor Services have IPv6.
    """
    if declared is None and Family.V6 not in facts.pod_stack.families:
        seen = facts.families.differences
        raise ClusterError(
            "neither pods nor Services of this cluster have IPv6" + (f" ({seen})" if seen else ""),
            remedy="give it IPv6, or test its IPv4 with --ipv6k8s-stack ipv4",
        )
