"""The agent as a program: question lines in, answer lines out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from pytest_ipv6k8s.agent import wire
from pytest_ipv6k8s.agent.ops import identity, loopback, tcp_connect
from pytest_ipv6k8s.probe.zipapp import zipapp
from tests.unit.responders import closed_port

AMPLE = 30


class Agent:
    """A running agent."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin
        assert process.stdout
        self.process = process
        self.stdin: IO[bytes] = process.stdin
        self.stdout: IO[bytes] = process.stdout

    def say(self, line: bytes) -> None:
        self.stdin.write(line)
        self.stdin.flush()

    def hear(self) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(self.stdout.readline())
        return heard


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent as it is in a pod."""
    path = tmp_path_factory.mktemp("agent") / "agent.pyz"
    path.write_bytes(zipapp())
    return path


@pytest.fixture
def agent(program: Path) -> Iterator[Agent]:
    """An agent that is asked."""
    with subprocess.Popen(
        [sys.executable, "-I", program, "ask"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"POD_NAME": "probe-05", "NODE_NAME": "node-1"},
        cwd="/",
    ) as process:
        yield Agent(process)
        process.kill()


def test_a_question_is_answered(agent: Agent) -> None:
    agent.say(wire.request_line(7, identity.Request()))

    heard = agent.hear()

    answer = wire.answer_of("identity", heard["answer"])
    assert heard["seq"] == 7
    assert (answer.pod, answer.node) == ("probe-05", "node-1")


def test_questions_are_carried_out_side_by_side(agent: Agent) -> None:
    requests = [loopback.Request("::1"), loopback.Request("127.0.0.1"), identity.Request()]

    agent.say(b"".join(wire.request_line(seq, item) for seq, item in enumerate(requests)))

    heard = {message["seq"]: message["answer"] for message in (agent.hear() for _ in requests)}
    assert heard[0] == heard[1] == {"works": True, "error": ""}
    assert heard[2]["pod"] == "probe-05"


def test_a_line_may_come_in_pieces(agent: Agent) -> None:
    line = wire.request_line(1, tcp_connect.Request("::1", closed_port()))

    for number in range(0, len(line), 7):
        agent.say(line[number : number + 7])

    assert agent.hear()["answer"]["error"] == "ECONNREFUSED"


@pytest.mark.parametrize(
    "message",
    [
        {"op": "no_such", "args": {}},
        {"op": "identity", "args": {"colour": "red"}},
        {"op": "tcp_connect", "args": {}},
        {"op": "identity"},
        {},
    ],
)
def test_a_request_that_cannot_be_carried_out_broke(agent: Agent, message: dict[str, Any]) -> None:
    agent.say(json.dumps({"seq": 3, **message}).encode() + b"\n")
    heard = agent.hear()
    agent.say(wire.request_line(4, identity.Request()))

    assert heard["seq"] == 3
    assert "Error: " in heard["broke"]
    assert agent.hear()["seq"] == 4


def test_good_bye_ends_it_after_the_last_answer(agent: Agent) -> None:
    agent.say(wire.request_line(1, identity.Request()) + b"bye\n")

    assert agent.hear()["seq"] == 1
    assert agent.process.wait(AMPLE) == 0
    assert agent.stdout.read() == b""


def test_the_end_of_its_input_ends_it(agent: Agent) -> None:
    agent.say(wire.request_line(1, identity.Request()))
    agent.stdin.close()

    assert agent.process.wait(AMPLE) == 0
    assert agent.hear()["seq"] == 1


def test_a_waiting_agent_ends_when_it_is_told_to(program: Path) -> None:
    script = (
        "import os, runpy, signal, sys; sys.argv = [sys.argv[1], 'wait']; "
        "signal.pause = lambda: os.kill(os.getpid(), signal.SIGTERM); "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )

    done = subprocess.run([sys.executable, "-c", script, program], timeout=AMPLE, check=False)

    assert done.returncode == 0
