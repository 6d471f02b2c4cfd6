"""Failed paths asked again: which, by whom, and what is told; and the command for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from pytest_ipv6k8s.agent.ops import ping, tcp_connect, udp_exchange, watch_begin, watch_end
from pytest_ipv6k8s.agent.packets import TCP, Flow
from pytest_ipv6k8s.cli import connection
from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.diagnosis.places import Place, place_of
from pytest_ipv6k8s.diagnosis.tracing import TIMES, again, trace
from pytest_ipv6k8s.errors import ControlChannelError
from pytest_ipv6k8s.evidence import Recorder
from pytest_ipv6k8s.kube import inventory
from pytest_ipv6k8s.plugin import locating
from pytest_ipv6k8s.probe.probes import Probe, ProbePod
from pytest_ipv6k8s.results import Evidence, Trace
from pytest_ipv6k8s.settings import resolve
from tests.documents import FAILURE, result
from tests.unit.cluster_api import ClusterApi
from tests.unit.test_declaration import FACTS
from tests.unit.test_deploy import PLAN

TIMED_OUT = tcp_connect.Answer(connected=False, error="ETIMEDOUT")
LEFT = Flow("veth1", False, False, TCP, "fd00::a", "fd00::b", 40000, 8081, 7, answer=False)
POD = ProbePod(name="probe-00", namespace="n", node="one", ips=("fd00::a",), host_ips=())


def _probe(*answers: Any, node: str = "one") -> Probe:
    """Return a probe that gives the same answer to every request of a kind; an error is raised."""
    by_kind = {type(answer).__module__: answer for answer in answers}

    def ask(requests: Sequence[Any]) -> list[Any]:
        found = [by_kind[type(request).__module__] for request in requests]
        for one in found:
            if isinstance(one, Exception):
                raise one
        return found

    return Probe(replace(POD, node=node), ask, Recorder())


def test_a_question_is_asked_again_by_its_way_alone() -> None:
    endpoint = {"address": "fd00::b", "port": 8081}

    for operation in ("tcp_connect", "tcp_transfer", "http_get"):
        found = again({"op": operation, **endpoint})
        assert isinstance(found, tcp_connect.Request)
    assert isinstance(again({"op": "udp_sized", **endpoint}), udp_exchange.Request)
    assert isinstance(again({"op": "ping", "address": "fd00::b"}), ping.Request)
    over_tcp = {"op": "dns_exchange", "server": "fd00::b", "wire": "", "transport": "tcp"}
    assert isinstance(again(over_tcp), tcp_connect.Request)
    assert again({"op": "network_state"}) is None
    assert again({"op": "get", "path": "/api"}) is None


def test_watchers_see_what_the_asker_does_not() -> None:
    seen = watch_end.Seen(LEFT, 4, (1.0,))
    ended = watch_end.Answer(seen=(seen,), watched=True)
    watcher = _probe(watch_begin.Answer((("kernel", "Permission denied"),)), ended)
    request = again({"op": "tcp_connect", "address": "fd00::b", "port": 8081})

    found = trace(_probe(TIMED_OUT), request, Place(), {"one": watcher}, ())

    assert found.died == f"on node one, after coming in by veth1 ({TIMES} of 4): reason unknown"
    assert found.missing == ("node one: kernel: Permission denied",)
    assert not found.is_answered


def test_a_node_that_is_gone_is_done_without() -> None:
    gone = ControlChannelError("no connection within 2 s")
    watcher = _probe(watch_begin.Answer(), watch_end.Answer(watched=True))
    dead = Probe(POD, _raises(gone), Recorder())
    watching = {"one": watcher, "two": dead}
    request = again({"op": "tcp_connect", "address": "fd00::b", "port": 8081})

    found = trace(_probe(TIMED_OUT), request, Place(nodes=("two",)), watching, ())

    assert list(watching) == ["one"]
    assert found.missing == ("node two: no connection within 2 s",)
    assert "before it left" in found.died


def _raises(error: Exception) -> Any:
    def ask(requests: Sequence[Any]) -> list[Any]:
        raise error

    return ask


def test_a_watch_that_broke_off_proves_nothing() -> None:
    watcher = _probe(watch_begin.Answer(), watch_end.Answer(watched=False))
    request = again({"op": "tcp_connect", "address": "fd00::b", "port": 8081})

    found = trace(_probe(TIMED_OUT), request, Place(), {"one": watcher}, ())

    assert found.died.startswith("at a place that is not known")


def test_what_is_answered_did_not_die() -> None:
    watcher = _probe(watch_begin.Answer(), watch_end.Answer(watched=True))
    request = again({"op": "tcp_connect", "address": "fd00::b", "port": 8081})
    asker = _probe(tcp_connect.Answer(connected=True))

    assert trace(asker, request, Place(), {"one": watcher}, ()).is_answered


class _Facts:
    everyone = (POD,)


def test_the_first_path_of_each_failure_comes_first_and_none_twice() -> None:
    def evidence(address: str) -> Evidence:
        request = {"op": "tcp_connect", "address": address, "port": 8081}
        return Evidence(source="probe-00", request=request, answer={}, seconds=1)

    def failed(*addresses: str) -> Any:
        return dataclasses.replace(result("SVC-01", "fail"), failed=tuple(map(evidence, addresses)))

    results = [failed("fd00::1", "fd00::2"), result("DNS-01", "pass"), failed("fd00::1")]
    results.append(failed("fd00::3", "a name"))

    found = locating._paths(results, _Facts())  # type: ignore[arg-type]

    assert [(path.number, path.address) for path in found] == [
        (0, "fd00::1"),
        (3, "fd00::3"),
        (0, "fd00::2"),
    ]


def test_what_was_measured_leads_over_what_clusters_usually_have() -> None:
    traced = Trace(
        path="p", died="d", node="b", look="nft -a list chain ip6 f c", fix="Let chain c accept."
    )
    settings = resolve({}, {}, {})

    found = locating._with(result("ADDR-16", "fail"), (traced,), settings).outcome.failure

    assert found is not None
    assert found.fixes[0] == "node b: Let chain c accept."
    assert "debug node/b" in found.look
    assert "nft -a list chain ip6 f c" in found.look
    untold = locating._with(result("ADDR-16", "fail"), (Trace(path="p", died="d"),), settings)
    assert untold.outcome.failure is not None
    assert untold.outcome.failure.look == FAILURE.look


def test_an_address_is_a_nodes_or_nobodys() -> None:
    node = replace(PLAN.nodes[0], internal_ips=("fd01::1",))
    api: Any = ClusterApi()

    assert place_of(api, "fd01::1", [node]).nodes == (node.name,)
    assert place_of(api, "2001:db8::1", [node], {}) == Place()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["probe-00", "a.example", "80"], "a.example is no address"),
        (["probe-00", "fd00::1", "0"], "0 is no port"),
        (["probe-00", "fd00::1", "65536"], "65536 is no port"),
        (["probe-00", "fd00::1", "--udp"], "--udp needs a port"),
        (["shop/web", "fd00::1", "80"], "there is no pod web in namespace shop"),
        (["web", "fd00::1", "80", "-n", "x"], "there is no pod web in namespace x"),
    ],
)
def test_what_cannot_be_traced_is_one_sentence(
    words: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(connection, "api", lambda chosen: ClusterApi())
    monkeypatch.setattr(inventory, "read", lambda api: FACTS)

    assert cli.main(["trace", *words]) == 4

    out, err = capsys.readouterr()
    assert said in err
    assert len(err.splitlines()) == 1
    assert not out
