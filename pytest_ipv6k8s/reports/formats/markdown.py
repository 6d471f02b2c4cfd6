"""The report as Markdown, for people and for ``$GITHUB_STEP_SUMMARY``: failures first, and short
enough for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO

from pytest_ipv6k8s.reports import view

SUFFIXES = (".md",)
MOST_BYTES = 1_000_000  # a step's summary may have 1 MiB
_RESULTS = {"success": "✅", "partial": "🟡", "failure": "❌"}
_SIGNS = {
    **{"fail": "❌", "inconclusive": "❓", "pass": "✅"},
    **{"informational": "💬", "skip": "⏭️", "not applicable": "▫️"},
    **{"reached": "✅", "not reached": "❌", "not asked": "·"},
}
_HOLDS = {True: "holds", False: "**broken**"}
_SEEN = 10
_IDS = 20
_CUT = (
    "\n*Cut here, for the whole is too long for this place. The YAML or JSON report has it all.*\n"
)


def write(document: Mapping[str, Any], out: TextIO) -> None:
    """Write it, cut between two blocks when it grows too long."""
    left = MOST_BYTES - len(_CUT.encode())
    for block in _blocks(document):
        left -= len(block.encode())
        if left < 0:
            out.write(_CUT)
            return
        out.write(block)


def _blocks(document: Mapping[str, Any]) -> Iterator[str]:
    yield from _head(document)
    yield from _red(document, "fail", "Failures")
    yield from _red(document, "inconclusive", "Inconclusive")
    yield from _profiles(document)
    yield from _areas(document)
    yield from _connectivity(document)
    yield from _waivers(document)
    yield from _skipped(document)
    yield from _checks(document)
    yield from _harness(document)
    yield from _reproduce(document)


def _head(document: Mapping[str, Any]) -> Iterator[str]:
    result = document["result"]
    yield f"# IPv6 conformance: {_RESULTS[result]} {result}\n\n"
    who, suite = view.identity(document), document["suite"]
    facts = ", ".join(f"{name} {_text(value)}" for name, value in view.environment(document))
    yield f"{_text(who)}\n\n" if who else ""
    yield f"{facts}.\n\n"
    yield f"{document['date']}, {suite['name']} {_text(suite['version'])}, "
    yield f"catalogue {suite['catalogue']}.\n"
    if not document["complete"]:
        yield "\n**The run did not come to its end.**\n"
    if document["redacted"]:
        yield "\nAddresses and names stand as pseudonyms.\n"
    yield "\n" + _table(view.VERDICTS, [[str(document["summary"][v]) for v in view.VERDICTS]])


def _red(document: Mapping[str, Any], verdict: str, title: str) -> Iterator[str]:
    checks = view.with_verdict(document, verdict)
    yield f"\n## {title}\n" if checks else ""
    for check in checks:
        for item in check["items"]:
            if item["verdict"] == verdict:
                yield _explained(check, item)


def _explained(check: view.Check, item: Mapping[str, Any]) -> str:
    family = f" [{item['family']}]" if item["family"] else ""
    lines = [
        f"\n### {_SIGNS[item['verdict']]} {check['id']}{family} {_text(check['requirement'])}\n"
    ]
    if "waived" in check:
        lines.append(f"* **waived**: {_text(check['waived'])}")
    lines.append(f"* source: {_text('; '.join(check['references']))}")
    failure = item.get("failure")
    if failure is None:
        lines.append(f"* reason: {_text(item['reason'])}")
    else:
        seen = failure["seen"]
        more = [f"… and {len(seen) - _SEEN} more"] if len(seen) > _SEEN else []
        lines += [
            f"* expected: {_text(failure['expected'])}",
            *_list("seen", [*seen[:_SEEN], *more]),
            *_list("path", failure["paths"][:_SEEN]),
            *_list("likely causes", failure["causes"]),
            f"* look: {_code(failure['look'])}",
        ]
    if "bundle" in item:
        lines.append(f"* bundle: {_code(item['bundle'])}")
    return "\n".join(lines) + "\n"


def _list(name: str, values: list[str]) -> list[str]:
    return [f"* {name}:", *(f"  1. {_text(value)}" for value in values)] if values else []


def _profiles(document: Mapping[str, Any]) -> Iterator[str]:
    rows = []
    for profile in document["profiles"]:
        for name in ("core", "extended"):
            said = profile.get(name)
            if said is None:
                continue
            gaps = [
                f"{word}: {_ids(said[key])}"
                for key, word in (
                    *(("failed", "failed"), ("inconclusive", "inconclusive")),
                    *(("waived", "waived"), ("skipped", "skipped"), ("notRun", "not run")),
                )
                if said[key]
            ]
            result = f"{_RESULTS[said['result']]} {said['result']}"
            rows.append([profile["name"], name, result, view.passed(said), "; ".join(gaps)])
    if rows:
        yield "\n## Profiles\n\n" + _table(("profile", "part", "result", "pass", "gaps"), rows)


def _ids(ids: list[str]) -> str:
    more = f" and {len(ids) - _IDS} more" if len(ids) > _IDS else ""
    return ", ".join(ids[:_IDS]) + more


def _areas(document: Mapping[str, Any]) -> Iterator[str]:
    families = view.families(document)
    rows = [
        [area, *(_counts(row.get(family, {})) for family in families)]
        for area, row in view.by_area(document).items()
    ]
    if rows:
        yield "\n## Verdicts by area and family\n\n" + _table(("area", *families), rows)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{_SIGNS[verdict]} {count} {verdict}" for verdict, count in counts.items())


def _connectivity(document: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        [
            _text(source),
            *(
                ", ".join(f"{family} {_SIGNS[said]}" for family, said in cell.items())
                for _, cell in cells
            ),
        ]
        for source, cells in view.paths(document)
    ]
    if rows:
        nodes = [_text(name) for name in document["connectivity"]["nodes"]]
        yield "\n## Pods reach pods, over TCP\n\n" + _table(("from, to", *nodes), rows)


def _waivers(document: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        [waiver["id"], waiver["verdict"] or "not run", _text(waiver["reason"])]
        for waiver in document["waivers"]
    ]
    if rows:
        yield "\n## Waivers\n\n" + _table(("check", "verdict", "reason"), rows)


def _skipped(document: Mapping[str, Any]) -> Iterator[str]:
    rows = [[", ".join(ids), _text(reason)] for reason, ids in view.skipped(document).items()]
    if rows:
        yield "\n## Skipped\n\n" + _table(("checks", "reason"), rows)


def _checks(document: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        [check["id"], f"{_SIGNS[check['verdict']]} {check['verdict']}", _text(check["requirement"])]
        for check in document["checks"]
    ]
    yield "\n## All checks\n\n<details><summary>" + f"{len(rows)} checks</summary>\n\n"
    yield _table(("check", "verdict", "requirement"), rows)
    yield "\n</details>\n"


def _harness(document: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        [
            fact["id"],
            _text(fact["title"]),
            "holds" if fact["holds"] else "**broken**",
            _text(fact["seen"]),
        ]
        for fact in document["harness"]
    ]
    if rows:
        yield "\n## The run itself\n\n" + _table(("id", "fact", "holds", "seen"), rows)


def _reproduce(document: Mapping[str, Any]) -> Iterator[str]:
    told = document["reproduce"]
    fence = "`" * max(3, 1 + _longest_run(told["command"]))
    yield f"\n## Reproduce\n\n{fence}sh\n{told['command']}\n{fence}\n\n"
    rows = [[name, _text(value)] for name, value in (told["versions"] | told["images"]).items()]
    yield _table(("what", "version or image"), rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _text(text: str) -> str:
    """Return a text that Markdown leaves as it is, on one line."""
    plain = re.sub(r"([\\`*_\[\]|~])", r"\\\1", " ".join(text.split()))
    return plain.replace("&", "&amp;").replace("<", "&lt;")


def _code(text: str) -> str:
    fence = "`" * (1 + _longest_run(text))
    return f"{fence} {' '.join(text.split())} {fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall(r"`+", text)), default=0)
