"""Every check passes in a world where everything works, on every stack where it applies."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.checks import Check
from pytest_ipv6k8s.features import Feature
from pytest_ipv6k8s.probe.probes import Probe, Probes
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.world import World, run_check


def _families(declared: Check, stack: Stack) -> list[Family | None]:
    return [f for f in declared.families if f in stack.families] or [None]


CASES = [
    (id, stack, family)
    for id, declared in catalogue.checks().items()
    for stack in Stack
    if stack in declared.stacks
    for family in _families(declared, stack)
]


def _name(value: object) -> str:
    return str(getattr(value, "value", value) or "")


@pytest.fixture
def looked_at_hosts(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Grows when a check looks at the host-network probes."""
    looked: list[bool] = []

    def get(probes: Probes) -> Sequence[Probe]:
        looked.append(True)
        hosts: Sequence[Probe] = vars(probes)["hosts"]
        return hosts

    put = property(get, lambda probes, hosts: vars(probes).update(hosts=hosts))
    monkeypatch.setattr(Probes, "hosts", put, raising=False)
    return looked


@pytest.mark.parametrize(("id", "stack", "family"), CASES, ids=_name)
def test_healthy_world_passes_also_without_host_network_probes_that_a_check_does_not_need(
    id: str, stack: Stack, family: Family | None, looked_at_hosts: list[bool]
) -> None:
    judgement = run_check(World(stack), id, family)

    assert judgement.verdict in (Verdict.PASS, Verdict.INFORMATIONAL), judgement.reason

    needed = Feature.HOST_NETWORK_PROBES in catalogue.checks()[id].features
    if looked_at_hosts and not needed:
        world = World(stack)
        world.hosts = ()

        judgement = run_check(world, id, family)

        assert judgement.verdict in (Verdict.PASS, Verdict.INFORMATIONAL), judgement.reason
