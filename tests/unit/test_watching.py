"""What the agent makes of packets, of nftables' trace and of the kernel's drops."""

from __future__ import annotations

import errno
import os
import socket
import struct
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.agent import drops, nftrace, packets, watching
from pytest_ipv6k8s.agent.ops import watch_begin, watch_end
from pytest_ipv6k8s.agent.packets import ICMPV6, TCP, UDP, Complaint


def _ipv6(protocol: int, payload: bytes) -> bytes:
    ends = [socket.inet_pton(socket.AF_INET6, end) for end in ("fd00::1", "fd00::2")]
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) + b"".join(ends) + payload


def _tcp(flags: int, sequence: int = 0, acknowledged: int = 0) -> bytes:
    return struct.pack("!HHIIBBHHH", 1, 2, sequence, acknowledged, 80, flags, 0, 0, 0)


ENDS = ("fd00::1", "fd00::2")


@pytest.mark.parametrize(
    ("flags", "key", "answer"),
    [(0x02, 7, False), (0x12, 8, True), (0x14, 8, True), (0x10, 0, False), (0x04, 0, False)],
)
def test_a_connection_is_known_by_its_first_number(flags: int, key: int, answer: bool) -> None:
    data = _ipv6(TCP, _tcp(flags, 7, 9))

    assert list(packets._read(data)) == [(TCP, *ENDS, 1, 2, key, answer)]


def test_a_datagram_is_known_by_what_it_carries() -> None:
    one, other, same = (
        next(packets._read(_ipv6(UDP, struct.pack("!HHHH", port, 2, 0, 0) + text)))
        for port, text in ((1, b"a"), (1, b"b"), (9, b"a"))
    )

    assert one[5] == same[5] != other[5]  # type: ignore[index]


def test_extension_headers_are_passed_over() -> None:
    fragment = bytes([TCP]) + bytes(7)

    assert next(packets._read(_ipv6(44, fragment + _tcp(2, 5))))[5] == 5  # type: ignore[index]


def test_an_error_tells_of_which_packet_it_is() -> None:
    inner = _ipv6(TCP, _tcp(2))
    data = _ipv6(ICMPV6, bytes([1, 4, 0, 0]) + bytes(4) + inner)

    assert list(packets._read(data)) == [Complaint("fd00::1", 1, 4, *ENDS)]


@pytest.mark.parametrize("data", [b"", b"\x60", _ipv6(TCP, b"\0"), b"\x10" * 60, _ipv6(1, b"")])
def test_what_is_no_packet_is_nothing(data: bytes) -> None:
    assert list(packets._read(data)) == []


def test_a_dropped_packet_is_read_from_the_trace() -> None:
    lines = (
        "  python3-12 [001] ..s1. 15662.922929: kfree_skb: skbaddr=00 rx_sk=0000 protocol=34525 "
        "location=nft_do_chain+0x4c/0x5 reason: NETFILTER_DROP\n",
        "  <idle>-0 [001] ..s1. 1.5: kfree_skb: skbaddr=00 protocol=34525 location=ip6_forward\n",
    )
    found = [drops._EVENT.search(line) for line in lines]

    first, second = (match.groupdict() for match in found if match)
    assert (first["time"], first["reason"]) == ("15662.922929", "NETFILTER_DROP")
    assert (second["location"], second["reason"]) == ("ip6_forward", None)


def test_a_table_that_nobody_else_can_leave_behind_marks_both_ends() -> None:
    rules = list(nftrace._marking(6, "fd00::1"))

    assert len(rules) == 2
    assert all(socket.inet_pton(socket.AF_INET6, "fd00::1") in rule for rule in rules)
    assert struct.pack("!I", 2) in nftrace._attribute(2, nftrace._u32(nftrace._OWNER))


def _told(kind: int, verdict: int, policy: int | None = None) -> list[nftrace.Verdict]:
    trace = object.__new__(nftrace.Trace)
    trace._headers, trace.drops = {}, {}
    body = nftrace._attribute(1, b"filter\0") + nftrace._attribute(2, b"FORWARD\0")
    body += nftrace._attribute(3, struct.pack("!Q", 12)) + nftrace._attribute(4, nftrace._u32(kind))
    body += nftrace._attribute(5, nftrace._attribute(1, struct.pack("!i", verdict)))
    body += nftrace._attribute(6, nftrace._u32(99)) + nftrace._attribute(8, _ipv6(TCP, b"")[:40])
    if policy is not None:
        body += nftrace._attribute(16, nftrace._u32(policy))
    trace._note(bytes([10, 0, 0, 0]) + body)
    return list(trace.drops)


def test_who_drops_is_read_from_nftables() -> None:
    assert _told(3, 0) == [nftrace.Verdict("ip6", "filter", "FORWARD", 12, False, *ENDS)]
    assert _told(1, 0, policy=0) == [nftrace.Verdict("ip6", "filter", "FORWARD", 0, True, *ENDS)]
    assert _told(3, 1) == []
    assert _told(1, 0, policy=1) == []
    assert _told(2, -5) == []


class _Refused:
    def __init__(self, number: int) -> None:
        self._number = number

    def __call__(self, *arguments: Any) -> Any:
        raise OSError(self._number, "refused")


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOENT, errno.EOPNOTSUPP, errno.EEXIST])
def test_what_cannot_be_watched_is_said_and_the_rest_goes_on(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Capture", "Trace", "Drops"):
        monkeypatch.setattr(watching, name, _Refused(number))

    begun = watch_begin.perform(watch_begin.Request(("fd00::1",)))
    ended = watch_end.perform(watch_end.Request(("fd00::1",)))

    assert [what for what, _ in begun.missing] == ["packets", "nftables", "kernel"]
    assert ended == watch_end.Answer()


def _instances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "instances"
    folder.mkdir()
    monkeypatch.setattr(drops, "PLACES", (str(tmp_path),))
    return folder


def test_a_trace_of_another_tool_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _instances(tmp_path, monkeypatch)
    for name in ("other", "ipv6k8s-old", "ipv6k8s-new"):
        (folder / name).mkdir()
    for name in ("other", "ipv6k8s-old"):
        os.utime(folder / name, (1, 1))

    drops._remove_stale(drops._root())

    assert sorted(one.name for one in folder.iterdir()) == ["ipv6k8s-new", "other"]


def test_without_the_tracepoint_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _instances(tmp_path, monkeypatch)
    monkeypatch.setattr(drops.Drops, "_write", _Refused(errno.ENOENT))

    with pytest.raises(OSError, match="refused"):
        drops.Drops(0x86DD)

    assert list(folder.iterdir()) == []
