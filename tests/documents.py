"""Reports for tests: records as the plugin makes them, and documents that keep to the schema."""

from __future__ import annotations

from typing import Any

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.checks import Check, Level, check, check_of
from pytest_ipv6k8s.evidence import Record, digest
from pytest_ipv6k8s.reports import HarnessFact, Report, fold_records
from pytest_ipv6k8s.reports.claims import claims
from pytest_ipv6k8s.reports.matrix import connectivity

HOLDS = HarnessFact(id="META-02", title="vacuity", holds=True, seen="nothing")
BROKEN = HarnessFact(id="META-06", title="clean-up", holds=False, seen="a namespace is left")
HEARD: Record[Any] = Record(
    source="probe-00",
    question={"op": "tcp_connect", "address": "fd00::2"},
    answer={"connected": False, "error": "ETIMEDOUT"},
    seconds=3.0,
)


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


def record(id: str, verdict: str, family: str = "", **more: Any) -> dict[str, Any]:
    """Return what the plugin makes of one item."""
    check = {"id": id, "requirement": "It holds", "level": "core", "references": ["RFC 8200"]}
    check |= {key: more.pop(key) for key in ("level", "requirement", "references") if key in more}
    heard = [HEARD] if verdict in ("pass", "fail", "informational") else []
    made: dict[str, Any] = {
        "check": check,
        "family": family,
        "verdict": verdict,
        "reason": more.pop("reason", ""),
        "seconds": 0.5,
        "answers": len(heard),
        "digest": digest(heard),
        "evidence": [kept.plain() for kept in heard],
    }
    if verdict == "fail":
        made["failure"] = {
            "expected": "an echo from every pod",
            "seen": ["pod probe-00 (node n1, source fd00::1) → [fd00::2]:8081: error ETIMEDOUT"],
            "paths": ["pod probe-00 (node n1, source fd00::1) → [fd00::2]:8081"],
            "causes": ["the route to the other node is missing", "a packet filter drops it"],
            "look": "ip -6 route; ip -6 neigh",
        }
    return made | more


def report(*records: dict[str, Any], **more: Any) -> Report:
    """Return the report of a run; every field can be given."""
    waivers = more.pop("waivers", {})
    checks = fold_records(records, waivers)
    fields: dict[str, Any] = {
        "date": "2026-01-01T00:00:00Z",
        "suite": {"name": "pytest-ipv6k8s", "version": "0", "catalogue": "0123456789ab"},
        "implementation": {"project": "Net", "version": "1.2", "organization": "Example"},
        "profiles": claims(checks, CHECKS, Stack.DUAL, more.pop("asked", ())),
        "features": {"supported": ["two-nodes"], "unsupported": ["nat64"]},
        "cluster": {
            **{"provider": "kind", "kubernetes": "v1.36.3", "stack": "dual"},
            **{"cni": "flannel", "cniVersion": "v0.26.7", "proxy": "kube-proxy nftables"},
            "nodes": [_node("n1", "fd00::a"), _node("n2", "fd00::b")],
        },
        "connectivity": connectivity(records),
        "settings": {"stack": {"value": "dual", "source": "command line"}},
        "reproduce": {
            "command": "pytest --ipv6k8s-provider kind --ipv6k8s-stack dual",
            "versions": {"python": "3.11.2"},
            "images": {"probe": "python:3-slim"},
        },
        "waivers": waivers,
        "checks": checks,
        "cost": {"apiRequests": 1, "execSessions": 3, "probePods": 3},
        "harness": (HOLDS,),
        "complete": True,
    }
    return Report(**{**fields, **more})


def _node(name: str, address: str) -> dict[str, Any]:
    facts = {"kubelet": "v1.36.3", "kernel": "6.18.0", "runtime": "containerd://1.6.20"}
    return {"name": name, "internalIPs": [address], **facts}


def sample() -> dict[str, Any]:
    """Return a document with every verdict, a waiver, a bundle and a matrix with a hole."""
    across = [("n1", "n1", True), ("n1", "n2", False), ("n2", "n1", True)]
    return report(
        record("ADDR-01", "pass", "", requirement="Pods have an address of each family"),
        record("ADDR-15", "pass", "IPv4", cells=[("n1", "n1", True)]),
        record("ADDR-15", "pass", "IPv6", cells=[("n1", "n1", True)]),
        record("ADDR-16", "pass", "IPv4", cells=[(a, b, True) for a, b, _ in across]),
        record("ADDR-16", "fail", "IPv6", cells=across, reason="no echo", bundle="bundles/ADDR-16"),
        record("API-06", "not applicable", reason="stack dual: applies to ipv4, ipv6"),
        record("DNS-01", "inconclusive", "IPv6", reason="the control channel broke"),
        record("MTU-07", "fail", "IPv6", reason="stuck"),
        record("N64-08", "informational", level="informational"),
        record("SVC-04", "skip", reason="needs host-network probe pods"),
        waivers={"MTU-07": "see the vendor's notice", "SVC-12": "slow here"},
    ).plain()
