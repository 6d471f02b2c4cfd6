"""The GitHub action's steps against a real cluster, as a runner would take them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.action import Machine, machine
from tests.real import namespaces_left

pytestmark = pytest.mark.real_cluster
PROGRAMS = ("python", "pytest", "ipv6k8s")


def _runner(folder: Path, cluster: Cluster, **inputs: str) -> Machine:
    """Return a runner on which the plugin is installed, with this process's environment."""
    made = machine(folder, kubeconfig=str(cluster.kubeconfig), **inputs)
    made.environment = {name: os.environ[name] for name in os.environ if "IPV6K8S" in name}
    for name in PROGRAMS:
        file = made.bin / name
        file.write_text(f'#!/bin/sh\nexec {Path(sys.executable).with_name(name)} "$@"\n')
        file.chmod(0o755)
    (made.temp / "ipv6k8s" / "pytest.ini").write_text("[pytest]\n")
    return made


def test_the_steps_test_a_cluster_and_leave_nothing(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    made = _runner(tmp_path, ipv6_cluster, arguments="-k\nADDR-01 or SVC-01\n")

    done = made.run("Run the conformance suite")
    told = made.run("Annotate what is red")
    made.run("Summarise the report")
    reaped = made.run("Remove what a run")

    assert done.returncode == 0, done.stdout
    assert "SVC-01" in done.stdout
    assert Path(made.outputs["run"]["report"]) == made.workspace / "ipv6k8s-report.yaml"
    assert (told.stdout, made.outputs["result"]) == ("", {"result": "partial"}), told
    assert "SVC-01" in made.summary
    assert reaped.stdout == "Nothing was left behind.\n"
    assert namespaces_left(ipv6_cluster) == []


def test_a_run_that_cannot_begin_is_an_error_with_a_remedy(
    ipv6_cluster: Cluster, tmp_path: Path
) -> None:
    made = _runner(tmp_path, ipv6_cluster, stack="dual")

    done = made.run("Run the conformance suite")
    told = made.run("Annotate what is red")

    assert done.returncode == 4, done.stdout
    assert told.stdout.startswith("::error title=no report::"), told
    assert "was declared to be dual, and it is ipv6" in told.stdout
    assert made.outputs["result"] == {"result": "none"}
