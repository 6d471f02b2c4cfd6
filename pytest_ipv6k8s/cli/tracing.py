"""The command ``ipv6k8s trace``: where packets from a pod to an address die."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pytest_ipv6k8s.addresses import is_address
from pytest_ipv6k8s.cli import asking, connection
from pytest_ipv6k8s.cli.tables import show
from pytest_ipv6k8s.errors import ConfigError

if TYPE_CHECKING:
    from pytest_ipv6k8s.kube.client import Api
    from pytest_ipv6k8s.kube.inventory import Inventory, Node
    from pytest_ipv6k8s.probe.deploy import Plan
    from pytest_ipv6k8s.results import Trace
    from pytest_ipv6k8s.settings import Settings

OK, PROBLEM = 0, 1
_ABOUT = """A pod of ours is started beside POD, on its node, and asks ADDRESS a few times, while a
privileged pod on each node of the way watches the packets. All of them are deleted. POD is a pod of
the cluster (NAME, or NAMESPACE/NAME), or one of a run's probes, such as probe-01.
Exit code 0: it was answered. 1: it was not. 4: it could not be asked."""


def add(commands: Any) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "trace",
        help="say where packets from a pod to an address die",
        epilog=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("pod", metavar="POD", help="where packets come from")
    command.add_argument("address", metavar="ADDRESS", help="where they go")
    command.add_argument("port", metavar="PORT", nargs="?", type=int, help="none: echo requests")
    command.add_argument("-n", "--namespace", default="default", help="the pod's (default)")
    command.add_argument("--udp", action="store_true", help="datagrams, not connections")
    connection.add(command)
    command.set_defaults(run=_trace)


def _trace(chosen: argparse.Namespace) -> int:
    from pytest_ipv6k8s.kube import inventory
    from pytest_ipv6k8s.settings import resolve

    request = _request(chosen)
    settings = resolve({}, os.environ, {})
    api = connection.api(chosen)
    facts = inventory.read(api)
    node = _node(api, facts, settings, chosen)
    plan = asking.plan_of(facts, settings, node)
    found = _traced(api, facts, plan, request)
    for line in lines(found):
        show(line)
    return OK if found.is_answered else PROBLEM


def _request(chosen: argparse.Namespace) -> Any:
    """Return what is asked."""
    from pytest_ipv6k8s.diagnosis.tracing import again

    if not is_address(chosen.address):
        raise ConfigError(f"{chosen.address} is no address", remedy="give one, such as fd00::1")
    if chosen.port is None:
        if chosen.udp:
            raise ConfigError("--udp needs a port", remedy="give it after the address")
        return again({"op": "ping", "address": chosen.address})
    if not 0 < chosen.port < 1 << 16:
        raise ConfigError(f"{chosen.port} is no port", remedy="give one of 1 to 65535")
    operation = "udp_exchange" if chosen.udp else "tcp_connect"
    return again({"op": operation, "address": chosen.address, "port": chosen.port})


def _node(api: Api, facts: Inventory, settings: Settings, chosen: argparse.Namespace) -> Node:
    """Return the node of the pod."""
    from pytest_ipv6k8s.kube import paths
    from pytest_ipv6k8s.probe.questions import is_probe

    if is_probe(chosen.pod):
        return asking.node_of(facts, settings, chosen.pod, None)
    namespace, _, name = chosen.pod.rpartition("/")
    namespace = namespace or chosen.namespace
    pod = api.find(paths.pod(namespace, name))
    where = (pod or {}).get("spec", {}).get("nodeName", "")
    found = next((node for node in facts.nodes if node.name == where), None)
    if found is None:
        what = f"there is no pod {name} in namespace {namespace}"
        text = f"pod {name} runs on no node" if pod else what
        raise ConfigError(text, remedy="`kubectl get pods --all-namespaces -o wide` has all")
    return found


def _traced(api: Api, facts: Inventory, plan: Plan, request: Any) -> Trace:
    from pytest_ipv6k8s.diagnosis.places import place_of
    from pytest_ipv6k8s.diagnosis.tracing import trace
    from pytest_ipv6k8s.diagnosis.watchers import watchers
    from pytest_ipv6k8s.probe import guests

    place = place_of(api, request.address, facts.nodes)
    names = (plan.nodes[0].name, *place.nodes)
    with (
        guests.for_a_moment(api, plan, "probe") as probe,
        watchers(api, plan, facts.nodes, names) as watching,
    ):
        return trace(probe, request, place, watching, facts.nodes)


def lines(found: Trace) -> Iterator[str]:
    """Yield a trace in words: the path, where it died, and each hop."""
    yield f"path     {found.path}"
    yield f"died     {found.died}"
    for hop in found.hops:
        what = "answers" if hop.answer else "questions"
        way = "out" if hop.out else "in"
        yield f"  {hop.node:30} {hop.device:16} {way:3} {hop.packets} {what}"
    for text in found.missing:
        yield f"unwatched  {text}"
