"""What the API server makes of an object: taken as it is, completed, or refused with a reason."""

from __future__ import annotations

from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import expect
from pytest_ipv6k8s.kube.client import Outcome


def describe(record: Record[Outcome]) -> str:
    """Return what the API server made of an object, or why it refused it."""
    answer = record.answer
    if answer.accepted:
        return f"{record.path}: accepted as {answer.object.get('spec')}"
    return f"{record.path}: refused with {answer.code}: {answer.message}"


def expect_accepted(record: Record[Outcome]) -> None:
    """Expect that a proposal is fine; beside a refused one: else everything might be refused."""
    expect(record.answer.accepted, expected="an accepted proposal", actual=record, say=describe)


def expect_refused(record: Record[Outcome], *words: str, field: str) -> None:
    """Expect a refusal of this field (or one of its items) in one of these words."""
    expect(
        any(
            cause.field.startswith(field) and any(word in cause.message for word in words)
            for cause in record.answer.causes
        ),
        expected=f"{field}: {' or '.join(words)}",
        actual=record,
        say=describe,
    )
