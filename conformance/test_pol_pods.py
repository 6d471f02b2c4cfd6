"""NetworkPolicy between pods: default deny, selectors, ports, Services."""

from __future__ import annotations

from functools import partial

from pytest_ipv6k8s import Family, Feature, Inconclusive, Level, check
from pytest_ipv6k8s.agent.ops import (
    dns_exchange,
    http_get,
    sctp_exchange,
    tcp_connect,
    udp_exchange,
)
from pytest_ipv6k8s.agent.ports import HTTP_PORT, SCTP_PORT, TCP_PORT, TCP_PORTS, UDP_PORT
from pytest_ipv6k8s.checks import FamiliesOf
from pytest_ipv6k8s.dns_messages import query
from pytest_ipv6k8s.netpol.sandbox import ALLOWED, NAME_LABEL, SERVER
from pytest_ipv6k8s.netpol.truth_table import (
    TRY,
    Flow,
    expect_isolation,
    expect_open,
    expect_table,
    require_reachable,
    tcp,
    udp,
)
from pytest_ipv6k8s.probe.services import ROLE_LABEL, TCP, UDP
from pytest_ipv6k8s.suite import ClusterView, PolicySandbox, Services

SOURCE = "Kubernetes docs: Network Policies"
CAUSES = (
    "NetworkPolicy is not enforced: the CNI's policy engine is off, stopped or lags on that node",
    "the policy engine programs the other family only: IPv6 is off in it, or its rules are refused",
    "an allow wider than the policy's: a cluster-wide policy, or a host firewall rule before it",
)
LOOK = "kubectl get networkpolicies -A -o yaml"
SERVERS = {ROLE_LABEL: SERVER}
FROM_ALLOWED = [{"from": [{"podSelector": {"matchLabels": {ROLE_LABEL: ALLOWED}}}]}]
pol = partial(
    check,
    families=Family,
    features=[Feature.NETWORK_POLICY],
    causes=CAUSES,
    look=LOOK,
    rests_on=["POL-00"],
    rests_partly_on=["POL-01"],
)


@pol("POL-01", references=[f"{SOURCE}, default deny all ingress traffic"])
def test_default_deny_of_ingress_shuts_pods(family: Family, sandbox: PolicySandbox) -> None:
    """A policy that selects all pods and allows no ingress shuts them, on their node and to others.

    What they send themselves to a pod that no policy selects still gets through. Where nothing is
    shut at all, the other checks of the area have nothing to judge, and say so.
    """
    deny = sandbox.policies.new("POL-01-deny", ingress=[])

    flows = [
        *tcp(
            [sandbox.allowed, sandbox.denied, sandbox.outsider],
            sandbox.servers,
            family,
            opens=False,
        ),
        *udp([sandbox.allowed, sandbox.denied], sandbox.servers, family, opens=False),
        *tcp(sandbox.servers, [sandbox.outsider], family, opens=True),
        *udp(sandbox.servers, [sandbox.outsider], family, opens=True),
    ]
    sandbox.policies.require_none()
    require_reachable(sandbox, flows)
    with sandbox.policies.applied([deny]):
        expect_table(sandbox, flows)
    expect_open(sandbox, flows)


def _dns_servers(cluster: ClusterView, family: Family) -> list[tuple[str, dict[str, int]]]:
    """Return addresses of this family, and ports, of the pods behind the cluster's DNS Service.

    The ports are the pods' own: 5353 on OpenShift, which a policy has to name.
    """
    servers = cluster.dns_servers()
    found = [(ip, dict(s.ports)) for s in servers for ip in s.ips if Family.of(ip) is family]
    if not found:
        raise Inconclusive(f"no pod behind the cluster's DNS has an {family.value} address")
    return found[:2]


@pol(
    "POL-02",
    rests_partly_on=["POL-01", "DNS-01"],
    features=[Feature.NETWORK_POLICY, Feature.CLUSTER_DNS],
    references=[f"{SOURCE}, default deny all egress traffic"],
)
def test_default_deny_of_egress_leaves_what_is_allowed(
    family: Family, sandbox: PolicySandbox, cluster: ClusterView, services: Services
) -> None:
    """A policy that allows egress to the DNS ports alone leaves DNS and shuts all other egress.

    The pods of the cluster's DNS are asked on their own addresses of the family: its Service
    often has one family only.
    """
    servers = _dns_servers(cluster, family)
    asked = sorted({(port, transport) for _, ports in servers for transport, port in ports.items()})
    ports = [{"port": port, "protocol": transport.upper()} for port, transport in asked]
    only_dns = sandbox.policies.new("POL-02-only-dns", egress=[{"ports": ports}])
    wire = query(services["every"].dns_name, family.record_type)

    flows = [
        *tcp([sandbox.allowed, sandbox.denied], sandbox.servers, family, opens=False),
        *udp([sandbox.allowed, sandbox.denied], sandbox.servers, family, opens=False),
        *tcp([sandbox.outsider], sandbox.servers, family, opens=True),
    ]
    for address, served in servers:
        for transport, port in served.items():
            request = dns_exchange.Request(address, wire, transport, port, timeout=TRY)
            flows.append(Flow(source=sandbox.allowed, request=request, opens=True))
    expect_isolation(sandbox, [only_dns], flows)


@pol("POL-03", references=[f"{SOURCE}, behavior of to and from selectors", "KEP-563"])
def test_pod_selector_opens_to_pods_of_its_own_namespace(
    family: Family, sandbox: PolicySandbox
) -> None:
    """A podSelector in a rule opens to pods with its labels in its own namespace, and no others.

    The outsider has the same labels in another namespace.
    """
    allow = sandbox.policies.new("POL-03-allow", pods=SERVERS, ingress=FROM_ALLOWED)

    flows = [
        *tcp([sandbox.allowed], sandbox.servers, family, opens=True),
        *udp([sandbox.allowed], sandbox.servers, family, opens=True),
        *tcp([sandbox.denied, sandbox.outsider], sandbox.servers, family, opens=False),
        *udp([sandbox.denied], sandbox.servers, family, opens=False),
    ]
    expect_isolation(sandbox, [allow], flows)


@pol("POL-04", references=[f"{SOURCE}, targeting a Namespace by its name"])
def test_namespace_selector_opens_to_pods_of_that_namespace(
    family: Family, sandbox: PolicySandbox
) -> None:
    """A namespaceSelector in a rule opens to the pods of the namespaces that it selects alone."""
    labels = {"kubernetes.io/metadata.name": sandbox.elsewhere}
    rule = {"from": [{"namespaceSelector": {"matchLabels": labels}}]}
    allow = sandbox.policies.new("POL-04-allow", pods=SERVERS, ingress=[rule])

    flows = [
        *tcp([sandbox.outsider], sandbox.servers, family, opens=True),
        *udp([sandbox.outsider], sandbox.servers, family, opens=True),
        *tcp([sandbox.allowed, sandbox.denied], sandbox.servers, family, opens=False),
        *udp([sandbox.allowed], sandbox.servers, family, opens=False),
    ]
    expect_isolation(sandbox, [allow], flows)


@pol(
    "POL-09",
    references=[f"{SOURCE}, targeting a range of ports", "KEP-2079"],
    causes=("the policy engine does not know endPort, or named ports, in this family", *CAUSES),
)
def test_ports_ranges_and_named_ports_open_just_those(
    family: Family, sandbox: PolicySandbox
) -> None:
    """Rules with a range of ports, a number and a named port open just those, by protocol."""
    first, second = sandbox.servers
    low, middle, high = TCP_PORTS
    ranged = sandbox.policies.new(
        "POL-09-range",
        pods={NAME_LABEL: first.name},
        ingress=[{"ports": [{"port": low, "endPort": middle, "protocol": "TCP"}]}],
    )
    named = sandbox.policies.new(
        "POL-09-named",
        pods={NAME_LABEL: second.name},
        ingress=[{"ports": [{"port": "http"}, {"port": UDP_PORT, "protocol": "UDP"}]}],
    )

    asking = [sandbox.allowed, sandbox.denied]
    flows = [
        *tcp(asking, [first], family, opens=True, port=low),
        *tcp(asking, [first], family, opens=True, port=middle),
        *tcp(asking, [first], family, opens=False, port=high),
        *udp(asking, [first], family, opens=False),
        *tcp(asking, [second], family, opens=False, port=TCP_PORT),
        *udp(asking, [second], family, opens=True),
    ]
    for source in asking:
        for target, opens in ((first, False), (second, True)):
            request = http_get.Request(target.address(family), HTTP_PORT, keep=0, timeout=TRY)
            answered_by = (target.name,)
            flows.append(Flow(source=source, request=request, opens=opens, answered_by=answered_by))
    expect_isolation(sandbox, [ranged, named], flows)


@pol(
    "POL-12",
    rests_partly_on=["POL-01", "SVC-01", "SVC-02"],
    families_of=FamiliesOf.SERVICES,
    references=[f"{SOURCE}, the two sorts of pod isolation", "Kubernetes docs: Service"],
    causes=(
        "the engine judges packets before the Service proxy translated them, or after the source "
        "was masqueraded",
        *CAUSES,
    ),
)
def test_a_policy_judges_alike_through_a_service(family: Family, sandbox: PolicySandbox) -> None:
    """A flow through a Service's cluster IP gets the verdict of the flow to the pod itself."""
    allow = sandbox.policies.new("POL-12-allow", pods=SERVERS, ingress=FROM_ALLOWED)
    address = sandbox.service.cluster_ip(family)
    names = tuple(server.name for server in sandbox.servers)

    flows = [
        *tcp([sandbox.allowed], sandbox.servers, family, opens=True),
        *tcp([sandbox.denied], sandbox.servers, family, opens=False),
    ]
    for source, opens in (
        (sandbox.allowed, True),
        (sandbox.denied, False),
        (sandbox.outsider, False),
    ):
        for request in (
            tcp_connect.Request(address, TCP, timeout=TRY),
            udp_exchange.Request(address, UDP, count=2, timeout=TRY),
        ):
            flows.append(Flow(source=source, request=request, opens=opens, answered_by=names))
    expect_isolation(sandbox, [allow], flows)


@pol(
    "POL-14",
    level=Level.EXTENDED,
    features=[Feature.NETWORK_POLICY, Feature.SCTP],
    references=[f"{SOURCE}, SCTP support"],
    causes=("the CNI's policy engine does not know SCTP", *CAUSES),
)
def test_an_sctp_port_opens_to_sctp_alone(family: Family, sandbox: PolicySandbox) -> None:
    """A rule for an SCTP port opens that port to SCTP, and nothing else."""
    first, second = sandbox.servers
    rule = {"ports": [{"port": SCTP_PORT, "protocol": "SCTP"}]}
    allow = sandbox.policies.new("POL-14-allow", pods={NAME_LABEL: first.name}, ingress=[rule])
    deny = sandbox.policies.new("POL-14-deny", pods={NAME_LABEL: second.name}, ingress=[])

    flows = tcp([sandbox.allowed], [first], family, opens=False)
    for target, opens in ((first, True), (second, False)):
        request = sctp_exchange.Request(target.address(family), SCTP_PORT, timeout=TRY)
        flow = Flow(
            source=sandbox.allowed, request=request, opens=opens, answered_by=(target.name,)
        )
        flows.append(flow)
    expect_isolation(sandbox, [allow, deny], flows)
