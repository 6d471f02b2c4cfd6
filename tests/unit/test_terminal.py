"""The end of a run on a terminal: the root first, in as few columns as there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.reports import Report, terminal
from pytest_ipv6k8s.reports.writers import save
from pytest_ipv6k8s.results import Failure
from pytest_ipv6k8s.verdicts import Verdict
from tests.documents import report, result, sample


def _text(made: Report, width: int = 80) -> str:
    lines = (
        *terminal.headlines(made, width),
        *terminal.matrix(made, width),
        *terminal.counts(made, 200),
        *terminal.claims(made, width),
        *terminal.reasons(made, width),
    )
    return "\n".join(line.text for line in lines)


@pytest.mark.parametrize("width", [80, 140])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    every = [result(f"DNS-{n:02}", verdict) for n, verdict in enumerate(Verdict)]
    words = "a rather long sentence " * 9
    long = result("SVC-01", "inconclusive", "IPv6", reason=words, requirement=words)

    for made in (sample(), report(*every, long)):
        assert max(map(len, _text(made, width).splitlines())) <= width


def test_one_fault_is_one_headline_and_what_rests_on_it_one_line() -> None:
    root = Failure(
        expected="an answer",
        actual=("pod p → 10.96.0.10:53: error ECONNREFUSED",),
        paths=("pod p → 10.96.0.10:53",),
        causes=(),
        look="kubectl -n kube-system describe deployment coredns",
        facts=("Service kube-system/kube-dns has 0 of 0 IPv4 endpoints ready",),
        fixes=("CoreDNS: scale it up",),
    )
    resting = [result(f"DNS-{n:02}", "not judged", rests_on=("DNS-01",)) for n in range(2, 32)]
    text = _text(report(result("DNS-01", "fail", failure=root), *resting))

    lines = text.splitlines()
    assert lines[0].startswith("DNS-01")
    assert any("0 of 0 IPv4 endpoints" in line for line in lines[:5])
    assert [line for line in lines if line.startswith("  rests")] == [
        "  rests     30 checks rest on it, not judged: DNS-02, DNS-03, DNS-04, DNS-05,"
    ]
    assert not [line for line in lines if line.startswith("not judged")]
    assert len(lines) <= 25
    assert root.in_short == "error ECONNREFUSED; pod p → 10.96.0.10:53"


def test_a_family_that_is_inconclusive_beside_a_failed_one_is_told(tmp_path: Path) -> None:
    failure = Failure(expected="e", actual=("a",), paths=(), causes=(), look="see")
    made = report(
        result("SVC-01", "fail", "IPv4", failure=failure),
        result("SVC-01", "inconclusive", "IPv6", reason="the probe died"),
    )

    assert "inconclusive  SVC-01 IPv6: the probe died" in _text(made)
    for name in ("report.md", "report.html"):
        save(made, tmp_path / name)
        assert "the probe died" in (tmp_path / name).read_text(), name


def test_what_is_inconclusive_for_one_reason_is_told_once() -> None:
    made = [result(f"N64-{n}", "inconclusive", reason="targets do not work") for n in range(14, 24)]

    lines = [line for line in _text(report(*made)).splitlines() if "targets do not" in line]

    assert len(lines) == 1
    assert "N64-14, N64-15" in _text(report(*made))


def test_what_was_not_tested_is_one_line_under_a_failure() -> None:
    failure = Failure(expected="e", actual=("a",), paths=(), causes=(), look="see")
    skips = [result(f"N64-{n:02}", "skip", reason=f"r{n}: x") for n in range(10, 30)]

    assert "Not tested: 20 checks (-v: how to)" in _text(
        report(result("SVC-01", "fail", failure=failure), *skips)
    )
    assert "Not tested, and how to (-v: why):" in _text(report(*skips))


def test_what_rests_on_a_check_is_told_once_for_both_families() -> None:
    failure = Failure(expected="e", actual=("a",), paths=(), causes=(), look="see")
    red = [result("SVC-01", "fail", family, failure=failure) for family in ("IPv4", "IPv6")]

    text = _text(report(*red, result("SVC-02", "not judged", rests_on=("SVC-01",))))

    assert text.count("SVC-02") == 1


def test_areas_in_which_nothing_is_wrong_are_counted_together() -> None:
    fine = [result("ADDR-01", "pass"), result("API-01", "pass"), result("EGR-01", "skip")]

    def areas(made: Report) -> list[str]:
        return [line.text.split()[0] for line in terminal.counts(made, 0)]

    assert areas(report(*fine)) == ["checks", "ADDR", "API", "EGR", "all"]
    assert areas(report(*fine, result("DNS-01", "inconclusive"))) == [
        "checks",
        "DNS",
        "others",
        "all",
    ]


@pytest.mark.parametrize(("failures", "told"), [(1, False), (2, True)])
def test_a_single_failure_that_stands_above_in_full_is_not_told_again(
    failures: int, told: bool
) -> None:
    failure = Failure(expected="e", actual=("a",), paths=(), causes=(), look="see", fixes=("mend",))
    red = [result(f"DNS-{n:02}", "fail", failure=failure) for n in range(failures)]

    lines = [line.text for line in terminal.headlines(report(*red), 80, shown=True)]

    assert lines[0].startswith("DNS-00")
    assert ("  fix       mend" in lines) is told


def test_areas_stand_in_the_order_in_which_a_person_looks() -> None:
    made = report(*(result(id, "pass") for id in ("POL-01", "DNS-02", "ADDR-01", "X-1", "DNS-01")))

    assert [check.id for check in made.checks] == ["ADDR-01", "DNS-01", "DNS-02", "POL-01", "X-1"]
    assert list(made.areas) == ["ADDR", "DNS", "POL", "X"]


@pytest.mark.parametrize(("nodes", "shown"), [(2, True), (10, True), (11, False)])
def test_a_matrix_with_a_hole_is_shown_on_small_clusters(nodes: int, shown: bool) -> None:
    names = [f"node-{number}" for number in range(nodes)]
    cells = [(one, other, one == "node-0") for one in names for other in names]
    made = report(
        result("ADDR-16", "pass", "IPv4", reachability=[(a, b, True) for a, b, _ in cells]),
        result("ADDR-16", "fail", "IPv6", reachability=cells),
    )

    lines = [line.text for line in terminal.matrix(made, 80)]

    assert bool(lines) is shown
    assert not any("IPv4" in line for line in lines)
    assert all(len(line) <= 80 for line in lines)
    if shown:
        assert lines[1].split()[2:] == ["+"] * nodes
        assert lines[2].split()[2:] == ["-"] * nodes


def test_a_matrix_without_a_hole_is_not_shown() -> None:
    made = report(result("ADDR-16", "pass", "IPv6", reachability=[("a", "b", True)]))

    assert not list(terminal.matrix(made, 80))
