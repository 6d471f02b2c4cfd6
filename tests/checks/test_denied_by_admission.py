"""What admission denies is no answer of the API server, and no check fails for it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.kube.client import Cause, Outcome
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.breaking import all_denied, all_refused
from tests.checks.test_healthy_world import CASES
from tests.checks.world import World, run_check

API = [(id, stack) for id, stack, _ in CASES if id.startswith("API-") and id != "API-22"]


@pytest.mark.parametrize(("id", "stack"), API)
def test_a_webhook_that_denies_every_service_turns_nothing_into_a_fail(
    id: str, stack: Stack
) -> None:
    world = World(stack)
    world.on_propose = all_denied

    judgement = run_check(world, id)

    assert judgement.verdict in (Verdict.PASS, Verdict.INCONCLUSIVE), judgement
    assert "no Services here" in judgement.reason


BANS: dict[str, tuple[str, str, Outcome]] = {
    "a quota of no node ports": (
        "API-18",
        "NodePort",
        Outcome(code=403, object={}, message="exceeded quota: no-node-ports"),
    ),
    "a policy against ExternalName": (
        "API-17",
        "ExternalName",
        Outcome(code=422, object={}, message="ValidatingAdmissionPolicy denied request"),
    ),
}


@pytest.mark.parametrize("case", BANS)
def test_a_ban_of_one_type_leaves_its_validation_to_be_judged(case: str) -> None:
    id, banned, ban = BANS[case]
    world = World(Stack.IPV6)

    def deny(body: Mapping[str, Any], outcome: Outcome) -> Outcome:
        return ban if outcome.accepted and body["spec"].get("type") == banned else outcome

    world.on_propose = deny

    judgement = run_check(world, id)

    assert judgement.verdict is Verdict.PASS, judgement
    assert ban.message in judgement.reason


FULL = "Internal error occurred: failed to allocate a serviceIP: range is full"
TAKEN = "spec.clusterIPs: Invalid value: failed to allocate IP: provided IP is already allocated"


@pytest.mark.parametrize(
    ("id", "code", "message"),
    [("API-01", 500, FULL), ("API-09", 422, TAKEN), ("API-12", 422, TAKEN)],
)
def test_addresses_that_others_have_are_no_fault(id: str, code: int, message: str) -> None:
    world = World(Stack.IPV6)
    taken = Outcome(
        code=code, object={}, message=message, causes=(Cause(field="x", reason="", message=""),)
    )

    def refuse(body: Mapping[str, Any], outcome: Outcome) -> Outcome:
        own = body["spec"].get("clusterIP") and "ipFamilies" not in body["spec"]
        return taken if outcome.accepted and (own or code == 500) else outcome

    world.on_propose = refuse

    judgement = run_check(world, id)

    assert judgement.verdict is Verdict.INCONCLUSIVE, judgement
    assert "other Services have" in judgement.reason


def test_a_free_address_is_found_in_a_small_range() -> None:
    world = World(Stack.IPV6)
    world.service_cidrs = ("fd00:10:96::100/124",)
    inside = {f"fd00:10:96::1{number:02x}" for number in range(1, 15)}

    def refuse(body: Mapping[str, Any], outcome: Outcome) -> Outcome:
        beyond = set(body["spec"].get("clusterIPs", ())) - inside
        return all_refused(body, outcome) if beyond else outcome

    world.on_propose = refuse

    judgement = run_check(world, "API-09")

    assert judgement.verdict is Verdict.PASS, judgement


@pytest.mark.parametrize(("id", "stack"), API)
def test_a_dry_run_may_be_judged_by_any_range_of_services(id: str, stack: Stack) -> None:
    world = World(stack)
    world.further_service_cidrs = ("10.197.0.0/24", "fd00:10:197::/112")
    message = "the provided IP is not in the valid range. The range of valid IPs is 10.197.0.0/24"
    cause = Cause(field="spec.clusterIPs", reason="FieldValueInvalid", message=message)
    another = Outcome(code=422, object={}, message=message, causes=(cause,))
    turns = itertools.cycle((another, another, None))

    def one_of_the_ranges(body: Mapping[str, Any], outcome: Outcome) -> Outcome:
        asks = outcome.accepted and body["spec"].get("clusterIP") not in (None, "None")
        return (next(turns) if asks else None) or outcome

    world.on_propose = one_of_the_ranges

    judgement = run_check(world, id)

    assert judgement.verdict in (Verdict.PASS, Verdict.INFORMATIONAL), judgement
