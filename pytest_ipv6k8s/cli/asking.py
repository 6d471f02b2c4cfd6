"""The command ``ipv6k8s ask``: one question to a probe, without a run."""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pytest_ipv6k8s.cli import connection
from pytest_ipv6k8s.cli.tables import show
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.suggestions import alike

if TYPE_CHECKING:
    from pytest_ipv6k8s.evidence import Record
    from pytest_ipv6k8s.kube.inventory import Inventory, Node
    from pytest_ipv6k8s.probe.deploy import Plan
    from pytest_ipv6k8s.probe.probes import Probe
    from pytest_ipv6k8s.probe.questions import Question
    from pytest_ipv6k8s.settings import Settings

OK, PROBLEM = 0, 1

_EXAMPLES = """A question is written as reports show it: ipv6k8s ask 'probe-01 dns AAAA a.example'.
One pod is started on the node of that probe, or on --node, asked, and deleted. Operations:
  dns TYPE NAME [@SERVER]    tcp ADDRESS PORT    udp ADDRESS PORT    ping ADDRESS
  http URL                   route ADDRESS       lookup NAME
and all others of the reports. How pods are made is taken from the environment, such as
IPV6K8S_PROBE_IMAGE. Exit code 0: it was answered. 1: it was not. 4: it could not be asked."""


def add(commands: Any) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "ask",
        help="put one question to a probe, as a report has it",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("question", nargs="+", metavar="QUESTION", help="such as: ping fd00::1")
    connection.add(command)
    command.add_argument("--node", help="ask from this node")
    command.add_argument(
        "--allow", choices=["privileged"], help="let a probe be in its node's network (host-01)"
    )
    command.set_defaults(run=_ask)


def _ask(chosen: argparse.Namespace) -> int:
    from pytest_ipv6k8s.kube import inventory
    from pytest_ipv6k8s.probe import guests, questions
    from pytest_ipv6k8s.settings import Allow, resolve

    question = questions.parse(" ".join(chosen.question))
    settings = resolve({}, os.environ, {})
    host = question.source.startswith("host-")
    if host and not (chosen.allow or Allow.PRIVILEGED in settings.probes.allow):
        raise ConfigError(
            f"{question.source} is in the network of its node", remedy="give --allow privileged"
        )
    api = connection.api(chosen)
    facts = inventory.read(api)
    node = node_of(facts, settings, question.source, chosen.node)
    plan = plan_of(facts, settings, node, host_network=host)
    answered = True
    with guests.for_a_moment(api, plan, question.source or "probe") as probe:
        for record in _records(probe, question):
            show(str(record))
            answered = answered and questions.is_answered(record.answer)
    return OK if answered else PROBLEM


def plan_of(
    facts: Inventory, settings: Settings, node: Node, *, host_network: bool = False
) -> Plan:
    """Return how a pod for one question is made on a node."""
    from pytest_ipv6k8s import wanted
    from pytest_ipv6k8s.clusters import ownership
    from pytest_ipv6k8s.probe.deploy import Plan

    return Plan(
        run_id=ownership.new_run_id(),
        manner=wanted.manner(settings),
        stack=facts.stack,
        nodes=(node,),
        host_network=host_network,
        given=settings.probes.namespace,
    )


def node_of(facts: Inventory, settings: Settings, source: str, name: str | None) -> Node:
    """Return the node to ask from: the one that was named, or that of a run's probe."""
    from pytest_ipv6k8s import wanted
    from pytest_ipv6k8s.probe.placing import place

    if name is not None:
        found = next((node for node in facts.nodes if node.name == name), None)
        if found is None:
            names = [node.name for node in facts.nodes]
            remedy = f"did you mean {alike(name, names) or ' or '.join(names[:3])}?"
            raise ConfigError(f"there is no node {name}", remedy=remedy)
        return found
    placed = place(facts.nodes, wanted.wish(settings))
    number = next((int(part) for part in source.split("-") if part.isdecimal()), 0)
    if source and any("--ipv6k8s-max-nodes" in one.reason for one in placed.left_out):
        raise ConfigError(
            f"not every node has a probe, and {source} is on another one in each run",
            remedy="give its node, which the report tells, with --node",
        )
    if number >= len(placed.nodes):
        last = f"{len(placed.nodes) - 1:02}"
        raise ConfigError(
            f"there is no {source}: the last node that can take a probe has number {last}",
            remedy="give a node with --node",
        )
    return placed.nodes[number]


def _records(probe: Probe, question: Question) -> Iterator[Record[Any]]:
    """Ask, after whatever has to be asked before: the pod's DNS server, the addresses of a name."""
    from pytest_ipv6k8s.addresses import is_address
    from pytest_ipv6k8s.agent.ops import dns_exchange, http_get, lookup, network_state

    request = question.request
    if isinstance(request, dns_exchange.Request) and not request.server:
        servers = probe.ask(network_state.Request()).answer.nameservers
        if not servers:
            raise ConfigError("the pod has no DNS server", remedy="give one, such as @10.96.0.10")
        request = dataclasses.replace(request, server=servers[0])
    if isinstance(request, http_get.Request) and not is_address(request.address):
        found = probe.ask(lookup.Request(request.address))
        yield found
        for address in found.answer.addresses:
            yield probe.ask(dataclasses.replace(request, address=address))
        return
    yield probe.ask(request)
