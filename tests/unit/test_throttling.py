"""How long a container was kept from the processor lately."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.agent import throttling

V2 = "usage_usec 9\nnr_periods 4\nnr_throttled 2\nthrottled_usec {}\n"
V1 = "nr_periods 4\nnr_throttled 2\nthrottled_time {}\n"


@pytest.mark.parametrize(
    ("field", "text", "second"),
    [("throttled_usec", V2, 10**6), ("throttled_time", V1, 10**9)],
    ids=["cgroup v2", "cgroup v1"],
)
def test_what_came_since_the_first_question_of_late_counts(
    field: str, text: str, second: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, now = tmp_path / "cpu.stat", [0.0]
    counters = (("/no/such/file", "x", 1.0), (str(file), field, float(second)))
    monkeypatch.setattr(throttling, "_COUNTERS", counters)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    throttling._noted.clear()
    for moment, total in ((0, 5), (20, 6), (25, 7)):
        now[0] = moment
        file.write_text(text.format(total * second))
        throttling.note()
    file.write_text(text.format(9 * second))

    assert throttling.seconds() == 3.0


def test_without_a_counter_nothing_is_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "_COUNTERS", (("/no/such/file", "x", 1.0),))
    throttling._noted.clear()
    throttling.note()

    assert throttling.seconds() == 0.0
    assert throttling.value_of("throttled_usec", ["usage_usec 9\n"]) == 0


def test_a_burst_of_questions_does_not_push_the_first_one_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, now = tmp_path / "cpu.stat", [0.0]
    monkeypatch.setattr(throttling, "_COUNTERS", ((str(file), "throttled_usec", 1e6),))
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    throttling._noted.clear()
    for number in range(1000):
        now[0] = number / 200
        file.write_text(V2.format(number * 4000))
        throttling.note()

    assert throttling.seconds() == pytest.approx(3.996)
