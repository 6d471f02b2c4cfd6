"""How people use it: from a wheel, with little rights, in tests of their own, two at once."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_ipv6k8s.clusters.contract import Cluster
from pytest_ipv6k8s.kube import rights
from pytest_ipv6k8s.process import must_run
from tests.real import PIP_TIME, ROOT, kubectl, namespaces_left, run_suite

pytestmark = pytest.mark.real_cluster


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_the_wheel_runs_the_suite_from_an_empty_folder(
    ipv6_cluster: Cluster, wheel_python: Path, tmp_path: Path, workers: tuple[str, ...]
) -> None:
    words = [str(wheel_python), "-I", "-m", "pytest"]
    words.append(f"--ipv6k8s-kubeconfig={ipv6_cluster.kubeconfig}")

    done = subprocess.run(
        [*words, *workers], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "result   partial" in done.stdout
    assert "host-network probes (" in done.stdout
    assert namespaces_left(ipv6_cluster) == []


def test_the_command_for_a_checkout_needs_only_what_it_installs(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".*", "build"))
    must_run(["make", "--directory", checkout, ".venv/installed"], timeout=PIP_TIME)
    recipe = must_run(["make", "--directory", checkout, "--dry-run", "conformance"], timeout=9)
    command = recipe[recipe.index(".venv/bin/ipv6k8s") :].replace("\\\n", " ").splitlines()[0]
    words = [*shlex.split(command), "--collect-only"]

    done = subprocess.run(words, cwd=checkout, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_cluster_ip_answers_over_tcp[IPv6]" in done.stdout


@pytest.mark.parametrize("program", [("ipv6k8s", "run"), ("pytest", "-n", "2")], ids=" ".join)
def test_a_project_around_the_environment_does_not_disturb(
    wheel_python: Path, program: tuple[str, ...]
) -> None:
    project = wheel_python.parents[2]
    (project / "conftest.py").write_text("import a_package_that_is_not_there")
    words = [str(wheel_python.parent / program[0]), *program[1:]]
    words += ["--ipv6k8s-provider=kind", "--collect-only"]

    done = subprocess.run(words, cwd=project, capture_output=True, text=True, check=False)
    (project / "conftest.py").unlink()

    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_cluster_ip_answers_over_tcp[IPv6]" in done.stdout


def _kubeconfig_of(cluster: Cluster, account: str, folder: Path) -> Path:
    """Write a kubeconfig with a ServiceAccount's token in place of the admin's certificate."""
    token = kubectl(cluster, "-n", "default", "create", "token", account).strip()
    document = yaml.safe_load(cluster.kubeconfig.read_text())
    document["users"] = [{"name": "restricted", "user": {"token": token}}]
    document["contexts"][0]["context"]["user"] = "restricted"
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return path


def _grant(cluster: Cluster, manifest: list[dict[str, Any]]) -> None:
    kubectl(cluster, "apply", "-f", "-", stdin=yaml.safe_dump_all(manifest))


def _revoke(cluster: Cluster, manifest: list[dict[str, Any]]) -> None:
    kubectl(cluster, "delete", "--wait", "-f", "-", stdin=yaml.safe_dump_all(manifest))


def test_the_printed_rights_are_enough(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    manifest = rights.manifest()
    _grant(ipv6_cluster, manifest)
    try:
        limited = replace(
            ipv6_cluster, kubeconfig=_kubeconfig_of(ipv6_cluster, "ipv6k8s", tmp_path)
        )
        run = run_suite(limited, tmp_path)
    finally:
        _revoke(ipv6_cluster, manifest)

    assert run.code == 0, run.out
    token = yaml.safe_load(limited.kubeconfig.read_text())["users"][0]["user"]["token"]
    assert token not in run.out
    assert token not in (tmp_path / "report.json").read_text()


def test_a_missing_right_is_named(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    manifest = rights.manifest()
    role = manifest[1]
    role["rules"] = [rule for rule in role["rules"] if rule["resources"] != ["pods/exec"]]
    _grant(ipv6_cluster, manifest)
    try:
        limited = replace(
            ipv6_cluster, kubeconfig=_kubeconfig_of(ipv6_cluster, "ipv6k8s", tmp_path)
        )
        run = run_suite(limited, tmp_path)
    finally:
        _revoke(ipv6_cluster, manifest)

    assert run.code == 4, run.out
    assert "may not: get pods/exec, create pods/exec. Grant what `ipv6k8s rbac` prints" in run.out
    assert "Traceback" not in run.out


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_another_stack_than_declared_is_named(
    ipv6_cluster: Cluster, tmp_path: Path, workers: tuple[str, ...]
) -> None:
    run = run_suite(ipv6_cluster, tmp_path, "--ipv6k8s-stack=dual", *workers)

    assert run.code == 4, run.out
    assert "was declared to be dual, and it is ipv6" in run.out


def test_a_probe_image_that_cannot_be_had_is_named(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    run = run_suite(ipv6_cluster, tmp_path, "--ipv6k8s-probe-image=nowhere.invalid/python:3")

    assert run.code == 4, run.out
    assert "no probe runs" in run.out
    assert "nowhere.invalid/python:3" in run.out
    assert "--ipv6k8s-probe-image" in run.out
    assert namespaces_left(ipv6_cluster) == []


@pytest.mark.parametrize("option", ["node-image", "probe-image"])
def test_an_image_that_cannot_be_pulled_stops_before_anything_is_made(
    tmp_path: Path, option: str
) -> None:
    words = ["--ipv6k8s-provider=kind", f"--ipv6k8s-{option}=nowhere.invalid/no:1"]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    said = done.stdout + done.stderr
    assert done.returncode == 4, said
    assert "nowhere.invalid/no:1 is not on this machine and cannot be pulled" in said
    assert f"--ipv6k8s-{option}" in said


def test_two_runs_at_once_do_not_disturb_each_other(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()

    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda folder: run_suite(ipv6_cluster, folder), folders))

    assert [run.code for run in runs] == [0, 0], runs[0].out + runs[1].out
