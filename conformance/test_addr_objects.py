"""Addresses in API objects: how many, of which family, in which order and notation."""

from __future__ import annotations

from pytest_ipv6k8s import WITH_IPV6, Family, Feature, Level, check, expect, expect_all
from pytest_ipv6k8s.addresses import in_any, is_canonical, overlaps
from pytest_ipv6k8s.suite import ClusterView, Probes


@check(
    "ADDR-01",
    references=["KEP-563: Pod API", "Kubernetes docs: IPv4/IPv6 dual-stack"],
    causes=[
        "the CNI's IPAM hands out one family only on some nodes",
        "the nodes have InternalIPs of different order or number (ADDR-09)",
    ],
    look="kubectl get pods -A -o custom-columns=NAME:.metadata.name,IPS:.status.podIPs",
)
def test_pod_ips_are_one_per_family_primary_first(cluster: ClusterView, probes: Probes) -> None:
    """Every pod has one address for each family of the cluster, and all lead with the same one.

    ``podIP`` equals ``podIPs[0]``. Which family leads is not judged: KEP and documentation
    disagree whether the Services' or the nodes' order counts.
    """
    pods = cluster.pods()
    ours = {probe.name for probe in probes}

    expect_all(
        pods,
        lambda pod: _is_well_formed(pod.ip, pod.ips),
        expected="podIP first in podIPs, at most one address a family",
    )

    wanted = set(cluster.stack.families)
    names = " and ".join(sorted(family.value for family in wanted))
    expect_all(
        [pod for pod in pods if pod.namespace == cluster.namespace and pod.name in ours],
        lambda pod: {Family.of(ip) for ip in pod.ips} == wanted,
        expected=f"{names} on every probe",
    )

    leading = {pod.name: Family.of(pod.ip) for pod in pods if len(pod.ips) > 1}
    expect(len(set(leading.values())) <= 1, expected="the same family first", actual=leading)


def _is_well_formed(ip: str, ips: tuple[str, ...]) -> bool:
    families = [Family.of(address) for address in ips]
    return bool(ips) and ips[0] == ip and len(set(families)) == len(families) <= 2


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
        f"pod {probe.name} on {probe.node}: {ip} outside {cidrs[probe.node]}"
        for probe in probes
        for ip in probe.pod.ips
        if not in_any(ip, cidrs[probe.node])
    ]

    expect(not stray, expected="podIPs inside the node's podCIDRs", actual=stray)


@check(
    "ADDR-08",
    features=[Feature.HOST_NETWORK_PODS],
    references=["KEP-563: Pod API, host network", "KEP-2681: status.hostIPs"],
    causes=[
        "static pods started before the kubelet knew the node's second address",
        "the kubelet's --node-ip names one family only",
    ],
    look="kubectl get pods -A -o wide --field-selector spec.hostNetwork=true",
)
def test_host_network_pods_have_the_addresses_of_their_node(cluster: ClusterView) -> None:
    """A host-network pod's podIPs and hostIPs are the node's InternalIPs, in the same order."""
    nodes = {node.name: _first_of_each_family(node.internal_ips) for node in cluster.nodes}
    pods = [pod for pod in cluster.pods() if pod.host_network and pod.node in nodes]

    odd = [
        f"{pod.namespace}/{pod.name}: podIPs {pod.ips}, hostIPs {pod.host_ips}, "
        f"InternalIPs of {pod.node} {nodes[pod.node]}"
        for pod in pods
        if pod.ips != nodes[pod.node] or pod.host_ips not in ((), pod.ips)
    ]

    expect(pods and not odd, expected="podIPs = hostIPs = InternalIPs", actual=odd)


def _first_of_each_family(addresses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple({Family.of(address): address for address in reversed(addresses)}.values())[::-1]


@check(
    "ADDR-09",
    references=["KEP-563: Node API", "KEP-3705: --node-ip with external cloud providers"],
    causes=[
        "the kubelet runs without --node-ip=v4,v6, or with the families the other way round",
        "the cloud provider reports one family only",
        "the node had no IPv6 address yet when the kubelet started",
    ],
    look="kubectl get nodes -o custom-columns=NAME:.metadata.name,IPS:.status.addresses",
)
def test_nodes_have_an_internal_ip_of_each_family(cluster: ClusterView) -> None:
    """Every node has an InternalIP of each family of the cluster, the primary family first."""
    wanted = cluster.stack.families

    names = ", then ".join(family.value for family in wanted)
    expect_all(
        cluster.nodes,
        lambda node: (
            set(wanted) <= {Family.of(ip) for ip in node.internal_ips}
            and Family.of(node.internal_ips[0]) is wanted[0]
        ),
        expected=f"InternalIPs of {names} on every node",
        say=lambda node: f"{node.name}: {node.internal_ips}",
    )


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
    """Nodes have one podCIDR a family, disjoint from each other and from Services and nodes."""
    nodes, services = cluster.nodes, cluster.service_cidrs
    wanted = set(cluster.stack.families)

    expect_all(
        nodes,
        lambda node: (
            len(node.pod_cidrs) == len(wanted) and {Family.of(c) for c in node.pod_cidrs} == wanted
        ),
        expected="one podCIDR of each family on every node",
        say=lambda node: f"{node.name}: {node.pod_cidrs}",
    )

    pod_cidrs = [cidr for node in nodes for cidr in node.pod_cidrs]
    clashes = overlaps([*pod_cidrs, *services])
    inside = [
        f"{node.name} {ip}" for node in nodes for ip in node.internal_ips if in_any(ip, pod_cidrs)
    ]
    expect(not (clashes or inside), expected="disjoint ranges", actual=[*clashes, *inside])


@check(
    "ADDR-11",
    stacks=WITH_IPV6,
    references=["RFC 5952 section 4", "KEP-4858"],
    causes=[
        "a controller, cloud provider or chart writes IPv6 addresses in a form of its own",
        "objects were stored before the API server insisted on canonical form",
    ],
    look="kubectl get pods,nodes,services,endpointslices -A -o yaml | grep -i ':0:'",
)
def test_addresses_are_written_in_canonical_form(cluster: ClusterView) -> None:
    """Every address and CIDR in an API object is written as RFC 5952 wants it."""
    texts = cluster.address_texts()

    odd = [f"{item.where}: {item.text}" for item in texts if not is_canonical(item.text)]

    expect(texts and not odd, expected="canonical text everywhere", actual=odd)


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
    """No link-local address stands in an API object."""
    texts = cluster.address_texts()

    leaked = [f"{item.where}: {item.text}" for item in texts if _is_link_local(item.text)]

    expect(texts and not leaked, expected="no address of fe80::/10", actual=leaked)


def _is_link_local(text: str) -> bool:
    return in_any(text.split("/")[0].split("%")[0], ["fe80::/10"])
