"""From what happens in an item to what pytest, JUnit and the report say."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest

ASKED = "--ipv6k8s-provider=kind"
WANTED = {
    "T-01": "pass",
    "T-02": "fail",
    "T-03": "inconclusive",
    "T-04": "inconclusive",
    "T-05": "not applicable",
    "T-06": "skip",
    "T-07": "informational",
    "T-08": "pass",
    "T-09": "inconclusive",
    "T-10": "inconclusive",
    "T-11": "not judged",
}


def _run(project: pytest.Pytester, *arguments: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    result = project.runpytest_subprocess(
        "test_checks.py", ASKED, "--ipv6k8s-report=out.json", *arguments
    )
    return result, json.loads((project.path / "out.json").read_text())


@pytest.mark.parametrize("workers", ["0", "2"])
def test_every_outcome_is_judged_counted_and_reported(
    project: pytest.Pytester, workers: str
) -> None:
    result, report = _run(project, "-n", workers)

    assert {check["id"]: check["verdict"] for check in report["checks"]} == WANTED
    assert result.ret == 1
    counts = "1 failed, 3 passed, 2 skipped, 4 inconclusive, 1 not judged"
    result.stdout.re_match_lines([f".*{counts}.*"])


def test_a_selected_run_says_how_much_ran_also_without_a_cache(project: pytest.Pytester) -> None:
    chosen = ("-p", "no:cacheprovider", "-k", "T-01", "--ipv6k8s-check=T")
    result, report = _run(project, *chosen)

    assert report["selection"] == {"ran": 1, "of": 1}
    assert result.ret == 0


def test_what_rests_on_a_red_check_is_not_judged_and_is_no_failure(
    project: pytest.Pytester,
) -> None:
    _, report = _run(project, "-k", "T-02 or T-11", "--junitxml=junit.xml")

    (check,) = (check for check in report["checks"] if check["id"] == "T-11")
    assert check["restsOn"] == ["T-02"]
    assert check["reason"] == "not judged: rests on T-02"
    assert report["summary"]["not judged"] == 1
    suite = ET.parse(project.path / "junit.xml").getroot()[0]
    assert (suite.get("failures"), suite.get("skipped")) == ("1", "1")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_has_nothing_to_judge_is_no_failure(project: pytest.Pytester, workers: str) -> None:
    project.makepyfile(
        test_more="""
        from pytest_ipv6k8s.errors import NothingToJudge
        from test_checks import declare, heard

        @declare("T-20")
        def test_is_about_nothing(heard):
            \"\"\"It is about nothing here.\"\"\"
            raise NothingToJudge("all pods are so")
        """
    )
    options = (ASKED, "test_more.py", "--ipv6k8s-report=out.json", "-n", workers)
    result = project.runpytest_subprocess(*options)

    assert result.ret == 0, result.stdout.str()
    report = json.loads((project.path / "out.json").read_text())
    assert report["checks"][0]["verdict"] == "not applicable"
    result.stdout.fnmatch_lines(["*1 skipped*"])


def test_what_is_asked_before_its_base_has_ended_is_not_judged_either(
    project: pytest.Pytester,
) -> None:
    file = project.path / "test_checks.py"
    slow = """    import time; time.sleep(2)
    expect(False, expected="the moon", actual=heard)"""
    file.write_text(file.read_text().replace(slow.splitlines()[1], slow))

    _, report = _run(project, "-n", "2")

    assert {check["id"]: check["verdict"] for check in report["checks"]} == WANTED


def test_with_all_everything_is_judged(project: pytest.Pytester) -> None:
    _, report = _run(project, "-k", "T-02 or T-11", "--ipv6k8s-all")

    assert {check["verdict"] for check in report["checks"]} == {"fail"}


@pytest.mark.parametrize(
    ("words", "ran"),
    [
        (["T-01", "t-07"], {"T-01", "T-07"}),
        (["T", "!T-02", "!T-11"], set(WANTED) - {"T-02", "T-11"}),
        (["!T"], set()),
    ],
)
def test_checks_are_chosen_by_id_and_area(
    project: pytest.Pytester, words: list[str], ran: set[str]
) -> None:
    result = project.runpytest_subprocess(
        "test_checks.py", ASKED, "-v", *(f"--ipv6k8s-check={word}" for word in words)
    )

    seen = {line.split()[0] for line in result.outlines if line.startswith("T-")}
    assert seen == ran


def test_each_check_has_a_line(project: pytest.Pytester) -> None:
    result, _ = _run(project)

    result.stdout.fnmatch_lines_random(
        ["T-01 * pass * It passes *1/11*", "T-08 *IPv6* pass *", "T-03 * inconclusive *"]
    )


def test_a_failure_explains_itself(project: pytest.Pytester) -> None:
    result, _ = _run(project)

    result.stdout.fnmatch_lines(
        [
            "*FAILURES*",
            "_* T-02 _*",
            "*required*It holds*",
            "*actual*a to b*",
            "*expected*the moon*",
            "*causes*1. bad luck*",
            "*look*kubectl get nodes*",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_pytest_calls_checks_by_their_ids_and_leaves_skipped_ones_to_the_summary(
    project: pytest.Pytester,
) -> None:
    project.makepyfile(test_own="import pytest\n@pytest.mark.skip('mine')\ndef test_own(): pass")
    result, _ = _run(project, "test_own.py", "-ra", "--tb=line", "-k", "T-02 or T-06 or own")

    result.stdout.fnmatch_lines(
        [
            "*FAILURES*",
            "T-02: token [[]redacted]; a to b",
            "*short test summary info*",
            "SKIPPED [[]1] test_own.py:*: mine",
            "FAILED T-02 - token [[]redacted]; a to b",
        ],
        consecutive=False,
    )
    text = result.stdout.str()
    assert text.count("SKIPPED") == 1
    assert "required" not in text


def test_verbose_lines_have_the_evidence_and_quiet_ones_are_not_there(
    project: pytest.Pytester,
) -> None:
    chosen = ("-k", "T-01 or T-02", "--ipv6k8s-check=T")
    result, _ = _run(project, "-v", *chosen)
    quiet, _ = _run(project, "-q", *chosen)

    result.stdout.fnmatch_lines(["T-01 *", "*probe-00: x → token [[]redacted]", "T-02 *"])
    result.stdout.no_fnmatch_line("*test_checks.py::*")
    quiet.stdout.fnmatch_lines(["*IPv6 conformance*", "T-02  It holds", "result *failure*"])
    quiet.stdout.no_fnmatch_line("T-01 *")


def test_secrets_reach_neither_terminal_nor_report(project: pytest.Pytester) -> None:
    result, report = _run(project)

    assert "hunter2" not in result.stdout.str()
    assert "hunter2" not in json.dumps(report)


def test_junit_has_properties_and_calls_inconclusive_an_error(project: pytest.Pytester) -> None:
    _run(project, "--junitxml=junit.xml")

    cases = {}
    for case in ET.parse(project.path / "junit.xml").iter("testcase"):
        properties = {p.get("name"): p.get("value") for p in case.iter("property")}
        cases[properties["id"]] = (properties["verdict"], {child.tag for child in case})
    assert cases["T-02"] == ("fail", {"properties", "failure"})
    assert cases["T-03"] == ("inconclusive", {"properties", "error"})
    assert cases["T-09"] == ("inconclusive", {"properties", "error"})
    assert cases["T-06"] == ("skip", {"properties", "skipped"})
    assert cases["T-01"] == ("pass", {"properties"})


@pytest.mark.parametrize("workers", ["0", "2"])
def test_junit_names_checks_by_id_and_the_cluster_but_leaves_other_tests_alone(
    project: pytest.Pytester, workers: str
) -> None:
    project.makepyfile(test_own="def test_own(): pass")
    _run(project, "test_own.py", "--junitxml=junit.xml", "-n", workers)

    suite = ET.parse(project.path / "junit.xml").getroot()[0]
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert len(cases) == len(WANTED) + 1
    assert cases["test_own"].get("classname") == "test_own"
    assert cases["T-08 IPv6 It runs for each family"].get("classname") == "ipv6k8s.T"
    failure = cases["T-02 It holds"].find("failure")
    assert failure is not None
    assert failure.get("message") == "token [redacted]; a to b"
    facts = {p.get("name"): p.get("value") for p in suite[0].iter("property")}
    assert facts["ipv6k8s.stack"] == "ipv6"
    assert facts["ipv6k8s.provider"] == "kind"


def test_a_waived_failure_does_not_turn_the_run_red(project: pytest.Pytester) -> None:
    result, report = _run(project, "-k", "T-02", "--ipv6k8s-waive=T-02=known, see #7")

    assert result.ret == 0
    waived = report["checks"][0]
    assert (waived["verdict"], waived["waived"]) == ("fail", "known, see #7")
    result.stdout.fnmatch_lines(["*waived*T-02*known, see #7*"])


@pytest.mark.parametrize("id", ["T-99", "SVC-99"])
def test_a_waiver_of_an_unknown_check_is_refused_also_beside_one_check(
    project: pytest.Pytester, id: str
) -> None:
    result = project.runpytest_subprocess(
        "test_checks.py", ASKED, "-k", "T-02", f"--ipv6k8s-waive={id}=known"
    )

    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*--ipv6k8s-waive: there is no check {id}. See *ipv6k8s list*"])


def test_a_check_that_the_suite_has_may_be_waived_though_it_is_not_collected(
    project: pytest.Pytester,
) -> None:
    result, _ = _run(project, "-k", "T-01", "--ipv6k8s-waive=SVC-05=known")

    assert result.ret == 0


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_the_suite_with_a_waiver_of_an_unknown_check_does_not_begin(
    pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    pytester.makeconftest("def pytest_sessionstart():\n    print('it begins')\n")

    result = pytester.runpytest_subprocess(ASKED, "--ipv6k8s-waive=SVC-99=known", *workers)

    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--ipv6k8s-waive: there is no check SVC-99.*"])
    result.stdout.no_fnmatch_line("*it begins*")


def test_strict_counts_skipped_core_checks(project: pytest.Pytester) -> None:
    result, _ = _run(project, "-k", "T-06", "--ipv6k8s-strict")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["strict *1 core check skipped: T-06"])

    result, _ = _run(project, "-k", "T-06")
    assert result.ret == 0


def test_a_probe_that_died_makes_a_failure_inconclusive(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_more="""
        import pytest
        from pytest_ipv6k8s.plugin.state import INSTRUMENTS
        from test_checks import declare, heard

        @pytest.fixture
        def dead(request):
            looks = {"dead": lambda: "probe pods were deleted: probe-01"}
            request.config.stash[INSTRUMENTS] = looks
            yield
            del request.config.stash[INSTRUMENTS]

        @declare("T-20")
        def test_blames(dead, heard):
            \"\"\"It blames the cluster.\"\"\"
            assert False
        """
    )
    result = project.runpytest_subprocess(ASKED, "test_more.py", "--ipv6k8s-report=out.json")
    report = json.loads((project.path / "out.json").read_text())
    assert report["checks"][0]["verdict"] == "inconclusive", result.stdout.str()
    assert "probe-01" in report["checks"][0]["reason"]


def test_two_checks_with_one_id_are_refused(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_twice="""
        from test_checks import declare
        @declare("T-01")
        def test_again():
            \"\"\"Again.\"\"\"
        """
    )
    result = project.runpytest_subprocess(ASKED, "test_checks.py", "test_twice.py")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*two checks have the id T-01*"])
