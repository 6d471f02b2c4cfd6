"""What a fault is: a reversible change to a real cluster, and the checks that it turns red."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.record import RECORD, record
from tests.real import SuiteRun, in_testbed, kubectl, nodes_of, run_suite
from tests.slices import by_slice

INSIDE_AREAS = ("-k", "not POL-")
"""A fault inside concerns all areas but NetworkPolicy, whose pods are made anew and take time."""

EXTERNAL_AREAS = ("-k", "EGR or N64 or MTU or DNS")
"""A fault outside leaves the rest of the suite alone; what may suffer is asked."""

POLICY_AREA = ("-k", "POL-", "-n", "2", "--ipv6k8s-timeout-factor", "1")
"""Where the machine is busy, a NetworkPolicy takes effect late: it gets its whole time."""

IMPATIENT = ("-n", "4", "--ipv6k8s-timeout-factor", "0.5")
"""A broken cluster makes checks wait: let them wait side by side, and not as long."""


EACH_NODE = by_slice(("control-plane", "worker", "worker2"), 1, key=str)
"""The nodes of a cluster of three, by the ends of their names; a slice has one of them."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault and what comes of it.

    Attributes:
        broken: breaks a cluster, and heals it on leaving.
        must: the checks that have to fail, or that rest on one of these that does.
        may: at most three checks that can suffer, too, and why; any other red one is a finding.
        cause: words that the first likely causes of a failed check must contain, by check id.
        died: a pattern of what the report has to say of where packets died, and why; empty where it
            need say nothing.
        node: the end of the name of the broken one of three nodes, where there is one: each finding
            of the checks that have to fail names it.
    """

    broken: Callable[[Cluster], AbstractContextManager[None]]
    must: frozenset[str]
    may: Mapping[str, str] = field(default_factory=dict)
    cause: dict[str, str]
    died: str = ""
    node: str = ""

    def __post_init__(self) -> None:
        assert len(self.may) <= 3, f"a fault has one root: {sorted(self.may)}"


def expect_red(fault: Fault, cluster: Cluster, folder: Path, *options: str) -> SuiteRun:
    """Break the cluster, see just the right checks fail, heal it, and see them pass.

    Args:
        fault: what is broken, and what has to come of it.
        cluster: a healthy cluster.
        folder: where reports go.
        options: more options for the suite; without any, all areas but NetworkPolicy are asked.

    Returns:
        The run on the broken cluster.
    """
    options = options or INSIDE_AREAS
    with fault.broken(cluster):
        began = time.monotonic()
        run = run_suite(cluster, folder, *IMPATIENT, *options)
        seconds, asked = time.monotonic() - began, run
        if os.environ.get(RECORD):
            asked = run_suite(cluster, folder, *IMPATIENT, *options, "--ipv6k8s-all")
    record(fault.must, fault.cause, run, asked, seconds)
    _expect(fault, cluster, run)
    only = ("-k", " or ".join(sorted(fault.must)))
    healed = run_suite(cluster, folder, *options, *only)
    assert not healed.red, f"still red: {sorted(healed.red)}\n{healed.out}"
    assert healed.ids("pass") >= fault.must, healed.out
    return run


def _expect(fault: Fault, cluster: Cluster, run: SuiteRun) -> None:
    """Expect of a run on a broken cluster what a fault says."""
    failed = run.ids("fail")
    for id in fault.must - failed:
        roots = set(run.check(id).get("restsOn", ()))
        assert roots, f"not red: {id}\n{run.out}"
        assert roots <= fault.must & failed, f"{id} rests on {sorted(roots)}\n{run.out}"
    strays = run.red - fault.must - fault.may.keys()
    assert not strays, f"red for no reason: {sorted(strays)}\n{run.out}"
    for id in fault.must & failed if fault.node else ():
        expect_named(run, id, f"{cluster.name}-{fault.node}")
    died = [trace["died"] for id in failed for trace in run.traces(id)]
    assert not fault.died or any(re.search(fault.died, one) for one in died), died
    for id, words in fault.cause.items():
        if id not in failed:  # what it rests on is red, and told
            continue
        causes = run.causes(id)
        assert any(words in cause for cause in causes), (id, words, causes)
        assert words in run.out, f"{words!r} is not printed"


def named_nodes(run: SuiteRun, id: str) -> set[str]:
    """Return the nodes that a failed check names where it tells what it found."""
    return {node for line in _found(run, id) for node in _nodes_in(line)}


def expect_named(run: SuiteRun, id: str, node: str) -> None:
    """Expect that each finding of a failed check names a node: one that is broken, of three."""
    for line in _found(run, id):
        assert node in _nodes_in(line), f"{id} does not name {node}: {line}"


@contextmanager
def other_corefile(cluster: Cluster, change: Callable[[str], str]) -> Iterator[None]:
    """Run CoreDNS with a changed Corefile, and with the old one afterwards."""
    where = ("-n", "kube-system", "get", "configmap", "coredns", "-o", "jsonpath={.data.Corefile}")
    before = kubectl(cluster, *where)
    _load(cluster, change(before))
    try:
        yield
    finally:
        _load(cluster, before)


def before_kubernetes(cluster: Cluster, plugin: str) -> AbstractContextManager[None]:
    """Run CoreDNS with a plugin before its kubernetes plugin, and without it afterwards.

    Args:
        cluster: where.
        plugin: its lines of the Corefile.
    """
    block = indent(plugin.strip("\n"), "    ") + "\n    kubernetes "
    return other_corefile(cluster, lambda text: text.replace("    kubernetes ", block, 1))


def move_dns(cluster: Cluster, end: str) -> None:
    """Start all of CoreDNS anew on the node whose name ends so."""
    others = [node for node in nodes_of(cluster) if node != f"{cluster.name}-{end}"]
    kubectl(cluster, "cordon", *others)
    try:
        _restart_dns(cluster)
    finally:
        kubectl(cluster, "uncordon", *others)


@contextmanager
def other_named(cluster: Cluster, change: str, name: str = "named.conf") -> Iterator[None]:
    """Run the outside's BIND with a file that sed changed, and with the old one after.

    Args:
        cluster: beside which it is.
        change: what sed does.
        name: the file's: a configuration, or a zone.
    """
    file, reload = f"/ipv6k8s/servers/{name}", "kill -HUP $(cat /run/named.pid); sleep 1"
    in_testbed(cluster, f"cp {file} {file}.healthy; sed -i '{change}' {file}; {reload}")
    _restart_dns(cluster)
    try:
        yield
    finally:
        in_testbed(cluster, f"mv {file}.healthy {file}; touch {file}; {reload}")
        _restart_dns(cluster)


def _found(run: SuiteRun, id: str) -> list[str]:
    return [line for failure in run.failures(id) for line in failure["actual"]]


def _nodes_in(line: str) -> list[str]:
    return re.findall(r"\(node ([^,) ]+)", line)


def _load(cluster: Cluster, corefile: str) -> None:
    patch = json.dumps({"data": {"Corefile": corefile}})
    where = ("-n", "kube-system", "patch", "configmap", "coredns", "--type=merge")
    kubectl(cluster, *where, "-p", patch)
    _restart_dns(cluster)


def _restart_dns(cluster: Cluster) -> None:
    """Start CoreDNS anew: it heeds its configuration at once, and its cache is empty."""
    coredns = ("deployment/coredns", "-n", "kube-system")
    kubectl(cluster, "rollout", "restart", *coredns)
    kubectl(cluster, "rollout", "status", *coredns, "--timeout=80s")
