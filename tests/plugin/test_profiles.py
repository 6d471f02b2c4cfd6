"""Profiles on the command line, and what the report says of how it came about."""

from __future__ import annotations

import json
from typing import Any

import pytest

ASKED = "--ipv6k8s-provider=kind"
CHECKS = '''
from pytest_ipv6k8s import WITH_IPV6, Level
from test_checks import declare, expect, heard

@declare("SVC-01")
def test_of_the_profile(heard):
    """It is of the profile."""
    expect(heard.answer, expected="an answer", actual=heard)

@declare("EGR-01")
def test_of_another(heard):
    """It is of another."""
    expect(heard.answer, expected="an answer", actual=heard)

def test_of_the_user():
    pass
'''


def _run(project: pytest.Pytester, *arguments: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    project.makepyfile(test_more=CHECKS)
    result = project.runpytest_subprocess(
        "test_more.py", ASKED, "--ipv6k8s-report=out.json", *arguments
    )
    return result, json.loads((project.path / "out.json").read_text())


@pytest.mark.parametrize("workers", ["0", "2"])
def test_only_the_checks_of_the_profile_run(project: pytest.Pytester, workers: str) -> None:
    result, report = _run(project, "--ipv6k8s-profile=ipv6-only", "-n", workers)

    assert [check["id"] for check in report["checks"]] == ["SVC-01"]
    (claim,) = report["profiles"]
    assert (claim["name"], claim["core"]["result"]) == ("ipv6-only", "partial")
    assert "SVC-02" in claim["core"]["notRun"]
    result.stdout.fnmatch_lines(["profile  ipv6-only: core partial (1 of * pass), extended *"])
    if workers == "0":
        result.stdout.fnmatch_lines(["*2 passed, 1 deselected*"])


def test_a_run_of_a_few_checks_claims_no_profile(project: pytest.Pytester) -> None:
    _, report = _run(project)

    assert report["profiles"] == []


def test_the_report_says_how_to_run_it_again_without_secrets(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPV6K8S_NODE_IMAGE", "node:1")
    project.makeini("[pytest]\nipv6k8s_stack = ipv6\n")
    _, report = _run(
        project,
        "--ipv6k8s-cni-command=install --set password=hunter2 https://jo:hunter3@host/",
        "--ipv6k8s-implementation=project=Net",
        "--ipv6k8s-pull-secret=ns/name",
    )

    reproduce = report["reproduce"]
    assert reproduce["command"].startswith("IPV6K8S_NODE_IMAGE=node:1 pytest ")
    assert "-o ipv6k8s_stack=ipv6" in reproduce["command"]
    assert "--ipv6k8s-pull-secret=ns/name" in reproduce["command"]
    assert "hunter" not in json.dumps(report)
    assert reproduce["images"] == {"probe": "python:3-slim", "node": "node:1"}
    assert {"python", "pytest", "kubernetes", "pytest-ipv6k8s"} <= set(reproduce["versions"])
    assert report["implementation"] == {"project": "Net"}


def test_pseudonyms_are_in_every_report(project: pytest.Pytester) -> None:
    _, report = _run(project, "--ipv6k8s-redact", "--ipv6k8s-report=out.md")

    assert report["redacted"]
    assert report["cluster"]["nodes"][0]["internalIPs"] == ["ipv6-ula-1"]
    assert "fd00::1" not in (project.path / "out.md").read_text()


def test_less_evidence_may_be_kept(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_much="""
        from test_checks import declare, expect, heard

        @declare("SVC-01")
        def test_hears_twice(heard, ipv6k8s_recorder):
            \"\"\"It hears twice.\"\"\"
            again = ipv6k8s_recorder.append(heard)
            expect(again.answer, expected="an answer", actual=[heard, again])
        """
    )
    project.runpytest_subprocess(
        "test_much.py", ASKED, "--ipv6k8s-report=out.json", "--ipv6k8s-evidence=1"
    )
    (item,) = json.loads((project.path / "out.json").read_text())["checks"][0]["items"]
    assert (item["answers"], len(item["evidence"])) == (2, 1)


def test_evidence_that_failed_is_kept_first(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_much="""
        from pytest_ipv6k8s import Record, expect_all
        from test_checks import declare, heard

        @declare("SVC-01")
        def test_hears_much(ipv6k8s_recorder):
            \"\"\"It hears yes from everybody.\"\"\"
            records = [
                ipv6k8s_recorder.append(Record(source="p", request={}, answer=answer))
                for answer in [*["yes"] * 500, "no"]
            ]
            expect_all(records, lambda record: record.answer == "yes", expected="yes")
        """
    )
    project.runpytest_subprocess("test_much.py", ASKED, "--ipv6k8s-report=out.json")
    (item,) = json.loads((project.path / "out.json").read_text())["checks"][0]["items"]
    assert (item["verdict"], item["answers"]) == ("fail", 501)
    assert item["evidence"][0]["answer"] == "no"


def test_a_profile_for_another_stack_ends_the_run_before_anything_is_made(
    pytester: pytest.Pytester,
) -> None:
    result = pytester.runpytest_subprocess(
        ASKED, "--ipv6k8s-stack=dual", "--ipv6k8s-profile=ipv6-only"
    )

    assert result.ret == 4
    result.stderr.fnmatch_lines(["*profile ipv6-only is not for a cluster whose stack is dual.*"])
