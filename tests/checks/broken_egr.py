"""Worlds in which the checks of egress fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pytest_ipv6k8s.addresses import Egress, Family, Stack
from pytest_ipv6k8s.probe.probes import ProbePod
from tests.checks.breaking import Break, Broken, answers, from_pod
from tests.checks.world import World

V4, V6, DUAL = Family.V4, Family.V6, Stack.DUAL
SILENT: dict[str, Any] = {"connected": False, "echoed": False, "pod": "", "error": "ETIMEDOUT"}
UNSEEN: dict[str, Any] = {**SILENT, "seen_source": ""}
LOST: dict[str, Any] = {"echoed": 0, "pod": "", "seen_source": "", "error": "ETIMEDOUT"}
NODE_0, NODE_1, STRANGER = "fd00:18::2", "fd00:18::3", "2001:db8:ffff::1"
ONE = from_pod("probe-01")


def of_pods(pod: ProbePod, request: Any) -> bool:
    """Pick the questions of pods, not those of targets."""
    return not pod.name.startswith("target-")


def of_one(wanted: Callable[[Any], bool]) -> Callable[[ProbePod, Any], bool]:
    """Pick some questions of one probe."""
    return lambda pod, request: pod.name == "probe-01" and wanted(request)


def declared(**changed: Any) -> Break:
    """Declare something else of the outside."""

    def break_it(world: World) -> None:
        world.outside = replace(world.outside, **changed)

    return break_it


def both(*breaks: Break) -> Break:
    """Break in several ways."""

    def break_it(world: World) -> None:
        for one in breaks:
            one(world)

    return break_it


def heard(pod: str, source: str) -> Break:
    """Let inboxes hear the datagrams of a pod from another source."""

    def change(asked: ProbePod, request: Any, answer: Any) -> Any:
        items = [
            replace(item, source=source) if item.payload.startswith(pod) else item
            for item in answer.received
        ]
        return replace(answer, received=tuple(items))

    return lambda world: world.override("udp_listen", change)


def worn(world: World) -> None:
    """Make the addresses of nodes deprecated."""

    def change(pod: ProbePod, request: Any, answer: Any) -> Any:
        found = tuple(replace(item, flags=("deprecated",)) for item in answer.addresses)
        return replace(answer, addresses=found)

    world.override("network_state", change)


OUT = [
    Broken("EGR-01", "one node has no way out", answers("tcp_connect", ONE, **SILENT)),
    Broken("EGR-02", "one node has no UDP", answers("udp_exchange", ONE, **LOST)),
    Broken("EGR-02", "no node has UDP", answers("udp_exchange", of_pods, **LOST)),
    Broken("EGR-21", "one node has no ICMPv6", answers("ping", ONE, received=0)),
    Broken("EGR-21", "no node has ICMPv6", answers("ping", of_pods, received=0)),
    Broken("EGR-01", "somebody else answers", answers("tcp_connect", ONE, pod="stranger")),
    Broken("EGR-01", "a proxy answers", answers("tcp_connect", ONE, echoed=False, pod="", seen_source="")),
    Broken("EGR-11", "somebody else answers", answers("tcp_connect", from_pod("host-01"), pod="stranger")),
    Broken("EGR-11", "one node has no way out", answers("tcp_connect", from_pod("host-01"), **SILENT)),
    Broken("EGR-11", "another node's address", answers("tcp_connect", from_pod("host-01"), seen_source=NODE_0)),
    Broken("EGR-11", "somebody's address", answers("tcp_connect", from_pod("host-00"), seen_source=STRANGER), DUAL),
    Broken("EGR-14", "one node has no TCP", answers("tcp_connect", ONE, **SILENT)),
    Broken("EGR-14", "one node has no UDP", answers("udp_exchange", ONE, **LOST)),
    Broken("EGR-14", "one node has no ICMPv6", answers("ping", ONE, received=0)),
    Broken("EGR-14", "no node gets out", both(answers("tcp_connect", of_pods, **SILENT), answers("udp_exchange", of_pods, **LOST), answers("ping", of_pods, received=0))),
]  # fmt: skip

SOURCE = [
    Broken("EGR-03", "a gateway", answers("tcp_connect", seen_source=STRANGER)),
    Broken("EGR-03", "one node does not masquerade", answers("tcp_connect", ONE, seen_source="fd00:10:244:2::2")),
    Broken("EGR-03", "one node has no way out", answers("tcp_connect", ONE, **UNSEEN)),
    Broken("EGR-03", "masqueraded, though native is declared", declared(egress=Egress.NATIVE), DUAL),
    Broken("EGR-03", "masqueraded, though NPTv6 is declared", declared(egress=Egress.NPTV6)),
    Broken("EGR-03", "gets out, though nothing may", declared(egress=Egress.NONE)),
    Broken("EGR-03", "nothing declared, and nodes differ", both(declared(egress=None), answers("tcp_connect", ONE, seen_source=STRANGER))),
    Broken("EGR-04", "link-local", answers("tcp_connect", ONE, seen_source="fe80::1")),
    Broken("EGR-04", "another node's address", answers("tcp_connect", ONE, seen_source=NODE_0)),
    Broken("EGR-04", "somebody's address", answers("tcp_connect", ONE, seen_source=STRANGER)),
    Broken("EGR-04", "deprecated", worn),
    Broken("EGR-04", "nobody reached", answers("tcp_connect", **UNSEEN)),
    Broken("EGR-05", "a node as source", answers("udp_exchange", ONE, seen_source=NODE_1), family=V6),
    Broken("EGR-05", "a node as source", answers("udp_exchange", ONE, seen_source="172.18.0.3"), DUAL, V4),
    Broken("EGR-05", "its node sees another", heard("probe-01", NODE_1), family=V6),
    Broken("EGR-12", "a pod's address", heard("probe-01", "fd00:10:244:2::2")),
    Broken("EGR-12", "a pod's address on a dual stack", heard("probe-peer", "fd00:10:244:1::3"), DUAL),
    Broken("EGR-12", "some ULA, though native is declared", both(declared(egress=Egress.NATIVE), heard("probe-01", "fd99::1"))),
]  # fmt: skip

NAT = [
    Broken("EGR-09", "one flow lost", answers("tcp_flows", from_pod("probe-peer"), answered=499)),
    Broken("EGR-13", "silence", answers("udp_exchange", of_one(lambda r: r.port == 33499), error="ETIMEDOUT")),
    Broken("EGR-13", "everything is refused", answers("udp_exchange", of_one(lambda r: r.port != 33499), **{**LOST, "error": "ECONNREFUSED"})),
    Broken("EGR-17", "no way back", answers("tcp_connect", from_pod("target-dual"), **SILENT)),
    Broken("EGR-17", "somebody else answers", answers("tcp_connect", from_pod("target-dual"), pod="stranger")),
    Broken("EGR-17", "masqueraded inwards", answers("tcp_connect", from_pod("target-dual"), seen_source=NODE_0)),
    Broken("EGR-18", "fragments are dropped", answers("udp_exchange", of_one(lambda r: r.how), **LOST)),
    Broken("EGR-18", "from elsewhere", answers("udp_exchange", ONE, **LOST)),
]  # fmt: skip

FAMILIES = [
    Broken("EGR-06", "no IPv4", answers("tcp_connect", of_one(lambda r: "." in r.address), **SILENT), DUAL),
    Broken("EGR-06", "somebody else answers", answers("tcp_connect", of_one(lambda r: ":" in r.address), pod="stranger"), DUAL),
    Broken("EGR-06", "no IPv6", answers("tcp_connect", of_one(lambda r: ":" in r.address), **SILENT), DUAL),
    Broken("EGR-07", "slow behind the rejecter", answers("happy_eyeballs", of_one(lambda r: r.name.startswith("rejecter")), seconds=1.1), DUAL),
    Broken("EGR-07", "slow behind the black hole", answers("happy_eyeballs", seconds=2.1), DUAL),
    Broken("EGR-07", "IPv4 is dead, too", answers("happy_eyeballs", ONE, address="", error="ETIMEDOUT"), DUAL),
    Broken("EGR-08", "it hangs", answers("tcp_connect", ONE, error="ETIMEDOUT", seconds=3.0)),
    Broken("EGR-08", "it fails slowly", answers("tcp_connect", error="EHOSTUNREACH", seconds=3.0)),
    Broken("EGR-08", "it works without a CLAT", answers("tcp_connect", ONE, connected=True, error="")),
]  # fmt: skip

HELPERS = [
    Broken("EGR-19", "not to be reached", answers("http_proxy", ONE, granted=0, status=0, pod="", error="ETIMEDOUT")),
    Broken("EGR-19", "pods are not admitted", answers("http_proxy", of_pods, granted=403, status=0, pod="")),
    Broken("EGR-19", "somebody else's page", answers("http_proxy", pod="stranger")),
    Broken("EGR-20", "not to be reached", answers("registry_pull", ONE, status=0, verified=0, error="ETIMEDOUT")),
    Broken("EGR-20", "a blob is spoilt", answers("registry_pull", ONE, verified=1, mismatched=("sha256:0 is sha256:1",))),
]  # fmt: skip

ROWS = [*OUT, *SOURCE, *NAT, *FAMILIES, *HELPERS]
