"""What an oddity is: a legal, reversible change to a real cluster, on which no verdict changes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.real import SuiteRun, run_suite

OPTIONS = ("-n", "2")
RECORD = "ODDITIES_RECORD"
"""The variable that names the folder into which each test writes what it saw."""
UNJUDGED = ("skip", "inconclusive")


@dataclass(frozen=True, kw_only=True)
class Oddity:
    """Something odd about a healthy cluster.

    Attributes:
        name: what it is, in a few words with hyphens.
        changed: makes the cluster odd, and as it was on leaving; it may yield options that are
            known only then.
        unjudged: why checks may skip or be inconclusive, by what their ids begin with: a pattern
            that their reason must match. Every other check has its usual verdict.
        told: a pattern that the output must match: what the run has to say about it.
        options: what an operator of such a cluster gives.
    """

    name: str
    changed: Callable[[Cluster], AbstractContextManager[tuple[str, ...] | None]]
    unjudged: Mapping[str, str] = field(default_factory=dict)
    told: str = ""
    options: tuple[str, ...] = ()


def run_usual(cluster: Cluster, folder: Path, *options: str) -> SuiteRun:
    """Run the suite on the cluster as it is; it has to be healthy."""
    usual = run_suite(cluster, folder, *OPTIONS, *options)
    assert usual.report, usual.out
    assert not usual.red, usual.out
    return usual


def expect_same(
    oddity: Oddity, cluster: Cluster, usual: SuiteRun, folder: Path, *options: str
) -> None:
    """Make the cluster odd, and see that every check has the verdict that it has without.

    Args:
        oddity: what is odd.
        cluster: a healthy cluster.
        usual: the run on it as it is.
        folder: where the report goes.
        options: those of the usual run.
    """
    with oddity.changed(cluster) as found_out:
        given = (*options, *oddity.options, *(found_out or ()))
        run = run_suite(cluster, folder, *OPTIONS, *given)
    assert run.report, f"exit {run.code}\n{run.out}"
    found = list(_differences(oddity, usual.report["checks"], run.report["checks"]))
    assert not found, "\n".join([*found, run.out])
    _record(oddity, usual, run)
    assert run.code == (1 if run.red else 0), run.out
    assert re.search(oddity.told, run.out), f"{oddity.told!r} is not said\n{run.out}"


def _record(oddity: Oddity, usual: SuiteRun, run: SuiteRun) -> None:
    """Say how many checks passed without the oddity and with it, and which were not judged."""
    before, after = usual.ids("pass"), run.ids("pass")
    stack = run.report["cluster"]["stack"]
    seen = {"oddity": oddity.name, "stack": stack, "before": len(before), "after": len(after)}
    if folder := os.environ.get(RECORD):
        text = json.dumps({**seen, "unjudged": sorted(before - after)}, indent=2)
        Path(folder, f"{stack}-{oddity.name}.json").write_text(f"{text}\n", "utf-8")


def _differences(
    oddity: Oddity, usual: Sequence[Mapping[str, Any]], odd: Sequence[Mapping[str, Any]]
) -> list[str]:
    verdicts = {check["id"]: check["verdict"] for check in usual}
    found = [f"{id} is missing" for id in verdicts.keys() - {check["id"] for check in odd}]
    for check in odd:
        id, verdict = check["id"], check["verdict"]
        if verdict == verdicts.get(id) or _may_be_unjudged(oddity, check):
            continue
        found.append(f"{id}: {verdict} instead of {verdicts.get(id)}: {check.get('reason')}")
    return sorted(found)


def _may_be_unjudged(oddity: Oddity, check: Mapping[str, Any]) -> bool:
    return check["verdict"] in UNJUDGED and any(
        check["id"].startswith(prefix) and re.search(words, check.get("reason") or "")
        for prefix, words in oddity.unjudged.items()
    )
