"""IPv4 addresses inside IPv6 ones: the examples of RFC 6052 section 2.4, and all others."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ipv6k8s.addresses import embed, extract, nat64_prefix_problem, nat64_prefixes

EXAMPLES = {
    "2001:db8::/32": "2001:db8:c000:221::",
    "2001:db8:100::/40": "2001:db8:1c0:2:21::",
    "2001:db8:122::/48": "2001:db8:122:c000:2:2100::",
    "2001:db8:122:300::/56": "2001:db8:122:3c0:0:221::",
    "2001:db8:122:344::/64": "2001:db8:122:344:c0:2:2100::",
    "2001:db8:122:344::/96": "2001:db8:122:344::c000:221",
    "64:ff9b::/96": "64:ff9b::c000:221",
}
LENGTHS = (32, 40, 48, 56, 64, 96)


@pytest.mark.parametrize("prefix", EXAMPLES)
def test_the_examples_of_the_rfc(prefix: str) -> None:
    assert embed(prefix, "192.0.2.33") == str(ipaddress.ip_address(EXAMPLES[prefix]))
    assert extract(EXAMPLES[prefix], int(prefix.split("/")[1])) == "192.0.2.33"


@given(st.ip_addresses(v=4), st.sampled_from(LENGTHS), st.integers(0, (1 << 32) - 1))
def test_what_is_embedded_is_extracted(
    address: ipaddress.IPv4Address, length: int, head: int
) -> None:
    prefix = f"{ipaddress.IPv6Address(head << 96)}/{length}"

    made = embed(prefix, str(address))

    assert extract(made, length) == str(address)
    assert ipaddress.ip_address(made) in ipaddress.ip_network(prefix)
    assert ipaddress.ip_address(made).packed[8] == 0
    assert prefix in nat64_prefixes(made, str(address))


@pytest.mark.parametrize("prefix", EXAMPLES)
def test_a_prefix_is_found_from_an_address(prefix: str) -> None:
    assert prefix in nat64_prefixes(EXAMPLES[prefix], "192.0.2.33")


def test_an_address_that_holds_another_has_no_prefix() -> None:
    assert nat64_prefixes("2001:db8::1", "192.0.2.33") == []


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("2001:db8::/33", "has an illegal length"),
        ("2001:db8::/128", "has an illegal length"),
        ("2001:db8:0:0:ff00::/96", "u-octet"),
        ("2001:db8::1/96", "is no IPv6 prefix"),
        ("10.0.0.0/8", "is no IPv6 prefix"),
        ("x", "is no IPv6 prefix"),
    ],
)
def test_a_prefix_that_is_none_is_told(prefix: str, words: str) -> None:
    assert words in nat64_prefix_problem(prefix)
    with pytest.raises(ValueError, match=words):
        embed(prefix, "192.0.2.33")


@pytest.mark.parametrize("prefix", EXAMPLES)
def test_a_prefix_that_is_one_has_no_problem(prefix: str) -> None:
    assert nat64_prefix_problem(prefix) == ""


def test_an_illegal_length_cannot_be_extracted_from() -> None:
    with pytest.raises(ValueError, match="/33 is no length"):
        extract("2001:db8::", 33)
