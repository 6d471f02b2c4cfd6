"""What is wrong outside the cluster, or cannot be told apart from that, is not blamed on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Egress, Family, Stack, in_any
from pytest_ipv6k8s.agent.ops import network_state
from pytest_ipv6k8s.evidence import Recorder
from pytest_ipv6k8s.external.model import Role
from pytest_ipv6k8s.external.view import ExternalTargets
from pytest_ipv6k8s.probe.probes import Probe, ProbePod, Probes
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.breaking import Break, answers
from tests.checks.broken_egr import LOST, SILENT, STRANGER, both, declared
from tests.checks.outside import TRANSLATED
from tests.checks.world import Transport, World, run_check


def _unasked(*roles: Role) -> Break:
    """Take `ask` away from targets."""

    def break_it(world: World) -> None:
        targets = tuple(
            replace(target, ask=()) if target.role in roles else target
            for target in world.outside.targets
        )
        world.outside = replace(world.outside, targets=targets)

    return break_it


def _hosts_unseen(world: World) -> None:
    world.hosts = ()


def _as_external_ip(world: World) -> None:
    world.nodes = tuple(replace(node, external_ips=(STRANGER,)) for node in world.nodes)


def _only_pods_may_ping(world: World) -> None:
    def ping(pod: ProbePod, request: Any, answer: Any) -> Any:
        return replace(answer, received=0, permitted=not pod.name.startswith("target-"))

    world.override("ping", ping)


OTHERS = _unasked(*(role for role in Role if role is not Role.DUAL))
FOREIGN = answers("tcp_connect", seen_source=STRANGER)
GATEWAY_DEAD = answers(
    "tcp_connect", lambda pod, request: in_any(request.address, TRANSLATED), **SILENT
)
CASES: dict[str, tuple[str, Break, Verdict, str]] = {
    "UDP is echoed to nobody": (
        "EGR-02",
        answers("udp_exchange", **LOST),
        Verdict.INCONCLUSIVE,
        "for nobody",
    ),
    "nobody is echoed": ("EGR-21", answers("ping", received=0), Verdict.INCONCLUSIVE, "nobody"),
    "no pod may ping": ("EGR-21", answers("ping", permitted=False), Verdict.INCONCLUSIVE, "may"),
    "the IPv4-only host echoes nobody": (
        "N64-16",
        answers("ping", received=0),
        Verdict.INCONCLUSIVE,
        "for nobody",
    ),
    "hosts outside may not send echo requests": (
        "EGR-21",
        _only_pods_may_ping,
        Verdict.INCONCLUSIVE,
        "no host outside may try it",
    ),
    "only the target itself could tell that flows get lost before it": (
        "EGR-09",
        both(OTHERS, answers("tcp_flows", answered=499)),
        Verdict.INCONCLUSIVE,
        "declare `ask` of `v6`",
    ),
    "only the target itself could tell that it refuses": (
        "EGR-13",
        both(OTHERS, answers("udp_exchange", lambda p, r: r.port == 33499, error="ETIMEDOUT")),
        Verdict.INCONCLUSIVE,
        "for nobody",
    ),
    "only the target itself could tell that fragments arrive": (
        "EGR-18",
        both(OTHERS, answers("udp_exchange", lambda p, r: r.how, **LOST)),
        Verdict.INCONCLUSIVE,
        "for nobody",
    ),
    "masqueraded to an address of nodes that the API does not name": (
        "EGR-03",
        both(FOREIGN, _hosts_unseen),
        Verdict.INCONCLUSIVE,
        "only a host-network probe",
    ),
    "masqueraded to an ExternalIP": (
        "EGR-03",
        both(FOREIGN, _hosts_unseen, _as_external_ip),
        Verdict.PASS,
        "",
    ),
    "a gateway is declared, and nobody knows the address": (
        "EGR-03",
        both(FOREIGN, _hosts_unseen, declared(egress=Egress.GATEWAY)),
        Verdict.PASS,
        "",
    ),
    "native is declared, and somebody's address is seen": (
        "EGR-03",
        both(FOREIGN, _hosts_unseen, declared(egress=Egress.NATIVE)),
        Verdict.FAIL,
        "native",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_may_be_wrong_outside_is_no_fail(case: str) -> None:
    id, break_it, verdict, words = CASES[case]
    world = World(Stack.IPV6)
    break_it(world)

    judgement = run_check(world, id)

    assert judgement.verdict is verdict, judgement
    assert words in judgement.reason


def test_pods_with_a_node_local_ipv4_address_leave_nothing_to_judge() -> None:
    world = World(Stack.IPV6)
    local = network_state.Address("v4if0", "169.254.172.2", 22, "global")
    world.override(
        "network_state",
        lambda pod, request, answer: replace(answer, addresses=(*answer.addresses, local)),
    )
    world.override("tcp_connect", lambda p, r, answer: replace(answer, error="ETIMEDOUT"))

    judgement = run_check(world, "EGR-08")

    assert judgement.verdict is Verdict.NOT_APPLICABLE, judgement


def _examined(world: World, use: Callable[[ExternalTargets], Any]) -> str:
    """Return what is wrong with targets that cannot be asked, after some were used."""
    _unasked(*Role)(world)
    recorder = Recorder()
    probes = Probes([Probe(pod, Transport(world, pod), recorder) for pod in world.pods])
    external = ExternalTargets(world.outside, {})
    use(external)
    return external.out_of_order(probes)


def test_an_ipv4_target_is_tried_as_pods_reach_it() -> None:
    assert _examined(World(Stack.IPV6), lambda e: e.target("v4")) == ""


def test_only_targets_that_were_used_are_examined() -> None:
    world = World(Stack.IPV6)
    answers("tcp_connect", lambda pod, request: in_any(request.address, TRANSLATED), **SILENT)(
        world
    )

    def use(external: ExternalTargets) -> None:
        external.target("v4")
        external.forget_used()
        external.address("dual", Family.V6)

    assert _examined(world, use) == ""
    assert "no probe reaches target v4" in _examined(world, lambda e: e.target("v4"))


def test_nobody_expects_an_answer_of_a_black_hole() -> None:
    world = World(Stack.DUAL)
    targets = tuple(replace(target, tcp=80) for target in world.outside.targets)
    world.outside = replace(world.outside, targets=targets)

    assert _examined(world, lambda e: e.target("black-hole")) == ""


def _with_one_that_asks(source: str) -> tuple[ExternalTargets, Probes]:
    """Return targets in a world without NAT64, one of which can be asked; and the probes."""
    world = World(Stack.DUAL)
    answers("tcp_connect", lambda pod, request: in_any(request.address, TRANSLATED), **SILENT)(
        world
    )
    recorder = Recorder()
    dual = replace(world.pods[0], name="target-dual", ips=world.outside.targets[0].addresses)
    network = replace(world.outside, source=source)
    hosts = {Role.DUAL: Probe(dual, Transport(world, dual), recorder)}
    probes = Probes([Probe(pod, Transport(world, pod), recorder) for pod in world.pods])
    return ExternalTargets(network, hosts), probes


def test_the_way_of_a_target_to_an_operators_gateway_is_not_asked_for() -> None:
    assert _with_one_that_asks("declared")[0].control() == []
    assert _with_one_that_asks("testbed")[0].control()


def test_the_gateway_of_the_testbed_is_examined_whatever_lies_behind_it() -> None:
    external, probes = _with_one_that_asks("testbed")

    external.synthetic(external.address("dual", Family.V4))

    assert external.out_of_order(probes).startswith("targets do not work")


def test_the_gateway_of_the_testbed_is_examined_only_where_it_was_used() -> None:
    external, probes = _with_one_that_asks("testbed")

    external.synthetic("192.0.2.1")
    external.forget_used()
    external.address("dual", Family.V4)

    assert external.out_of_order(probes) == ""


def test_a_path_without_an_answer_is_left_open() -> None:
    world = World(Stack.IPV6)
    answers("udp_exchange", lambda pod, request: pod.name == "probe-01", **LOST)(world)

    judgement = run_check(world, "EGR-05", Family.V6)

    assert judgement.verdict is Verdict.INCONCLUSIVE, judgement
    assert "of 8 paths gave no answer" in judgement.reason
