"""Every verdict is made here, and nowhere else."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pytest_ipv6k8s.checks import Level
from pytest_ipv6k8s.errors import ControlChannelError, Inconclusive, NothingToJudge


class Verdict(enum.Enum):
    """What we say of a check."""

    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOT_JUDGED = "not judged"
    PASS = "pass"
    INFORMATIONAL = "informational"
    SKIP = "skip"
    NOT_APPLICABLE = "not applicable"

    @property
    def is_red(self) -> bool:
        """Whether a run with such a verdict exits with 1."""
        return self in (Verdict.FAIL, Verdict.INCONCLUSIVE)


UNSETTLED = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NOT_JUDGED)
"""Verdicts that leave open, or deny, that a requirement is met: one of them is a gap in a claim."""


class Result(enum.Enum):
    """What checks together say: of a cluster, or of a claim about it."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict and the sentence that goes with it (empty for a plain pass).

    ``rests_on`` has the ids of red checks in whose place nothing was judged, ``remarks`` what was
    told beside the verdict, which ends the reason as well.
    """

    verdict: Verdict
    reason: str = ""
    rests_on: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class Phase(enum.Enum):
    """Where in an item something happened."""

    SETUP = "setup"
    CALL = "call"
    TEARDOWN = "teardown"


def judge(
    *,
    level: Level,
    answers: int,
    expectations: int,
    error: BaseException | None = None,
    phase: Phase = Phase.CALL,
    not_applicable: str = "",
    skipped: str = "",
    out_of_order: str = "",
    remarks: Sequence[str] = (),
    rests_on: Sequence[str] = (),
) -> Judgement:
    """Return the verdict of one item.

    Args:
        level: what the check declares; an informational check never turns a run red.
        answers: how many answers of a probe or the API server were recorded or cited.
        expectations: how many the body stated; nothing passes without one.
        error: what was raised in set-up or body, None when the body returned.
        phase: where it was raised. A failed teardown is no concern of the verdict.
        not_applicable: why the stack rules the check out.
        skipped: the sentence of the need that is not met.
        out_of_order: what is wrong with the probes themselves, found out when a body
            asserted, or could not tell.
        remarks: what the body told beside the verdict; they end its reason.
        rests_on: ids of red checks that explain whatever is found, or for which nothing was asked.
    """
    if not_applicable:
        return Judgement(verdict=Verdict.NOT_APPLICABLE, reason=not_applicable)
    if skipped:
        return Judgement(verdict=Verdict.SKIP, reason=skipped)
    if rests_on:
        judgement = _not_judged(rests_on)
    elif error is not None:
        judgement = _judge_error(answers, error, phase, out_of_order)
    else:
        judgement = _judge_return(answers, expectations)
    told = _remarked(judgement, remarks)
    return _measured_only(told) if level is Level.INFORMATIONAL else told


def _judge_return(answers: int, expectations: int) -> Judgement:
    if not answers:
        return _inconclusive("asserted nothing: no answer received")
    if not expectations:
        return _inconclusive("asserted nothing: no expectation was stated of any answer")
    return Judgement(verdict=Verdict.PASS)


def _remarked(judgement: Judgement, remarks: Sequence[str]) -> Judgement:
    reason = "; ".join(filter(None, (judgement.reason, *remarks)))
    return replace(judgement, reason=reason, remarks=tuple(remarks))


def _measured_only(judgement: Judgement) -> Judgement:
    """Return what an informational check says: what it measured, or why it could not."""
    if judgement.verdict is Verdict.NOT_JUDGED:
        return judgement
    unmeasured = judgement.verdict is Verdict.INCONCLUSIVE
    reason = f"not measured: {judgement.reason}" if unmeasured else judgement.reason
    return Judgement(verdict=Verdict.INFORMATIONAL, reason=reason)


def _not_judged(rests_on: Sequence[str]) -> Judgement:
    reason = f"not judged: rests on {', '.join(rests_on)}"
    return Judgement(verdict=Verdict.NOT_JUDGED, reason=reason, rests_on=tuple(rests_on))


def _inconclusive(reason: str) -> Judgement:
    return Judgement(verdict=Verdict.INCONCLUSIVE, reason=reason)


def _judge_error(answers: int, error: BaseException, phase: Phase, out_of_order: str) -> Judgement:
    if isinstance(error, NothingToJudge):
        return Judgement(verdict=Verdict.NOT_APPLICABLE, reason=str(error))
    if isinstance(error, (Inconclusive, ControlChannelError)):
        return _inconclusive("; ".join(filter(None, (out_of_order, str(error)))))
    if not isinstance(error, AssertionError):
        return _inconclusive(f"the suite broke: {type(error).__name__}: {error}")
    if phase is not Phase.CALL:
        return _inconclusive(f"set-up asserted: {error}")
    if answers == 0:
        return _inconclusive("asserted without having asked")
    if out_of_order:
        return _inconclusive(out_of_order)
    return Judgement(verdict=Verdict.FAIL, reason=str(error))


def fold(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of a check from those of its items: the worst one that was reached."""
    found = set(verdicts)
    return next((verdict for verdict in Verdict if verdict in found), Verdict.NOT_APPLICABLE)
