"""The report: records of items folded into checks, beside facts of the cluster and the run."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

from pytest_ipv6k8s.errors import ConfigError, HostProblem
from pytest_ipv6k8s.verdicts import Verdict, fold

API_VERSION = "ipv6k8s/v1alpha1"


@dataclass(frozen=True, slots=True, kw_only=True)
class HarnessFact:
    """A fact about the run itself (META): whether it holds, and what was seen."""

    id: str
    title: str
    holds: bool
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a run found out.

    Attributes:
        date: when the run ended, RFC 3339.
        suite: name and version of the suite.
        cluster: facts of the cluster, as plain data.
        settings: each option that was set, with its source.
        checks: one mapping for each check, by id; see ``schema.json``.
        cost: API requests, exec sessions and probe pods of the run.
        harness: the facts about the run.
        complete: whether the run came to its end.
    """

    date: str
    suite: Mapping[str, str]
    cluster: Mapping[str, Any]
    settings: Mapping[str, Any]
    checks: tuple[Mapping[str, Any], ...]
    cost: Mapping[str, int]
    harness: tuple[HarnessFact, ...]
    complete: bool

    @property
    def summary(self) -> dict[str, int]:
        """How many checks got which verdict."""
        return _count(self.checks)

    @property
    def areas(self) -> dict[str, dict[str, int]]:
        """The same for each area."""
        names = sorted({check["id"].split("-")[0] for check in self.checks})
        return {
            name: _count(c for c in self.checks if c["id"].startswith(name + "-")) for name in names
        }

    @property
    def result(self) -> str:
        """What the run says of the cluster.

        ``failure`` with a failed check that nobody waived, or a broken harness; ``partial`` with a
        check that is inconclusive, a core check that was skipped, or a run cut short.
        """
        open_reds = [
            check for check in self.checks if check["verdict"] == "fail" and "waived" not in check
        ]
        if open_reds or not all(fact.holds for fact in self.harness):
            return "failure"
        gaps = [
            check
            for check in self.checks
            if check["verdict"] == "inconclusive"
            or (check["verdict"] == "skip" and check["level"] == "core")
        ]
        return "partial" if gaps or not self.complete else "success"

    def plain(self) -> dict[str, Any]:
        """Return the document, in the order in which people want to read it."""
        return {
            "apiVersion": API_VERSION,
            "kind": "ConformanceReport",
            "date": self.date,
            "suite": dict(self.suite),
            "result": self.result,
            "complete": self.complete,
            "summary": self.summary,
            "areas": self.areas,
            "cluster": dict(self.cluster),
            "settings": dict(self.settings),
            "cost": dict(self.cost),
            "checks": [dict(check) for check in self.checks],
            "harness": [
                {"id": fact.id, "title": fact.title, "holds": fact.holds, "seen": fact.seen}
                for fact in sorted(self.harness, key=lambda fact: fact.id)
            ],
        }


def fold_records(
    records: Iterable[Mapping[str, Any]], waivers: Mapping[str, str]
) -> tuple[Mapping[str, Any], ...]:
    """Return one mapping for each check from the records of its items, sorted by id.

    Args:
        records: what the plugin made of each item.
        waivers: by id, the reasons why a red verdict is accepted.
    """
    by_id: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        by_id.setdefault(record["check"]["id"], []).append(record)
    return tuple(_folded(id, by_id[id], waivers) for id in sorted(by_id))


def _folded(
    id: str, records: list[Mapping[str, Any]], waivers: Mapping[str, str]
) -> Mapping[str, Any]:
    verdict = fold(Verdict(record["verdict"]) for record in records)
    ordered = sorted(records, key=lambda record: record["family"])
    reasons = dict.fromkeys(
        record["reason"] for record in ordered if record["verdict"] == verdict.value
    )
    folded: dict[str, Any] = {
        **records[0]["check"],
        "verdict": verdict.value,
        "reason": "; ".join(filter(None, reasons)),
        "items": [
            {key: value for key, value in record.items() if key != "check"} for record in ordered
        ],
    }
    if id in waivers and verdict.is_red:
        folded["waived"] = waivers[id]
    return folded


def _count(checks: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    counts = {verdict.value: 0 for verdict in Verdict}
    for check in checks:
        counts[check["verdict"]] += 1
    return counts


class Writer(Protocol):
    """A report format: a module of :mod:`pytest_ipv6k8s.reports.formats`."""

    SUFFIXES: tuple[str, ...]

    def write(self, report: Report, out: TextIO) -> None:
        """Write a report."""
        ...


def writer_for(path: Path) -> Any:
    """Return the format that a file's suffix stands for.

    Raises:
        ConfigError: no format has this suffix.
    """
    folder = importlib.import_module("pytest_ipv6k8s.reports.formats")
    known: list[str] = []
    for found in pkgutil.iter_modules(folder.__path__):
        module = importlib.import_module(f"{folder.__name__}.{found.name}")
        if path.suffix in module.SUFFIXES:
            return module
        known += module.SUFFIXES
    raise ConfigError(
        f"no report format is known by the suffix of {path}",
        remedy=f"use one of: {', '.join(sorted(known))}",
    )


def save(report: Report, path: Path) -> None:
    """Write a report to a file, whole or not at all.

    Raises:
        HostProblem: the file cannot be written.
    """
    writer, unfinished = writer_for(path), path.with_name(path.name + ".tmp")
    try:
        with unfinished.open("w", encoding="utf-8") as out:
            writer.write(report, out)
        unfinished.replace(path)
    except OSError as error:
        raise HostProblem(
            f"report {path} cannot be written: {error.strerror}",
            remedy="free some space or give another path with --ipv6k8s-report",
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)
