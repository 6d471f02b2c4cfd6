"""A session with an agent: order, broken streams, idle streams and odd lines."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.agent.main import AT_ONCE
from pytest_ipv6k8s.agent.ops import lookup
from pytest_ipv6k8s.errors import ControlChannelError
from pytest_ipv6k8s.probe import session
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.probe.session import Session
from pytest_ipv6k8s.timeouts import Timeouts
from tests.unit.clock import Clock
from tests.unit.fake_api import FakeApi

Message = dict[str, Any]


def _answer(request: Message) -> bytes:
    addresses = [request["args"]["name"].upper()]
    return json.dumps({"seq": request["seq"], "answer": {"addresses": addresses}}).encode()


class FakeStream:
    """An agent that answers with the name in capitals; ``say`` changes what it says.

    ``say`` gets all questions of a batch and returns lines; an exception among them breaks the
    stream at that place.
    """

    def __init__(self, say: Callable[[list[Message]], Sequence[bytes | Exception]] | None = None):
        self._say = say or (lambda questions: [_answer(request) for request in questions])
        self._lines: list[bytes | Exception] = []
        self.asked: list[Message] = []
        self.deadlines: list[float] = []
        self.said_bye = False
        self.closed = False

    def write(self, data: bytes) -> None:
        if data == b"bye\n":
            self.said_bye = True
            return
        questions = [json.loads(line) for line in data.splitlines()]
        self.asked += questions
        self._lines += self._say(questions)

    def read_line(self, deadline: float) -> bytes:
        self.deadlines.append(deadline)
        line = self._lines.pop(0) if self._lines else ControlChannelError("no answer in time")
        if isinstance(line, Exception):
            raise line
        return line

    def close(self) -> None:
        self.closed = True


BROKEN = ControlChannelError("connection reset")


def _session(*streams: FakeStream, **more: Any) -> Session:
    waiting = list(streams)
    return Session(lambda: waiting.pop(0), **more)


def _ask(asked: Session, *names: str) -> list[tuple[str, ...]]:
    return [answer.addresses for answer in asked([lookup.Request(name) for name in names])]


def _names(stream: FakeStream) -> list[str]:
    return [request["args"]["name"] for request in stream.asked]


def test_answers_come_back_as_what_the_operation_declares() -> None:
    (answer,) = _session(FakeStream())([lookup.Request("a")])

    assert answer == lookup.Answer(addresses=("A",))


def test_answers_come_in_the_order_of_the_questions() -> None:
    backwards = FakeStream(lambda questions: [_answer(q) for q in reversed(questions)])

    assert _ask(_session(backwards), "a", "b", "c") == [("A",), ("B",), ("C",)]


def test_nothing_is_opened_before_the_first_question() -> None:
    stream = FakeStream()
    asked = _session(stream)
    assert asked.cost.exec_sessions == 0

    _ask(asked, "a")
    _ask(asked, "b", "c")

    assert asked.cost.exec_sessions == 1
    assert len({request["seq"] for request in stream.asked}) == 3


def test_a_dead_way_is_not_tried_anew_by_each_check(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, opened = Clock(), []
    monkeypatch.setattr(session, "time", clock)

    def silent(questions: list[Message]) -> list[bytes | Exception]:
        clock.sleep(30)
        return [ControlChannelError("no answer in time")]

    def open_stream() -> FakeStream:
        opened.append(clock.now)
        return FakeStream(silent) if len(opened) < 3 else FakeStream()

    asked = Session(open_stream)

    for _ in range(40):
        with pytest.raises(ControlChannelError, match="no answer in time"):
            _ask(asked, "a")
    assert opened == [1000.0, 1030.0]
    clock.sleep(60)

    assert _ask(asked, "a") == [("A",)]


def test_a_way_that_breaks_at_once_is_tried_by_the_next_check() -> None:
    broken = FakeStream(lambda questions: [BROKEN])
    asked = _session(broken, FakeStream(lambda questions: [BROKEN]), FakeStream())
    with pytest.raises(ControlChannelError):
        _ask(asked, "a")

    assert _ask(asked, "a") == [("A",)]


def test_a_stream_that_cannot_be_written_to_is_opened_again() -> None:
    def validate(questions: list[Message]) -> list[bytes | Exception]:
        raise BROKEN

    broken, whole = FakeStream(validate), FakeStream()
    asked = _session(broken, whole)

    assert _ask(asked, "a") == [("A",)]
    assert asked.cost.exec_sessions == 2
    assert broken.closed


def test_only_outstanding_questions_are_put_again() -> None:
    halfway = FakeStream(lambda questions: [_answer(questions[1]), BROKEN])
    whole = FakeStream()

    assert _ask(_session(halfway, whole), "a", "b", "c") == [("A",), ("B",), ("C",)]
    assert _names(whole) == ["a", "c"]


def test_a_stream_that_breaks_twice_says_nothing_about_the_network() -> None:
    asked = _session(FakeStream(lambda _: [BROKEN]), FakeStream(lambda _: [BROKEN]))

    with pytest.raises(ControlChannelError, match="connection reset"):
        _ask(asked, "a")


def test_a_session_recovers_after_it_gave_up() -> None:
    broken = [FakeStream(lambda _: [BROKEN]) for _ in range(2)]
    asked = _session(*broken, FakeStream(), FakeStream())
    with pytest.raises(ControlChannelError):
        _ask(asked, "a")

    assert _ask(asked, "b") == [("B",)]


def test_an_agent_that_cannot_be_started_is_reported() -> None:
    def validate() -> session.Stream:
        raise ControlChannelError("exec into pod n/p: forbidden")

    with pytest.raises(ControlChannelError, match="n/p: forbidden"):
        _ask(Session(validate), "a")


def test_an_operation_that_broke_is_named() -> None:
    def broke(questions: list[Message]) -> list[bytes | Exception]:
        return [json.dumps({"seq": q["seq"], "broke": "KeyError: 'x'"}).encode() for q in questions]

    with pytest.raises(ControlChannelError, match="operation in the probe broke: KeyError: 'x'"):
        _ask(_session(FakeStream(broke), FakeStream(broke)), "a")


@pytest.mark.parametrize("odd", [b"hello", b"[1]", b"{}", b"", b"\xff"])
def test_an_odd_line_breaks_the_stream(odd: bytes) -> None:
    streams = [FakeStream(lambda _: [odd]), FakeStream(lambda _: [odd])]

    with pytest.raises(ControlChannelError, match="the probe sent something odd"):
        _ask(_session(*streams), "a")


@pytest.mark.parametrize("odd", [{}, {"answer": {"colour": "red"}}, {"answer": None}])
def test_an_answer_of_another_shape_breaks_the_stream(odd: Message) -> None:
    def say(questions: list[Message]) -> list[bytes | Exception]:
        return [json.dumps({"seq": request["seq"], **odd}).encode() for request in questions]

    with pytest.raises(ControlChannelError):
        _ask(_session(FakeStream(say), FakeStream(say)), "a")


def test_a_late_answer_to_an_earlier_question_is_passed_over() -> None:
    stale = json.dumps({"seq": -1, "answer": {"addresses": ["STALE"]}}).encode()
    stream = FakeStream(lambda questions: [stale, *[_answer(q) for q in questions]])

    assert _ask(_session(stream), "a") == [("A",)]


def test_an_answer_that_comes_twice_counts_once() -> None:
    stream = FakeStream(lambda questions: [_answer(q) for q in questions for _ in range(2)])
    asked = _session(stream)

    assert _ask(asked, "a", "b") == [("A",), ("B",)]
    assert _ask(asked, "c") == [("C",)]


def test_a_stream_that_lay_idle_is_not_trusted(clock: Clock) -> None:
    first, second = FakeStream(), FakeStream()
    asked = _session(first, second)
    _ask(asked, "a")

    clock.now += 3600
    _ask(asked, "b")

    assert (_names(first), _names(second)) == (["a"], ["b"])
    assert first.said_bye
    assert first.closed


def test_a_stream_that_is_in_use_is_kept(clock: Clock) -> None:
    first = FakeStream()
    asked = _session(first)

    for name in "abc":
        _ask(asked, name)
        clock.now += 5

    assert _names(first) == ["a", "b", "c"]


def test_the_deadline_leaves_room_for_every_round(clock: Clock) -> None:
    stream = FakeStream()
    asked = _session(stream, timeouts=Timeouts().scaled(2.0))

    asked([lookup.Request("a", timeout=7.0) for _ in range(AT_ONCE + 1)])

    assert min(stream.deadlines) >= clock.now + 2 * 7.0 * 2


@pytest.mark.parametrize(("factor", "timeout"), [(3.0, 6.0), (1.0, 2.0), (0.1, 2.0)])
def test_the_factor_gives_a_question_more_time_and_never_less(
    factor: float, timeout: float
) -> None:
    stream = FakeStream()

    _session(stream, timeouts=Timeouts().scaled(factor))([lookup.Request("a", timeout=2.0)])

    assert stream.asked[0]["args"] == {"name": "a", "timeout": timeout}


def test_a_closed_session_opens_again_at_the_next_question() -> None:
    first, second = FakeStream(), FakeStream()
    asked = _session(first, second)
    _ask(asked, "a")

    asked.close()
    asked.close()

    assert first.said_bye
    assert first.closed
    assert _ask(asked, "b") == [("B",)]


def test_threads_share_a_session_without_mixing_answers() -> None:
    asked, heard = _session(FakeStream()), {}

    def work(name: str) -> None:
        for number in range(30):
            heard[name, number] = _ask(asked, f"{name}{number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert heard == {(n, i): [(f"{n}{i}".upper(),)] for n in "abcd" for i in range(30)}


def test_a_connected_session_runs_the_agent_in_the_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[dict[str, Any]] = []

    def open_stream(api: object, **where: Any) -> FakeStream:
        opened.append(where)
        return FakeStream()

    monkeypatch.setattr(session, "ExecStream", open_stream)
    pod = ProbePod(name="probe-00", namespace="n", node="node-0", ips=(), host_ips=())

    api = FakeApi()
    made = session.connect(api, pod)
    assert opened == []
    assert api.cost.exec_sessions == 0
    _ask(made, "a")
    assert api.cost.exec_sessions == 1

    (where,) = opened
    assert (where["namespace"], where["pod"], where["container"]) == ("n", "probe-00", "agent")
    assert Path(where["command"][2]).name == "agent.pyz"
    assert where["command"][-1] == "ask"
