"""The commands ``ipv6k8s list`` and ``ipv6k8s explain``: what the checks are."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pytest_ipv6k8s import catalogue, data
from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.checks import Area, Check, Level
from pytest_ipv6k8s.cli import connection, here
from pytest_ipv6k8s.cli.tables import show, show_command, show_table
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.fixes import NETWORKS, fixes_of
from pytest_ipv6k8s.masking import one_line
from pytest_ipv6k8s.profiles import PROFILES, Part
from pytest_ipv6k8s.remedies import without_cluster
from pytest_ipv6k8s.suggestions import alike

OK = 0
HEAD = ("ID", "LEVEL", "REQUIREMENT")
_HERE = """What decides about what would run is given as to a run: --ipv6k8s-declaration=FILE,
--ipv6k8s-allow=privileged, --ipv6k8s-target, … or in the environment."""


def add(commands: Any) -> None:
    """Add the commands and their options."""
    command = commands.add_parser("list", help="list the checks", epilog=_HERE)
    command.add_argument("--stack", choices=[s.value for s in Stack], help="those for this stack")
    command.add_argument("--area", help="those of this area, such as SVC")
    command.add_argument("--level", choices=[lv.value for lv in Level], help="those of this level")
    command.add_argument("--profile", help="those of this profile, such as nat64")
    command.add_argument("--json", action="store_true", help="as JSON, with what each one needs")
    connection.add(command)
    command.add_argument(
        "--here",
        action="store_true",
        help="say of each whether it would run on the cluster of the current context, as with "
        "--kubeconfig and --context; nothing is made there",
    )
    for option in here.TAKEN:
        command.add_argument(
            option.flag, dest=option.ini, action=option.action, help=argparse.SUPPRESS
        )
    command.set_defaults(run=_list)

    command = commands.add_parser("explain", help="say what a check requires, and why it fails")
    command.add_argument("id", nargs="+", help="such as SVC-01, or an area, such as DNS")
    command.add_argument("--cni", help="how to fix this network first, such as cilium")
    command.set_defaults(run=_explain)


def _list(chosen: argparse.Namespace) -> int:
    found, look = _chosen(chosen), here.looker(chosen)
    outlooks = {declared.id: look(declared) for declared, _ in found} if look else {}
    if chosen.json:
        plain = [_plain(declared, level, outlooks) for declared, level in found]
        print(json.dumps(plain, indent=2))
        return OK
    head, after = HEAD, "checks; `ipv6k8s explain ID` has all about one"
    rows = [(declared.id, level.value, declared.requirement) for declared, level in found]
    if look:
        head = (*HEAD[:2], "HERE")
        rows = [(id, level, str(outlooks[id])) for id, level, _ in rows]
        sure, unsure = (sum(one.runs is runs for one in outlooks.values()) for runs in (True, None))
        after = f"checks: {sure} would run, of {unsure} only probes can tell"
    show_table(head, rows, after)
    return OK


def _chosen(chosen: argparse.Namespace) -> list[tuple[Check, Level | Part]]:
    """Return the checks that are asked for, each with its level, or with that of a profile."""
    area, level = (chosen.area or "").upper(), chosen.level
    if area and area not in Area.__members__:
        remedy = f"give one of {', '.join(Area.__members__)}"
        raise ConfigError(f"there is no area {area}", remedy=remedy)
    if chosen.profile not in (None, *PROFILES):
        raise ConfigError(
            f"there is no profile {chosen.profile!r}",
            remedy=f"give one of {', '.join(PROFILES)}",
        )
    profile = PROFILES.get(chosen.profile)
    stack = Stack(chosen.stack) if chosen.stack else None
    weighed = [
        (declared, profile.part_of(declared) if profile else declared.level)
        for declared in catalogue.checks().values()
        if (not stack or stack in declared.stacks) and (not area or declared.area == area)
    ]
    return [
        (declared, found) for declared, found in weighed if found and level in (None, found.value)
    ]


def _plain(
    declared: Check, level: Level | Part, outlooks: Mapping[str, here.Outlook]
) -> dict[str, Any]:
    found = {"here": asdict(outlooks[declared.id])} if outlooks else {}
    return found | {
        "id": declared.id,
        "level": level.value,
        "requirement": declared.requirement,
        "stacks": [stack.value for stack in Stack if stack in declared.stacks],
        "families": [family.value for family in declared.families],
        "needs": [without_cluster(feature.sentence) for feature in declared.features],
        "restsOn": list(declared.rests_on),
        "references": list(declared.references),
    }


def _explain(chosen: argparse.Namespace) -> int:
    cni = chosen.cni and chosen.cni.lower()
    named = _named(chosen.id)
    known = [network.value for network in NETWORKS]
    if cni and cni not in map(str.lower, known):
        close = alike(cni, map(str.lower, known), most=1)
        hint = f". Did you mean {close}?" if close else ""
        told = f"nothing is known of CNI {chosen.cni!r}, but of {', '.join(known)}{hint}"
        print(f"ipv6k8s: {one_line(told)}", file=sys.stderr)
    for number, declared in enumerate(named):
        show(("\n" if number else "") + _explained(declared, cni))
        print()
        show_command("Look further:  ", declared.look)
    return OK


def _named(names: Sequence[str]) -> list[Check]:
    """Return the checks with these ids, and those of these areas, each once."""
    known, found = catalogue.checks(), {}
    for name in names:
        id = name.upper().replace("_", "-")
        here = {key: one for key, one in known.items() if id in (key, one.area)}
        if not here:
            close = alike(id, known)
            remedy = f"did you mean {close}?" if close else "see `ipv6k8s list`"
            raise ConfigError(f"there is no check {name!r}", remedy=remedy)
        found.update(here)
    return list(found.values())


def _explained(declared: Check, cni: str | None) -> str:
    stacks = ", ".join(stack.value for stack in Stack if stack in declared.stacks)
    families = " and ".join(family.value for family in declared.families)
    paragraphs = declared.explanation.split("\n\n")
    explanation = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    lines = [
        f"{declared.id}  {declared.requirement}",
        "",
        *([textwrap.indent(explanation, "    "), ""] if explanation else []),
        f"level      {declared.level.value}",
        f"stacks     {stacks}" + (f"; once for {families}" if families else ""),
        *[f"needs      {without_cluster(feature.sentence)}" for feature in declared.features],
        *[f"source     {reference}" for reference in declared.references],
        "",
        "Likely causes of a failure, in this order where nothing more is known:",
        *[f"  {number}. {cause}" for number, cause in enumerate(declared.causes, 1)],
        "",
        *_fixed(declared.id, cni),
        *_caught(declared.id),
    ]
    return "\n".join(lines).rstrip()


def _caught(id: str) -> list[str]:
    """Return the faults that a check saw when they were injected into real clusters."""
    faults = json.loads(data.text("detection.json")).get(id, [])
    head = ["Seen to catch, in real clusters:"] if faults else []
    return [*head, *(f"  {fault}" for fault in faults), *("" for _ in head)]


def _fixed(id: str, cni: str | None) -> list[str]:
    """Return how to fix it, by component, and an empty line; nothing where nothing is known."""
    known = sorted(fixes_of(id), key=lambda fix: fix.component.value.lower() != cni)
    lines = [
        f"  {fix.component.value:24} {fix.text}" + (f" ({fix.source})" if fix.source else "")
        for fix in known
    ]
    return ["How to fix it:", *lines, ""] if lines else []
