"""One fault, one headline: what a check rests on, and which red check explains another one."""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.checks import Area, Check
from pytest_ipv6k8s.evidence import API_SERVER, Record
from pytest_ipv6k8s.plain import build, plain
from pytest_ipv6k8s.waiting import poll


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Between which nodes something was asked, in which family; empty where it is not known."""

    source: str = ""
    destination: str = ""
    family: Family | None = None

    def covers(self, other: Place) -> bool:
        """Tell whether what is wrong here may be what is wrong there.

        A broken way spoils both directions, and any way through a Service from one of its ends.
        A Service that is wrong on a node spoils what that node asks, and what it is asked, as at
        its node ports. What comes from outside enters by the node that is asked. What was asked of
        no known node is wrong where the same is.
        """
        if self.family and other.family and self.family is not other.family:
            return False
        ends = {self.source, self.destination} - {""}
        if not self.destination and other.destination in ends:
            return True
        towards = not self.destination or not other.destination or other.destination in ends
        known = other.source or other.destination
        return (known in ends if known else not ends) and towards


def place_of(record: Record[Any], nodes: Mapping[str, str]) -> Place:
    """Return where a record was asked.

    Args:
        record: an answer.
        nodes: of pods, by their names and by their addresses.
    """
    return place_between(record.source, record.request, nodes)


def place_between(source: str, request: Mapping[str, Any], nodes: Mapping[str, str]) -> Place:
    """Return where a question is asked; see :func:`place_of`."""
    target = next((str(request[k]) for k in ("address", "server", "host") if request.get(k)), "")
    return Place(
        source=nodes.get(source, ""),
        destination=nodes.get(target, ""),
        family=_family(target),
    )


def _family(target: str) -> Family | None:
    try:
        return Family.of(target)
    except ValueError:  # a name
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Red:
    """An item whose expectations were not met.

    Attributes:
        id: the check's.
        families: those that the item is about.
        places: where it was not met; none where an object of the API is wrong, for all nodes.
        wholly: whether nothing that it judged was as expected.
        roots: the checks that are red in its place; its own id where none is.
    """

    id: str
    families: tuple[Family, ...]
    places: tuple[Place, ...]
    wholly: bool
    roots: tuple[str, ...]


def red(
    declared: Check,
    family: Family | None,
    records: Iterable[Record[Any]],
    nodes: Mapping[str, str],
    roots: Collection[str] = (),
) -> Red:
    """Return what the ledger notes of an item whose expectations were not met.

    Args:
        declared: the check.
        family: the item's.
        records: all that it recorded.
        nodes: see :func:`place_of`.
        roots: the red checks that explain it, if there are any.
    """
    judged = [record for record in records if record.mark.judged]
    failed = [record for record in judged if record.mark.failed]
    return Red(
        id=declared.id,
        families=families(declared, family),
        places=tuple(dict.fromkeys(place_of(r, nodes) for r in failed if r.source != API_SERVER)),
        wholly=bool(failed) and len(failed) == len(judged),
        roots=tuple(roots) or (declared.id,),
    )


def families(declared: Check, family: Family | None) -> tuple[Family, ...]:
    """Return the families that an item is about: its own, or those of all stacks of its check."""
    return tuple(sorted(declared.asked(family) or Family, key=lambda found: found.value))


def in_order(checks: Mapping[str, Check]) -> dict[str, int]:
    """Return the place of each check in the order in which they are asked, by id.

    It is that in which a person looks for a fault: area by area, and what others rest on first. A
    check that rests on one of a later area is asked with that area.
    """

    def bases(check: Check) -> list[Check]:
        found = (checks.get(id) for id in (*check.rests_on, *check.rests_partly_on))
        return [base for base in found if base and base is not check]

    @functools.cache
    def area(id: str) -> int:
        check = checks[id]
        return max([Area.place(check.area), *(area(base.id) for base in bases(check))])

    @functools.cache
    def depth(id: str) -> int:
        inside = [base.id for base in bases(checks[id]) if area(base.id) == area(id)]
        return max((1 + depth(base) for base in inside), default=0)

    ordered = sorted(checks, key=lambda id: (area(id), depth(id), id))
    return {id: number for number, id in enumerate(ordered)}


class Ledger:
    """The red items of a run, and those that have ended, in files that the worker processes share.

    Args:
        folder: where they are noted, a line for each.
        checks: all checks of the run, by id.
    """

    def __init__(self, folder: Path, checks: Mapping[str, Check]) -> None:
        self._red = folder / "red.jsonl"
        self._ended = folder / "ended.txt"
        self._checks = checks

    def note(self, item: Red) -> None:
        """Note a red item."""
        _append(self._red, json.dumps(plain(item)))

    def end(self, item: str) -> None:
        """Note by its node id that an item has ended, red or not."""
        _append(self._ended, item)

    def wait_for(self, items: Collection[str], *, timeout: float) -> None:
        """Return when the items with these node ids have ended, or after so many seconds."""

        def left() -> set[str]:
            return set(items).difference(_lines(self._ended))

        poll(left, lambda found: not found, timeout=timeout, interval=0.2)

    def holding(self, declared: Check, family: Family | None) -> tuple[str, ...]:
        """Return the red checks without which an item cannot pass: nobody needs to ask it."""
        bases = self._bases(declared, family, partly=False)
        return _roots(base for base in bases if base.wholly)

    def suspects(self, declared: Check, family: Family | None) -> tuple[str, ...]:
        """Return the red checks that an item rests on, if only in part."""
        return _roots(self._bases(declared, family, partly=True))

    def doubtful(self, declared: Check, family: Family | None) -> tuple[Place, ...]:
        """Return the places that are red already in a check that an item rests on."""
        bases = self._bases(declared, family, partly=True)
        return tuple(dict.fromkeys(place for base in bases for place in base.places))

    def explaining(
        self, declared: Check, family: Family | None, places: Collection[Place]
    ) -> tuple[str, ...]:
        """Return the red checks that explain why an item failed in these places, all of them.

        What is wrong in no place, such as EndpointSlices, may be what is wrong in any. Where a
        Service was asked and its endpoints, too, what explains those explains the Service.
        """
        bases = self._bases(declared, family, partly=True)
        covering = {
            place: [b for b in bases if not b.places or any(f.covers(place) for f in b.places)]
            for place in places
        }
        if not covering:
            return _roots(base for base in bases if base.wholly or not base.places)
        endpoints = {
            place.source: found for place, found in covering.items() if place.destination and found
        }
        every = [
            found or (endpoints.get(place.source, []) if not place.destination else [])
            for place, found in covering.items()
        ]
        return _roots(base for found in every for base in found) if all(every) else ()

    def _bases(self, declared: Check, family: Family | None, *, partly: bool) -> list[Red]:
        about, ids = set(families(declared, family)), self.under(declared, partly=partly)
        return [item for item in self._noted() if item.id in ids and about & set(item.families)]

    def under(self, declared: Check, *, partly: bool) -> set[str]:
        """Return the ids of all checks that one rests on, directly or through others.

        Args:
            declared: the one.
            partly: whether to follow what is rested on only in part, too.
        """
        found: set[str] = set()
        waiting = [declared]
        while waiting:
            check = waiting.pop()
            for id in (*check.rests_on, *(check.rests_partly_on if partly else ())):
                if id in self._checks and id not in found:
                    found.add(id)
                    waiting.append(self._checks[id])
        return found - {declared.id}

    def _noted(self) -> Iterator[Red]:
        return (build(Red, json.loads(line)) for line in _lines(self._red))


def _append(file: Path, line: str) -> None:
    with file.open("a", encoding="utf-8") as out:
        out.write(line + "\n")


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _roots(reds: Iterable[Red]) -> tuple[str, ...]:
    return tuple(sorted({id for item in reds for id in item.roots}))
