"""Every verdict is made here, and nowhere else."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_ipv6k8s.checks import Level
from pytest_ipv6k8s.errors import ControlChannelError, Inconclusive

VACUOUS = "asserted nothing: no answer received"


class Verdict(enum.Enum):
    """What we say of a check."""

    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    PASS = "pass"
    INFORMATIONAL = "informational"
    SKIP = "skip"
    NOT_APPLICABLE = "not applicable"

    @property
    def is_red(self) -> bool:
        """Whether a run with such a verdict exits with 1."""
        return self in (Verdict.FAIL, Verdict.INCONCLUSIVE)


class Result(enum.Enum):
    """What checks together say: of a cluster, or of a claim about it."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict and the sentence that goes with it (empty for a plain pass)."""

    verdict: Verdict
    reason: str = ""


class Phase(enum.Enum):
    """Where in an item something happened."""

    SETUP = "setup"
    CALL = "call"
    TEARDOWN = "teardown"


def judge(
    *,
    level: Level,
    answers: int,
    error: BaseException | None = None,
    phase: Phase = Phase.CALL,
    not_applicable: str = "",
    skipped: str = "",
    out_of_order: str = "",
) -> Judgement:
    """Return the verdict of one item.

    Args:
        level: what the check declares; an informational check never fails.
        answers: how many answers of a probe or the API server were recorded or cited.
        error: what was raised in set-up or body, None when the body returned.
        phase: where it was raised. A failed teardown is no concern of the verdict.
        not_applicable: why the stack rules the check out.
        skipped: the sentence of the need that is not met.
        out_of_order: what is wrong with the probes themselves, found out when a body asserted.
    """
    if not_applicable:
        return Judgement(verdict=Verdict.NOT_APPLICABLE, reason=not_applicable)
    if skipped:
        return Judgement(verdict=Verdict.SKIP, reason=skipped)
    if error is not None:
        return _judge_error(level, answers, error, phase, out_of_order)
    if answers == 0:
        return Judgement(
            verdict=Verdict.INCONCLUSIVE, reason="asserted nothing: no answer received"
        )
    if level is Level.INFORMATIONAL:
        return Judgement(verdict=Verdict.INFORMATIONAL)
    return Judgement(verdict=Verdict.PASS)


def _judge_error(
    level: Level, answers: int, error: BaseException, phase: Phase, out_of_order: str
) -> Judgement:
    if isinstance(error, (Inconclusive, ControlChannelError)):
        return Judgement(verdict=Verdict.INCONCLUSIVE, reason=str(error))
    if not isinstance(error, AssertionError):
        broke = f"the suite broke: {type(error).__name__}: {error}"
        return Judgement(verdict=Verdict.INCONCLUSIVE, reason=broke)
    if phase is not Phase.CALL:
        return Judgement(verdict=Verdict.INCONCLUSIVE, reason=f"set-up asserted: {error}")
    if answers == 0:
        return Judgement(verdict=Verdict.INCONCLUSIVE, reason="asserted without having asked")
    if out_of_order:
        return Judgement(verdict=Verdict.INCONCLUSIVE, reason=out_of_order)
    if level is Level.INFORMATIONAL:
        return Judgement(verdict=Verdict.INFORMATIONAL, reason=str(error))
    return Judgement(verdict=Verdict.FAIL, reason=str(error))


def fold(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of a check from those of its items: the worst one that was reached."""
    found = set(verdicts)
    return next((verdict for verdict in Verdict if verdict in found), Verdict.NOT_APPLICABLE)
