"""The styles of egress are told apart by what was seen."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ipv6k8s.addresses import Egress
from pytest_ipv6k8s.external.egress import Observation, classify, is_prefix_translation, translate

NODES = ("fd00:18::2", "fd00:18::3", "172.18.0.2")
INNER, OUTER = "fd00:10:244:1::/64", "2001:db8:f:1::/64"
POD, OTHER = "fd00:10:244:1::5", "fd00:10:244:1::6"


def _seen(pod: str, source: str, seen_port: int = 19990) -> Observation:
    return Observation(pod=pod, port=19990, source=source, seen_port=seen_port)


@pytest.mark.parametrize(
    ("observations", "styles"),
    [
        ([], ()),
        ([_seen(POD, POD)], (Egress.NATIVE,)),
        ([_seen(POD, "fd00:0010:0244:0001:0::5")], (Egress.NATIVE,)),
        ([_seen(POD, "fd00:18::2")], (Egress.MASQUERADE,)),
        ([_seen(POD, "fd00:18::2", 40000)], (Egress.MASQUERADE,)),
        ([_seen("10.244.0.5", "172.18.0.2")], (Egress.MASQUERADE,)),
        ([_seen("10.244.0.5", "203.0.113.9")], (Egress.GATEWAY,)),
        ([_seen(POD, translate(POD, INNER, OUTER))], (Egress.NPTV6,)),
        ([_seen(POD, translate(POD, INNER, OUTER), 40000)], (Egress.GATEWAY,)),
        ([_seen(POD, "2001:db8:f:1::5")], (Egress.GATEWAY,)),
        ([_seen(POD, "2001:db8::1")], (Egress.GATEWAY,)),
    ],
)
def test_a_style_is_told_by_what_was_seen(
    observations: list[Observation], styles: tuple[Egress, ...]
) -> None:
    assert classify(observations, NODES) == styles


def test_each_pod_has_its_own_style() -> None:
    found = classify([_seen(POD, POD), _seen(OTHER, "fd00:18::3")], NODES)

    assert found == (Egress.NATIVE, Egress.MASQUERADE)


def test_prefix_translation_never_gives_two_pods_one_address() -> None:
    source = translate(POD, INNER, OUTER)

    found = classify([_seen(POD, source), _seen(OTHER, source)], NODES)

    assert found == (Egress.GATEWAY, Egress.GATEWAY)


def test_one_pod_may_be_seen_twice() -> None:
    source = translate(POD, INNER, OUTER)

    assert classify([_seen(POD, source)] * 2, NODES) == (Egress.NPTV6,) * 2


@pytest.mark.parametrize(
    ("address", "inner", "outer", "translated"),
    [
        # RFC 6296's own example: 0x0001 becomes 0xD550.
        ("fd01:203:405:1::1234", "fd01:203:405::/48", "2001:db8:1::/48", "2001:db8:1:d550::1234"),
        (POD, INNER, OUTER, "2001:db8:f:1:d18c::5"),
        ("fd00:10:244:1:ffff::5", INNER, OUTER, "2001:db8:f:1:ffff:d18c:0:5"),
        # Prefixes that weigh the same need no balance.
        ("fd00:1:2:3::5", "fd00:1:2:3::/64", "fd00:2:1:3::/64", "fd00:2:1:3::5"),
    ],
)
def test_addresses_are_translated_as_rfc_6296_says(
    address: str, inner: str, outer: str, translated: str
) -> None:
    assert translate(address, inner, outer) == translated
    assert is_prefix_translation(address, translated)


@given(
    host=st.integers(0, 2**64 - 1),
    inner=st.integers(0, 2**48 - 1),
    outer=st.integers(0, 2**48 - 1),
    length=st.sampled_from([40, 48, 56, 64]),
)
def test_whatever_is_translated_is_recognised(
    host: int, inner: int, outer: int, length: int
) -> None:
    mask = ((1 << length) - 1) << (128 - length)
    one, two = (ipaddress.IPv6Network(((p << 80) & mask, length)) for p in (inner, outer))
    address = str(one.network_address + host)
    try:
        translated = translate(address, str(one), str(two))
    except ValueError:
        return

    assert is_prefix_translation(address, translated) or one == two


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        (POD, POD),
        (POD, "2001:db8:f:1:d18c::6"),
        (POD, "2001:db8:f:1::d191"),
        (POD, "2001:db8:f:1:0:d18c:0:5"),
        ("10.244.0.5", "203.0.113.9"),
        (POD, "203.0.113.9"),
    ],
)
def test_other_changes_are_no_prefix_translation(inside: str, outside: str) -> None:
    assert not is_prefix_translation(inside, outside)


@pytest.mark.parametrize(
    ("address", "inner", "outer"),
    [
        (POD, INNER, "2001:db8:f::/48"),
        (POD, "fd00::/80", "2001:db8::/80"),
        (POD, "fd00:99::/64", OUTER),
        ("fd00:10:244:1:ffff:ffff:ffff:ffff", INNER, OUTER),
        ("fd01:203:405:ffff::1", "fd01:203:405::/48", "2001:db8:1::/48"),
    ],
)
def test_what_cannot_be_translated_is_refused(address: str, inner: str, outer: str) -> None:
    with pytest.raises(ValueError):
        translate(address, inner, outer)
