"""Clusters on which little or nothing can be judged: one sentence and a remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.oddities.admission import PINNED, demanded
from tests.real import kubectl, namespaces_left, run_suite

pytestmark = pytest.mark.real_cluster
COREFILE = ("-n", "kube-system", "configmap", "coredns")


@contextmanager
def _all_nodes_tainted(cluster: Cluster) -> Iterator[None]:
    kubectl(cluster, "taint", "nodes", "--all", "odd=yes:NoSchedule")
    try:
        yield
    finally:
        kubectl(cluster, "taint", "nodes", "--all", "odd=yes:NoSchedule-")


@contextmanager
def _room_for_one_pod(cluster: Cluster) -> Iterator[None]:
    kubectl(cluster, "create", "namespace", "small")
    kubectl(cluster, "-n", "small", "create", "quota", "small", "--hard=pods=1")
    try:
        yield
    finally:
        kubectl(cluster, "delete", "namespace", "small")


@contextmanager
def _corefile_that_does_not_parse(cluster: Cluster) -> Iterator[None]:
    before = kubectl(cluster, "get", *COREFILE, "-o", "jsonpath={.data}")

    def put(data: dict[str, str]) -> None:
        kubectl(cluster, "patch", *COREFILE, "--type=merge", "-p", json.dumps({"data": data}))

    put({"Corefile": ".:53 {\n    errors\n"})
    try:
        yield
    finally:
        put(json.loads(before))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_all_nodes_tainted, "no node can take a probe: .*taint odd=yes.*--ipv6k8s-toleration"),
        (
            lambda cluster: demanded(
                cluster, "namespaces", "false", refused="create namespace odd-too"
            ),
            "the platform forbids this.*--ipv6k8s-namespace",
        ),
        (
            lambda cluster: demanded(cluster, "pods", "false"),
            "no probe runs: .*the platform forbids this.*--ipv6k8s-label",
        ),
        (
            lambda cluster: demanded(cluster, "pods", PINNED),
            "no probe runs: .*the platform forbids this.*--ipv6k8s-probe-image",
        ),
    ],
    ids=["all nodes tainted", "no namespace admitted", "no pod admitted", "no tag admitted"],
)
def test_where_nothing_can_be_judged_the_run_ends_with_a_remedy(
    ipv6_cluster: Cluster,
    tmp_path: Path,
    change: Callable[[Cluster], AbstractContextManager[None]],
    said: str,
) -> None:
    with change(ipv6_cluster):
        run = run_suite(ipv6_cluster, tmp_path)

    assert run.code == 4, run.out
    assert re.search(said, run.out), run.out
    assert "Traceback" not in run.out
    assert namespaces_left(ipv6_cluster) == []


def test_with_room_for_one_probe_what_it_can_judge_is_judged(
    ipv6_cluster: Cluster, tmp_path: Path
) -> None:
    with _room_for_one_pod(ipv6_cluster):
        run = run_suite(ipv6_cluster, tmp_path, "--ipv6k8s-namespace=small")

    assert run.code == 0, run.out
    assert re.search("probes +on 1 of 2 nodes; left out: .*exceeded quota", run.out), run.out
    assert {"ADDR-01", "API-01", "DNS-01"} <= run.ids("pass")
    assert "there was room for one only" in run.check("ADDR-34")["reason"]


def test_a_corefile_that_does_not_parse_is_told_though_the_servers_still_answer(
    ipv6_cluster: Cluster, tmp_path: Path
) -> None:
    with _corefile_that_does_not_parse(ipv6_cluster):
        run = run_suite(ipv6_cluster, tmp_path, "-k", "DNS-01")

    assert run.ids("pass") == {"DNS-01"}, run.out
    assert "the Corefile does not parse" in run.check("DNS-01")["reason"]
