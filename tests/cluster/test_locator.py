"""Where a packet died: on which node, behind which device, and why, as the kernel has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.agent.ports import TCP_PORT
from pytest_ipv6k8s.clusters.contract import Cluster
from pytest_ipv6k8s.diagnosis.places import Place
from pytest_ipv6k8s.diagnosis.tracing import again, trace
from pytest_ipv6k8s.diagnosis.watchers import watchers
from pytest_ipv6k8s.kube import inventory
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.kube.objects import Manner
from pytest_ipv6k8s.probe.deploy import Plan, deploy
from pytest_ipv6k8s.probe.probes import Probe
from pytest_ipv6k8s.probe.removing import remove
from pytest_ipv6k8s.probe.session import Sessions
from pytest_ipv6k8s.results import Trace
from tests.real import on_node, settings_of_environment
from tests.slices import by_slice

pytestmark = pytest.mark.real_cluster
NFT = """nft -f - <<'END'
table {nft} lost {{ chain dead {{ type filter hook {hook}; {rules}; }}; }}
END"""
UNNFT = "nft delete table {nft} lost"
SOURCE, TARGET = "control-plane", "worker"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A fault, where it is, and what has to be said of it.

    Attributes:
        name: of it.
        at: the end of the name of the broken node.
        do, undo: shell scripts on it.
        where: a pattern of what is said of the place; empty: the node's name.
        reason: a pattern of what is said of the reason.
        pod: whether the scripts run in the network of the pod there.
    """

    name: str
    at: str
    do: str
    undo: str
    where: str = ""
    reason: str
    pod: bool = False

    def __str__(self) -> str:
        return f"{self.name}-{self.at}"


def _filters() -> Iterator[Case]:
    chains = {
        "raw": "prerouting priority -300",
        "forward": "forward priority 0",
        "postrouting": "postrouting priority 150",
    }
    there = "{ip} daddr {address} {ip} saddr {source} drop"
    back = "{ip} daddr {source} {ip} saddr {address} drop"
    for at in (SOURCE, TARGET):
        for name, hook in chains.items():
            do = NFT.format(nft="{ip}", hook=hook, rules=there)
            reason = "NETFILTER_DROP, table {ip} lost, chain dead, rule"
            yield Case(name=name, at=at, do=do, undo=UNNFT.format(nft="{ip}"), reason=reason)
        do = NFT.format(nft="{ip}", hook="forward priority 0", rules=back)
        yield Case(
            name="answer",
            at=at,
            do=do,
            undo=UNNFT.format(nft="{ip}"),
            where="the answer, on node .*{at}",
            reason="table {ip} lost, chain dead, rule",
        )
        rules = "policy drop; {ip} daddr != {address} accept"
        do = NFT.format(nft="{ip}", hook="forward priority 1", rules=rules)
        reason = "table {ip} lost, chain dead, policy drop"
        yield Case(name="policy", at=at, do=do, undo=UNNFT.format(nft="{ip}"), reason=reason)
        rule = "FORWARD -d {address} -s {source} -j DROP"
        yield Case(
            name="iptables",
            at=at,
            do="{tables} -I " + rule,
            undo="{tables} -D " + rule,
            reason="table {ip} filter, chain FORWARD, rule",
        )
        hook = "ingress device eth0 priority 0" if at == TARGET else "egress device eth0 priority 0"
        do = NFT.format(nft="netdev", hook=hook, rules="{ip} daddr {address} drop")
        yield Case(
            name="netdev", at=at, do=do, undo=UNNFT.format(nft="netdev"), reason="NETFILTER_|DROP"
        )


def _routes() -> Iterator[Case]:
    for at in (SOURCE, TARGET):
        for kind, reason in {
            "unreachable": "unreachable|NOROUTES",
            "blackhole": "blackhole|NOROUTES",
            "prohibit": "prohibited|NOROUTES",
        }.items():
            do = f"ip {{v}} route add {kind} {{address}}"
            undo = f"ip {{v}} route del {kind} {{address}}"
            yield Case(name=kind, at=at, do=do, undo=undo, reason=reason)
        do = "ip {v} rule add to {address} blackhole pref 5"
        undo = "ip {v} rule del to {address} blackhole pref 5"
        yield Case(name="rule", at=at, do=do, undo=undo, reason="blackhole|NOROUTES")
        name = "net.ipv{n}.conf.all.forwarding"
        yield Case(
            name="forwarding",
            at=at,
            do=f"sysctl -qw {name}=0",
            undo=f"sysctl -qw {name}=1",
            reason=".",
        )
    hop = "$(ip {v} -o route get {address} | sed -En 's/.* via ([^ ]+).*/\\1/p')"
    yield Case(
        name="wrong-next-hop",
        at=SOURCE,
        do=f"ip {{v}} neigh replace {hop} lladdr 02:00:00:00:00:99 dev eth0 nud permanent",
        undo=f"ip {{v}} neigh del {hop} dev eth0",
        where="after leaving node .*control-plane by eth0",
        reason="unknown",
    )
    yield Case(
        name="wrong-pod-address",
        at=TARGET,
        do="ip {v} neigh replace {address} lladdr 02:00:00:00:00:99 dev cni0 nud permanent",
        undo="ip {v} neigh del {address} dev cni0",
        where="in the pod behind veth.* on node .*worker",
        reason=".",
    )


def _in_pods() -> Iterator[Case]:
    do = NFT.format(nft="{ip}", hook="input priority 0", rules="{ip} saddr {source} drop")
    yield Case(
        name="pod-input",
        at=TARGET,
        pod=True,
        do=do,
        undo=UNNFT.format(nft="{ip}"),
        where="in the pod behind veth.* on node .*worker",
        reason="nothing came out",
    )
    do = NFT.format(nft="{ip}", hook="output priority 0", rules="{ip} daddr {address} drop")
    yield Case(
        name="pod-output",
        at=SOURCE,
        pod=True,
        do=do,
        undo=UNNFT.format(nft="{ip}"),
        where="in pod .* on node .*control-plane, before it left",
        reason="EPERM|ETIMEDOUT",
    )
    yield Case(
        name="pod-without-route",
        at=SOURCE,
        pod=True,
        do="ip {v} route add unreachable {address}",
        undo="ip {v} route del unreachable {address}",
        where="in pod .* on node .*control-plane, before it left",
        reason="EHOSTUNREACH|ENETUNREACH",
    )


CASES = [*_filters(), *_routes(), *_in_pods()]


@dataclass(frozen=True)
class World:
    """Two probes on two nodes, and watchers of both."""

    probes: dict[str, Probe]
    watching: dict[str, Probe]
    nodes: tuple[inventory.Node, ...]


@pytest.fixture(scope="module")
def _undo() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def world(dual_cluster: Cluster, _undo: ExitStack, _made: dict[str, World]) -> World:
    """Make it once."""
    if not _made:
        _made["world"] = _make(dual_cluster, _undo)
    return _made["world"]


@pytest.fixture(scope="module")
def _made() -> dict[str, World]:
    return {}


def _make(cluster: Cluster, undo: ExitStack) -> World:
    api = Api(Kubeconfig(path=cluster.kubeconfig, context=cluster.context))
    facts = inventory.read(api)
    plan = Plan(
        run_id="10ca70",
        manner=Manner(image=settings_of_environment().cluster.probe_image),
        stack=Stack.DUAL,
        nodes=facts.nodes,
        host_network=False,
    )
    sessions = Sessions(api)
    undo.callback(remove, api, plan.run_id)
    undo.callback(sessions.close)
    made = deploy(api, plan, sessions.trouble)
    probes = {pod.node: sessions.probe(pod) for pod in reversed(made.pods)}
    return World(
        probes,
        undo.enter_context(watchers(api, plan, facts.nodes, [node.name for node in facts.nodes])),
        facts.nodes,
    )


def _traced(world: World, family: Family, do: Callable[[dict[str, str]], ExitStack]) -> Trace:
    ends = {node.rsplit("-", 1)[-1]: probe for node, probe in world.probes.items()}
    asker, target = ends["plane"], ends["worker"]
    address = target.address(family)
    words = {
        "address": address,
        "source": asker.address(family),
        "ip": "ip6" if family is Family.V6 else "ip",
        "v": "-6" if family is Family.V6 else "-4",
        "n": "6" if family is Family.V6 else "4",
        "tables": "ip6tables" if family is Family.V6 else "iptables",
    }
    request = again({"op": "tcp_connect", "address": address, "port": TCP_PORT})
    place = Place(name=f"pod {target.name}", nodes=(target.node,))
    with do(words):
        return trace(asker, request, place, dict(world.watching), world.nodes)


@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.value)
@pytest.mark.parametrize("case", by_slice(CASES, 3, key=str), ids=str)
def test_the_place_and_the_reason_are_told(case: Case, family: Family, world: World) -> None:
    node = next(name for name in world.probes if name.endswith(case.at))
    enter = _into(world.probes[node]) if case.pod else ""

    def broken(words: dict[str, str]) -> ExitStack:
        stack = ExitStack()
        stack.callback(on_node, node, enter + _filled(case.undo, words))
        on_node(node, enter + _filled(case.do, words))
        words["at"] = case.at
        filled.update(words)
        return stack

    filled: dict[str, str] = {}
    found = _traced(world, family, broken)

    where, _, reason = found.died.partition("): ")
    assert re.search(_filled(case.where, filled) or node, where), (found.died, found.missing)
    assert re.search(_filled(case.reason, filled), reason), (found.died, found.missing)


def test_what_works_did_not_die(world: World) -> None:
    found = _traced(world, Family.V6, lambda words: ExitStack())

    assert found.is_answered, found
    assert not found.missing, found


def _filled(text: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        text = text.replace("{" + name + "}", value)
    return text


def _into(probe: Probe) -> str:
    """Return what a script begins with that runs in the network of a pod."""
    configs = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/*/config.json"
    files = f'$(grep -l \'sandbox-name":"{probe.name}"\' {configs})'
    name = f"$(grep -oh '/var/run/netns/[^\"]*' {files} | head -1)"
    return f"exec nsenter --net={name} sh -e <<'INSIDE'\n"
