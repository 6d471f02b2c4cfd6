"""Families, stacks, and how addresses are compared and written."""

from __future__ import annotations

import ipaddress
import itertools
import socket

import dns.reversename
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ipv6k8s.addresses import (
    Family,
    Stack,
    endpoint,
    in_any,
    is_canonical,
    overlaps,
    reverse_name,
    same_address,
)

V4, V6 = Family.V4, Family.V6
ADDRESSES = st.ip_addresses()
# Below ::/96 and in ::ffff:0:0/96 C libraries and Python write the last four bytes differently.
PLAIN_V6 = st.ip_addresses(v=6).filter(lambda address: int(address) >= 1 << 48)


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("10.0.0.1", V4),
        ("0.0.0.0/0", V4),
        ("10.0.0.1/8", V4),
        ("::", V6),
        ("fd00::1", V6),
        ("fd00::1/64", V6),
        ("fe80::1%eth0", V6),
        ("::ffff:10.0.0.1", V6),
    ],
)
def test_the_family_of_a_text(text: str, family: Family) -> None:
    assert Family.of(text) is family


@given(ADDRESSES)
def test_the_family_of_an_address_is_that_of_its_text(address: ipaddress.IPv6Address) -> None:
    assert Family.of(address) is Family.of(str(address))
    assert Family.of(ipaddress.ip_network(address)) is Family.of(address)


@pytest.mark.parametrize("text", ["", "None", "10.0.0", "fd00::1::2", "10.0.0.1/33", "example.org"])
def test_what_is_no_address_has_no_family(text: str) -> None:
    with pytest.raises(ValueError):
        Family.of(text)


@pytest.mark.parametrize("family", Family)
def test_a_family_knows_its_own_addresses(family: Family) -> None:
    assert Family.of(family.any_address) is family
    assert Family.of(family.loopback) is family
    assert ipaddress.ip_address(family.any_address).is_unspecified
    assert ipaddress.ip_address(family.loopback).is_loopback
    assert family.other is not family
    assert family.other.other is family


def test_a_family_has_the_names_of_kubernetes_and_of_dns() -> None:
    assert [(family.value, family.record_type) for family in (V4, V6)] == [
        ("IPv4", "A"),
        ("IPv6", "AAAA"),
    ]


@pytest.mark.parametrize(
    ("stack", "families"),
    [
        (Stack.IPV4, (V4,)),
        (Stack.IPV6, (V6,)),
        (Stack.DUAL, (V4, V6)),
        (Stack.DUAL_IPV6, (V6, V4)),
    ],
)
def test_a_stack_has_its_families_in_order(stack: Stack, families: tuple[Family, ...]) -> None:
    assert stack.families == families
    assert stack.primary is families[0]
    assert stack.is_dual is (len(families) == 2)
    assert Stack.from_families(iter(families)) is stack


@given(st.ip_addresses(v=4) | PLAIN_V6)
def test_whatever_python_prints_of_an_address_is_canonical(address: object) -> None:
    assert is_canonical(str(address))


@given(PLAIN_V6)
def test_the_c_library_agrees_on_what_is_canonical(address: ipaddress.IPv6Address) -> None:
    assert is_canonical(socket.inet_ntop(socket.AF_INET6, address.packed))


@given(PLAIN_V6, st.sampled_from(["exploded", "upper", "zeros"]))
def test_any_other_way_to_write_an_address_is_not(address: ipaddress.IPv6Address, how: str) -> None:
    ways = {
        "exploded": address.exploded,
        "upper": str(address).upper(),
        "zeros": ":".join(part.zfill(4) if part else "" for part in str(address).split(":")),
    }

    assert is_canonical(ways[how]) is (ways[how] == str(address))


@pytest.mark.parametrize(
    "text",
    [
        "FD00::1",
        "fd00:0::1",
        "fd00::0001",
        "fd00:0:0:0:0:0:0:1",
        "fd00::0:1",
        "2001:db8::1:0:0:0:1",
        "2001:db8:0:1::1:1:1:1/",
        "2001:db8::1:1:1:1:1",
        "10.0.0.01",
        "010.0.0.1",
        "10.0.0",
        "fd00::/064",
        "fd00::/",
        "FD00::/64",
        "[fd00::1]",
        "fd00::1 ",
        "",
        "None",
    ],
)
def test_what_rfc_5952_forbids_is_not_canonical(text: str) -> None:
    assert not is_canonical(text)


@pytest.mark.parametrize("text", ["10.0.0.0/8", "fd00::/64", "::/0", "fd00::1/128", "::", "::1"])
def test_what_rfc_5952_wants_is_canonical(text: str) -> None:
    assert is_canonical(text)


@pytest.mark.parametrize("text", ["fd00::/129", "10.0.0.0/33", "fd00::/-1", "fd00::/x"])
def test_a_cidr_with_a_length_that_cannot_be_is_not_canonical(text: str) -> None:
    assert not is_canonical(text)


def test_a_mapped_address_ends_in_dotted_form() -> None:
    assert is_canonical("::ffff:192.0.2.1")
    assert not is_canonical("::ffff:c000:201")
    assert not is_canonical("::FFFF:192.0.2.1")
    assert not is_canonical("0:0:0:0:0:ffff:192.0.2.1")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("fd00::1", "FD00:0::0001", True),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("::ffff:a00:1", "10.0.0.1", True),
        ("fe80::1%eth0", "fe80::1", True),
        ("fd00::1", "fd00::2", False),
        ("::a00:1", "10.0.0.1", False),
        ("10.0.0.1", "10.0.0.2", False),
    ],
)
def test_addresses_are_compared_by_value(one: str, other: str, same: bool) -> None:
    assert same_address(one, other) is same
    assert same_address(other, one) is same


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_its_ipv4_address(address: ipaddress.IPv4Address) -> None:
    assert same_address(f"::ffff:{address}", str(address))


def test_an_address_lies_in_the_cidrs_of_its_own_family_only() -> None:
    cidrs = ["fd00::5/64", "10.0.0.0/8"]

    assert in_any("fd00::ffff", cidrs)
    assert in_any("10.1.2.3", cidrs)
    assert not in_any("fd00:0:0:1::", cidrs)
    assert not in_any("::ffff:10.1.2.3", cidrs)
    assert not in_any("::1", ["0.0.0.0/0"])
    assert not in_any("fd00::1", [])


def test_every_overlapping_pair_is_named() -> None:
    cidrs = ["10.0.0.0/8", "fd00::/48", "10.1.0.0/16", "fd00:0:0:1::/64", "10.1.1.1/32", "::/1"]

    assert overlaps(cidrs) == [
        ("10.0.0.0/8", "10.1.0.0/16"),
        ("10.0.0.0/8", "10.1.1.1/32"),
        ("fd00::/48", "fd00:0:0:1::/64"),
        ("10.1.0.0/16", "10.1.1.1/32"),
    ]


@pytest.mark.parametrize("cidrs", [[], ["fd00::/64"], ["fd00::/64", "fd00:0:0:1::/64"]])
def test_neighbours_do_not_overlap(cidrs: list[str]) -> None:
    assert overlaps(cidrs) == []


def test_whether_cidrs_overlap_does_not_depend_on_their_order() -> None:
    cidrs = ["10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24"]

    for order in itertools.permutations(cidrs):
        assert [set(pair) for pair in overlaps(order)] == [{"10.0.0.0/8", "10.1.0.0/16"}]


@pytest.mark.parametrize(
    ("address", "port", "text"),
    [
        ("fd00::1", None, "[fd00::1]"),
        ("fd00::1", 80, "[fd00::1]:80"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", 80, "10.0.0.1:80"),
        ("example.org", 443, "example.org:443"),
        ("::1", 0, "[::1]:0"),
    ],
)
def test_an_endpoint_is_written_as_in_urls(address: str, port: int | None, text: str) -> None:
    assert endpoint(address, port) == text


@given(st.ip_addresses(v=4) | PLAIN_V6)
def test_reverse_names_are_those_of_dnspython(address: object) -> None:
    assert reverse_name(str(address)) == dns.reversename.from_address(str(address)).to_text()
