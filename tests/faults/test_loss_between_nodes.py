"""Packets are lost one way between two nodes of three, of one family and one protocol."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import IMPATIENT, named_nodes
from tests.faults.loss import Loss, drawn, lossy
from tests.real import SuiteRun, run_suite

pytestmark = pytest.mark.real_cluster


def _assert_named(run: SuiteRun, loss: Loss) -> None:
    verdicts = {item["family"]: item["verdict"] for item in run.check(loss.judge)["items"]}
    failed = [name for name, verdict in verdicts.items() if verdict == "fail"]
    assert failed == [loss.family.value], f"{loss}\n{run.out}"
    assert named_nodes(run, loss.judge) == {loss.source, loss.target}, f"{loss}\n{run.out}"


def test_a_little_loss_is_seen_and_blamed_on_nothing_else(
    three_nodes: Cluster, tmp_path: Path
) -> None:
    loss = drawn(three_nodes, random.Random())

    with lossy(three_nodes, loss):
        run = run_suite(three_nodes, tmp_path, *IMPATIENT, "-k", "ADDR or SVC or NODE")

    assert run.red == {loss.judge}, f"{loss}\n{run.out}"
    _assert_named(run, loss)
    healed = run_suite(three_nodes, tmp_path, "-k", loss.judge)
    assert not healed.red, healed.out


def test_much_loss_of_tcp_is_seen_where_connections_are_made_in_spite_of_it(
    three_nodes: Cluster, tmp_path: Path
) -> None:
    loss = replace(drawn(three_nodes, random.Random(), percent=30), protocol="tcp")

    with lossy(three_nodes, loss):
        run = run_suite(three_nodes, tmp_path, *IMPATIENT, "-k", "ADDR")

    assert run.red & {"ADDR-16", "ADDR-34"}, f"{loss}\n{run.out}"
    assert run.red <= {"ADDR-16", "ADDR-20", "ADDR-34"}, f"{loss}\n{run.out}"
    _assert_named(run, loss)
