"""Write docs/catalogue/ from the checks: a page for each area, and one that leads to them."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.checks import Area, Check
from pytest_ipv6k8s.fixes import Fix, fixes_of
from pytest_ipv6k8s.remedies import without_cluster

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "catalogue"
GENERATED = "<!-- Written by `make docs` from the checks. -->\n"


def pages() -> dict[str, str]:
    """Return the text of every page, by file name."""
    by_area: dict[str, list[Check]] = {}
    for declared in catalogue.checks().values():
        by_area.setdefault(declared.area, []).append(declared)
    texts = {f"{area.lower()}.md": _page(area, known) for area, known in by_area.items()}
    return {"index.md": _index(by_area), **texts}


def _index(by_area: dict[str, list[Check]]) -> str:
    rows = [
        f"| [{area}]({area.lower()}.md) | {Area[area].value} | {len(known)} |\n"
        for area, known in by_area.items()
    ]
    checks = [
        f"| [{c.id}]({c.area.lower()}.md#{c.id.lower()}) | {c.level.value} "
        f"| {_text(c.requirement)} |\n"
        for known in by_area.values()
        for c in known
    ]
    return (
        f"# Catalogue of checks\n\n{GENERATED}\n"
        "What each check requires, who says so, why clusters usually fail it, and how to fix it. "
        "`ipv6k8s explain ID` tells the same.\n\n"
        f"| area | about | checks |\n|---|---|---|\n{''.join(rows)}\n"
        f"| check | level | requirement |\n|---|---|---|\n{''.join(checks)}"
    )


def _page(area: str, known: list[Check]) -> str:
    sections = "\n".join(_section(declared) for declared in known)
    return f"# {area}: {Area[area].value}\n\n{GENERATED}\n{sections}"


def _section(declared: Check) -> str:
    stacks = ", ".join(f"`{stack.value}`" for stack in Stack if stack in declared.stacks)
    families = " and ".join(family.value for family in declared.families)
    parts = [
        f"## {declared.id}",
        f"**{_text(declared.requirement)}.**",
        _text(declared.explanation),
        "\n".join(
            [
                f"* level: {declared.level.value}",
                f"* stacks: {stacks}" + (f"; once for {families}" if families else ""),
                *[
                    f"* needs {_text(without_cluster(feature.sentence))}"
                    for feature in declared.features
                ],
                *[f"* source: {_text(reference)}" for reference in declared.references],
            ]
        ),
        "Likely causes of a failure, in this order where nothing more is known:",
        "\n".join(f"{n}. {_text(str(cause))}" for n, cause in enumerate(declared.causes, 1)),
        *_fixed(fixes_of(declared.id)),
        f"Look further:\n\n```sh\n{declared.look}\n```",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _fixed(known: tuple[Fix, ...]) -> list[str]:
    if not known:
        return []
    rows = [
        f"* **{fix.component.value}**: {_text(fix.text)}"
        + (f" ({_text(fix.source)})" if fix.source else "")
        for fix in known
    ]
    return ["How to fix it:", "\n".join(rows)]


def _text(text: str) -> str:
    """Return a plain text as Markdown: what it writes is what is read."""
    parts = re.split(r"(`+[^`]*`+)", text)
    parts[::2] = [re.sub(r"([<*_|])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def main() -> None:
    """Write all pages, and remove those of areas that are gone."""
    FOLDER.mkdir(exist_ok=True)
    written = pages()
    for name, text in written.items():
        (FOLDER / name).write_text(text, "utf-8")
    for file in FOLDER.glob("*.md"):
        if file.name not in written:
            file.unlink()


if __name__ == "__main__":
    main()
