"""`ipv6k8s ask` starts one pod, asks, and takes it away"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from pytest_ipv6k8s import dns_messages
from pytest_ipv6k8s.agent.ops import dns_exchange, http_get, lookup, network_state, tcp_connect
from pytest_ipv6k8s.cli import connection
from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.kube import inventory
from pytest_ipv6k8s.probe import guests
from tests.unit.cluster_api import NAMESPACES, ClusterApi
from tests.unit.test_declaration import FACTS
from tests.unit.test_deploy import PLAN

STATE = network_state.Answer(
    addresses=(),
    routes=(),
    neighbours=(),
    nameservers=("fd00:96::a",),
    search=(),
    options=(),
    sysctls={},
    environment={},
)
NODES = tuple(replace(node, name=name) for node, name in zip(PLAN.nodes, ("a", "b"), strict=False))


class Agent:
    """Answers by the operation, and keeps what it was asked."""

    def __init__(self, api: Any, pod: Any) -> None:
        self.asked.append(pod)

    asked: ClassVar[list[Any]] = []
    answers: ClassVar[dict[type, Any]] = {}

    def __call__(self, requests: Sequence[Any]) -> list[Any]:
        self.asked.extend(requests)
        return [self.answers[type(request)] for request in requests]

    def close(self) -> None:
        """Do nothing."""


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ClusterApi:
    """A cluster of two nodes whose pods have our agent."""
    made = ClusterApi()
    monkeypatch.setattr(connection, "api", lambda chosen: made)
    monkeypatch.setattr(inventory, "read", lambda api: replace(FACTS, nodes=NODES))
    monkeypatch.setattr(guests, "connect", Agent)
    monkeypatch.setattr(Agent, "asked", [])
    answer = tcp_connect.Answer(connected=True, echoed=False)
    monkeypatch.setattr(Agent, "answers", {network_state.Request: STATE})
    Agent.answers[tcp_connect.Request] = answer
    return made


def _left(api: ClusterApi) -> list[str]:
    return [item["metadata"]["name"] for item in api.lists[NAMESPACES]]


def test_the_node_of_that_probe_asks_and_nothing_stays(
    api: ClusterApi, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["ask", "probe-01 tcp_connect [fd00::1]:443"]) == 0

    assert capsys.readouterr().out == (
        "pod probe-01 (node b) → [fd00::1]:443: connected; not echoed\n"
    )
    pod, request = Agent.asked
    assert (pod.name, pod.node, request) == ("probe-01", "b", tcp_connect.Request("fd00::1", 443))
    assert _left(api) == []


def test_a_node_can_be_named_and_quotes_left_out(api: ClusterApi) -> None:
    Agent.answers[tcp_connect.Request] = tcp_connect.Answer(connected=False, error="ETIMEDOUT")

    assert cli.main(["ask", "--node", "b", "tcp", "fd00::1", "443"]) == 1

    assert Agent.asked[0].node == "b"
    assert _left(api) == []


def test_a_dns_question_goes_to_the_server_of_the_pod(
    api: ClusterApi, capsys: pytest.CaptureFixture[str]
) -> None:
    reply = dns_messages.query("a.example", "AAAA")
    Agent.answers[dns_exchange.Request] = dns_exchange.Answer(wire=reply)

    assert cli.main(["ask", "dns", "AAAA", "a.example"]) == 0

    assert Agent.asked[-1].server == "fd00:96::a"
    assert "[fd00:96::a]:53: a.example. AAAA" in capsys.readouterr().out


@pytest.mark.parametrize(("status", "code"), [(404, 0), (0, 1)])
def test_a_url_with_a_name_is_asked_of_each_of_its_addresses(
    api: ClusterApi, status: int, code: int
) -> None:
    Agent.answers[lookup.Request] = lookup.Answer(addresses=("fd00::1", "10.0.0.1"))
    Agent.answers[http_get.Request] = http_get.Answer(status=status)

    assert cli.main(["ask", "http", "http://a.example/"]) == code

    asked = [(one.address, one.host) for one in Agent.asked if isinstance(one, http_get.Request)]
    assert asked == [("fd00::1", "a.example"), ("10.0.0.1", "a.example")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--node", "c", "ping fd00::1"], "there is no node c. Did you mean a or b?"),
        (["probe-07 ping fd00::1"], "the last node that can take a probe has number 01"),
        (["host-00 ping fd00::1"], "Give --allow privileged."),
        (["dance"], "'dance' is neither a probe nor an operation"),
    ],
)
def test_what_cannot_be_asked_is_told_before_anything_is_made(
    api: ClusterApi, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert cli.main(["ask", *arguments]) == cli.USAGE

    assert told in capsys.readouterr().err
    assert not [verb for verb, _ in api.asked if verb == "create"]


def test_a_probe_is_on_another_node_in_each_run_where_not_all_have_one(
    api: ClusterApi, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPV6K8S_MAX_NODES", "1")

    assert cli.main(["ask", "probe-00 ping fd00::1"]) == cli.USAGE

    assert "with --node" in capsys.readouterr().err


def test_a_probe_in_the_network_of_its_node_is_in_a_privileged_namespace(api: ClusterApi) -> None:
    assert cli.main(["ask", "--allow", "privileged", "host-00 tcp fd00::1 443"]) == 0

    assert Agent.asked[0].host_network
    assert Agent.asked[0].namespace.endswith("-host")
    assert _left(api) == []
