"""What the API server makes of an object: taken as it is, completed, or refused with a reason.

What admission denies (a webhook, a policy, a quota) the API server has not judged.
"""

from __future__ import annotations

from pytest_ipv6k8s import words as in_words
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import expect, remark
from pytest_ipv6k8s.kube.client import Outcome

_TAKEN = ("is already allocated", "range is full")  # pkg/registry/core/service/ipallocator


def describe(record: Record[Outcome]) -> str:
    """Return what the API server made of an object, or why it refused it."""
    answer = record.answer
    if answer.accepted:
        return f"{record.path}: accepted as {in_words.answer(answer.object.get('spec'))}"
    return f"{record.path}: refused with {answer.code}: {answer.message}"


def require_verdict(record: Record[Outcome]) -> None:
    """Require that the API server itself judged what a proposal says.

    Raises:
        Inconclusive: admission denied it, on behalf of whoever wrote the policy; or others have the
            addresses.
    """
    answer = record.answer
    if answer.denied:
        raise Inconclusive(f"admission, not the API server, refused this: {describe(record)}")
    if not answer.accepted and any(words in answer.message for words in _TAKEN):
        raise Inconclusive(f"other Services have the addresses: {describe(record)}")


def expect_accepted(record: Record[Outcome]) -> None:
    """Expect that a proposal is fine; beside a refused one: else everything might be refused.

    What admission denies was at least not refused for the reason in question. It is told beside the
    verdict.
    """
    if record.answer.denied:
        remark(f"the counterpart was denied by admission: {describe(record)}")
        return
    require_verdict(record)
    expect(record.answer.accepted, expected="an accepted proposal", actual=record, say=describe)


def expect_refused(record: Record[Outcome], *words: str, field: str) -> None:
    """Expect a refusal of this field (or one of its items) in one of these words.

    Raises:
        Inconclusive: admission denied it before it was validated.
    """
    require_verdict(record)
    expect(
        any(
            cause.field.startswith(field) and any(word in cause.message for word in words)
            for cause in record.answer.causes
        ),
        expected=f"{field}: {' or '.join(words)}",
        actual=record,
        say=describe,
    )
