"""Real clusters for tests: made once a session, and the suite run on them as a user would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.addresses import Egress, Stack
from pytest_ipv6k8s.clusters import ownership
from pytest_ipv6k8s.clusters.contract import Cluster, ClusterSpec, provider
from pytest_ipv6k8s.docker import Docker
from pytest_ipv6k8s.external import declaration
from pytest_ipv6k8s.kube import inventory
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.probe.zipapp import zipapp
from pytest_ipv6k8s.process import must_run
from pytest_ipv6k8s.reports import Report
from pytest_ipv6k8s.reports.checking import contradictions
from pytest_ipv6k8s.settings import Settings, resolve
from pytest_ipv6k8s.testbed import testbed
from pytest_ipv6k8s.waiting import poll

ROOT = Path(__file__).parents[1]
RUN_TIME, PIP_TIME = 900, 300
SCHEMA = json.loads(resources.files("pytest_ipv6k8s").joinpath("reports/schema.json").read_text())


def settings_of_environment() -> Settings:
    """Return the images that `make` put into the environment."""
    return resolve({}, os.environ, {})


def node_image(cni: str) -> str | None:
    """Return the node image that has a CNI's images in it, where the lab made one."""
    return os.environ.get(f"IPV6K8S_LAB_{cni.upper()}_NODE_IMAGE")


@contextmanager
def kind_cluster(
    stack: Stack, *, cni: str = "default", workers: int = 1, service_cidrs: tuple[str, ...] = ()
) -> Iterator[Cluster]:
    """Make a kind cluster and delete it afterwards."""
    settings = settings_of_environment()
    run_id = ownership.new_run_id()
    spec = ClusterSpec(
        run_id=run_id,
        stack=stack,
        workers=workers,
        service_cidrs=service_cidrs,
        cni=cni,
        cni_chart=settings.cluster.cni_chart,
        cni_values=settings.cluster.cni_values,
        node_image=node_image(cni) or settings.cluster.node_image,
        probe_image=settings.cluster.probe_image,
    )
    found = provider("kind")
    problems = found.problems(spec)
    assert not problems, problems
    home = ownership.save_state(run_id, provider="kind", name=f"ipv6k8s-{run_id}", kept=False)
    try:
        yield found.create(spec, home, print)
    finally:
        found.delete(f"ipv6k8s-{run_id}")
        ownership.remove_state(run_id)


@dataclass(frozen=True, kw_only=True)
class RealTestbed:
    """A testbed that stands beside a cluster, and the declaration that describes it."""

    container: str
    declaration: Path

    @property
    def option(self) -> str:
        """The option with which the suite uses it."""
        return f"--ipv6k8s-declaration={self.declaration}"


@contextmanager
def make_testbed(
    cluster: Cluster, folder: Path, egress: Egress = Egress.MASQUERADE
) -> Iterator[RealTestbed]:
    """Make a world beside a cluster, and take it away afterwards."""
    settings, docker = settings_of_environment(), Docker()
    api = Api(Kubeconfig(path=cluster.kubeconfig, context=cluster.context))
    facts = inventory.read(api)
    plan = testbed.Plan(
        run_id="tests",
        image=settings.external.testbed_image,
        stack=facts.stack,
        nodes=facts.nodes,
        egress=egress,
        dns64="resolver",
    )
    built = testbed.build(plan, api, zipapp(), folder, print, docker)
    file = folder / "ipv6k8s.yaml"
    file.write_text(declaration.text(facts.stack, built.external))
    try:
        yield RealTestbed(container=built.container, declaration=file)
    finally:
        testbed.remove(built, api, docker)


@dataclass(frozen=True, kw_only=True)
class SuiteRun:
    """A run of the suite in a process of its own."""

    code: int
    out: str
    report: dict[str, Any]

    def ids(self, *verdicts: str) -> set[str]:
        """Return the ids of the checks with one of these verdicts."""
        return {c["id"] for c in self.report.get("checks", []) if c["verdict"] in verdicts}

    @property
    def red(self) -> set[str]:
        """The checks that are neither passed nor skipped."""
        return self.ids("fail", "inconclusive")

    def check(self, id: str) -> dict[str, Any]:
        """Return a check of the report."""
        found: dict[str, Any] = next(c for c in self.report["checks"] if c["id"] == id)
        return found

    def failures(self, id: str) -> list[dict[str, Any]]:
        """Return what the report says of each family in which a check failed."""
        return [item["failure"] for item in self.check(id)["items"] if "failure" in item]

    def traces(self, id: str) -> list[dict[str, Any]]:
        """Return what became of a failed check's paths that were asked again."""
        return [trace for failure in self.failures(id) for trace in failure.get("traces", ())]

    def causes(self, id: str) -> list[str]:
        """Return the causes that a terminal shows of a failed check."""
        return [cause for failure in self.failures(id) for cause in failure["causes"][:3]]

    def words(self, id: str) -> str:
        """Return all that the report says of a failed check."""
        return json.dumps(self.check(id)["items"], ensure_ascii=False)


def command(cluster: Cluster, *arguments: str) -> list[str]:
    """Return the command line that tests a cluster."""
    return [
        sys.executable,
        "-m",
        "pytest",
        f"--ipv6k8s-kubeconfig={cluster.kubeconfig}",
        "--ipv6k8s-allow=privileged",
        "-p",
        "no:cacheprovider",
        *arguments,
    ]


def run_suite(cluster: Cluster, folder: Path, *arguments: str) -> SuiteRun:
    """Run the built-in suite from an empty folder and return what came of it."""
    return _run(command(cluster, *arguments), folder)


def make_and_run(folder: Path, *arguments: str, python: Path | None = None) -> SuiteRun:
    """Let kind make a cluster, the suite run on it, and all be taken away."""
    words = [str(python or sys.executable), "-m", "pytest", "--ipv6k8s-provider=kind"]
    return _run([*words, *arguments], folder)


def install_wheel(folder: Path) -> Path:
    """Build the wheel, let pip install it into a fresh virtual environment; return its Python."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    must_run([*build, folder, ROOT], timeout=PIP_TIME)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    extras = f"{wheel}[xdist]"
    must_run([python, "-m", "pip", "install", "--quiet", extras], timeout=PIP_TIME)
    return python


def _run(words: list[str], folder: Path) -> SuiteRun:
    file = folder / "report.json"
    file.unlink(missing_ok=True)
    done = subprocess.run(
        [*words, f"--ipv6k8s-report={file}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=RUN_TIME,
        check=False,
    )
    report = json.loads(file.read_text()) if file.exists() else {}
    return SuiteRun(code=done.returncode, out=done.stdout + done.stderr, report=report)


SVC_05_WAIVED = (
    "--ipv6k8s-waive=SVC-05=cilium/cilium 26733: "
    "before 1.19, no pod reaches itself through an IPv6 Service"
)
TARGET_CHECKS = ("EGR-01", "N64-14", "MTU-07")
"""Checks that pass where a healthy testbed stands."""


def assert_healthy(run: SuiteRun, *passed: str) -> None:
    """Assert that nothing is red, these checks passed, and the report keeps its promises."""
    jsonschema.validate(run.report, SCHEMA)
    assert contradictions(Report.from_plain(run.report), catalogue.checks()) == []
    assert run.report["profiles"], "nothing is claimed"
    assert not run.red, run.out
    assert run.code == 0, run.out
    assert run.ids("pass") >= set(passed), run.out
    assert len(run.report["checks"]) >= 60
    silent = [c["id"] for c in run.report["checks"] if c["verdict"] == "skip" and not c["reason"]]
    assert not silent
    assert all(fact["ok"] for fact in run.report["harness"]), run.report["harness"]
    assert {fact["id"] for fact in run.report["harness"]} >= {
        f"META-0{number}" for number in (1, 2, 4, 5, 6, 7)
    }


def left_of(out: str) -> set[str]:
    """Return the containers and networks of those runs whose clusters the output names."""
    names = set(re.findall(r"ipv6k8s-[0-9a-f]{6}", out))
    assert names, out
    containers = must_run(["docker", "ps", "-a", "--format", "{{.Names}}"], timeout=30)
    networks = must_run(["docker", "network", "ls", "--format", "{{.Name}}"], timeout=30)
    found = {*containers.split(), *networks.split()}
    return {each for each in found if any(each.startswith(name) for name in names)}


def unused_volumes() -> set[str]:
    """Return the volumes that no container uses any more."""
    return {
        *must_run(["docker", "volume", "ls", "-q", "--filter", "dangling=true"], timeout=30).split()
    }


def on_node(node: str, script: str, *, timeout: float = 60) -> str:
    """Run a shell script on a node of a kind cluster."""
    return must_run(["docker", "exec", node, "sh", "-ec", script], timeout=timeout)


def in_testbed(cluster: Cluster, script: str, *, timeout: float = 60) -> str:
    """Run a shell script in the container of the testbed beside a cluster."""
    return on_node(f"{cluster.name}-testbed", script, timeout=timeout)


def nodes_of(cluster: Cluster) -> tuple[str, str]:
    """Return the names of a two-node kind cluster's nodes."""
    return f"{cluster.name}-control-plane", f"{cluster.name}-worker"


def kubectl(cluster: Cluster, *arguments: str, stdin: str = "", timeout: float = 90) -> str:
    """Run kubectl on the control plane's node."""
    node = f"{cluster.name}-control-plane"
    words = ["docker", "exec", "-i", node, "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf"]
    return must_run([*words, *arguments], timeout=timeout, stdin=stdin)


def namespaces_left(cluster: Cluster) -> list[str]:
    """Return the namespaces of runs that do not go: each empty one stays for some seconds."""

    def left() -> list[str]:
        names = kubectl(cluster, "get", "namespaces", "-o", "name").split()
        return [name for name in names if "ipv6k8s-" in name]

    return poll(left, lambda found: not found, timeout=60, interval=1)
