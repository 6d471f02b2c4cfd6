"""NetworkPolicy: the control matrix, neighbour discovery, the kubelet, latency, ICMPv6 echo."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pytest_ipv6k8s import (
    DUAL_STACK,
    WITH_IPV6,
    Family,
    Feature,
    Level,
    Record,
    check,
    expect,
    expect_all,
    remark,
    settle,
)
from pytest_ipv6k8s.agent.ops import network_state, ping, policy_latency, tcp_connect
from pytest_ipv6k8s.agent.ports import CLOSED_PORT, TCP_PORT
from pytest_ipv6k8s.netpol.sandbox import ALLOWED, SERVER
from pytest_ipv6k8s.netpol.truth_table import (
    TRY,
    Flow,
    ask_table,
    between_controls,
    expect_open,
    expect_table,
    require_reachable,
    tcp,
    udp,
)
from pytest_ipv6k8s.probe.services import ROLE_LABEL
from pytest_ipv6k8s.suite import ClusterView, PolicySandbox, Probe

SOURCE = "Kubernetes docs: Network Policies"
LOOK = "kubectl get networkpolicies -A -o yaml"
ENGINE = (
    "NetworkPolicy is not enforced: the CNI's policy engine is off, stopped or lags on that node"
)
SERVERS, CLIENTS = {ROLE_LABEL: SERVER}, {ROLE_LABEL: ALLOWED}
DISCOVERY = (
    "the policy engine drops ICMPv6 neighbour discovery (types 133 to 136) with all else that no "
    "rule allows: IPv6 dies when a cache entry ends"
)
pol = partial(
    check,
    features=[Feature.NETWORK_POLICY],
    look=LOOK,
    rests_on=["POL-00"],
    rests_partly_on=["POL-01"],
)
FLIP_LIMIT = 2.0
FIRST_CONNECTION = 2.0


@check(
    "POL-00",
    rests_on=["ADDR-16"],
    rests_partly_on=["ADDR-15"],
    look=LOOK,
    families=Family,
    references=[f"{SOURCE}, the two sorts of pod isolation"],
    causes=[
        "a cluster-wide policy or a default-deny mode of the CNI isolates pods without a "
        "NetworkPolicy",
        "the policy engine does not forget a policy that was deleted",
        "pods do not reach each other at all (see ADDR-15 and ADDR-16)",
    ],
)
def test_pods_that_no_policy_selects_are_open(family: Family, sandbox: PolicySandbox) -> None:
    """Pods that no NetworkPolicy selects reach each other, also when a policy that did has gone.

    This is the control matrix of all the other checks of the area. In between a policy that denies
    everything stands, long enough to be loaded; whether it shuts anything is judged by POL-01. A
    port where nobody listens has to refuse: something has to be able to fail here.
    """
    deny = sandbox.policies.new("POL-00-deny", ingress=[], egress=[])
    everyone = [sandbox.allowed, sandbox.denied, sandbox.outsider]
    flows = [
        *tcp(everyone, sandbox.servers, family, opens=True),
        *udp(everyone, sandbox.servers, family, opens=True),
        *tcp(sandbox.servers, everyone, family, opens=True),
    ]
    closed = tcp([sandbox.allowed], sandbox.servers, family, opens=False, port=CLOSED_PORT)

    sandbox.policies.require_none()
    expect_open(sandbox, flows)
    expect_all(
        ask_table(closed), lambda cell: cell.agrees, expected="a refusal where nobody listens"
    )
    with sandbox.policies.applied([deny]):
        for _ in range(3):
            ask_table(flows)
    expect_open(sandbox, flows)


@pol(
    "POL-10",
    rests_partly_on=["POL-01", "DNS-01"],
    stacks=WITH_IPV6,
    references=[
        "RFC 4890 section 4.3.3",
        "RFC 4861 section 7.2",
        "cloudnativelabs/kube-router: #1710",
    ],
    causes=[DISCOVERY, ENGINE],
    look="ip -6 neigh; ip6tables -S; nft list ruleset (on the node)",
)
def test_neighbour_discovery_survives_default_deny(sandbox: PolicySandbox) -> None:
    """A pod that starts under a default deny resolves its neighbours and opens what is allowed.

    Flushing a neighbour cache needs CAP_NET_ADMIN. A new pod needs no privilege and asks the same:
    neither it nor its node has an entry for the other yet, so its first connections only work if
    neighbour solicitations and advertisements pass in both directions while the policy stands.
    """
    deny = sandbox.policies.new("POL-10-deny", ingress=[], egress=[])
    allow_in = sandbox.policies.new(
        "POL-10-in", pods=SERVERS, ingress=[{"from": [{"podSelector": {"matchLabels": CLIENTS}}]}]
    )
    allow_out = sandbox.policies.new(
        "POL-10-out", pods=CLIENTS, egress=[{"to": [{"podSelector": {"matchLabels": SERVERS}}]}]
    )
    family = Family.V6
    settled = [
        *tcp([sandbox.allowed], sandbox.servers, family, opens=True),
        *tcp([sandbox.denied], sandbox.servers, family, opens=False),
    ]

    applied = sandbox.policies.applied([deny, allow_in, allow_out])
    with between_controls(sandbox, settled), applied:
        expect_table(sandbox, settled)
        with sandbox.fresh_pod("POL-10", ALLOWED) as fresh:
            _expect_first_connections(sandbox, fresh, family)


def _expect_first_connections(sandbox: PolicySandbox, fresh: Probe, family: Family) -> None:
    """Expect that a new pod gets through to the servers, and to nobody else."""
    requests = [
        tcp_connect.Request(server.address(family), TCP_PORT, timeout=FIRST_CONNECTION)
        for server in sandbox.servers
    ]
    try:
        settle(
            lambda: fresh.ask_all(requests),
            lambda record: record.answer.echoed,
            after="a pod of ours was started under NetworkPolicies",
            timeout=sandbox.convergence,
        )
        expect_all(
            fresh.ask_all(requests),
            lambda record: record.answer.echoed,
            expected=f"the allowed connections of a new pod in {FIRST_CONNECTION:.0f} s each "
            "(our limit)",
        )
    finally:
        fresh.ask(network_state.Request())
    shut = ask_table(tcp([fresh], [sandbox.denied], family, opens=False))
    expect_all(shut, lambda cell: cell.agrees, expected="the new pod is isolated, too")


@pol(
    "POL-11",
    references=[f"{SOURCE}, the two sorts of pod isolation"],
    causes=[
        "the policy engine does not exempt the pod's own node in the cluster's first family, or "
        "does not know one of the node's addresses",
        DISCOVERY,
        ENGINE,
    ],
    look="kubectl get pods,networkpolicies -A -o wide",
)
def test_the_kubelet_reaches_pods_under_default_deny(
    sandbox: PolicySandbox, cluster: ClusterView
) -> None:
    """A pod under a default deny of ingress becomes Ready and stays so: its node may reach it.

    The pod starts under the policy, so a readiness probe has to get through before it is Ready.
    The kubelet asks the first of the pod's addresses.
    """
    family = cluster.stack.primary
    deny = sandbox.policies.new("POL-11-deny", ingress=[])
    settled = tcp([sandbox.allowed], sandbox.servers, family, opens=False)

    applied = sandbox.policies.applied([deny])
    with between_controls(sandbox, settled), applied:
        expect_table(sandbox, settled)
        with sandbox.fresh_pod("POL-11", SERVER, probed=True) as fresh:
            _expect_ready(sandbox, fresh, family)


def _expect_ready(sandbox: PolicySandbox, fresh: Probe, family: Family) -> None:
    """Expect that a new pod becomes Ready, is isolated all the same, and stays Ready."""
    settle(
        lambda: [sandbox.readiness(fresh)],
        lambda record: record.answer.ready,
        after="a pod of ours was started under a NetworkPolicy",
        timeout=sandbox.convergence,
    )
    begun = sandbox.readiness(fresh)
    expected = "a Ready pod, asked by its kubelet every second"
    expect(begun.answer.ready, expected=expected, actual=begun)
    control = tcp([fresh], [sandbox.outsider], family, opens=True)
    expect_table(sandbox, [*tcp([sandbox.allowed], [fresh], family, opens=False), *control])
    still = sandbox.readiness(fresh)
    stays = still.answer.ready and not still.answer.restarts
    expect(stays, expected="it stays Ready", actual=still)


@pol(
    "POL-15",
    level=Level.INFORMATIONAL,
    stacks=DUAL_STACK,
    references=[f"{SOURCE}, Network policies and their lifecycle", "KEP-563"],
    causes=[
        "the policy engine loads the rules of the families one after the other, and is slow or "
        "retries for one of them",
        ENGINE,
    ],
)
def test_policies_take_effect_in_both_families_at_once(
    sandbox: PolicySandbox, cluster: ClusterView
) -> None:
    """A policy takes effect, and ends, in both families within two seconds (our limit).

    No Kubernetes text says so; what was measured is told beside the verdict.
    """
    first, second = cluster.pod_stack.families
    deny = sandbox.policies.new("POL-15-deny", pods=SERVERS, ingress=[])
    server = sandbox.servers[1]
    flows = [
        flow for f in (first, second) for flow in tcp([sandbox.allowed], [server], f, opens=False)
    ]

    policies, families = sandbox.policies, (first, second)
    with between_controls(sandbox, flows):
        try:
            create = partial(policies.create, deny)
            shutting = _flips(sandbox, server, families, create, opens=False)
            _expect_parity(shutting, "shut")
            delete = partial(policies.delete, deny)
            opening = _flips(sandbox, server, families, delete, opens=True)
            _expect_parity(opening, "open")
        finally:
            policies.delete(deny)


def _flips(
    sandbox: PolicySandbox,
    server: Probe,
    families: Iterable[Family],
    act: Callable[[], object],
    *,
    opens: bool,
) -> list[Record[policy_latency.Answer]]:
    """Return when connections of each family begin or cease to succeed, while something is done."""
    requests = [policy_latency.Request(server.address(f), TCP_PORT, opens=opens) for f in families]
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(sandbox.allowed.ask_all, requests)
        act()
        return asked.result()


def _expect_parity(records: list[Record[policy_latency.Answer]], how: str) -> None:
    expect_all(records, lambda record: record.answer.flipped, expected=f"both families {how}")
    seconds = [f"{Family.of(r.request['address']).value} {r.answer.seconds:.1f} s" for r in records]
    remark(f"{how}: {', '.join(seconds)}")
    first, second = (record.answer.seconds for record in records)
    expect(
        abs(first - second) < FLIP_LIMIT,
        expected=f"both families {how} within {FLIP_LIMIT:.0f} s of each other",
        actual=records,
    )


@pol(
    "POL-18",
    level=Level.INFORMATIONAL,
    stacks=WITH_IPV6,
    features=[Feature.NETWORK_POLICY, Feature.ECHO_REQUESTS],
    references=[
        "RFC 4890 section 4.3.1",
        f"{SOURCE}, what you can't do with network policies",
        "kubernetes-sigs/kube-network-policies: #191",
    ],
    causes=["the policy engine judges TCP, UDP and SCTP alone"],
)
def test_echo_requests_under_default_deny(sandbox: PolicySandbox) -> None:
    """An ICMPv6 echo request to a pod under a default deny of ingress gets no reply.

    NetworkPolicy says nothing of ICMP: it is up to the CNI.
    """
    deny = sandbox.policies.new("POL-18-deny", ingress=[])
    request = ping.Request(sandbox.servers[1].address(Family.V6), timeout=TRY)
    flows = tcp([sandbox.allowed], sandbox.servers, Family.V6, opens=False)
    echoes = Flow(source=sandbox.allowed, request=request, opens=False)

    sandbox.policies.require_none()
    require_reachable(sandbox, [*flows, echoes])
    with sandbox.policies.applied([deny]):
        expect_table(sandbox, flows)
        (cell,) = ask_table([echoes])
    expect(cell.agrees, expected="no echo reply under default deny", actual=cell)
