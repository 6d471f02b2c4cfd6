"""What a check expects: stated of one answer, of all of them, or after a time of convergence.

Whatever an expectation is stated of is marked as judged: reports keep that evidence first.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pytest_ipv6k8s import waiting
from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.evidence import Record, mark
from pytest_ipv6k8s.masking import redact
from pytest_ipv6k8s.words import finding

# Checks say a timeout in seconds and know no settings, so this one factor belongs to the process:
# the plugin sets it, once, before anything is asked. Whatever is no check is handed `Timeouts`.
_timeout_factor = 1.0
_ROUNDS = 2


def set_timeout_factor(factor: float) -> None:
    """Multiply the timeout of every :func:`eventually` of this process from now on."""
    global _timeout_factor
    _timeout_factor = factor


T = TypeVar("T")
R = TypeVar("R", bound=Record[Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """What the body of one item stated.

    Attributes:
        expectations: how many expectations were stated of something; of nothing, none was.
        remarks: what was told beside the verdict, each once.
    """

    expectations: int = 0
    remarks: tuple[str, ...] = ()


_stated = Statements()


def remark(text: str) -> None:
    """Tell beside the verdict, whatever it will be, what was measured or was not asked.

    Args:
        text: a phrase: "0 of 3000 datagrams lost", "judged on 2 of 5 nodes".
    """
    global _stated
    remarks = tuple(dict.fromkeys((*_stated.remarks, text)))
    _stated = Statements(expectations=_stated.expectations, remarks=remarks)


def take_statements() -> Statements:
    """Return what was stated since the last call, and forget it: an item has ended."""
    global _stated
    taken, _stated = _stated, Statements()
    return taken


def _count_expectation() -> None:
    global _stated
    _stated = Statements(expectations=_stated.expectations + 1, remarks=_stated.remarks)


class Unmet(AssertionError):
    """A requirement that the cluster did not meet.

    Attributes:
        expected: what should have been found.
        actual: what was found instead, one line for each finding.
        paths: from where to where, where there was a path.
        records: the answers that failed, as far as they are known.
    """

    def __init__(
        self,
        expected: str,
        actual: Sequence[str],
        paths: Sequence[str],
        records: Sequence[Record[Any]] = (),
    ) -> None:
        super().__init__(f"expected {expected}; actual: {'; '.join(actual[:3])}")
        self.expected = expected
        self.actual = tuple(actual)
        self.paths = tuple(paths)
        self.records = tuple(records)


def expect(
    condition: object, *, expected: str, actual: object, say: Callable[[Any], str] = finding
) -> None:
    """State what a check expects; an expectation that is not met fails the check.

    Args:
        condition: true when the expectation is met.
        expected: what should be found, as a phrase: "an answer from every pod".
        actual: what was found: one or several records, or anything else.
        say: puts one finding into words.

    Raises:
        Unmet: the condition is false.
    """
    several = isinstance(actual, (list, tuple, set, frozenset))
    findings = list(actual) if several else [actual]  # type: ignore[call-overload]
    _count_expectation()
    _judge(condition, expected, findings, say, _records(findings))


def _judge(
    condition: object,
    expected: str,
    findings: Sequence[Any],
    say: Callable[[Any], str],
    records: Sequence[Record[Any]],
) -> None:
    mark(records, failed=not condition)
    if condition:
        return
    paths = dict.fromkeys(record.path for record in records if record.path)
    lines = [str(redact(say(item))) for item in findings] or ["nothing"]
    raise Unmet(expected, lines, list(paths), records)


def expect_all(
    findings: Iterable[T],
    condition: Callable[[T], object],
    *,
    expected: str,
    say: Callable[[T], str] = finding,
    shown: Callable[[T], object] = lambda found: found,
) -> None:
    """State what a check expects of each of several findings; of none there is nothing to expect.

    Args:
        findings: records, or whatever else is judged one by one.
        condition: tells whether one finding is what is expected.
        expected: what should be found, as a phrase.
        say: puts one finding that is not into words.
        shown: the record that stands for a finding that is none itself: what failed without one
            has no place, and nothing can explain it.

    Raises:
        Unmet: some are not; carries those.
    """
    everything = list(findings)
    failing = [item for item in everything if not condition(item)]
    if everything:
        _count_expectation()
    mark(_records(map(shown, everything)), failed=False)
    _judge(not failing, expected, failing, say, _records(map(shown, failing)))


def assert_family(finding: Record[Any] | str, family: Family) -> None:
    """State that an answer came over a family, or that an address is of it.

    Args:
        finding: an address; or a record, of which all addresses in its answer are judged: the
            probe's own, the one it reached, the one that the peer saw, those that a name has.
        family: the one that is expected.

    Raises:
        Unmet: an address is of the other family, or the answer has none.
    """
    found = [finding] if isinstance(finding, str) else _addresses_in(finding.answer)
    expect(
        found and all(Family.of(address) is family for address in found),
        expected=family.value,
        actual=finding,
    )


def _addresses_in(answer: Any) -> list[str]:
    single = [getattr(answer, name, "") for name in ("local", "address", "seen_source")]
    return [*filter(None, single), *getattr(answer, "addresses", ())]


def eventually(
    ask: Callable[[], Sequence[R]],
    condition: Callable[[R], object],
    *,
    expected: str,
    timeout: float = 10.0,
) -> Sequence[R]:
    """Ask the data plane until all answers are as expected: rules may take a moment to be loaded.

    Args:
        ask: puts the questions; the last answers are those that count.
        condition: tells whether one answer is what is expected.
        expected: what should be found, as a phrase.
        timeout: seconds until all answers must be as expected.

    Returns:
        The first answers that all are.

    Raises:
        Unmet: some never were; carries the last ones, the time, and how the first try went.
    """
    timeout *= _timeout_factor
    started = time.monotonic()
    records: Sequence[R] = ()
    failing_at_first: list[int] = []

    def failing() -> list[R]:
        nonlocal records
        records = ask()
        found = [record for record in records if not condition(record)]
        failing_at_first.append(len(found))
        return found

    waiting.poll(failing, lambda found: not found, timeout=timeout, interval=0.25)
    elapsed = time.monotonic() - started
    tries = f"waited {elapsed:.1f} s over {len(failing_at_first)} tries"
    first = f"{failing_at_first[0]} of {len(records)} answers failed at first"
    expected = f"{expected} within {timeout:.0f} s ({tries}; {first})"
    expect_all(records, condition, expected=expected)
    return records


def settle(
    ask: Callable[[], Sequence[T]],
    condition: Callable[[T], object],
    *,
    after: str,
    timeout: float = 10.0,
    since: float | None = None,
) -> None:
    """Wait until a change of ours has taken effect: two rounds in a row are as expected.

    Nothing is judged, also not when the time is up: what is asked afterwards, once, is. How long
    it took is told beside the verdict, where the first two rounds did not suffice. Nobody waits for
    what is known to be spoilt by something red, nor where the change was long ago.

    Args:
        ask: puts the questions of one round.
        condition: tells whether one answer is what is expected.
        after: the change of ours, as a phrase: "our NetworkPolicies were made".
        timeout: seconds from the change on until we give up waiting.
        since: when the change was, by the clock of this machine; just now without.
    """
    left = timeout * _timeout_factor - (time.time() - since if since is not None else 0)
    if left <= 0:
        return
    started, good, rounds = time.monotonic(), _good_rounds(ask, condition), itertools.count(1)
    number, found = waiting.poll(
        lambda: (next(rounds), good()),
        lambda seen: seen[1] >= _ROUNDS,
        timeout=left,
        interval=0.02,
    )
    took = f"{time.monotonic() - started:.1f} s and {number} round{'s' if number != 1 else ''}"
    if found < _ROUNDS:
        remark(f"not as expected in {took} after {after}")
    elif number > _ROUNDS:
        remark(f"as expected from {took} on after {after}")


def _good_rounds(
    ask: Callable[[], Sequence[T]], condition: Callable[[T], object]
) -> Callable[[], int]:
    """Return what asks once and says how many rounds in a row were good; enough, if spoilt."""
    in_a_row = 0

    def round_of() -> int:
        nonlocal in_a_row
        findings = ask()
        good = all(_doubted(found) or condition(found) for found in findings)
        more = _ROUNDS if any(map(_doubted, findings)) else 1
        in_a_row = in_a_row + more if good else 0
        return in_a_row

    return round_of


def _doubted(finding: object) -> bool:
    return isinstance(finding, Record) and finding.mark.doubted


def _records(findings: Iterable[object]) -> list[Record[Any]]:
    return [item for item in findings if isinstance(item, Record)]
