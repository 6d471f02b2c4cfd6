"""A report that was edited by hand is told from one that was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s import __version__, catalogue
from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.reports import Report, save
from pytest_ipv6k8s.reports.checking import contradictions, remarks, unpublishable
from pytest_ipv6k8s.reports.folding import selection_of
from pytest_ipv6k8s.reports.model import Selection
from pytest_ipv6k8s.reports.pseudonyms import redacted
from tests.documents import CHECKS, declared, edited, report, result, sample

Document = dict[str, Any]


def _check(document: Document, id: str) -> Any:
    return next(check for check in document["checks"] if check["id"] == id)


def _turn_green(document: Document) -> None:
    check = _check(document, "ADDR-16")
    check["verdict"] = "pass"
    for item in check["items"]:
        item["verdict"] = "pass"
        item.pop("failure", None)


EDITED: dict[str, tuple[Callable[[Document], object], list[str]]] = {
    "nothing": (lambda d: None, []),
    "a failure made green": (
        _turn_green,
        [
            "summary: the checks are 1 fail, 1 inconclusive, 3 pass, 1 informational, 1 skip, "
            "1 not applicable",
            "areas: the checks of ADDR are 3 pass",
            "result: it says failure, and the checks say partial",
            "profiles: the core part of dual-stack is wrong in result, statistics, failed: "
            "its checks say partial",
        ],
    ),
    "a verdict that its items do not have": (
        lambda d: _check(d, "DNS-01").update(verdict="fail"),
        [
            "summary: the checks are 3 fail, 2 pass, 1 informational, 1 skip, 1 not applicable",
            "areas: the checks of DNS are 1 fail",
            "DNS-01: it says fail, and its items say inconclusive",
            "profiles: the core part of dual-stack is wrong in statistics, failed, inconclusive: "
            "its checks say failure",
        ],
    ),
    "the result": (
        lambda d: d.update(result="success"),
        ["result: it says success, and the checks say failure"],
    ),
    "an area too many": (
        lambda d: d["areas"].update(ZZZ=d["areas"]["SVC"]),
        ["areas: there is no check of ZZZ"],
    ),
    "evidence": (
        lambda d: _check(d, "ADDR-01")["items"][0]["evidence"][0].update(source="probe-09"),
        ["ADDR-01: the digest is not that of the evidence"],
    ),
    "evidence from nowhere": (
        lambda d: _check(d, "ADDR-01")["items"][0].update(answers=0),
        ["ADDR-01: pass rests on no answer", "ADDR-01: there is evidence of 1 answers, and there "
         "were 0"],
    ),
    "a failure without its explanation": (
        lambda d: _check(d, "MTU-07")["items"][0].pop("failure"),
        ["MTU-07 IPv6: only what failed has a failure, and it has one"],
    ),
    "a waiver": (
        lambda d: d["waivers"].pop(0),
        ["MTU-07: what it says of a waiver is not what the waivers say"],
    ),
    "a waiver's verdict": (
        lambda d: d["waivers"][0].update(verdict="inconclusive"),
        ["waivers: MTU-07 came to fail"],
    ),
    "a profile's result": (
        lambda d: d["profiles"][0]["extended"].update(result="success"),
        ["profiles: the extended part of dual-stack is wrong in result: its checks say partial"],
    ),
    "fewer checks in a profile": (
        lambda d: d["profiles"][0].pop("extended"),
        ["profiles: the extended part of dual-stack does not have the checks of the profile"],
    ),
    "a profile of its own": (
        lambda d: d["profiles"][0].update(name="great"),
        ["profiles: there is no profile great"],
    ),
    "a requirement": (
        lambda d: _check(d, "ADDR-15").update(requirement="It may hold"),
        ["ADDR-15: its requirement is not that of the catalogue"],
    ),
    "the order": (
        lambda d: d["checks"].reverse(),
        ["checks: ids are not in order, or one is there twice"],
    ),
    "the matrix": (
        lambda d: d["connectivity"]["families"].update(IPv6=["++", "+"]),
        ["connectivity: IPv6 has not one sign for each pair of nodes"],
    ),
}  # fmt: skip


def _sample() -> Document:
    """Return the sample as the catalogue would have it."""
    document: Document = json.loads(json.dumps(sample().plain()))
    for check in document["checks"]:
        if check["id"] in CHECKS:
            declared = CHECKS[check["id"]]
            check["requirement"] = declared.requirement
            check["references"] = list(declared.references)
    return document


@pytest.mark.parametrize("case", EDITED)
def test_a_contradiction_is_named(case: str) -> None:
    edit, sentences = EDITED[case]
    document = _sample()
    edit(document)

    assert contradictions(Report.from_plain(document), CHECKS) == sentences


def test_a_report_with_pseudonyms_is_consistent_until_it_is_edited() -> None:
    report = redacted(Report.from_plain(_sample()))
    assert contradictions(report, CHECKS) == []

    document = report.plain()
    _check(document, "ADDR-01")["items"][0]["evidence"] = []
    assert contradictions(Report.from_plain(document), CHECKS) == [
        "ADDR-01: the digest is not that of the evidence"
    ]


def test_another_catalogue_is_not_compared() -> None:
    document = _sample()
    EDITED["a requirement"][0](document)
    EDITED["a profile of its own"][0](document)

    assert contradictions(Report.from_plain(document), {}) == []


def test_what_a_reader_has_to_know_is_told() -> None:
    report = edited(redacted(sample()), implementation={})

    assert remarks(report, version="1", catalogue="0" * 12) == [
        "version 0 of the suite wrote it, and this is 1",
        "its catalogue is another one: requirements and profiles are not compared",
        "it has pseudonyms: its digests are of the evidence that is left",
        "profile dual-stack has 2 checks that did not run",
        "it does not say who publishes it (--ipv6k8s-implementation)",
    ]


def test_the_command_prints_profiles_and_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(sample(), tmp_path / "r.json")

    assert cli.main(["report", "check", str(tmp_path / "r.json")]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[-3:] == [
        "profile  dual-stack: core failure, extended partial",
        "result   failure",
        "The report is consistent: 8 checks.",
    ]


def test_an_edited_or_incomplete_report_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(edited(sample(), complete=False), tmp_path / "r.json")
    assert cli.main(["report", "check", str(tmp_path / "r.json")]) == 1
    assert "problem  the run did not come to its end" in capsys.readouterr().out

    save(edited(sample(), result="success"), tmp_path / "r.json")
    assert cli.main(["report", "check", str(tmp_path / "r.json")]) == 1
    assert "problem  result: it says success" in capsys.readouterr().out


def test_profiles_of_this_catalogue_are_compared_with_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = {"name": "pytest-ipv6k8s", "version": __version__, "catalogue": catalogue.revision()}
    save(edited(sample(), suite=suite), tmp_path / "r.json")

    assert cli.main(["report", "check", str(tmp_path / "r.json")]) == 1
    assert "core part of dual-stack does not have the checks" in capsys.readouterr().out


SELECTIONS = {
    "all": (["ADDR-01", "SVC-01"], [], (2, 2, "")),
    "one": (["SVC-01"], [], (1, 2, "-k SVC-01")),
    "a whole profile": (["EGR-01"], ["egress-nat66"], (1, 1, "")),
    "somebody's own": (["T-01"], [], (1, 1, "")),
}


@pytest.mark.parametrize("case", SELECTIONS)
def test_a_run_says_how_many_of_how_many_checks_ran(case: str) -> None:
    ids, asked, (ran, of, by) = SELECTIONS[case]
    suite = {id: declared(id) for id in ("ADDR-01", "SVC-01", *(["EGR-01"] if asked else []))}

    found = selection_of(ids, suite, asked, "-k SVC-01")

    assert found == Selection(ran=ran, of=of, by=by)


def test_some_checks_alone_are_never_a_success() -> None:
    part = Selection(ran=1, of=2, by="-k SVC-01")
    found = report(result("SVC-01", "pass"), selection=part)

    assert found.result.value == "partial"
    assert not contradictions(found, {})
    assert unpublishable(found) == ["only 1 of 2 checks ran (-k SVC-01)"]


def test_what_may_be_published_is_whole_and_says_by_whom() -> None:
    whole = report(result("SVC-01", "pass"))

    assert unpublishable(whole) == []
    assert len(unpublishable(edited(whole, complete=False, implementation={}))) == 2


def test_what_keeps_a_report_from_being_published_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = Selection(ran=1, of=2, by="-k SVC-01")
    found = report(result("SVC-01", "pass"), selection=part)
    save(edited(found, implementation={}), tmp_path / "r.json")

    assert cli.main(["report", "check", "--publish", str(tmp_path / "r.json")]) == 1

    said = capsys.readouterr().out
    assert said.count("1 of 2 checks ran") == said.count("it does not say") == 1


def test_context_and_server_are_taken_out_with_the_names() -> None:
    cluster = {
        **sample().plain()["cluster"],
        "context": "prod-eu",
        "server": "https://k8s.corp:6443",
    }

    text = json.dumps(redacted(edited(sample(), cluster=cluster)).plain())

    assert "prod-eu" not in text
    assert "k8s.corp" not in text
