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
    sctp_exchange,
    tcp_connect,
    udp_exchange,
)
from pytest_ipv6k8s.agent.ports import TCP_PORT, UDP_PORT
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import Unmet, eventually, expect_all
from pytest_ipv6k8s.netpol.policies import Policies, Policy
from pytest_ipv6k8s.probe.probes import Probe, Probes

TRY, LONG_TRY = 0.8, 2.0
CONVERGENCE = 10.0


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


def expect_table(flows: Sequence[Flow]) -> None:
    """Expect that the data plane comes to agree with a table, and goes on doing so.

    A flow that is shut could be a lost packet, and rules may pass while they are being loaded. So
    once all cells agree, all flows are tried again, each with time for a retransmission.

    Raises:
        Unmet: some cells do not agree.
    """
    through = sum(flow.opens for flow in flows)
    expected = f"{through} flows get through and {len(flows) - through} are shut"
    eventually(
        lambda: ask_table(flows),
        lambda cell: cell.agrees,
        expected=expected,
        timeout=CONVERGENCE,
    )
    expect_all(
        ask_table([_with_longer_timeout(flow) for flow in flows]),
        lambda cell: cell.agrees,
        expected=f"{expected}, and it stays so",
    )


def expect_open(flows: Sequence[Flow]) -> None:
    """Expect that all flows of a table get through, whatever the table says.

    Raises:
        Unmet: some do not.
    """
    eventually(
        lambda: ask_table([dataclasses.replace(flow, opens=True) for flow in flows]),
        lambda cell: cell.agrees,
        expected=f"all {len(flows)} flows get through where there is no NetworkPolicy",
        timeout=CONVERGENCE,
    )


def require_reachable(flows: Sequence[Flow]) -> None:
    """Make sure, before a policy is judged, that without it all flows get through.

    Raises:
        Inconclusive: some do not; POL-00 judges that.
    """
    try:
        expect_open(flows)
    except Unmet as error:
        raise Inconclusive(f"the control matrix does not hold (see POL-00): {error}") from None


@contextmanager
def between_controls(policies: Policies, flows: Sequence[Flow]) -> Iterator[None]:
    """Try policies between two control matrices in which all flows get through.

    Raises:
        Inconclusive: there are policies already, or the flows do not get through without any.
        Unmet: they are still shut when the policies are gone.
    """
    policies.require_none()
    require_reachable(flows)
    yield
    expect_open(flows)


def expect_isolation(policies: Policies, bodies: Sequence[Policy], flows: Sequence[Flow]) -> None:
    """Judge policies by a truth table, between control matrices.

    Raises:
        Inconclusive: the flows do not get through without the policies, either.
        Unmet: they are not as the table says, or still shut when the policies are gone.
    """
    with between_controls(policies, flows), policies.applied(bodies):
        expect_table(flows)


def _with_longer_timeout(flow: Flow) -> Flow:
    request: Any = flow.request
    return dataclasses.replace(flow, request=dataclasses.replace(request, timeout=LONG_TRY))
