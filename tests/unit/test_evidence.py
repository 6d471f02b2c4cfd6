"""What is kept of answers, what is kept secret, and how an expectation fails."""

from __future__ import annotations

import enum
import json
import threading
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ipv6k8s.evidence import Record, Recorder, digest, kept
from pytest_ipv6k8s.expectations import Unmet, expect, expect_all
from pytest_ipv6k8s.masking import LONGEST_TEXT, REDACTED, redact

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK=\n-----END RSA PRIVATE KEY-----"


class Colour(str, enum.Enum):
    RED = "red"


@dataclass(frozen=True)
class Said:
    pod: str = ""
    token: str = ""
    addresses: tuple[str, ...] = ()
    colour: Colour | None = None


def _record(answer: Any = "yes", **more: Any) -> Record[Any]:
    return Record(**{"source": "probe-00", "request": {"op": "identity"}, "answer": answer, **more})


@pytest.mark.parametrize("secret", [JWT, PEM, f"Bearer {JWT}", "bearer-free Bearer abc"])
def test_a_secret_within_a_text_is_taken_out(secret: str) -> None:
    plain = redact(f"before {secret} after")

    assert plain.startswith("before ")
    assert plain.endswith(f"{REDACTED} after")
    for part in ("eyJ", "MIIEow", "Bearer abc"):
        assert part not in plain


@pytest.mark.parametrize(
    "key",
    [
        *("token", "Token", "bearerToken", "password", "db_password", "client-secret"),
        *("Authorization", "client-key-data", "apiKey"),
    ],
)
def test_the_text_under_a_secret_key_is_taken_out_at_any_depth(key: str) -> None:
    plain = redact({"user": [{"inner": {key: "hunter2", "name": "me"}}]})

    assert plain == {"user": [{"inner": {key: REDACTED, "name": "me"}}]}


@pytest.mark.parametrize("value", [["hunter2"], ("hunter2",), {"first": "hunter2"}])
def test_whatever_lies_under_a_secret_key_is_taken_out(value: Any) -> None:
    assert "hunter2" not in json.dumps(redact({"passwords": value}))


def test_dataclasses_enums_and_collections_become_plain() -> None:
    said = Said(pod="p", token="hunter2", addresses=("::1", "::2"), colour=Colour.RED)

    plain = redact({"said": said, "known": {3: frozenset({"x"})}, "none": None, "number": 1.5})

    assert plain == {
        "said": {"pod": "p", "token": REDACTED, "addresses": ["::1", "::2"], "colour": "red"},
        "known": {"3": ["x"]},
        "none": None,
        "number": 1.5,
    }
    assert type(plain["said"]["colour"]) is str


def test_a_dataclass_itself_is_no_record_of_one() -> None:
    assert redact(Said) is Said


def test_a_long_text_is_cut_after_its_secrets_are_out() -> None:
    straddling = "x" * (LONGEST_TEXT - 20) + f" {JWT} end"

    plain = redact(straddling)

    assert len(plain) <= LONGEST_TEXT
    assert "eyJ" not in plain
    assert redact("y" * (LONGEST_TEXT * 2)) == "y" * LONGEST_TEXT


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_PLAIN)
def test_redacting_twice_is_redacting_once(data: Any) -> None:
    once = redact(data)

    assert redact(once) == once
    json.dumps(once)


def test_the_plain_record_has_no_secrets_and_a_rounded_time() -> None:
    record = _record(
        {"token": "hunter2", "pod": "p"},
        request={"op": "x", "header": f"Bearer {JWT}"},
        seconds=0.123456,
    )

    assert record.plain() == {
        "source": "probe-00",
        "request": {"op": "x", "header": REDACTED},
        "answer": {"token": REDACTED, "pod": "p"},
        "seconds": 0.1235,
    }


def test_a_record_says_its_path_and_what_is_not_empty() -> None:
    record = _record(Said(pod="p", token="hunter2"), path="a → b")

    assert str(record) == f"a → b: pod p; token {REDACTED}"


def test_a_record_without_a_path_says_who_was_asked() -> None:
    assert str(_record("yes")) == "probe-00: yes"


def test_what_is_false_or_zero_is_still_said() -> None:
    assert str(_record({"connected": False, "count": 0})) == "probe-00: not connected; count 0"


def test_the_digest_heeds_neither_order_nor_time() -> None:
    one, other = _record("yes", seconds=0.1), _record("no", seconds=0.2)

    assert digest([one, other]) == digest([replace(other, seconds=9.0), replace(one, seconds=8.0)])


@pytest.mark.parametrize(
    "changed", [{"answer": "no"}, {"source": "probe-01"}, {"request": {"op": "ping"}}]
)
def test_the_digest_heeds_whatever_was_asked_and_said(changed: dict[str, Any]) -> None:
    record = _record("yes")

    assert digest([record]) != digest([replace(record, **changed)])


def test_the_digest_tells_one_answer_from_two_equal_ones() -> None:
    assert digest([_record()]) != digest([_record(), _record()])


def test_a_recorder_forgets_what_was_taken() -> None:
    recorder = Recorder()
    first, second = _record("one"), _record("two")

    assert recorder.append(first) is first
    recorder.append(second)

    assert recorder.take() == (first, second)
    assert recorder.take() == ()


def test_a_recorder_loses_nothing_between_threads() -> None:
    recorder = Recorder()
    taken: list[Record[Any]] = []

    def work(thread: int) -> None:
        for number in range(200):
            recorder.append(_record((thread, number)))
            if number % 20 == 0:
                taken.extend(recorder.take())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.extend(recorder.take())

    assert sorted(record.answer for record in taken) == [
        (t, n) for t in range(8) for n in range(200)
    ]


@pytest.mark.parametrize("condition", [True, 1, [0], "x"])
def test_an_expectation_that_holds_is_silent(condition: object) -> None:
    expect(condition, expected="anything", actual="whatever")


def _unmet(condition: object, actual: object, **more: Any) -> Unmet:
    with pytest.raises(Unmet) as caught:
        expect(condition, expected="the moon", actual=actual, **more)
    return caught.value


def test_an_unmet_expectation_knows_what_was_seen_and_where() -> None:
    records = [
        _record("no", path="a → b"),
        _record("nay", path="a → c"),
        _record("n", path="a → b"),
    ]

    unmet = _unmet(False, records)

    assert unmet.expected == "the moon"
    assert unmet.actual == ("a → b: no", "a → c: nay", "a → b: n")
    assert unmet.paths == ("a → b", "a → c")
    assert isinstance(unmet, AssertionError)
    assert str(unmet).startswith("expected the moon; actual: a → b: no; ")


@pytest.mark.parametrize("condition", [False, 0, None, [], ""])
def test_whatever_is_empty_does_not_hold(condition: object) -> None:
    assert _unmet(condition, "stars").actual == ("stars",)


def test_only_the_first_three_findings_are_in_the_message() -> None:
    unmet = _unmet(False, ["one", "two", "three", "four"])

    assert str(unmet) == "expected the moon; actual: one; two; three"
    assert len(unmet.actual) == 4


def test_nothing_seen_is_said() -> None:
    assert _unmet(False, []).actual == ("nothing",)


def test_a_finding_may_be_put_into_words() -> None:
    assert _unmet(False, (1, 2), say=lambda n: f"number {n}").actual == ("number 1", "number 2")


def test_a_finding_is_told_without_secrets() -> None:
    unmet = _unmet(False, [_record({"password": "hunter2"}), f"Bearer {JWT}"])

    assert unmet.actual == (f"probe-00: password {REDACTED}", REDACTED)
    assert "hunter2" not in str(unmet)


def test_an_expectation_of_all_names_those_that_are_not_met() -> None:
    records = [_record("yes"), _record("no", path="a → b")]

    with pytest.raises(Unmet, match="expected a yes; actual: answer no") as caught:
        expect_all(
            records,
            lambda record: record.answer == "yes",
            expected="a yes",
            say=lambda record: f"answer {record.answer}",
        )

    assert caught.value.records == (records[1],)
    assert caught.value.paths == ("a → b",)


def test_an_expectation_of_none_is_met() -> None:
    expect_all([], bool, expected="anything")


def test_what_is_judged_need_not_be_a_record() -> None:
    with pytest.raises(Unmet, match="expected even numbers; actual: 3"):
        expect_all([2, 3, 4], lambda number: number % 2 == 0, expected="even numbers")


def test_judged_answers_are_kept_before_the_others() -> None:
    controls, judged = [_record(n) for n in range(5)], [_record("yes"), _record("also")]
    expect_all(judged, lambda record: True, expected="anything")

    assert kept([*controls, *judged], 3) == [*judged, controls[0]]


def test_a_failing_answer_is_kept_whatever_passed_before() -> None:
    passed = [_record("yes") for _ in range(500)]
    failed = [_record("yes"), _record("no")]

    def is_yes(record: Record[Any]) -> bool:
        return bool(record.answer == "yes")

    expect_all(passed, is_yes, expected="a yes")
    with pytest.raises(Unmet):
        expect_all(failed, is_yes, expected="a yes")

    assert kept([*passed, *failed], 1) == [failed[1]]


def test_each_expectation_shows_an_answer_before_one_shows_two() -> None:
    first, second = [_record(n) for n in range(3)], [_record("a"), _record("b")]
    for records in (first, second):
        expect_all(records, lambda record: True, expected="anything")

    assert [record.answer for record in kept([*first, *second], 4)] == [0, "a", 1, "b"]


def test_an_answer_that_failed_once_stays_failed() -> None:
    record, other = _record("no"), _record("yes")
    with pytest.raises(Unmet):
        expect(False, expected="the moon", actual=record)
    expect_all([other, record], lambda record: True, expected="anything")

    assert kept([other, record], 1) == [record]


def test_what_a_single_answer_was_expected_to_be_is_judged_too() -> None:
    control, judged = _record("control"), _record("yes")
    expect(judged.answer == "yes", expected="a yes", actual=judged)

    assert kept([control, judged], 1) == [judged]


def test_a_mark_is_no_part_of_what_was_recorded() -> None:
    judged, other = _record(), _record()
    expect(True, expected="anything", actual=judged)

    assert judged == other
    assert judged.plain() == other.plain()
    assert digest([judged]) == digest([other])
