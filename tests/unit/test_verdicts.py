"""One verdict for whatever may happen in an item, and one for all items of a check."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from pytest_ipv6k8s.checks import Level
from pytest_ipv6k8s.errors import ClusterError, ControlChannelError, Inconclusive
from pytest_ipv6k8s.expectations import Unmet
from pytest_ipv6k8s.verdicts import Phase, Verdict, fold, judge

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
INFORMS, SKIP, OTHER_STACK = Verdict.INFORMATIONAL, Verdict.SKIP, Verdict.NOT_APPLICABLE
NOT_JUDGED = Verdict.NOT_JUDGED
UNMET = Unmet("an answer", ["none"], [])
UNMET_TEXT = "expected an answer; actual: none"
GONE = "probe pods were deleted: probe-01"
ORDINARY: dict[str, Any] = {"answers": 3, "expectations": 1}

# What happened; the verdict of a check that counts; that of an informational one; the reason.
TABLE: dict[str, tuple[dict[str, Any], Verdict, Verdict, str]] = {
    "returned": ({}, PASS, INFORMS, ""),
    "returned, probes gone": ({"out_of_order": GONE}, PASS, INFORMS, ""),
    "asked nothing": ({"answers": 0}, UNKNOWN, INFORMS, "asserted nothing: no answer received"),
    "expected nothing": (
        {"expectations": 0},
        UNKNOWN,
        INFORMS,
        "asserted nothing: no expectation was stated of any answer",
    ),
    "unmet": ({"error": UNMET}, FAIL, INFORMS, UNMET_TEXT),
    "bare assert": ({"error": AssertionError("no")}, FAIL, INFORMS, "no"),
    "unmet, nothing asked": (
        {"error": UNMET, "answers": 0},
        UNKNOWN,
        INFORMS,
        "asserted without having asked",
    ),
    "could not tell, probes gone": (
        {"error": Inconclusive("why"), "out_of_order": GONE},
        UNKNOWN,
        INFORMS,
        f"{GONE}; why",
    ),
    "unmet, probes gone": ({"error": UNMET, "out_of_order": GONE}, UNKNOWN, INFORMS, GONE),
    "unmet in set-up": (
        {"error": UNMET, "phase": Phase.SETUP},
        UNKNOWN,
        INFORMS,
        f"set-up asserted: {UNMET_TEXT}",
    ),
    "gave up": ({"error": Inconclusive("who knows")}, UNKNOWN, INFORMS, "who knows"),
    "gave up in set-up": (
        {"error": Inconclusive("who knows"), "phase": Phase.SETUP, "answers": 0},
        UNKNOWN,
        INFORMS,
        "who knows",
    ),
    "channel broke": (
        {"error": ControlChannelError("exec broke", remedy="try again")},
        UNKNOWN,
        INFORMS,
        "exec broke. Try again.",
    ),
    "suite broke": (
        {"error": KeyError("x")},
        UNKNOWN,
        INFORMS,
        "the suite broke: KeyError: 'x'",
    ),
    "cluster error": (
        {"error": ClusterError("forbidden")},
        UNKNOWN,
        INFORMS,
        "the suite broke: ClusterError: forbidden",
    ),
    "interrupted": (
        {"error": KeyboardInterrupt()},
        UNKNOWN,
        INFORMS,
        "the suite broke: KeyboardInterrupt: ",
    ),
    "not asked, for a red check": (
        {"rests_on": ["DNS-01"], "answers": 0, "error": UNMET},
        NOT_JUDGED,
        NOT_JUDGED,
        "not judged: rests on DNS-01",
    ),
    "failed like a red check": (
        {"rests_on": ["DNS-01", "SVC-01"], "error": AssertionError("no")},
        NOT_JUDGED,
        NOT_JUDGED,
        "not judged: rests on DNS-01, SVC-01",
    ),
    "need not met": ({"skipped": "needs two nodes", "answers": 0}, SKIP, SKIP, "needs two nodes"),
    "need not met, raised": (
        {"skipped": "needs two nodes", "error": UNMET},
        SKIP,
        SKIP,
        "needs two nodes",
    ),
    "other stack": (
        {"not_applicable": "for dual stack", "answers": 0},
        OTHER_STACK,
        OTHER_STACK,
        "for dual stack",
    ),
    "other stack, need not met": (
        {"not_applicable": "for dual stack", "skipped": "needs two nodes", "error": UNMET},
        OTHER_STACK,
        OTHER_STACK,
        "for dual stack",
    ),
}


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("case", TABLE)
def test_whatever_happens_has_one_verdict_and_its_sentence(case: str, level: Level) -> None:
    happened, counts, informs, reason = TABLE[case]

    judgement = judge(**{"level": level, **ORDINARY, **happened})

    assert judgement.verdict is (informs if level is Level.INFORMATIONAL else counts)
    unmeasured = counts is UNKNOWN and level is Level.INFORMATIONAL
    assert judgement.reason == (f"not measured: {reason}" if unmeasured else reason)


@pytest.mark.parametrize("error", [None, UNMET, Inconclusive("who knows")])
def test_remarks_stand_beside_the_verdict(error: Exception | None) -> None:
    remarks = ["0 of 3000 lost", "judged on 2 of 5 nodes"]

    judgement = judge(level=Level.CORE, **ORDINARY, remarks=remarks, error=error)

    reason = f"{error}; " if error else ""
    assert judgement.reason == f"{reason}0 of 3000 lost; judged on 2 of 5 nodes"


@pytest.mark.parametrize("case", TABLE)
def test_an_informational_check_never_turns_a_run_red(case: str) -> None:
    judgement = judge(**{"level": Level.INFORMATIONAL, **ORDINARY, **TABLE[case][0]})

    assert judgement.verdict not in (PASS, FAIL)
    assert not judgement.verdict.is_red


def test_the_table_has_every_verdict() -> None:
    assert {verdict for row in TABLE.values() for verdict in row[1:3]} == set(Verdict)


WORST_FIRST = [FAIL, UNKNOWN, NOT_JUDGED, PASS, INFORMS, SKIP, OTHER_STACK]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_worst_verdict_reached_is_that_of_the_check(size: int) -> None:
    for verdicts in itertools.product(Verdict, repeat=size):
        assert fold(verdicts) is min(verdicts, key=WORST_FIRST.index)


def test_a_check_without_items_is_not_applicable() -> None:
    assert fold([]) is OTHER_STACK


def test_only_failures_and_the_inconclusive_are_red() -> None:
    assert [verdict for verdict in Verdict if verdict.is_red] == [FAIL, UNKNOWN]
