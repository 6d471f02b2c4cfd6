"""Truth tables of NetworkPolicies: which flows get through, asked of the data plane."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.agent.ops import (
    Request,
    dns_exchange,
    http_get,
    ping,
    policy_latency,
    sctp_exchange,
    tcp_connect,
    udp_exchange,
)
from pytest_ipv6k8s.agent.ports import TCP_PORT, UDP_PORT
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import Unmet, expect_all, settle
from pytest_ipv6k8s.netpol.policies import Policy
from pytest_ipv6k8s.netpol.sandbox import PolicySandbox
from pytest_ipv6k8s.probe.probes import IN_DOUBT, Probe, Probes

TRY = 0.8
# A lost SYN is sent again after one second and after three, as the kernel does it (RFC 6298), so
# that a packet lost in a hundred shuts no flow. What is shut is known sooner.
_SURE_OPEN, _SURE_SHUT, _SURE_DATAGRAMS = 4.0, IN_DOUBT, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A cell of a truth table.

    Attributes:
        source: who asks.
        request: what it asks; a new connection each time.
        opens: whether the policies let it through.
        answered_by: the pods that may answer; empty when the peer does not say who it is.
    """

    source: Probe
    request: Request[Any]
    opens: bool
    answered_by: tuple[str, ...] = ()

    def agrees(self, answer: Any) -> bool:
        """Tell whether an answer is what this cell says."""
        if not self.opens:
            return not _got_through(answer)
        return _got_through(answer) and (not self.answered_by or answer.pod in self.answered_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell(Record[Any]):
    """What became of a flow."""

    flow: Flow

    @property
    def agrees(self) -> bool:
        """Whether it is as the table says."""
        return self.flow.agrees(self.answer)

    def __str__(self) -> str:
        wanted = "has to get through" if self.flow.opens else "has to be shut"
        return f"{wanted}: {Record.__str__(self)}"


def _got_through(answer: Any) -> bool:
    match answer:
        case tcp_connect.Answer() | sctp_exchange.Answer():
            return answer.connected
        case udp_exchange.Answer():
            return answer.echoed > 0
        case http_get.Answer():
            return answer.status > 0
        case dns_exchange.Answer():
            return bool(answer.wire)
        case ping.Answer():
            return answer.received > 0
    raise TypeError(f"a truth table cannot hold {answer!r}")


def tcp(
    sources: Iterable[Probe],
    targets: Sequence[Probe],
    family: Family,
    *,
    opens: bool,
    port: int = TCP_PORT,
) -> list[Flow]:
    """Return the flows over TCP from every source to every target, pod to pod."""
    return [
        Flow(
            source=source,
            request=tcp_connect.Request(target.address(family), port, timeout=TRY),
            opens=opens,
            answered_by=(target.name,),
        )
        for source in sources
        for target in targets
    ]


def udp(
    sources: Iterable[Probe], targets: Sequence[Probe], family: Family, *, opens: bool
) -> list[Flow]:
    """Return the flows over UDP from every source to every target, pod to pod."""
    return [
        Flow(
            source=source,
            request=udp_exchange.Request(target.address(family), UDP_PORT, count=2, timeout=TRY),
            opens=opens,
            answered_by=(target.name,),
        )
        for source in sources
        for target in targets
    ]


def to_address(source: Probe, address: str, port: int, *, opens: bool) -> Flow:
    """Return a flow over TCP to an address that may be nobody's of ours."""
    request = tcp_connect.Request(address, port, timeout=TRY)
    return Flow(source=source, request=request, opens=opens)


def ask_table(flows: Sequence[Flow]) -> list[Cell]:
    """Ask all flows at once, one batch for each source, and return what became of them."""
    sources = list({flow.source.name: flow.source for flow in flows}.values())
    ordered = [flow for source in sources for flow in flows if flow.source is source]
    records = Probes(sources).ask_each(
        lambda probe: [flow.request for flow in ordered if flow.source is probe], among=sources
    )
    return [
        Cell(
            source=record.source,
            request=record.request,
            answer=record.answer,
            path=record.path,
            seconds=record.seconds,
            mark=record.mark,
            flow=flow,
        )
        for flow, record in zip(ordered, records, strict=True)
    ]


def expect_table(sandbox: PolicySandbox, flows: Sequence[Flow]) -> None:
    """Wait until policies of ours have taken effect; then expect that each flow is as a table says.

    The Kubernetes API promises no time: the limit is ours or a declared one, and a slow engine is
    told of. A flow that is shut could be a lost packet, and rules may pass while they are being
    loaded. So two rounds have to agree, and what is judged is asked with time for retransmissions.

    Raises:
        Unmet: some cells do not agree.
    """
    through = sum(flow.opens for flow in flows)
    expected = f"{through} flows get through and {len(flows) - through} are shut"
    _settle_table(sandbox, flows, after="our NetworkPolicies were made")
    _judge_table(flows, expected)


def expect_open(sandbox: PolicySandbox, flows: Sequence[Flow]) -> None:
    """Wait until policies of ours are gone; then expect that all flows of a table get through.

    Raises:
        Unmet: some do not.
    """
    opened = [dataclasses.replace(flow, opens=True) for flow in flows]
    _settle_table(sandbox, opened, after="our pods were made, or our NetworkPolicies deleted")
    _judge_table(opened, f"all {len(flows)} flows get through where there is no NetworkPolicy")


def _settle_table(sandbox: PolicySandbox, flows: Sequence[Flow], *, after: str) -> None:
    settle(
        lambda: ask_table(flows),
        lambda cell: cell.agrees,
        after=after,
        timeout=sandbox.convergence,
    )


def _judge_table(flows: Sequence[Flow], expected: str) -> None:
    expect_all(
        ask_table([_with_more_time(flow) for flow in flows]),
        lambda cell: cell.agrees,
        expected=expected,
    )


def require_reachable(sandbox: PolicySandbox, flows: Sequence[Flow]) -> None:
    """Make sure, before a policy is judged, that without it all flows get through.

    Raises:
        Inconclusive: some do not; POL-00 judges that.
    """
    try:
        expect_open(sandbox, flows)
    except Unmet as error:
        raise Inconclusive(f"the control matrix does not hold (see POL-00): {error}") from None


def require_enforcement(sandbox: PolicySandbox) -> None:
    """Make sure, before policies are blamed one by one, that a deny of everything shuts something.

    It is asked once in each sandbox: from one client to both servers, in every family.

    Raises:
        Inconclusive: all stays open; POL-01 judges that.
    """
    if sandbox.enforced is None:
        deny = sandbox.policies.new("POL-enforced", ingress=[], egress=[])
        requests = [
            policy_latency.Request(ip, TCP_PORT, opens=False, timeout=sandbox.convergence)
            for server in sandbox.servers
            for ip in server.pod.ips
        ]
        with sandbox.policies.applied([deny]):
            records = sandbox.allowed.ask_all(requests)
        sandbox.enforced = any(record.answer.flipped for record in records)
    if not sandbox.enforced:
        raise Inconclusive(
            "a policy that denies everything shuts nothing (see POL-01); if NetworkPolicy is "
            "switched off on purpose, declare `networkPolicy: none`"
        )


@contextmanager
def between_controls(sandbox: PolicySandbox, flows: Sequence[Flow]) -> Iterator[None]:
    """Try policies between two control matrices in which all flows get through.

    Raises:
        Inconclusive: there is a NetworkPolicy already, the flows do not get through without any,
            or no policy shuts anything.
        Unmet: they are still shut when the policies are gone.
    """
    sandbox.policies.require_none()
    if sandbox.enforced is False:
        require_enforcement(sandbox)
    require_reachable(sandbox, flows)
    try:
        yield
    except Unmet:
        require_enforcement(sandbox)
        raise
    expect_open(sandbox, flows)


def expect_isolation(
    sandbox: PolicySandbox, bodies: Sequence[Policy], flows: Sequence[Flow]
) -> None:
    """Judge policies by a truth table, between control matrices.

    Raises:
        Inconclusive: the flows do not get through without the policies, either, or no policy
            shuts anything.
        Unmet: they are not as the table says, or still shut when the policies are gone.
    """
    with between_controls(sandbox, flows), sandbox.policies.applied(bodies):
        expect_table(sandbox, flows)


def _with_more_time(flow: Flow) -> Flow:
    request: Any = flow.request
    more: dict[str, Any] = {"timeout": _SURE_OPEN if flow.opens else _SURE_SHUT}
    if isinstance(request, udp_exchange.Request):
        more["count"] = _SURE_DATAGRAMS
    return dataclasses.replace(flow, request=dataclasses.replace(request, **more))
