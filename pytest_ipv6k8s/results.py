"""What became of an item: one check, or one check for one family."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.checks import Level
from pytest_ipv6k8s.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFacts:
    """What a report says of a check itself; see :class:`pytest_ipv6k8s.checks.Check`."""

    id: str
    requirement: str
    level: Level
    references: tuple[str, ...]

    @property
    def area(self) -> str:
        """The part of the id before the hyphen."""
        return self.id.split("-")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """An answer that is kept, as plain data without secrets.

    Attributes:
        source: where the request was put: the name of a probe pod, or "the API server".
        request: operation and arguments.
        answer: what came back.
        seconds: how long it took.
    """

    source: str
    request: Mapping[str, Any]
    answer: Any
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """Packets at a device of a node.

    Attributes:
        node: its name.
        device: its name there.
        out: whether they left by it; otherwise they came in.
        answer: whether they were answers.
        packets: how many.
    """

    node: str
    device: str
    out: bool
    answer: bool
    packets: int

    def __str__(self) -> str:
        return f"{'after leaving by' if self.out else 'after coming in by'} {self.device}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A failing path, asked again while nodes were watched.

    Attributes:
        path: from where to where.
        died: where the packets died, and why, as far as it is known.
        node: in whose network they died; empty where that is not known, or between two.
        look: a command on that node which shows it; empty where there is none.
        fix: what to change there; empty where that is not clear.
        hops: where they were seen, in their order.
        missing: what could not be watched, and why.
        is_answered: whether it was answered each time.
    """

    path: str
    died: str
    node: str = ""
    look: str = ""
    fix: str = ""
    hops: tuple[Hop, ...] = ()
    missing: tuple[str, ...] = ()
    is_answered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an item failed.

    Attributes:
        expected: what should have been received, as a phrase.
        actual: what was received instead, one line for each finding.
        paths: from where to where, where there was a path.
        causes: why clusters usually fail it, the likeliest first.
        look: a command that looks further.
        facts: what was found beside: what the API says is not as it should be where it failed,
            then what the check remarked.
        fixes: what to change, in this cluster, the likeliest first.
        traces: some of the paths, asked again.
    """

    expected: str
    actual: tuple[str, ...]
    paths: tuple[str, ...]
    causes: tuple[str, ...]
    look: str
    facts: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()
    traces: tuple[Trace, ...] = ()

    @property
    def in_short(self) -> str:
        """What was found, in one line that begins with what tells most: the answer, then where."""
        first = self.actual[0] if self.actual else f"not {self.expected}"
        path = next((path for path in self.paths if first.startswith(f"{path}: ")), "")
        text = f"{first.removeprefix(path + ': ')}; {path}" if path else first
        return f"{text} (and {len(self.actual) - 1} more)" if len(self.actual) > 1 else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A verdict, and what it rests on.

    Attributes:
        family: None for a check that has one item for all families.
        verdict: our judgement.
        reason: why, for every verdict but a plain pass.
        seconds: how long the item took.
        answers: how many answers the verdict rests on.
        digest: SHA-256 over all answers, whatever their order.
        evidence: the answers that are kept.
        rests_on: ids of red checks for which this one was not judged.
        failure: only of an item that failed.
        teardown: what broke after the verdict.
        bundle: path of the run's failure bundle, which has a folder for the item.
    """

    family: Family | None = None
    verdict: Verdict
    reason: str
    seconds: float
    answers: int
    digest: str
    evidence: tuple[Evidence, ...]
    rests_on: tuple[str, ...] = ()
    failure: Failure | None = None
    teardown: str = ""
    bundle: str = ""

    @property
    def is_reached(self) -> bool:
        """Whether the verdict says something of the cluster, and so has to rest on answers."""
        return self.verdict in (Verdict.PASS, Verdict.FAIL, Verdict.INFORMATIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whether a pod on one node reached a pod on another one, or on the same."""

    source: str
    destination: str
    reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult:
    """What became of an item; crosses the border between xdist's processes as plain data.

    Attributes:
        check: which one.
        outcome: its verdict.
        reachability: of nodes, where the check is of that kind.
        failed: the first questions whose answers failed it.
    """

    check: CheckFacts
    outcome: Outcome
    reachability: tuple[Reach, ...] = ()
    failed: tuple[Evidence, ...] = ()

    @property
    def name(self) -> str:
        """The check's id, with the family where there is one: ``ADDR-16 IPv6``."""
        return item_name(self.check, self.outcome)

    def without_bundle(self) -> ItemResult:
        """Return the same for a run whose bundle could not be written."""
        return dataclasses.replace(self, outcome=dataclasses.replace(self.outcome, bundle=""))


def item_name(check: CheckFacts, outcome: Outcome) -> str:
    """Return the check's id, with the family where there is one: ``ADDR-16 IPv6``."""
    return f"{check.id} {outcome.family.value}" if outcome.family else check.id
