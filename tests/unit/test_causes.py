"""Likely causes are told in the order of the evidence."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ipv6k8s.agent.ops import tcp_connect
from pytest_ipv6k8s.causes import (
    Cause,
    Seen,
    either,
    failing,
    first,
    likely,
    no,
    only,
    some,
    told,
    unless,
)
from pytest_ipv6k8s.evidence import Record

COLD, WARM = told("snow"), told("sun")


def _answered(error: str) -> Record[Any]:
    answer = tcp_connect.Answer(connected=False, error=error)
    return Record(source="a", request={"address": "fd00::b"}, answer=answer)


def _refused(record: Record[Any]) -> bool:
    return bool(record.answer.error == "ECONNREFUSED")


@pytest.mark.parametrize(
    ("found", "causes"),
    [
        ([], ["plain", "frost", "both"]),
        (["snow on the way"], ["winter", "frost", "plain"]),
        (["the sun"], ["plain", "frost", "both"]),
    ],
)
def test_what_was_seen_leads_and_what_cannot_be_is_left_out(
    found: list[str], causes: list[str]
) -> None:
    known = [Cause("plain"), only(COLD, "winter"), first(COLD, "frost"), unless(COLD, "both")]

    assert list(likely(known, Seen(told=found))) == causes


def test_evidence_that_fits_nothing_rules_nothing_out() -> None:
    known = [only(COLD, "winter"), only(WARM, "summer")]

    assert likely(known, Seen(told=["rain"])) == ("winter", "summer")


@pytest.mark.parametrize(
    ("errors", "all_of_them", "some_of_them"),
    [
        ([], False, False),
        (["ECONNREFUSED"], True, True),
        (["ECONNREFUSED", "ETIMEDOUT"], False, True),
        (["ETIMEDOUT"], False, False),
    ],
)
def test_answers_that_failed_are_evidence(
    errors: list[str], all_of_them: bool, some_of_them: bool
) -> None:
    seen = Seen(failed=[_answered(error) for error in errors], good=[_answered("ECONNREFUSED")])

    assert failing(_refused)(seen) is all_of_them
    assert some(_refused)(seen) is some_of_them
    assert no(some(_refused))(seen) is not some_of_them
    assert either(failing(_refused), some(_refused))(seen) is some_of_them
