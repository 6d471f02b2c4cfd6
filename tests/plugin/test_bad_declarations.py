"""Declarations that are well-formed and hold what cannot be: exit 4, named with file and key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugin.test_bad_files import BOMB, KIND, PYTEST, SECRET, Taker, assert_refused, called
from tests.prepared import Prepared


@pytest.fixture(scope="module")
def prepared() -> Iterator[Prepared]:
    """A process that is forked for each row."""
    made = Prepared()
    yield made
    made.close()


V6 = "{role: v6, addresses: ['2001:db8::1'], tcp: 1}"


def _with(more: str) -> str:
    """Return a declaration of a target that has something else, too."""
    return f"targets: [{{role: v6, addresses: ['2001:db8::1'], {more}}}]"


DECLARATIONS = {
    "IPv4 for v6": "targets: [{role: v6, addresses: [192.0.2.1], tcp: 1}]",
    "IPv6 for v4": "targets: [{role: v4, addresses: ['2001:db8::1'], tcp: 1}]",
    "multicast": "targets: [{role: v6, addresses: ['ff02::1'], tcp: 1}]",
    "multicast of IPv4": "targets: [{role: v4, addresses: [224.0.0.1], tcp: 1}]",
    "unspecified": "targets: [{role: v6, addresses: ['::'], tcp: 1}]",
    "unspecified of IPv4": "targets: [{role: v4, addresses: [0.0.0.0], tcp: 1}]",
    "mapped": "targets: [{role: v6, addresses: ['::ffff:192.0.2.1'], tcp: 1}]",
    "a zone": "targets: [{role: v6, addresses: ['fe80::1%eth0'], tcp: 1}]",
    "a name": "targets: [{role: v6, addresses: [example.com], tcp: 1}]",
    "no address": "targets: [{role: v6, addresses: [], tcp: 1}]",
    "an address that is a number": "targets: [{role: v6, addresses: [5], tcp: 1}]",
    "addresses that are a text": "targets: [{role: v6, addresses: '2001:db8::1', tcp: 1}]",
    "one twice": f"targets: [{V6}, {V6}]",
    "a role of no name": "targets: [{role: six, addresses: ['2001:db8::1'], tcp: 1}]",
    "no role": "targets: [{addresses: ['2001:db8::1'], tcp: 1}]",
    "a target that is a text": "targets: [v6]",
    "targets that are a map": "targets: {role: v6}",
    "port 0": _with("tcp: 0"),
    "port 65536": _with("tcp: 65536"),
    "port -1": _with("tcp: -1"),
    "port 1.5": _with("tcp: 1.5"),
    "a port that is a text": _with("tcp: '80'"),
    "a port that is true": _with("tcp: true"),
    "a port of 4000 digits": _with(f"tcp: {'9' * 4000}"),
    "a port of 5000 digits": _with(f"tcp: {'9' * 5000}"),
    "a port that has no end": _with("tcp: .inf"),
    "empty ask": _with("tcp: 1, ask: []"),
    "ask that is a text": _with("tcp: 1, ask: ssh x"),
    "ask of numbers": _with("tcp: 1, ask: [1]"),
    "an unknown key of a target": _with("tpc: 1"),
    "empty zone": "zone: ''",
    "a zone that is a number": "zone: 5",
    "a zone of no names": "zone: 'a..b'",
    "a prefix of a length of its own": "nat64: {prefixes: ['2001:db8::/95']}",
    "a prefix with host bits": "nat64: {prefixes: ['2001:db8::1/96']}",
    "a prefix that is none": "nat64: {prefixes: [x]}",
    "a prefix of IPv4": "nat64: {prefixes: [192.0.2.0/24]}",
    "no prefix": "nat64: {prefixes: []}",
    "a pool that is none": "nat64: {prefixes: ['64:ff9b::/96'], pool: [x]}",
    "nat64 is a text": "nat64: yes please",
    "nat64 is null": "nat64:",
    "dns64 is a text": "dns64: 'true'",
    "clat is a number": "clat: 1",
    "egress of no name": "egress: magic",
    "egress is a list": "egress: [native]",
    "a stack of no name": "stack: trio",
    "a stack that is a list": "stack: [dual]",
    "a stack of aliases": BOMB + "stack: *j",
    "networkPolicy of no name": "networkPolicy: maybe",
    "networkPolicySeconds 0": "networkPolicySeconds: 0",
    "networkPolicySeconds without end": "networkPolicySeconds: .inf",
    "networkPolicySeconds a text": "networkPolicySeconds: soon",
    "podCIDRs of no name": "podCIDRs: some",
    "a proxy with a password": f"proxy: 'http://me:{SECRET}@[2001:db8::1]:3128'",
    "a proxy without a scheme": "proxy: '[2001:db8::1]:3128'",
    "a proxy that is a number": "proxy: 3128",
    "a registry with a password": f"registry: 'https://me:{SECRET}@example'",
    "a registry that is a list": "registry: [x]",
    "an unknown key": "surprise: 1",
    "a key that is meant": "egres: native",
    "a key that is a number": "5: 1",
    "a key twice": "egress: native\negress: none",
    "a key of a map twice": "nat64: {prefixes: ['64:ff9b::/96'], prefixes: ['2001:db8::/96']}",
    "another kind": "kind: Service",
    "a later version": "apiVersion: ipv6k8s.io/v2",
    "an older version": "apiVersion: ipv6k8s/v1alpha1",
    "a version that is a number": "apiVersion: 1",
    "keys of the older form": "network_policy: enforced",
}
OF_DECLARATION = {
    "--ipv6k8s-declaration": Taker(words=(*PYTEST, KIND, "--ipv6k8s-declaration=FILE")),
    "list": Taker(
        words=("ipv6k8s", "list", "--here", "--kubeconfig=good", "--ipv6k8s-declaration=FILE")
    ),
}
HEAD = {"apiVersion": "ipv6k8s.io/v1alpha1", "kind": "ClusterDeclaration", "stack": "dual"}


@pytest.mark.parametrize("taker", OF_DECLARATION)
@pytest.mark.parametrize("case", DECLARATIONS)
def test_a_declaration(prepared: Prepared, tmp_path: Path, case: str, taker: str) -> None:
    text = DECLARATIONS[case]
    head = [f"{key}: {value}" for key, value in HEAD.items() if not text.startswith(f"{key}: ")]
    (tmp_path / "FILE").write_text("\n".join([*head, text]))

    told = assert_refused(called(prepared, OF_DECLARATION[taker], tmp_path))

    assert "FILE" in told
    assert "cannot be reached" not in told
