"""Which node's pods reach which node's: from answers to cells, and from cells to lines."""

from __future__ import annotations

from pytest_ipv6k8s.agent.ops import tcp_connect
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.plugin.reachability import cells
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.reports import view
from pytest_ipv6k8s.reports.matrix import connectivity
from tests.documents import record, sample


def _pod(name: str, node: str, ip: str) -> ProbePod:
    return ProbePod(name=name, namespace="n", node=node, ips=(ip,), host_ips=())


PODS = (_pod("p0", "n1", "fd00::1"), _pod("p1", "n2", "fd00::2"))


def _answer(source: str, address: str, pod: str) -> Record[tcp_connect.Answer]:
    answer = tcp_connect.Answer(connected=bool(pod), pod=pod, echoed=bool(pod))
    return Record(source=source, question={"op": "tcp_connect", "address": address}, answer=answer)


def test_the_last_answer_of_a_pair_counts() -> None:
    records = [_answer("p0", "fd00::2", ""), _answer("p0", "fd00::2", "p1")]

    assert cells(records, PODS) == [("n1", "n2", True)]


def test_an_echo_of_another_pod_is_no_way_there() -> None:
    assert cells([_answer("p0", "fd00::2", "p9")], PODS) == [("n1", "n2", False)]


def test_what_is_no_probe_has_no_cell() -> None:
    assert cells([_answer("p0", "fd00::9", "p1"), _answer("x", "fd00::2", "p1")], PODS) == []


def test_ten_nodes_are_ten_short_lines() -> None:
    nodes = [f"node-{number:02}" for number in range(10)]
    interval = [(one, other, one != "node-03") for one in nodes for other in nodes]

    found = connectivity([record("ADDR-16", "pass", "IPv6", cells=interval)])

    assert found["nodes"] == nodes
    assert found["families"]["IPv6"][3] == "-" * 10
    assert found["families"]["IPv6"][4] == "+" * 10


def test_one_pair_of_pods_that_fails_spoils_the_cell() -> None:
    found = connectivity(
        [record("ADDR-15", "fail", "IPv6", cells=[("n1", "n1", True), ("n1", "n1", False)])]
    )

    assert found["families"] == {"IPv6": ["-"]}


def test_without_cells_there_is_no_matrix() -> None:
    assert connectivity([record("A-01", "pass")]) == {"nodes": [], "families": {}}


def test_cells_do_not_stay_in_the_items() -> None:
    assert not [item for c in sample()["checks"] for item in c["items"] if "cells" in item]


def test_formats_are_told_what_happened_in_each_family() -> None:
    rows = dict(view.paths(sample()))

    assert dict(rows["n1"])["n2"] == {"IPv4": "reached", "IPv6": "not reached"}
    assert dict(rows["n2"])["n2"] == {"IPv4": "not asked", "IPv6": "not asked"}
