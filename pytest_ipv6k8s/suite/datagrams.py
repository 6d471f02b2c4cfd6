"""Datagrams of a size: each is sent many times, none again, and most have to arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.agent.ops import udp_sized
from pytest_ipv6k8s.agent.ports import UDP_PORT
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import expect_all, remark

SENT, ENOUGH = 20, 14
"""Our limit. One packet in a hundred lost is one large datagram in 15 (six fragments and a reply):
more than six of 20 are then lost once in 5000 times. Where two of three are lost, 14 arrive once
in 1000 times."""

UDP_HEADER = 8
HEADERS = {Family.V6: 40, Family.V4: 20}
_SECONDS = 8.0

Datagrams = Record[udp_sized.Answer]


def many(
    address: str, size: int, how: str, *, reply: int = 0, port: int = UDP_PORT
) -> udp_sized.Request:
    """Return the request to send datagrams with so many bytes of payload, and to count."""
    return udp_sized.Request(
        address,
        port,
        size,
        reply_size=reply,
        how=how,
        tries=SENT,
        timeout=_SECONDS,
        every=True,
    )


def require_fragments(records: Sequence[Record[Any]]) -> None:
    """Require that whoever sent had to send in fragments, as far as its kernel tells.

    Args:
        records: answers that tell how many fragments were made.

    Raises:
        Inconclusive: somebody sent all of it whole, so that nothing is known of fragments.
    """
    whole = [record for record in records if record.answer.fragments == 0]
    if whole:
        raise Inconclusive(f"nothing left in fragments: {whole[0]}")
    if any(record.answer.fragments < 0 for record in records):
        remark("the pods' kernel does not tell whether it sent fragments")


def expect_arrivals(records: Sequence[Datagrams], *, expected: str) -> None:
    """Expect that of each request most datagrams arrive, and tell how many did.

    Args:
        records: answers to requests of :func:`many`.
        expected: what should arrive, as a phrase: "1500 bytes in fragments".
    """
    arrived, sent = sum(r.answer.arrivals for r in records), SENT * len(records)
    remark(f"{arrived} of {sent} datagrams arrived")
    expect_all(
        records,
        lambda record: record.answer.arrivals >= ENOUGH,
        expected=f"{expected} to arrive, {ENOUGH} times of {SENT} at least (our limit)",
    )
