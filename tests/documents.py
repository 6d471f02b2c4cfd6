"""Reports for tests: results as the plugin makes them, and reports that keep to the schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.checks import Check, Level, check, check_of
from pytest_ipv6k8s.evidence import digest_of
from pytest_ipv6k8s.plain import plain
from pytest_ipv6k8s.reports import HarnessFact, Report, folding
from pytest_ipv6k8s.reports.claims import claims
from pytest_ipv6k8s.reports.matrix import connectivity
from pytest_ipv6k8s.reports.model import (
    Cluster,
    Features,
    Implementation,
    Node,
    Reproduce,
    RunCost,
    Selection,
    Setting,
    Suite,
)
from pytest_ipv6k8s.results import (
    CheckFacts,
    Evidence,
    Failure,
    Hop,
    ItemResult,
    Outcome,
    Reach,
    Trace,
)
from pytest_ipv6k8s.verdicts import Verdict

OK = HarnessFact(id="META-02", title="vacuity", ok=True, actual="nothing")
BROKEN = HarnessFact(id="META-06", title="clean-up", ok=False, actual="a namespace is left")
KEPT = Evidence(
    source="probe-00",
    request={"op": "tcp_connect", "address": "fd00::2"},
    answer={"connected": False, "error": "ETIMEDOUT"},
    seconds=3.0,
)
FAILURE = Failure(
    expected="an echo from every pod",
    actual=("pod probe-00 (node n1, source fd00::1) → [fd00::2]:8081: error ETIMEDOUT",),
    paths=("pod probe-00 (node n1, source fd00::1) → [fd00::2]:8081",),
    causes=("the route to the other node is missing", "a packet filter drops it"),
    look="ip -6 route; ip -6 neigh",
    traces=(
        Trace(
            path="probe-00 (node n1) → [fd00::2]:8081 of pod probe-01",
            died="on node n2, after coming in by eth0 (4 of 4): IP_INNOROUTES",
            hops=(
                Hop(node="n1", device="veth1", out=False, answer=False, packets=4),
                Hop(node="n1", device="eth0", out=True, answer=False, packets=4),
                Hop(node="n2", device="eth0", out=False, answer=False, packets=4),
            ),
            missing=("node n2: kernel: Permission denied",),
        ),
    ),
)
SUITE = Suite(name="pytest-ipv6k8s", version="0", catalogue="0123456789ab")


def declared(id: str, **more: Any) -> Check:
    """Return what a check declares."""

    def function() -> None:
        """It holds."""

    found = check_of(
        check(id, references=["RFC 8200 section 3"], causes=["c"], look="ip a", **more)(function)
    )
    assert found is not None
    return found


CHECKS = {
    id: declared(id)
    for id in ("ADDR-01", "ADDR-15", "ADDR-16", "API-06", "DNS-01", "MTU-07", "SVC-04", "SVC-12")
} | {"MTU-06": declared("MTU-06", level=Level.EXTENDED)}


def result(
    id: str,
    verdict: str | Verdict,
    family: str = "",
    *,
    level: Level = Level.CORE,
    requirement: str = "It holds",
    references: tuple[str, ...] = ("RFC 8200",),
    reachability: Sequence[tuple[str, str, bool]] = (),
    **more: Any,
) -> ItemResult:
    """Return what the plugin makes of one item; every field of its outcome can be given."""
    verdict = Verdict(verdict)
    reached = verdict in (Verdict.PASS, Verdict.FAIL, Verdict.INFORMATIONAL)
    kept = more.get("evidence", (KEPT,) if reached else ())
    fields: dict[str, Any] = {
        "family": Family(family) if family else None,
        "verdict": verdict,
        "reason": "",
        "seconds": 0.5,
        "answers": len(kept),
        "digest": digest_of(map(plain, kept)),
        "evidence": kept,
        "failure": FAILURE if verdict is Verdict.FAIL else None,
    }
    return ItemResult(
        check=CheckFacts(id=id, requirement=requirement, level=level, references=references),
        outcome=Outcome(**{**fields, **more}),
        reachability=tuple(
            Reach(source=one, destination=other, reached=ok) for one, other, ok in reachability
        ),
    )


def report(*results: ItemResult, **more: Any) -> Report:
    """Return the report of a run; every field can be given, and waivers as a mapping."""
    waivers, asked = more.pop("waivers", {}), more.pop("asked", ())
    settings = {"stack": Setting(value="dual", source="command line")}
    if asked:
        settings["profile"] = Setting(value=",".join(asked), source="ini")
    checks = folding.fold_items(results, waivers)
    harness, complete = more.pop("harness", (OK,)), more.pop("complete", True)
    selection = more.pop("selection", Selection(ran=len(checks), of=len(checks)))
    fields: dict[str, Any] = {
        "date": "2026-01-01T00:00:00Z",
        "suite": SUITE,
        "implementation": Implementation(project="Net", version="1.2", organization="Example"),
        "result": folding.result_of(
            checks, harness, complete=complete, selection=selection, asked=asked
        ),
        "complete": complete,
        "selection": selection,
        "redacted": False,
        "summary": folding.count(checks),
        "areas": folding.areas(checks),
        "profiles": claims(checks, CHECKS, Stack.DUAL, asked),
        "features": Features(supported=("two-nodes",), unsupported=("nat64",)),
        "cluster": CLUSTER,
        "connectivity": connectivity(results),
        "settings": settings,
        "reproduce": Reproduce(
            command="pytest --ipv6k8s-provider kind --ipv6k8s-stack dual",
            versions={"python": "3.11.2"},
            images={"probe": "python:3-slim"},
        ),
        "waivers": folding.waived(checks, waivers),
        "cost": RunCost(api_requests=1, exec_sessions=3, probe_pods=3),
        "checks": checks,
        "harness": folding.by_id(harness),
    }
    return Report(**{**fields, **more})


def _node(name: str, address: str) -> Node:
    facts = {"kubelet": "v1.36.3", "kernel": "6.18.0", "runtime": "containerd://1.6.20"}
    return Node(name=name, internal_ips=(address,), **facts)


CLUSTER = Cluster(
    provider="kind",
    kubernetes="v1.36.3",
    stack=Stack.DUAL,
    cni="flannel",
    cni_version="v0.26.7",
    proxy="kube-proxy nftables",
    nodes=(_node("n1", "fd00::a"), _node("n2", "fd00::b")),
    families={"pods": tuple(Family), "Services": (Family.V4,)},
)


def sample() -> Report:
    """Return a report with every verdict, a waiver, a bundle and a matrix with a hole."""
    across = [("n1", "n1", True), ("n1", "n2", False), ("n2", "n1", True)]
    alone, whole = [("n1", "n1", True)], [(one, other, True) for one, other, _ in across]
    return report(
        result("ADDR-01", "pass", "", requirement="Pods have an address of each family"),
        result("ADDR-15", "pass", "IPv4", reachability=alone),
        result("ADDR-15", "pass", "IPv6", reachability=alone),
        result("ADDR-16", "pass", "IPv4", reachability=whole),
        result(
            "ADDR-16",
            "fail",
            "IPv6",
            reachability=across,
            reason="no echo",
            bundle="bundles/ADDR-16",
        ),
        result("API-06", "not applicable", reason="stack dual: applies to ipv4, ipv6"),
        result("DNS-01", "inconclusive", "IPv6", reason="the control channel broke"),
        result("MTU-07", "fail", "IPv6", reason="stuck"),
        result("N64-08", "informational", level=Level.INFORMATIONAL),
        result("SVC-04", "skip", reason="needs host-network probe pods"),
        waivers={"MTU-07": "see the vendor's notice", "SVC-12": "slow here"},
    )


def edited(found: Report, **more: Any) -> Report:
    """Return a report with other values of its file's keys, as somebody may have edited them."""
    return Report.from_plain(found.plain() | more)
