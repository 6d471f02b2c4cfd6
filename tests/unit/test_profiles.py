"""Which checks a profile rests on, and what they say of it."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.checks import DUAL_STACK, Level
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.features import ABSENT
from pytest_ipv6k8s.profiles import PROFILES, Part, result_of, validate
from pytest_ipv6k8s.reports.claims import claims
from pytest_ipv6k8s.reports.folding import fold_items, skipped_core
from pytest_ipv6k8s.reports.model import Claim
from pytest_ipv6k8s.results import ItemResult
from pytest_ipv6k8s.verdicts import Result, Verdict
from tests.documents import declared as _declared
from tests.documents import report, result
from tests.documents import result as made_result

CHECKS = catalogue.checks()


PARTS: dict[str, tuple[str, Any, Part | None]] = {
    "a core check of an area": ("ipv6-only", _declared("SVC-01"), Part.CORE),
    "an extended one": ("ipv6-only", _declared("MTU-06", level=Level.EXTENDED), Part.EXTENDED),
    "an informational one": ("ipv6-only", _declared("SVC-90", level=Level.INFORMATIONAL), None),
    "one of another area": ("ipv6-only", _declared("EGR-06", stacks=DUAL_STACK), None),
    "another area, for dual alone": (
        "dual-stack",
        _declared("EGR-06", stacks=DUAL_STACK),
        Part.CORE,
    ),
    "another area, for all": ("dual-stack", _declared("EGR-05"), None),
    "another area, for dual alone, extended": (
        "dual-stack",
        _declared("EGR-06", stacks=DUAL_STACK, level=Level.EXTENDED),
        None,
    ),
    "an optional area, for dual alone": (
        "dual-stack",
        _declared("POL-07", stacks=DUAL_STACK),
        None,
    ),
    "core of its only area": ("nat64", _declared("N64-13"), Part.CORE),
    "extended there": ("nat64", _declared("N64-31", level=Level.EXTENDED), Part.EXTENDED),
}


@pytest.mark.parametrize("case", PARTS)
def test_a_check_is_this_to_a_profile(case: str) -> None:
    profile, declared, part = PARTS[case]

    assert PROFILES[profile].part_of(declared) is part


def _is(part: Part, *verdicts: Verdict | None, waived: tuple[str, ...] = ()) -> str:
    named = {f"A-{number:02}": verdict for number, verdict in enumerate(verdicts, 1)}
    return result_of(part, named, waived).value


P, F, S, I, N = (  # noqa: E741
    *(Verdict.PASS, Verdict.FAIL, Verdict.SKIP),
    *(Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE),
)


@pytest.mark.parametrize(
    ("verdicts", "core", "extended"),
    [
        ((P, P), "success", "success"),
        ((P, F), "failure", "failure"),
        ((P, I), "partial", "partial"),
        ((I, F), "failure", "failure"),
        ((P, S), "partial", "success"),
        ((P, N), "success", "success"),
        ((P, None), "partial", "partial"),
        ((S, S), "partial", "partial"),
        ((N, N), "partial", "partial"),
        ((), "partial", "partial"),
    ],
)
def test_a_part_is_what_its_checks_are(verdicts: Any, core: str, extended: str) -> None:
    assert (_is(Part.CORE, *verdicts), _is(Part.EXTENDED, *verdicts)) == (core, extended)


def test_a_waiver_never_makes_a_part_green() -> None:
    assert _is(Part.CORE, P, F, waived=("A-02",)) == "partial"
    assert _is(Part.CORE, F, F, waived=("A-02",)) == "failure"


def test_every_profile_has_a_stack_and_every_id_one_part() -> None:
    for profile in PROFILES.values():
        core, extended = (set(profile.members(CHECKS.values(), part)) for part in Part)
        assert profile.stacks
        assert not core & extended
        assert core | extended <= set(CHECKS)


def test_a_profile_for_another_stack_is_refused() -> None:
    with pytest.raises(ConfigError, match="profile ipv6-only is not for a cluster whose stack is"):
        validate(["ipv6-only"], Stack.DUAL)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_has_core_checks(profile: str) -> None:
    assert PROFILES[profile].members(CHECKS.values(), Part.CORE)


def test_what_is_declared_not_to_be_there_supports_no_claim() -> None:
    away = made_result("POL-01", "not applicable", reason=f"{ABSENT}: a CNI that enforces it")
    checks = fold_items([made_result("POL-00", "pass"), away], {})
    known = {id: _declared(id) for id in ("POL-00", "POL-01")}

    (asked,) = claims(checks, known, Stack.DUAL, ["network-policy"])

    assert claims(checks, known, Stack.DUAL) == ()
    assert asked.core.result is Result.PARTIAL


def test_what_is_declared_not_to_be_there_is_a_gap_where_every_cluster_is_asked() -> None:
    away = made_result("EGR-01", "not applicable", reason=f"{ABSENT}: a way out of the cluster")

    assert report(away).result is Result.PARTIAL


@pytest.mark.parametrize(
    ("skipped", "asked", "result"),
    [
        ("SVC-01", (), "partial"),
        ("EGR-01", (), "partial"),
        ("OWN-01", (), "partial"),
        ("N64-01", (), "success"),
        ("POL-01", (), "success"),
        ("POL-01", ("nat64",), "success"),
        ("N64-01", ("nat64",), "partial"),
        ("N64-01", ("ipv6-only", "nat64"), "partial"),
    ],
)
def test_a_skipped_core_check_is_a_gap_where_every_cluster_is_asked_or_this_one_was(
    skipped: str, asked: tuple[str, ...], result: str
) -> None:
    made = report(made_result("DNS-01", "pass"), made_result(skipped, "skip"), asked=asked)

    assert made.result is Result(result)
    assert skipped_core(made.checks, asked) == ([skipped] if result == "partial" else [])


def _claimed(*results: ItemResult, asked: tuple[str, ...] = ()) -> dict[str, Claim]:
    declared = {c.id: c for c in (_declared("ADDR-01"), _declared("SVC-01"), _declared("N64-01"))}
    declared["SVC-02"] = _declared("SVC-02", level=Level.EXTENDED)
    checks = report(*results).checks
    return {claim.name: claim for claim in claims(checks, declared, Stack.IPV6, asked)}


def test_what_was_not_part_of_the_run_leaves_a_gap() -> None:
    core = _claimed(result("SVC-01", "pass"))["ipv6-only"].core

    assert (core.result, core.not_run) == (Result.PARTIAL, ("ADDR-01",))
    assert (core.statistics["pass"], core.statistics["not run"]) == (1, 1)


def test_nobody_claims_a_profile_for_the_few_of_its_checks_that_need_nothing() -> None:
    declared = {id: _declared(id) for id in ("EGR-01", "EGR-02", "EGR-03")}
    ran = [result("EGR-01", "pass"), result("EGR-02", "skip"), result("EGR-03", "skip")]

    assert claims(report(*ran).checks, declared, Stack.IPV6) == ()
    ran[1] = result("EGR-02", "inconclusive")
    assert [one.name for one in claims(report(*ran).checks, declared, Stack.IPV6)] == [
        "egress-nat66"
    ]


def test_a_profile_is_claimed_when_half_of_its_core_checks_came_to_a_verdict() -> None:
    assert set(_claimed(result("SVC-01", "pass"), result("N64-01", "skip"))) == {"ipv6-only"}
    assert set(_claimed(result("SVC-02", "pass"))) == set()


def test_a_profile_that_was_asked_for_is_shown_whatever_became_of_it() -> None:
    claimed = _claimed(result("N64-01", "skip"), asked=("nat64",))

    assert set(claimed) == {"nat64"}
    core = claimed["nat64"].core
    assert (core.result, core.skipped) == (Result.PARTIAL, ("N64-01",))
    assert claimed["nat64"].extended is None


def test_the_lists_of_a_part_name_its_checks() -> None:
    waived = {"SVC-01": "#7"}
    checks = report(
        result("SVC-01", "fail"), result("ADDR-01", "inconclusive"), waivers=waived
    ).checks
    (claim,) = claims(
        checks, {c: _declared(c) for c in ("SVC-01", "ADDR-01")}, Stack.IPV6, ["ipv6-only"]
    )

    core = claim.core
    assert (core.failed, core.inconclusive, core.waived, core.checks) == (
        ("SVC-01",),
        ("ADDR-01",),
        ("SVC-01",),
        ("ADDR-01", "SVC-01"),
    )


def test_the_revision_is_that_of_the_catalogue() -> None:
    assert catalogue.revision() == catalogue.revision()
    assert len(catalogue.revision()) == 12
