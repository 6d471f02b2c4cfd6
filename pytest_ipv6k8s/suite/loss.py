"""Loss: how much of what is sent may get lost before a path is called lossy. The limit is ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pytest_ipv6k8s.agent.ops import Request
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import expect_all, remark
from pytest_ipv6k8s.probe.probes import Probe, Probes
from pytest_ipv6k8s.suite.rates import most_by_chance

A = TypeVar("A")
TOLERATED = 0.01
"""One packet in a hundred is told and not judged; more than chance makes of it is."""

FEWEST = 300
"""With fewer round trips, three lost in a hundred cannot be told from one."""


def allowed(count: int) -> int:
    """Return how many of so many round trips may be lossy: 54 of 3000, 1.8 %.

    That is what a path that loses one in a hundred exceeds about once in 41 000 measurements.
    """
    return most_by_chance(count, TOLERATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What was lost on one path.

    Attributes:
        record: the answer that tells.
        owner: the probe that had to answer.
        count: how many round trips there were.
        lost: how many of them lost something.
        dead: flows of which nothing came back, or how they failed.
        pods: who answered.
    """

    record: Record[Any]
    owner: Probe
    count: int
    lost: int
    dead: tuple[str, ...]
    pods: tuple[str, ...]

    @property
    def rate(self) -> float:
        """The part that was lost; all of nothing."""
        return self.lost / self.count if self.count else 1.0

    @property
    def conclusive(self) -> bool:
        """Whether there were round trips enough, or there is no need of more."""
        return self.count >= FEWEST or not self.tolerable

    @property
    def tolerable(self) -> bool:
        """Whether no more was lost than may be, no flow as a whole, and the right pod answered."""
        few = self.count > 0 and self.lost <= allowed(self.count)
        return few and not self.dead and self.pods == (self.owner.name,)

    def __str__(self) -> str:
        told = f"{self.record.path}: {self.lost} of {self.count} lost ({self.rate:.1%})"
        if self.dead:
            told += f", dead: {', '.join(self.dead)}"
        return f"{told}, answered by {', '.join(self.pods) or 'nobody'}"


def asked_pairs(probes: Probes) -> Iterator[tuple[Probe, Probe]]:
    """Yield two probes for each two nodes, and for each node: who asks, and who is asked.

    A round trip loses on either way, so no two nodes are asked twice; everybody asks in turn.
    """
    nodes = probes.one_per_node
    for first, one in enumerate(nodes):
        for second, other in enumerate(nodes[first + 1 :], first + 1):
            yield (one, other) if (first + second) % 2 else (other, one)
    yield from probes.pairs_on_one_node()


def ask_pairs(probes: Probes, build: Callable[[Probe], Request[A]]) -> list[Record[A]]:
    """Ask along each of these paths once.

    Args:
        probes: between which.
        build: makes the question from the probe that is asked.
    """
    asked = list(asked_pairs(probes))
    return probes.ask_each(
        lambda probe: [build(other) for one, other in asked if one is probe],
        among=list(dict.fromkeys(one for one, _ in asked)),
    )


def expect_little_loss(losses: list[Loss], what: str) -> None:
    """Tell how much was lost, and expect of each path that it is no more than may be.

    Raises:
        Unmet: some path loses more.
        Inconclusive: the paths are too slow to ask them often enough.
    """
    lost, count = sum(loss.lost for loss in losses), sum(loss.count for loss in losses)
    worst = max(losses, key=lambda loss: loss.rate)
    where = f", most ({worst.rate:.1%}) on {worst.record.path}" if lost else ""
    remark(f"{lost} of {count} {what} lost on {len(losses)} paths{where}")
    told = {id(loss.record): loss for loss in losses}
    expect_all(
        [loss.record for loss in losses],
        lambda record: told[id(record)].tolerable,
        expected=f"of 3000 {what} at most {allowed(3000)} lost (our limit), on all flows",
        say=lambda record: str(told[id(record)]),
    )
    slow = [loss for loss in losses if not loss.conclusive]
    if slow:
        raise Inconclusive(f"too slow to tell: {slow[0]}")
