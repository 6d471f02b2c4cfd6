"""Which node's pods reach which node's: from answers to cells, and from cells to lines."""

from __future__ import annotations

import json
from dataclasses import replace

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.agent.ops import tcp_connect
from pytest_ipv6k8s.evidence import Mark, Record
from pytest_ipv6k8s.plugin.reachability import pairs
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.reports import view
from pytest_ipv6k8s.reports.matrix import connectivity
from pytest_ipv6k8s.reports.model import Connectivity
from pytest_ipv6k8s.results import Reach
from tests.documents import result, sample


def _pod(name: str, node: str, ip: str) -> ProbePod:
    return ProbePod(name=name, namespace="n", node=node, ips=(ip,), host_ips=())


PODS = (_pod("p0", "n1", "fd00::1"), _pod("p1", "n2", "fd00::2"))


def _reach(source: str, destination: str, reached: bool) -> Reach:
    return Reach(source=source, destination=destination, reached=reached)


def _answer(source: str, address: str, pod: str) -> Record[tcp_connect.Answer]:
    answer = tcp_connect.Answer(connected=bool(pod), pod=pod, echoed=bool(pod))
    request = {"op": "tcp_connect", "address": address}
    return Record(source=source, request=request, answer=answer, mark=Mark(judged=True))


def test_every_answer_that_was_judged_counts() -> None:
    early = replace(_answer("p0", "fd00::2", ""), mark=Mark())
    good, bad = _answer("p0", "fd00::2", "p1"), _answer("p0", "fd00::2", "")

    assert pairs([early, good], PODS) == (_reach("n1", "n2", True),)
    assert pairs([bad, good], PODS) == (_reach("n1", "n2", False),)


def test_an_echo_of_another_pod_is_no_way_there() -> None:
    assert pairs([_answer("p0", "fd00::2", "p9")], PODS) == (_reach("n1", "n2", False),)


def test_what_is_no_probe_has_no_cell() -> None:
    assert pairs([_answer("p0", "fd00::9", "p1"), _answer("x", "fd00::2", "p1")], PODS) == ()


def test_ten_nodes_are_ten_short_lines() -> None:
    nodes = [f"node-{number:02}" for number in range(10)]
    cells = [(one, other, one != "node-03") for one in nodes for other in nodes]

    found = connectivity([result("ADDR-16", "pass", "IPv6", reachability=cells)])

    assert found.nodes == tuple(nodes)
    assert found.families[Family.V6][3] == "-" * 10
    assert found.families[Family.V6][4] == "+" * 10


def test_one_pair_of_pods_that_fails_spoils_the_cell() -> None:
    found = connectivity(
        [result("ADDR-15", "fail", "IPv6", reachability=[("n1", "n1", True), ("n1", "n1", False)])]
    )

    assert found.families == {Family.V6: ("-",)}


def test_without_cells_there_is_no_matrix() -> None:
    assert connectivity([result("A-01", "pass")]) == Connectivity(nodes=(), families={})


def test_cells_do_not_stay_in_the_items() -> None:
    assert "reachability" not in json.dumps(sample().plain())


def test_formats_are_told_what_happened_in_each_family() -> None:
    rows = dict(view.paths(sample()))

    assert dict(rows["n1"])["n2"] == {"IPv4": "reached", "IPv6": "not reached"}
    assert dict(rows["n2"])["n2"] == {"IPv4": "not asked", "IPv6": "not asked"}
