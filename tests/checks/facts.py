"""The facts of a fake world as they are read when a run begins, and the view that checks have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ipv6k8s.addresses import families_of
from pytest_ipv6k8s.kube.inventory import DnsService, FamiliesSeen, Inventory
from pytest_ipv6k8s.kube.view import ClusterView
from tests.checks.api_objects import NAMESPACE

if TYPE_CHECKING:
    from tests.checks.fake_api import FakeApi
    from tests.checks.world import World


def inventory(world: World) -> Inventory:
    """Return the facts of a world."""
    shape = world.shape
    name = shape.dns.partition("/")[2]
    dns = DnsService(namespace=shape.dns_namespace, name=name, cluster_ips=world.dns_addresses)
    return Inventory(
        version="v1.36.3",
        stack=world.stack,
        nodes=world.nodes,
        service_cidrs=world.service_cidrs,
        further_service_cidrs=world.further_service_cidrs,
        dns=dns if set(world.dns_addresses) & set(world.nameservers) else None,
        cni="fake",
        proxy="fake",
        host_network_pods=True,
        policy_engine=shape.policy_engine,
        families=FamiliesSeen(
            pods=families_of(ip for pod in world.pods for ip in pod.ips),
            services=world.stack.families,
        ),
        pod_cidrs_used=shape.pod_cidrs_used,
    )


def view(world: World, api: FakeApi) -> ClusterView:
    """Return a world as checks see it."""
    return ClusterView(
        api,  # type: ignore[arg-type]
        inventory(world),
        NAMESPACE,
        selector=world.shape.selector,
        clat=world.outside.clat,
        unconnected=world.unconnected,
        where=world.where,
    )
