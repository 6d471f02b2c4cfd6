"""What a check rests on, and when a red one explains another."""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.checks import Check, Level
from pytest_ipv6k8s.evidence import API_SERVER, Record, mark
from pytest_ipv6k8s.resting import Ledger, Place, Red, in_order, place_of, red
from tests.documents import declared

V4, V6 = Family.V4, Family.V6
NODES = {"a": "n1", "b": "n2", "c": "n3", "fd00::a": "n1", "fd00::b": "n2", "fd00::c": "n3"}
BASE = declared("AA-01", families=Family)
DEEP = declared("AA-02", families=Family, rests_on=["AA-01"])
DEEPER = declared("AA-03", families=Family, rests_on=["AA-02"])
PARTLY = declared("AA-04", families=Family, rests_partly_on=["AA-01"])
OTHER = declared("AA-05", families=Family)
CHECKS = {check.id: check for check in (BASE, DEEP, DEEPER, PARTLY, OTHER)}


def _record(source: str, address: str, *, failed: bool = True) -> Record[Any]:
    record: Record[Any] = Record(source=source, request={"address": address}, answer=None)
    mark([record], failed=failed)
    return record


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path, CHECKS)


def _red(check: Check, *records: Record[Any], family: Family = V6) -> Red:
    return red(check, family, records, NODES)


def test_what_rests_on_a_check_that_is_wholly_red_is_held_back(ledger: Ledger) -> None:
    ledger.note(_red(BASE, _record("a", "fd00::b"), _record("b", "fd00::a")))

    assert ledger.holding(DEEP, V6) == ("AA-01",)
    assert ledger.holding(DEEPER, V6) == ("AA-01",)
    assert ledger.holding(DEEP, V4) == ()
    assert ledger.holding(PARTLY, V6) == ()
    assert ledger.holding(OTHER, V6) == ()
    assert ledger.holding(BASE, V6) == ()


def test_what_rests_on_a_check_that_is_red_in_part_is_asked(ledger: Ledger) -> None:
    ledger.note(_red(BASE, _record("a", "fd00::b"), _record("b", "fd00::c", failed=False)))

    assert ledger.holding(DEEP, V6) == ()
    assert ledger.suspects(DEEP, V6) == ledger.suspects(PARTLY, V6) == ("AA-01",)
    assert ledger.suspects(OTHER, V6) == ()


@pytest.mark.parametrize(
    ("failed", "explained"),
    [
        ([("a", "fd00::b")], True),
        ([("b", "fd00::a")], True),
        ([("a", "fd00::1:1")], True),
        ([("a", "fd00::c")], False),
        ([("c", "fd00::1:1")], False),
        ([("a", "fd00::b"), ("c", "fd00::1:1")], False),
        ([("a", "10.0.0.1")], False),
        ([("outside", "fd00::b")], True),
        ([("outside", "fd00::c")], False),
        ([], False),
    ],
)
def test_a_failure_in_the_same_places_is_explained(
    ledger: Ledger, failed: list[tuple[str, str]], explained: bool
) -> None:
    ledger.note(_red(BASE, _record("a", "fd00::b"), _record("c", "fd00::a", failed=False)))

    places = {place_of(_record(*where), NODES) for where in failed}

    assert ledger.explaining(PARTLY, V6, places) == (("AA-01",) if explained else ())
    assert ledger.explaining(OTHER, V6, places) == ()


@pytest.mark.parametrize(
    ("source", "destination", "explained"),
    [("n3", "n1", True), ("n1", "n3", True), ("n3", "n2", False), ("n3", "", False)],
)
def test_a_service_that_is_wrong_on_a_node_spoils_what_the_node_is_asked(
    ledger: Ledger, source: str, destination: str, explained: bool
) -> None:
    ledger.note(_red(BASE, _record("a", "fd00::1:1")))

    place = Place(source=source, destination=destination, family=V6)

    assert ledger.explaining(PARTLY, V6, [place]) == (("AA-01",) if explained else ())


@pytest.mark.parametrize(
    ("failed", "explained"),
    [
        ([("c", "fd00::1:1"), ("c", "fd00::b")], True),
        ([("c", "fd00::1:1"), ("a", "fd00::b")], False),
        ([("c", "fd00::1:1"), ("c", "fd00::a")], False),
    ],
)
def test_what_explains_its_endpoints_explains_a_service(
    ledger: Ledger, failed: list[tuple[str, str]], explained: bool
) -> None:
    ledger.note(_red(BASE, _record("b", "2001:db8::1")))

    places = [place_of(_record(*where), NODES) for where in failed]

    assert ledger.explaining(PARTLY, V6, places) == (("AA-01",) if explained else ())


def test_what_is_red_already_is_doubted_in_what_rests_on_it(ledger: Ledger) -> None:
    ledger.note(_red(BASE, _record("a", "fd00::b"), _record("c", "fd00::a", failed=False)))

    assert ledger.doubtful(DEEPER, V6) == (Place(source="n1", destination="n2", family=V6),)
    assert ledger.doubtful(DEEPER, V4) == ledger.doubtful(OTHER, V6) == ()


def test_two_red_checks_explain_what_neither_does_alone(tmp_path: Path) -> None:
    both = declared("AA-06", rests_partly_on=["AA-01", "AA-05"])
    ledger = Ledger(tmp_path, {**CHECKS, "AA-06": both})
    ledger.note(_red(BASE, _record("a", "fd00::1:1")))
    ledger.note(_red(OTHER, _record("c", "fd00::1:2")))

    places = [Place(source="n1"), Place(source="n3")]

    assert ledger.explaining(both, None, places) == ("AA-01", "AA-05")


def test_what_was_asked_of_no_node_is_explained_by_the_same(ledger: Ledger) -> None:
    ledger.note(_red(BASE, _record("nobody", "a.name")))

    assert ledger.explaining(PARTLY, V6, [Place()]) == ("AA-01",)
    assert ledger.explaining(PARTLY, V6, [Place(source="n1")]) == ()


@pytest.mark.parametrize("records", [[], [_record(API_SERVER, "")]], ids=["none", "of objects"])
def test_an_object_that_is_wrong_spoils_all_nodes(
    ledger: Ledger, records: list[Record[Any]]
) -> None:
    ledger.note(_red(BASE, *records))

    assert ledger.explaining(PARTLY, V6, [Place(source="n1"), Place()]) == ("AA-01",)
    assert ledger.explaining(PARTLY, V6, []) == ("AA-01",)
    assert ledger.explaining(PARTLY, V4, [Place(source="n1")]) == ()
    assert ledger.explaining(OTHER, V6, [Place(source="n1")]) == ()


def test_a_check_without_a_family_is_about_those_of_all_its_stacks() -> None:
    ipv6 = next(check for check in catalogue.checks().values() if check.id == "ADDR-05")

    assert red(ipv6, None, [], {}).families == (V6,)
    assert red(declared("AA-07"), None, [], {}).families == (V4, V6)


def test_what_is_explained_hands_on_what_explains_it(ledger: Ledger) -> None:
    explained = red(DEEP, V6, [_record("a", "fd00::b")], NODES, ["AA-01"])
    ledger.note(explained)

    assert ledger.holding(DEEPER, V6) == ("AA-01",)


def test_a_failed_check_waits_until_its_bases_have_ended(ledger: Ledger, tmp_path: Path) -> None:
    other = Ledger(tmp_path, CHECKS)
    bases = ["test_a.py::test_a", "test_a.py::test_b"]
    other.end(bases[0])
    ending = Thread(target=other.end, args=(bases[1],))
    ending.start()

    ledger.wait_for(bases, timeout=10)
    ending.join()
    other.note(_red(BASE, _record("a", "fd00::b")))

    assert ledger.holding(DEEP, V6) == ("AA-01",)


def test_it_does_not_wait_for_ever(ledger: Ledger) -> None:
    ledger.wait_for(["never"], timeout=0)


def test_bases_are_there_sound_and_asked_first() -> None:
    checks = catalogue.checks()
    order = in_order(checks)
    for check in checks.values():
        for id in (*check.rests_on, *check.rests_partly_on):
            assert checks[id].level is not Level.INFORMATIONAL, (check.id, id)
            assert order[id] < order[check.id] or id == check.id, (check.id, id)
