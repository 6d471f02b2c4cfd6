"""The report as Markdown: what is first, what is cut, and what cannot break out."""

from __future__ import annotations

import io

from pytest_ipv6k8s.reports import view
from pytest_ipv6k8s.reports.formats import markdown
from pytest_ipv6k8s.reports.model import Report, Reproduce
from pytest_ipv6k8s.results import Failure
from tests.documents import report, result, sample
from tests.golden.write import GOLDEN


def _written(report: Report) -> str:
    out = io.StringIO()
    markdown.write(report, out)
    return out.getvalue()


def test_it_looks_as_it_looked() -> None:
    assert _written(sample()) == (GOLDEN / "report.md").read_text("utf-8"), (
        "if this is meant: python -m tests.golden.write"
    )


def test_failures_come_first_and_those_that_nobody_waived_before_the_others() -> None:
    text = _written(sample())

    titles = [line for line in text.splitlines() if line.startswith("#")]
    assert titles[1:6] == [
        "## Diagnosis",
        "## Failures",
        "### ❌ ADDR-16 IPv6 It holds",
        "### ❌ MTU-07 IPv6 It holds",
        "## Inconclusive",
    ]


def test_one_check_is_no_number_of_checks() -> None:
    assert "<summary>1 check</summary>" in _written(report(result("SVC-01", "pass")))


def test_a_hostile_text_stays_text() -> None:
    hostile = "<script>alert(1)</script>\n# big | `rm` *x* [y](z)"
    text = _written(report(result("A-01", "inconclusive", reason=hostile)))

    assert "<script" not in text
    assert r"&lt;script>alert(1)&lt;/script> # big \| \`rm\` \*x\* \[y\](z)" in text


def test_a_command_with_a_fence_stays_in_its_block() -> None:
    reproduce = Reproduce(command="pytest -k '```'", versions={}, images={})

    assert "````sh\npytest -k '```'\n````" in _written(report(reproduce=reproduce))


def test_a_long_report_is_cut_between_two_blocks_and_says_so() -> None:
    results = [
        result(f"A-{number:02}", "inconclusive", reason="x" * 50_000) for number in range(1, 40)
    ]

    text = _written(report(*results))

    assert 900_000 < len(text.encode()) <= 1_000_000
    assert text.endswith("The YAML or JSON report has it all.*\n")
    assert text.count("\n### ") == text.count("x" * 50_000)


def test_a_run_cut_short_and_pseudonyms_are_told() -> None:
    text = _written(report(complete=False, redacted=True))

    assert "**The run did not come to its end.**" in text
    assert "Addresses and names stand as pseudonyms." in text


def test_a_path_is_told_once() -> None:
    failure = Failure(
        expected="an answer",
        actual=("a → b: error ECONNREFUSED",),
        paths=("a → b", "a → c"),
        causes=(),
        look="",
    )

    assert view.paths_beside(failure) == ("a → c",)
