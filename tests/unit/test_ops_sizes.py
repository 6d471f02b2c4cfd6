"""Bulk transfers, sized datagrams, hop limits and interfaces, done on loopback."""

from __future__ import annotations

import errno
import hashlib
import socket
import struct
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pytest_ipv6k8s.agent import netlink, sockets
from pytest_ipv6k8s.agent.ops import (
    forged_too_big,
    hop_limit,
    interfaces,
    route_to,
    tcp_connect,
    tcp_transfer,
    udp_sized,
)
from tests.unit.responders import Serving, closed_port, serving_agent, tcp, udp

AMPLE, SHORT, EACH = 10.0, 0.2, 0.5
LOOPBACKS = ("::1", "127.0.0.1")


@pytest.fixture(scope="module")
def agent() -> Iterator[Serving]:
    """A serving agent."""
    with serving_agent("probe-07") as ports:
        yield ports


@pytest.mark.parametrize("direction", ["down", "up"])
@pytest.mark.parametrize("address", LOOPBACKS)
def test_many_bytes_arrive_intact(agent: Serving, address: str, direction: str) -> None:
    request = tcp_transfer.Request(
        address, agent.http, size=3 << 20, direction=direction, timeout=AMPLE
    )

    answer = tcp_transfer.perform(request)

    assert (answer.moved, answer.intact, answer.error) == (3 << 20, True, "")
    assert answer.path_mtu >= 1280
    assert answer.local == address


def test_who_is_silent_is_asked_for_a_large_reply_with_small_datagrams_alone() -> None:
    asked: list[bytes] = []

    def silent(data: bytes) -> list[bytes]:
        asked.append(data)
        return []

    with udp(silent) as port:
        request = udp_sized.Request("::1", port, 2000, reply_size=4000, tries=40, timeout=SHORT)
        answer = udp_sized.perform(replace(request, every=True))

    assert (answer.arrived, answer.error) == (False, "ETIMEDOUT")
    assert len(asked) <= 3
    assert all(len(data) <= 512 for data in asked)


def test_a_transfer_that_is_refused_moves_nothing() -> None:
    answer = tcp_transfer.perform(tcp_transfer.Request("::1", closed_port(), timeout=AMPLE))

    assert (answer.moved, answer.intact, answer.error) == (0, False, "ECONNREFUSED")


def test_damaged_bytes_are_not_intact() -> None:
    def damage(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000)

    with tcp(damage) as port:
        answer = tcp_transfer.perform(tcp_transfer.Request("::1", port, size=5000, timeout=AMPLE))

    assert (answer.moved, answer.intact) == (5000, False)


def test_a_transfer_that_ends_too_soon_says_so() -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nshort")

    with tcp(hang_up) as port:
        answer = tcp_transfer.perform(tcp_transfer.Request("::1", port, size=5000, timeout=AMPLE))

    assert (answer.intact, answer.error) == (False, "ECONNRESET")


@pytest.mark.parametrize("how", [udp_sized.UNFRAGMENTED, udp_sized.FRAGMENTED, udp_sized.AS_NEEDED])
@pytest.mark.parametrize("address", LOOPBACKS)
def test_a_sized_datagram_arrives_and_so_does_its_reply(
    agent: Serving, address: str, how: str
) -> None:
    request = udp_sized.Request(address, agent.udp, 4000, reply_size=5000, how=how, timeout=AMPLE)

    answer = udp_sized.perform(request)

    assert (answer.arrived, answer.error) == (True, "")
    assert answer.replied == 5000 or (how == udp_sized.FRAGMENTED and answer.replied > 5000)
    assert answer.replied_from == address


@pytest.mark.parametrize(
    ("path_mtu", "sent"), [(0, 1452), (1280, 1452), (1500, 1500), (9001, 9001)]
)
def test_fragments_are_larger_than_what_the_path_takes_whole(
    monkeypatch: pytest.MonkeyPatch, path_mtu: int, sent: int
) -> None:
    monkeypatch.setattr(sockets, "path_mtu", lambda sock: path_mtu)
    request = udp_sized.Request("::1", 0, 1452, how=udp_sized.FRAGMENTED, tries=1, timeout=SHORT)
    seen: list[int] = []

    def take(data: bytes) -> list[bytes]:
        seen.append(len(data))
        return []

    with udp(take) as port:
        udp_sized.perform(replace(request, port=port))

    assert seen == [sent]


def test_a_datagram_that_arrives_damaged_did_not_arrive() -> None:
    with udp(lambda data: [b"%d 0000" % len(data)]) as port:
        answer = udp_sized.perform(udp_sized.Request("::1", port, 100, timeout=AMPLE))

    assert (answer.arrived, answer.error) == (False, "")


def test_a_datagram_without_a_reply_times_out() -> None:
    with udp(lambda data: []) as port:
        answer = udp_sized.perform(udp_sized.Request("::1", port, 100, tries=2, timeout=SHORT))

    assert (answer.arrived, answer.error) == (False, "ETIMEDOUT")


def test_every_datagram_is_sent_and_counted_where_that_is_asked() -> None:
    taken = iter([True, False, True, True])

    def take(data: bytes) -> list[bytes]:
        whole = b"%d %s" % (len(data), hashlib.sha256(data).hexdigest().encode())
        return [whole] if next(taken) else []

    with udp(take) as port:
        request = udp_sized.Request("::1", port, 100, tries=4, timeout=4 * EACH, every=True)
        answer = udp_sized.perform(request)

    assert (answer.arrived, answer.arrivals, answer.error) == (True, 3, "")


def test_a_datagram_larger_than_the_interface_is_refused_by_the_kernel() -> None:
    request = udp_sized.Request(
        "::1", closed_port(), 65450, how=udp_sized.UNFRAGMENTED, tries=1, timeout=SHORT
    )
    answer = udp_sized.perform(request)

    assert not answer.arrived


@pytest.mark.parametrize("address", LOOPBACKS)
def test_a_closed_port_is_a_complaint_of_another_type(address: str) -> None:
    answer = hop_limit.perform(hop_limit.Request(address, closed_port(), hops=1, timeout=AMPLE))

    assert (answer.icmp_type, answer.icmp_code) == ((1, 4) if ":" in address else (3, 3))
    assert answer.offender == address


def test_nobody_complains_about_a_datagram_that_is_taken() -> None:
    with udp(lambda data: []) as port:
        answer = hop_limit.perform(hop_limit.Request("::1", port, timeout=SHORT))

    assert (answer.icmp_type, answer.error) == (-1, "ETIMEDOUT")


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value


def _link(index: int, name: str, *, flags: int, mtu: int, kind: str = "") -> netlink.Message:
    info = _attribute(1, kind.encode() + b"\0")
    attributes = {3: name.encode() + b"\0", 4: struct.pack("=I", mtu), 18: info}
    return struct.pack("=BBHiII", 0, 0, 1, index, flags, 0), attributes


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel with loopback, an interface, a tunnel and a fallback device."""
    known = [
        _link(1, "lo", flags=0x9, mtu=65536),
        _link(2, "eth0", flags=0x1, mtu=1500),
        _link(3, "flannel-v6.1", flags=0x1, mtu=1430, kind="vxlan"),
        _link(4, "sit0", flags=0x0, mtu=1480, kind="sit"),
    ]
    monkeypatch.setattr(netlink, "dump", lambda kind: known)


@pytest.mark.usefixtures("links")
def test_interfaces_are_listed_with_kind_and_state_and_without_loopback() -> None:
    answer = interfaces.perform(interfaces.Request())

    assert answer.links == (
        interfaces.Link("eth0", 1500),
        interfaces.Link("flannel-v6.1", 1430, kind="vxlan"),
        interfaces.Link("sit0", 1480, up=False, kind="sit"),
    )


def test_the_interfaces_of_this_machine_have_an_mtu() -> None:
    assert all(link.mtu > 0 for link in interfaces.perform(interfaces.Request()).links)


@pytest.mark.usefixtures("links")
@pytest.mark.parametrize(
    ("index", "mtu", "expires", "interface", "carries"),
    [
        (2, 0, 0, "eth0", 1500),
        (3, 0, 0, "flannel-v6.1", 1430),
        (2, 1450, 0, "eth0", 1450),
        (2, 1300, 500, "eth0", 1500),
        (9, 0, 0, "", 0),
    ],
    ids=["interface", "tunnel", "route", "learned", "gone"],
)
def test_the_way_to_an_address_is_told(
    monkeypatch: pytest.MonkeyPatch,
    index: int,
    mtu: int,
    expires: int,
    interface: str,
    carries: int,
) -> None:
    route = {4: struct.pack("=I", index), 12: struct.pack("=IIi", 0, 0, expires) + bytes(20)}
    if mtu:
        route[8] = _attribute(2, struct.pack("=I", mtu))
    monkeypatch.setattr(netlink, "route_to", lambda address: route)

    answer = route_to.perform(route_to.Request("2001:db8::1"))

    assert (answer.interface, answer.mtu) == (interface, carries)


@pytest.mark.parametrize("address", LOOPBACKS)
def test_the_kernel_knows_the_way_to_loopback(address: str) -> None:
    (index,) = struct.unpack("=I", netlink.route_to(address)[4])

    assert index == socket.if_nametoindex("lo")


@pytest.mark.parametrize(("address", "mss"), [("::1", 65476), ("127.0.0.1", 65495)])
def test_the_server_says_which_segment_size_it_was_offered(
    agent: Serving, address: str, mss: int
) -> None:
    answer = tcp_connect.perform(tcp_connect.Request(address, agent.tcp, timeout=AMPLE))

    assert answer.seen_mss == mss


def test_a_pattern_has_its_length_and_does_not_repeat_soon() -> None:
    data = sockets.pattern(20000)

    assert len(data) == 20000
    assert data[:1400] != data[1400:2800]


def test_a_forged_message_is_what_a_router_would_send() -> None:
    message = forged_too_big.too_big(1000, sender=("fd00::1", 5), receiver=("2001:db8::2", 7))

    kind, code, _, mtu = struct.unpack("!BBHI", message[:8])
    assert (kind, code, mtu) == (2, 0, 1000)
    assert message[8] >> 4 == 6
    addresses = message[16:32], message[32:48]
    assert [socket.inet_ntop(socket.AF_INET6, a) for a in addresses] == ["fd00::1", "2001:db8::2"]
    assert struct.unpack("!HH", message[48:52]) == (5, 7)
    assert len(message) <= 1280


def test_who_may_not_forge_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def validate(*arguments: object) -> None:
        raise PermissionError(errno.EPERM, "no")

    monkeypatch.setattr(socket, "socket", validate)

    assert forged_too_big.perform(forged_too_big.Request("::1", 1000)).error == "EPERM"
