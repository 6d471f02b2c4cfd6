"""What probes say: the network as each of them sees it, and the failing questions once more."""

from __future__ import annotations

import contextlib
import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from pytest_ipv6k8s.agent import wire
from pytest_ipv6k8s.agent.ops import network_state, routing
from pytest_ipv6k8s.bundle.gathering import File, Source
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.masking import redact
from pytest_ipv6k8s.probe.probes import ProbePod, Transport

Connect = Callable[[ProbePod], contextlib.AbstractContextManager[Transport]]
"""Opens a session of its own with a probe: those of the checks are left alone."""

MOST_PROBES, MOST_QUESTIONS, MOST_NODES = 8, 4, 16


def involved(
    pods: Sequence[ProbePod], failing: Sequence[Record[Any]], records: Sequence[Record[Any]]
) -> list[ProbePod]:
    """Return the probes that asked or were asked, then the host-network ones of their nodes.

    Args:
        pods: all probes of the run.
        failing: the answers that failed.
        records: all answers, for when no failing one is known.
    """
    relevant = list(failing) or list(records)
    sources = {record.source for record in relevant}
    targets = {str(value) for record in relevant for value in record.request.values()}
    chosen = [pod for pod in pods if pod.name in sources or targets & set(pod.ips)]
    nodes = {pod.node for pod in chosen or pods}
    hosts = [pod for pod in pods if pod.host_network and pod.node in nodes]
    return list(dict.fromkeys([*chosen, *hosts]))[:MOST_PROBES]


def states(connect: Connect, pods: Iterable[ProbePod]) -> dict[str, Source]:
    """Return what each probe says of its network."""
    return {f"probe {pod.name}": partial(_state, connect, pod) for pod in pods}


def _state(connect: Connect, pod: ProbePod) -> Iterator[File]:
    with connect(pod) as ask:
        (answer,) = ask([network_state.Request()])
    yield File(name=f"probes/{pod.name}.txt", text=state_text(pod, answer))


def nodes(
    connect: Connect, pods: Iterable[ProbePod], first: Sequence[str] = ()
) -> dict[str, Source]:
    """Return what host-network probes see of their nodes: what nodes of others let us see.

    Args:
        connect: opens sessions.
        pods: all probes of the run.
        first: names of the nodes that matter most; there may be too many.
    """
    hosts = sorted((pod for pod in pods if pod.host_network), key=lambda pod: pod.node not in first)
    return {f"node {pod.node}": partial(_node, connect, pod) for pod in hosts[:MOST_NODES]}


def _node(connect: Connect, pod: ProbePod) -> Iterator[File]:
    with connect(pod) as ask:
        seen, found = ask([network_state.Request(), routing.Request()])
    more = [f"… and {found.left_out} more"] if found.left_out else []
    parts = {
        "network": state_text(pod, seen),
        "ip-route": "".join(f"{line}\n" for line in (*found.routes, *more)),
        "ip-rule": "".join(f"{line}\n" for line in found.rules),
    }
    for name, text in parts.items():
        yield File(name=f"nodes/{pod.node}/{name}.txt", text=text)


def state_text(pod: ProbePod, answer: network_state.Answer) -> str:
    """Return the state of a probe's network in the words of ip(8) and resolv.conf(5)."""
    kind = "host-network pod" if pod.host_network else "pod"
    sections = {
        "addresses": [
            f"{a.interface}: {a.address}/{a.length} scope {a.scope} {' '.join(a.flags)}".rstrip()
            for a in answer.addresses
        ],
        "routes of the main table": [
            f"{r.family} {r.destination} via {r.gateway or 'the link'} dev {r.interface}"
            for r in answer.routes
        ],
        "neighbours": [f"{n.address} dev {n.interface} {n.state}" for n in answer.neighbours],
        "resolv.conf": [
            *(f"nameserver {server}" for server in answer.nameservers),
            f"search {' '.join(answer.search)}",
            f"options {' '.join(answer.options)}",
        ],
        "sysctls": [f"{name} = {value}" for name, value in answer.sysctls.items()],
    }
    lines = [f"{kind} {pod.namespace}/{pod.name} on node {pod.node}, {', '.join(pod.ips)}"]
    for title, values in sections.items():
        lines += ["", f"# {title}", *values]
    return "\n".join(lines) + "\n"


def asked_again(
    connect: Connect, pods: Sequence[ProbePod], failing: Sequence[Record[Any]]
) -> Iterator[File]:
    """Put the failing questions once more: does the fault last?"""
    by_name = {pod.name: pod for pod in pods}
    wanted = [record for record in failing if record.source in by_name][:MOST_QUESTIONS]
    answers_now = []
    for name in dict.fromkeys(record.source for record in wanted):
        records = [record for record in wanted if record.source == name]
        with connect(by_name[name]) as ask:  # side by side: each may wait for its whole timeout
            answers = ask([_request(record.request) for record in records])
        for record, answer in zip(records, answers, strict=True):
            answers_now.append({**record.plain(), "path": record.path, "answerNow": redact(answer)})
    if answers_now:
        yield File(name="asked-again.json", text=json.dumps(answers_now, indent=1, default=str))


def _request(request: dict[str, Any]) -> Any:
    plain = json.loads(json.dumps(request))
    module = importlib.import_module(f"{wire.OPERATIONS}.{plain.pop('op')}")
    return wire.build(module.Request, plain)
