"""Services: whether cluster IPs carry traffic, from where, and to whom."""

from __future__ import annotations

from functools import partial

from pytest_ipv6k8s import DUAL_STACK, Family, Feature, check, eventually, expect, expect_all
from pytest_ipv6k8s.agent.ops import tcp_connect, udp_exchange
from pytest_ipv6k8s.probe.services import TCP, UDP
from pytest_ipv6k8s.suite import ClusterView, Probes, Services
from pytest_ipv6k8s.suite.paths import echoed_by, seen_as_itself

PROXY_CAUSES = (
    "the Service proxy (kube-proxy or its replacement) is stopped or lags on that node",
    "the proxy's rules for this family were not loaded: one bad rule rejects the whole table",
    "the way to the endpoint's node is broken (see ADDR-16)",
)
PROXY_LOOK = "kubectl -n kube-system logs -l k8s-app=kube-proxy --tail=50"
svc = partial(check, families=Family, causes=PROXY_CAUSES, look=PROXY_LOOK)
TRIES_PER_ENDPOINT = 20
REFUSALS = ("ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EACCES", "EPERM")
"""EPERM: a proxy that works on sockets refuses before there is a packet (cilium/cilium 45184)."""


@svc(
    "SVC-01",
    features=[Feature.PEER],
    references=["Kubernetes docs: Service, type ClusterIP", "KEP-563"],
)
def test_cluster_ip_answers_over_tcp(family: Family, probes: Probes, services: Services) -> None:
    """A cluster IP answers over TCP on every node, with the endpoint there or elsewhere."""
    address = services["peer"].cluster_ip(family)

    eventually(
        lambda: probes.from_every_node(tcp_connect.Request(address, TCP)),
        echoed_by(probes.peer),
        expected=f"pod {probes.peer.name} echoes through the Service, asked from every node",
    )


@svc(
    "SVC-02",
    features=[Feature.PEER],
    references=["Kubernetes docs: Service, type ClusterIP", "KEP-563"],
)
def test_cluster_ip_answers_over_udp(family: Family, probes: Probes, services: Services) -> None:
    """A cluster IP answers over UDP on every node, with the endpoint there or elsewhere."""
    address = services["peer"].cluster_ip(family)

    eventually(
        lambda: probes.from_every_node(udp_exchange.Request(address, UDP)),
        lambda record: record.answer.echoed == 1 and record.answer.pod == probes.peer.name,
        expected=f"pod {probes.peer.name} echoes through the Service, asked from every node",
    )


@svc(
    "SVC-04",
    features=[Feature.PEER, Feature.HOST_NETWORK_PROBES],
    references=["Kubernetes docs: Service, type ClusterIP"],
    causes=(
        "the node has no address of this family that the endpoint can answer to",
        *PROXY_CAUSES,
    ),
)
def test_cluster_ip_answers_to_nodes(family: Family, probes: Probes, services: Services) -> None:
    """A cluster IP answers to processes in the network namespace of every node."""
    address = services["peer"].cluster_ip(family)

    eventually(
        lambda: probes.ask_each(
            lambda probe: [tcp_connect.Request(address, TCP)], among=probes.hosts
        ),
        echoed_by(probes.peer),
        expected=f"pod {probes.peer.name} echoes through the Service, asked by every node",
    )


@svc(
    "SVC-05",
    features=[Feature.PEER],
    references=["Kubernetes docs: debug Services, hairpin"],
    causes=[
        "hairpin mode is off on the bridge port or in the CNI's configuration",
        "the Service proxy does not masquerade hairpin traffic in this family",
        "Cilium before 1.19 with kube-proxy: no IPv6 loopback (cilium/cilium 26733)",
    ],
    look="bridge -d link; the CNI configuration in /etc/cni/net.d (on the pod's node)",
)
def test_endpoint_reaches_itself_through_its_service(
    family: Family, probes: Probes, services: Services
) -> None:
    """A pod reaches itself through a Service that has it as the only endpoint (hairpin)."""
    address = services["peer"].cluster_ip(family)

    eventually(
        lambda: [probes.peer.ask(tcp_connect.Request(address, TCP))],
        echoed_by(probes.peer),
        expected="the pod's own echo",
    )


def _pods_behind(probes: Probes, address: str) -> set[str]:
    """Return the pods that answered another one: whether a pod reaches itself is SVC-05."""
    requests = [tcp_connect.Request(address, TCP)] * (TRIES_PER_ENDPOINT * len(probes))
    records = probes.ask_each(lambda probe: requests, among=(probes[0], probes.peer))
    return {record.answer.pod for record in records if record.answer.pod != record.source} - {""}


@svc(
    "SVC-06",
    features=[Feature.PEER],
    references=["Kubernetes docs: virtual IPs and Service proxies"],
    causes=[
        "the proxy's rules name only some endpoints of this family",
        "session affinity or a topology preference is forced by policy",
    ],
    look="kubectl get endpointslices -A -l kubernetes.io/service-name=every -o wide",
)
def test_all_endpoints_get_connections(family: Family, probes: Probes, services: Services) -> None:
    """Connections to a Service reach all of its endpoints.

    With twenty tries for each endpoint a fair proxy misses one once in a hundred million runs.
    """
    found = _pods_behind(probes, services["every"].cluster_ip(family))

    wanted = {probe.name for probe in probes}
    expect(found == wanted, expected=f"all of {sorted(wanted)}", actual=f"only {sorted(found)}")


@check(
    "SVC-11",
    stacks=DUAL_STACK,
    references=["KEP-563: Services"],
    causes=["the EndpointSlices of the two families differ (SVC-07)", *PROXY_CAUSES],
    look="kubectl get endpointslices -A -l kubernetes.io/service-name=every -o wide",
)
def test_both_cluster_ips_have_the_same_backends(
    cluster: ClusterView, probes: Probes, services: Services
) -> None:
    """The two cluster IPs of a dual-stack Service lead to the same pods."""
    first, second = (
        _pods_behind(probes, services["every"].cluster_ip(family))
        for family in cluster.stack.families
    )

    seen = f"{sorted(first)} and {sorted(second)}"
    expect(first and first == second, expected="the same pods behind both", actual=seen)


@svc(
    "SVC-12",
    features=[Feature.PEER],
    references=["Kubernetes docs: using source IP, type ClusterIP"],
    causes=[
        "the Service proxy masquerades everything (masqueradeAll), or its cluster range or "
        "local-traffic detection lacks this family (clusterCIDR, detectLocal)",
        "the CNI masquerades traffic between pods (ADDR-20)",
    ],
    look="kubectl -n kube-system get configmap kube-proxy -o yaml",
)
def test_cluster_ip_keeps_the_source_address(
    family: Family, probes: Probes, services: Services
) -> None:
    """A pod behind a cluster IP sees the address of the pod that asks."""
    address = services["peer"].cluster_ip(family)

    records = probes.from_every_node(tcp_connect.Request(address, TCP))

    reached = [record for record in records if record.answer.seen_source]
    expect(reached, expected="an answer through the Service", actual=records)
    expect_all(
        reached, seen_as_itself(probes, family), expected="the asking pod's own address as source"
    )


@svc(
    "SVC-13",
    features=[Feature.PEER],
    references=["Kubernetes docs: virtual IPs and Service proxies", "RFC 4443 section 3.1"],
    causes=[
        "the proxy drops instead of rejecting in this family (no ICMPv6 reject, KUBE-MARK-DROP)",
        "ICMPv6 type 1 is filtered on the node",
        "a stranger answers: the address leaves the node towards a transparent proxy",
    ],
)
def test_service_without_endpoints_refuses(
    family: Family, probes: Probes, services: Services
) -> None:
    """A Service without endpoints refuses connections at once instead of letting them time out.

    Where the asking node itself refuses, the kernel heeds it at the second SYN, after one second:
    the first refusal comes while the socket is still busy connecting.
    """
    empty, full = services["empty"].cluster_ip(family), services["peer"].cluster_ip(family)

    records = eventually(
        lambda: probes.from_every_node(tcp_connect.Request(empty, TCP, timeout=2.0)),
        lambda record: record.answer.error in REFUSALS,
        expected="a refusal in less than 2 s on every node",
    )
    control = probes[0].ask(tcp_connect.Request(full, TCP))

    expect(control.answer.echoed, expected="an echo where there is an endpoint", actual=control)
    expect_all(
        records,
        lambda record: not record.answer.connected,
        expected="nobody answers for the empty Service",
    )
