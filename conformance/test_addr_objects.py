"""Addresses in API objects: how many, of which family, in which order and notation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_ipv6k8s import WITH_IPV6, Family, Feature, Level, check, expect, expect_all, waiting
from pytest_ipv6k8s.addresses import (
    families_of,
    in_any,
    is_address,
    is_canonical,
    names,
    overlaps,
)
from pytest_ipv6k8s.expectations import remark
from pytest_ipv6k8s.suite import AddressText, ClusterView, Node, Pod, Probe, Probes
from pytest_ipv6k8s.words import listed

REBUILDING = 10.0
"""Seconds in which a sandbox that is being rebuilt gets an address again."""


@check(
    "ADDR-01",
    references=["KEP-563: Pod API", "Kubernetes docs: IPv4/IPv6 dual-stack"],
    causes=[
        "the CNI's plugin or its IPAM fails on that node: no pod gets a network there",
        "the CNI's IPAM hands out one family only on some nodes",
        "the nodes have InternalIPs of different number (ADDR-09)",
    ],
    look="kubectl get pods -A -o custom-columns=NAME:.metadata.name,IPS:.status.podIPs",
)
def test_pod_ips_are_one_per_family_primary_first(cluster: ClusterView, probes: Probes) -> None:
    """Pods have at most one address a family, podIP first, and probes one of each Service family.

    ``podIP`` equals ``podIPs[0]``. Pods on nodes that are Ready are judged, and asked twice: one
    whose sandbox is being rebuilt has no address for a moment. A node that is Ready, takes a probe
    and cannot connect it to the network is judged, too. Which family leads is not judged: KEP and
    documentation disagree whether the Services' or the nodes' order counts.
    """
    nodes = {node.name for node in cluster.judged_nodes()}
    lost = [f"(node {name}): {why}" for name, why in cluster.unconnected.items() if name in nodes]
    expect(not lost, expected="an address for a probe on every node", actual=lost)

    pods = [pod for pod in cluster.pods() if pod.node in nodes]
    odd = _odd_for_long(cluster, pods)
    expect_all(
        pods,
        lambda pod: pod not in odd,
        expected="podIP first in podIPs, at most one address a family",
    )

    ours, wanted = {probe.name for probe in probes}, set(cluster.stack.families)
    expect_all(
        [pod for pod in pods if pod.namespace == cluster.namespace and pod.name in ours],
        lambda pod: wanted <= set(families_of(pod.ips)),
        expected=f"{names(cluster.stack.families)} on every probe",
        say=lambda pod: f"pod {pod.name} on {pod.node}: {listed(pod.ips)}",
    )

    _tell_of_other_families(cluster, probes)


def _odd_for_long(cluster: ClusterView, pods: Iterable[Pod]) -> list[Pod]:
    """Return the pods with ill-formed addresses that still are there and have those."""
    odd = [pod for pod in pods if not _is_well_formed(pod)]

    def still_odd() -> list[Pod]:
        nonlocal odd
        if odd:
            now = set(cluster.pods())
            odd = [pod for pod in odd if pod in now]
        return odd

    return waiting.poll(still_odd, lambda left: not left, timeout=REBUILDING, interval=2.0)


def _is_well_formed(pod: Pod) -> bool:
    families = [Family.of(address) for address in pod.ips]
    return bool(pod.ips) and pod.ips[0] == pod.ip and len(set(families)) == len(families)


def _tell_of_other_families(cluster: ClusterView, probes: Sequence[Probe]) -> None:
    """Say which probes lack what others have beyond the Services' families, and who leads."""
    for family in cluster.pod_stack.families:
        without = [probe.name for probe in probes if not probe.has(family)]
        if without and family not in cluster.stack.families:
            remark(f"pods without {family.value}: {', '.join(without)}")
    leading = {Family.of(probe.pod.ips[0]) for probe in probes if len(probe.pod.ips) > 1}
    if len(leading) > 1:
        remark("some pods have IPv4 first and others IPv6")


@check(
    "ADDR-02",
    level=Level.EXTENDED,
    features=[Feature.NODE_POD_CIDRS],
    references=["Kubernetes docs: cluster networking", "KEP-563: Node podCIDRs"],
    causes=[
        "the CNI was installed with another pool than the nodes' podCIDRs",
        "the node was re-created and kept leases of its former podCIDR",
    ],
    look="kubectl get nodes -o custom-columns=NAME:.metadata.name,CIDRS:.spec.podCIDRs",
)
def test_pod_ips_lie_in_the_pod_cidrs_of_their_node(cluster: ClusterView, probes: Probes) -> None:
    """Every podIP lies in one of its node's podCIDRs."""
    cidrs = {node.name: node.pod_cidrs for node in cluster.nodes}

    stray = [
        f"pod {probe.name} on {probe.node}: {ip} outside {listed(cidrs[probe.node])}"
        for probe in probes
        for ip in probe.pod.ips
        if not in_any(ip, cidrs[probe.node])
    ]

    expect(not stray, expected="podIPs inside the node's podCIDRs", actual=stray)


@check(
    "ADDR-08",
    features=[Feature.HOST_NETWORK_PODS],
    references=[
        "KEP-563: Pod API, host network",
        "KEP-2681: status.hostIPs",
        "kubernetes/kubernetes: pkg/util/node, GetNodeHostIPs",
    ],
    causes=[
        "static pods started before the kubelet knew the node's second address",
        "the kubelet's --node-ip names one family only",
    ],
    look="kubectl get pods -A -o wide --field-selector spec.hostNetwork=true",
)
def test_host_network_pods_have_the_addresses_of_their_node(cluster: ClusterView) -> None:
    """A host-network pod's podIPs and hostIPs are its node's addresses, in the kubelet's order.

    These are the node's first address and the first of the other family, where all InternalIPs
    come before ExternalIPs.
    """
    nodes = {node.name: node.host_ips for node in cluster.judged_nodes()}

    pods = [pod for pod in cluster.pods() if pod.host_network and pod.node in nodes]

    expect_all(
        pods,
        lambda pod: pod.ips == nodes[pod.node] and pod.host_ips in ((), pod.ips),
        expected="podIPs = hostIPs = the node's addresses",
        say=lambda pod: (
            f"{pod.namespace}/{pod.name}: podIPs {listed(pod.ips)}, "
            f"hostIPs {listed(pod.host_ips)}, "
            f"addresses of {pod.node} {listed(nodes[pod.node])}"
        ),
    )


@check(
    "ADDR-09",
    references=["KEP-563: Node API", "KEP-3705: --node-ip with external cloud providers"],
    causes=[
        "the kubelet runs without --node-ip=v4,v6",
        "the cloud provider reports one family only",
        "the node had no IPv6 address yet when the kubelet started",
    ],
    look="kubectl get nodes -o custom-columns=NAME:.metadata.name,IPS:.status.addresses",
)
def test_nodes_have_an_internal_ip_of_each_family(cluster: ClusterView) -> None:
    """Every node that is Ready has an address of each family that Services have.

    An InternalIP, or for want of one an ExternalIP, as the kubelet takes them. Their order is told,
    not judged: cloud providers sort them in one way for all clusters.
    """
    nodes, wanted = cluster.judged_nodes(), cluster.stack.families

    expect_all(
        nodes,
        lambda node: set(wanted) <= set(families_of(node.host_ips)),
        expected=f"{names(wanted)} on every node",
        say=lambda node: f"{node.name}: {listed(node.host_ips)}",
    )

    outer = [n.name for n in nodes if not set(wanted) <= set(families_of(n.internal_ips))]
    if outer:
        remark(f"{len(outer)} nodes have a family as ExternalIP only: {', '.join(outer[:3])}")
    other = [node.name for node in nodes if Family.of(node.host_ips[0]) is not wanted[0]]
    if other:
        first = f"{wanted[0].other.value} first, Services {wanted[0].value}"
        remark(f"{len(other)} nodes have {first}: {', '.join(other[:3])}")


@check(
    "ADDR-10",
    level=Level.EXTENDED,
    features=[Feature.NODE_POD_CIDRS],
    references=["KEP-563: Node podCIDRs"],
    causes=[
        "--cluster-cidr names one family only, or overlaps --service-cluster-ip-range",
        "two allocators hand out podCIDRs",
    ],
    look="kubectl get nodes -o custom-columns=NAME:.metadata.name,CIDRS:.spec.podCIDRs",
)
def test_pod_cidrs_are_one_per_family_and_disjoint(cluster: ClusterView) -> None:
    """Nodes have one podCIDR a family, disjoint from each other and from Services and nodes.

    A node's own address may lie in its own podCIDR, as on GKE, where both are cut from one prefix;
    no pod may have it.
    """
    nodes, wanted = cluster.judged_nodes(), set(cluster.pod_stack.families)

    expect_all(
        nodes,
        lambda node: (
            len(node.pod_cidrs) == len(wanted) and set(families_of(node.pod_cidrs)) == wanted
        ),
        expected="one podCIDR of each family on every node",
        say=lambda node: f"{node.name}: {listed(node.pod_cidrs)}",
    )

    cidrs = [cidr for node in cluster.nodes for cidr in node.pod_cidrs]
    clashes = [f"{one} and {other}" for one, other in overlaps([*cidrs, *cluster.service_cidrs])]
    expect(not clashes, expected="disjoint ranges", actual=clashes)

    inside = [*_in_ranges_of_others(cluster.nodes), *_taken_by_pods(cluster)]
    expect(not inside, expected="node addresses that no other node's pods get", actual=inside)


def _in_ranges_of_others(nodes: Sequence[Node]) -> list[str]:
    """Return the nodes' addresses that lie in another node's podCIDR."""
    owner = {cidr: node.name for node in nodes for cidr in node.pod_cidrs}
    home = {ip: node.name for node in nodes for ip in node.internal_ips}
    return [
        f"{ip} of {home[ip]} lies in {cidr} of {owner[cidr]}"
        for cidr, ip in overlaps([*owner, *home])
        if cidr in owner and ip in home and owner[cidr] != home[ip]
    ]


def _taken_by_pods(cluster: ClusterView) -> list[str]:
    """Return the pods that have a node's address and are not in its network."""
    home = {ip: node.name for node in cluster.nodes for ip in node.internal_ips}
    return [
        f"pod {pod.namespace}/{pod.name} has {ip} of {home[ip]}"
        for pod in cluster.pods()
        for ip in pod.ips
        if ip in home and not pod.host_network
    ]


@check(
    "ADDR-11",
    stacks=WITH_IPV6,
    references=["RFC 5952 section 4", "KEP-4858"],
    causes=[
        "a controller or cloud provider writes IPv6 addresses in a form of its own",
        "objects were stored before the API server insisted on canonical form",
    ],
    look="kubectl get pods,nodes,services,endpointslices -A -o yaml | grep -i ':0:'",
)
def test_addresses_are_written_in_canonical_form(cluster: ClusterView) -> None:
    """Every address and CIDR that the system writes in an API object is as RFC 5952 wants it."""
    _expect_canonical(_addresses(cluster, by_users=False))


@check(
    "ADDR-33",
    level=Level.INFORMATIONAL,
    stacks=WITH_IPV6,
    references=["KEP-4858: existing objects", "RFC 5952 section 4"],
    causes=["a chart or a manifest has an address in another form, which the API server keeps"],
    look="kubectl get services,endpointslices -A -o yaml | grep -i ':0:'",
)
def test_addresses_of_users_are_written_in_canonical_form(cluster: ClusterView) -> None:
    """Addresses that users write in Services and EndpointSlices are as RFC 5952 wants them."""
    _expect_canonical(_addresses(cluster, by_users=True))


def _addresses(cluster: ClusterView, *, by_users: bool) -> list[AddressText]:
    """Return the texts that are addresses or CIDRs, and tell of those that are none."""
    texts = [text for text in cluster.address_texts() if text.by_users is by_users]
    found = [item for item in texts if _is_address(item)]
    others = [_told(item) for item in texts if not _is_address(item)]
    if others:
        remark(f"{len(others)} texts are no addresses: {', '.join(others[:3])}")
    return found


def _is_address(item: AddressText) -> bool:
    return is_address(item.text.partition("/")[0].partition("%")[0])


def _expect_canonical(texts: Sequence[AddressText]) -> None:
    expect_all(
        texts,
        lambda item: is_canonical(item.text),
        expected="canonical text everywhere",
        say=_told,
    )


def _told(item: AddressText) -> str:
    return f"{item.where}: {item.text}"


@check(
    "ADDR-27",
    stacks=WITH_IPV6,
    references=["Kubernetes docs: IPv4/IPv6 dual-stack", "RFC 4291 section 2.5.6"],
    causes=[
        "a node registered while it had only its link-local address",
        "a load balancer reports the link-local address of its interface",
    ],
    look="kubectl get pods,nodes,services,endpointslices -A -o yaml | grep -i fe80",
)
def test_link_local_addresses_stay_out_of_the_api(cluster: ClusterView) -> None:
    """The system writes no link-local address in an API object."""
    expect_all(
        _addresses(cluster, by_users=False),
        lambda item: not in_any(item.text.split("/")[0].split("%")[0], ["fe80::/10"]),
        expected="no address of fe80::/10",
        say=_told,
    )
