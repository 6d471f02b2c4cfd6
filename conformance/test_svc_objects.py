"""Services: what stands in EndpointSlices, and what must not be there."""

from __future__ import annotations

from pytest_ipv6k8s import DUAL_STACK, Family, check, expect, expect_all
from pytest_ipv6k8s.causes import first, no, only, told
from pytest_ipv6k8s.suite import ClusterView, Probes, Service, Services
from pytest_ipv6k8s.words import listed

SLICES_LOOK = "kubectl get endpointslices -A -o wide"


@check(
    "SVC-07",
    references=["KEP-752: EndpointSlice", "KEP-563: Endpoints"],
    causes=[
        first(
            told(": none, not"),
            "the endpoint slice controller does not run: a controller manager that is old, "
            "restarts or was told not to",
        ),
        only(
            no(told(": none, not")),
            "something rewrites EndpointSlices: admission, or a second controller",
        ),
        "pods lack an address of one family (ADDR-01)",
    ],
    look=SLICES_LOOK,
)
def test_endpoint_slices_list_the_pods_of_each_family(
    cluster: ClusterView, probes: Probes, services: Services
) -> None:
    """A Service has EndpointSlices of just its families, with the podIPs of that family."""
    odd = []
    for service in services.values():
        slices = cluster.slices(service.namespace, service.name)
        for family in Family:
            found = {a for s in slices if s.address_type == family.value for a in s.addresses}
            wanted = _wanted(service, family, probes)
            if found != wanted:
                odd.append(
                    f"{service.name} {family.value}: {listed(sorted(found))}, "
                    f"not {listed(sorted(wanted))}"
                )

    expect(not odd, expected="the ready podIPs of each family of the Service", actual=odd)


def _wanted(service: Service, family: Family, probes: Probes) -> set[str]:
    if family not in service.families or service.name == "empty":
        return set()
    behind = probes[len(probes.one_per_node) :] if service.name == "peer" else list(probes)
    return {ip for probe in behind for ip in probe.pod.ips if Family.of(ip) is family}


@check(
    "SVC-10",
    stacks=DUAL_STACK,
    families=Family,
    references=["KEP-563: Services, ipFamilyPolicy SingleStack"],
    causes=["an admission webhook or policy rewrites Services to dual-stack"],
    look="kubectl get services -A -o custom-columns=N:.metadata.name,IPS:.spec.clusterIPs",
)
def test_single_stack_service_has_no_other_family(
    family: Family, cluster: ClusterView, services: Services
) -> None:
    """A SingleStack Service on a dual-stack cluster has one cluster IP, of its own family."""
    service = services[f"only-{family.value.lower()}"]

    spec = cluster.service(f"{service.namespace}/{service.name}").spec
    slices = cluster.slices(service.namespace, service.name)

    families = [Family.of(ip) for ip in spec["clusterIPs"]]
    expect(families == [family], expected=f"one {family.value} cluster IP", actual=spec)
    expect_all(
        slices,
        lambda item: item.address_type == family.value or not item.addresses,
        expected="no endpoints of the other family",
    )
