"""A long-lived exec session with an agent, and when a silent agent is inconclusive."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from pytest_ipv6k8s.agent import wire
from pytest_ipv6k8s.agent.main import AT_ONCE
from pytest_ipv6k8s.agent.ops import Request, identity
from pytest_ipv6k8s.cost import Cost
from pytest_ipv6k8s.errors import ControlChannelError
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.exec import ExecStream
from pytest_ipv6k8s.kube.objects import CONTAINER
from pytest_ipv6k8s.probe.probes import Probe, ProbePod
from pytest_ipv6k8s.timeouts import Timeouts

COMMAND = ("python3", "-I", "/ipv6k8s/agent.pyz", "ask")
_IDLE, _LONG, _STRANGE = 40.0, 5.0, 1000


class Stream(Protocol):
    """The agent's standard input and output; breaks with ``ControlChannelError``."""

    def write(self, data: bytes) -> None: ...
    def read_line(self, deadline: float) -> bytes: ...
    def close(self) -> None: ...


@dataclasses.dataclass(slots=True)
class Outage:
    """Until when nobody on a node is asked, by ``time.monotonic()``, and what was said of it."""

    until: float = 0.0
    trouble: str = ""


class Session:
    """Asks one agent. Opened at the first question; one batch at a time, from any thread.

    A stream that lay idle is not trusted: load balancers cut idle WebSockets silently. When the
    stream breaks, it is opened once more and only the outstanding questions are put again. Where
    that does not help, no agent on its node is asked for as long as it took: a dead way there costs
    a run half of its time at most.

    Args:
        open_stream: starts the agent and returns its stream.
        timeouts: of the agent's replies; their factor also multiplies the requests' own.
        cost: counts every stream that is opened.
        outage: what is known of the way to its node, shared with others there.
    """

    def __init__(
        self,
        open_stream: Callable[[], Stream],
        *,
        timeouts: Timeouts | None = None,
        cost: Cost | None = None,
        outage: Outage | None = None,
    ) -> None:
        self._open_stream = open_stream
        self._timeouts = timeouts or Timeouts()
        self._stream: Stream | None = None
        self._last_used = 0.0
        self._outage = outage or Outage()
        self._seq = 0
        self._lock = threading.Lock()
        self.cost = cost or Cost()

    def __call__(self, requests: Sequence[Request[Any]]) -> list[Any]:
        """Carry out the requests and return their answers in the same order.

        Raises:
            ControlChannelError: the stream broke twice, or an operation broke in the agent.
        """
        with self._lock:
            extended = [self._with_longer_timeout(request) for request in requests]
            numbered = {self._seq + index: request for index, request in enumerate(extended)}
            self._seq += len(requests)
            answers: dict[int, Any] = {}
            with self._given_up():
                try:
                    self._exchange(numbered, answers)
                except ControlChannelError:
                    self.close()
                    rest = {seq: item for seq, item in numbered.items() if seq not in answers}
                    self._exchange(rest, answers)
            return [answers[seq] for seq in numbered]

    @contextlib.contextmanager
    def _given_up(self) -> Iterator[None]:
        """Ask nothing for as long as we waited, or each check would wait anew."""
        started = time.monotonic()
        if started < self._outage.until:
            raise ControlChannelError(self._outage.trouble)
        try:
            yield
        except ControlChannelError as error:
            self.close()
            took = time.monotonic() - started
            if took > _LONG:
                self._outage.until, self._outage.trouble = started + 2 * took, error.problem
            raise

    def _exchange(self, numbered: dict[int, Request[Any]], answers: dict[int, Any]) -> None:
        stream = self._ready_stream()
        deadline = time.monotonic() + self._allowance(list(numbered.values()))
        stream.write(b"".join(wire.request_line(seq, item) for seq, item in numbered.items()))
        outstanding, strange = set(numbered), 0
        while outstanding:
            message = _parse(stream.read_line(deadline))
            seq = message["seq"]
            if seq not in outstanding:
                strange += 1
                if strange > _STRANGE:
                    raise ControlChannelError(
                        "the probe answers what nobody asked, again and again"
                    )
                continue
            if "broke" in message:
                raise ControlChannelError(f"operation in the probe broke: {message['broke']}")
            answers[seq] = _answer(numbered[seq], message)
            outstanding.remove(seq)
        self._last_used = time.monotonic()

    def _with_longer_timeout(self, request: Request[Any]) -> Request[Any]:
        """Give a question more time, never less: some measure how long an answer takes."""
        timeout = request.timeout * max(self._timeouts.factor, 1.0)
        extended: Request[Any] = dataclasses.replace(request, timeout=timeout)  # type: ignore[type-var]
        return extended

    def _allowance(self, requests: Sequence[Request[Any]]) -> float:
        rounds = -(-len(requests) // AT_ONCE)
        return max(item.timeout for item in requests) * rounds + self._timeouts.agent_reply

    def _ready_stream(self) -> Stream:
        if self._stream is not None and time.monotonic() - self._last_used > _IDLE:
            self.close()
        if self._stream is None:
            self._stream = self._open_stream()
            self.cost.add(exec_sessions=1)
        return self._stream

    def close(self) -> None:
        """Say good-bye; the next question opens a new stream."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(ControlChannelError):
                stream.write(b"bye\n")
            stream.close()


def _parse(line: bytes) -> dict[str, Any]:
    try:
        return wire.parse(line)
    except ValueError as error:
        raise ControlChannelError(f"the probe sent something odd: {error}") from None


def _answer(request: Request[Any], message: dict[str, Any]) -> Any:
    try:
        return wire.answer_of(wire.operation_of(request), message["answer"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ControlChannelError(f"the probe answered something odd: {error}") from None


def connect(api: Api, pod: ProbePod, outage: Outage | None = None) -> Session:
    """Return a session with the agent in a pod; nothing is opened yet."""

    def open_stream() -> Stream:
        return ExecStream(
            api, namespace=pod.namespace, pod=pod.name, container=CONTAINER, command=COMMAND
        )

    return Session(open_stream, timeouts=api.timeouts, cost=api.cost, outage=outage)


class Sessions:
    """Sessions with the agents of many pods, each made once."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._by_pod: dict[str, Session] = {}
        self._outages = defaultdict[str, Outage](Outage)

    def probe(self, pod: ProbePod) -> Probe:
        """Return a probe that is asked over its pod's session."""
        outage = self._outages[pod.node]
        session = self._by_pod.setdefault(pod.name, connect(self._api, pod, outage))
        return Probe(pod, session, self._api.recorder)

    def trouble(self, pod: ProbePod) -> str:
        """Ask an agent who it is; say why it does not answer."""
        try:
            self.probe(pod).ask(identity.Request())
        except ControlChannelError as error:
            return f"cannot be asked: {error.problem}"
        return ""

    def close(self) -> None:
        """Close all of them."""
        for session in self._by_pod.values():
            session.close()
