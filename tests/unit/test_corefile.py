"""Corefiles of the field, read as CoreDNS reads them."""

from __future__ import annotations

import pytest

from pytest_ipv6k8s.kube.corefile import CorefileError, Upstream, forwards, parse, upstream

OPENSHIFT = """
# openshift/cluster-dns-operator: pkg/operator/controller/controller_dns_configmap.go
example.com:5353 {
    prometheus 127.0.0.1:9153
    forward . 1.1.1.1 2.2.2.2:5353 {
        policy random
    }
}
.:5353 {
    bufsize 1232
    log . {
        class error
    }
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    forward . /etc/resolv.conf {
        policy sequential
    }
    cache 900 {
        denial 9984 30
    }
}
hostname.bind:5353 {
    chaos
}
"""
K3S = """.:53 {
    errors
    forward . /etc/resolv.conf
    import /etc/coredns/custom/*.override
}
import /etc/coredns/custom/*.server
"""
CUSTOM = {
    "/etc/coredns/custom/a.override": "log # all of it",
    "/etc/coredns/custom/b.server": "corp:53 {\n forward . 10.0.0.1\n}",
    "/etc/coredns/other/c.server": "}",
}


def test_blocks_of_other_zones_do_not_tell_where_names_outside_are_asked() -> None:
    blocks = parse(OPENSHIFT)

    assert [block.keys for block in blocks] == [
        ("example.com:5353",),
        (".:5353",),
        ("hostname.bind:5353",),
    ]
    assert forwards(blocks) == (Upstream(text="/etc/resolv.conf"),)


def test_imports_come_from_the_pods_files() -> None:
    first, second = parse(K3S, file="/etc/coredns/Corefile", files=CUSTOM)

    assert first.directives[-1] == ("log",)
    assert second.keys == ("corp:53",)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('.:53 {\n forward "." "10.0.0.1" # 10.0.0.9\n}', ["10.0.0.1"]),
        (".:53 {\n# forward . 10.0.0.9\nforward . 10.0.0.1\n}", ["10.0.0.1"]),
        ("(up) {\n forward . 10.0.0.1\n}\n.:53 {\n import up\n}", ["10.0.0.1"]),
        (". {\n forward . {$UP} {%DOWN%}\n}", ["10.0.0.7", "{%DOWN%}"]),
        ("example.org,\n.:53 {\n forward . 10.0.0.1\n}", ["10.0.0.1"]),
        ("dns://.:1053 {\n forward . 10.0.0.1 {\n  except a.b\n }\n}", ["10.0.0.1"]),
        (".\nforward . 10.0.0.1", ["10.0.0.1"]),
        (".:53 {\r\n forward corp 10.0.0.9\r\n forward . 10.0.0.1\r\n}\r\n", ["10.0.0.1"]),
    ],
)
def test_forms(text: str, found: list[str]) -> None:
    blocks = parse(text, environment={"UP": "10.0.0.7"})

    assert [one.text for one in forwards(blocks)] == found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (".:53 {\n forward . {\n", "not closed"),
        (".:53 {\n errors\n", "not closed"),
        (".:53 {\n errors\n}\n}", "not opened"),
        (".:53,", "comma"),
        (".:53 {\n import\n}", "names nothing"),
        (".:53 {\n import missing\n}", "imports missing"),
        ("(a) {\n}\n(a) {\n}", "twice"),
        ("(a) {\n import a\n}\n. {\n import a\n}", "imports itself"),
    ],
)
def test_what_coredns_refuses_is_refused_with_the_line(text: str, problem: str) -> None:
    with pytest.raises(CorefileError, match=rf"Corefile, line \d+: .*{problem}"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "address", "port", "transport"),
    [
        ("10.0.0.1", "10.0.0.1", 53, "dns"),
        ("10.0.0.1:5353", "10.0.0.1", 5353, "dns"),
        ("2001:db8::1", "2001:db8::1", 53, "dns"),
        ("[2001:db8::1]", "2001:db8::1", 53, "dns"),
        ("[2001:db8::1]:5353", "2001:db8::1", 5353, "dns"),
        ("dns://10.0.0.1", "10.0.0.1", 53, "dns"),
        ("tls://1.1.1.1", "1.1.1.1", 853, "tls"),
        ("tls://[2606:4700::1111]:8853", "2606:4700::1111", 8853, "tls"),
        ("tls://9.9.9.9%dns.quad9.net", "9.9.9.9", 853, "tls"),
        ("/etc/resolv.conf", "", 53, "dns"),
        ("{$UP}", "", 53, ""),
        ("unix:///run/dns.sock", "", 53, ""),
    ],
)
def test_upstreams_keep_port_and_transport(
    text: str, address: str, port: int, transport: str
) -> None:
    found = upstream(text)

    assert (found.address, found.port, found.transport) == (address, port, transport)
    assert found.is_file is (text == "/etc/resolv.conf")


@pytest.mark.parametrize("text", ["{\n errors\n}\n", "{$NOTHING} {\n errors\n}\n", "{ }"])
def test_a_block_without_a_key_is_read_and_serves_nobody(text: str) -> None:
    (block,) = parse(f"{text}\n.:53 {{\n}}\n", environment={"NOTHING": ""})

    assert block.keys == (".:53",)
