"""Addresses and names get pseudonyms that keep family and class; nothing leaks."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
from importlib import resources
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ipv6k8s.addresses import kind_of
from pytest_ipv6k8s.plain import plain
from pytest_ipv6k8s.reports.model import Implementation, Node, Reproduce, Setting
from pytest_ipv6k8s.reports.pseudonyms import redacted
from pytest_ipv6k8s.results import Evidence
from tests.documents import CLUSTER, FAILURE, report, result, sample

SCHEMA = json.loads(resources.files("pytest_ipv6k8s").joinpath("reports/schema.json").read_text())


def _redacted(text: str) -> str:
    node = Node(name="n1", internal_ips=(), kubelet="", kernel="", runtime="")
    found = report(
        result("A-01", "inconclusive", reason=text),
        cluster=dataclasses.replace(CLUSTER, nodes=(node,)),
    )
    return redacted(found).checks[0].reason


TEXTS = {
    "fd00::5 and fd00::6, fd00::5 again": "ipv6-ula-1 and ipv6-ula-2, ipv6-ula-1 again",
    "the same fd00:0::5 written fd00::5": "the same ipv6-ula-1 written ipv6-ula-1",
    "[fd00::5]:8081 refused.": "[ipv6-ula-1]:8081 refused.",
    "it was fd00::5: no": "it was ipv6-ula-1: no",
    "10.0.0.9:80 is down": "ipv4-private-1:80 is down",
    "from 10.0.0.9.": "from ipv4-private-1.",
    "8.8.8.8 169.254.1.1 100.64.0.1": "ipv4-public-1 ipv4-link-local-1 ipv4-shared-1",
    "2a00::1 fe80::1%eth0 ff02::1": "ipv6-gua-1 ipv6-link-local-1 ipv6-multicast-1",
    "64:ff9b::a00:1 ::ffff:10.0.0.9": "ipv6-nat64-1 ipv6-mapped-1",
    "fd00:10:244::/64 covers": "ipv6-ula-1/64 covers",
    "::1, :: and 127.0.0.1, 0.0.0.0/0": "::1, :: and 127.0.0.1, 0.0.0.0/0",
    "ip-10-0-0-9 and 10-0-0-9.web": "ip-ipv4-private-1 and ipv4-private-1.web",
    "web-10-0-0-9 and web-fd00--5": "web-ipv4-private-1 and web-ipv6-ula-1",
    "addr:fd00::5, host.10.0.0.9": "addr:ipv6-ula-1, host.ipv4-private-1",
    "node:fd00::5 face:fd00:1:2:3:4:5:6:7": "node:ipv6-ula-1 face:ipv6-ula-2",
    "on 2026-11-24-05": "on 2026-11-24-05",
    "fd00-10--5.ns.pod": "ipv6-ula-1.ns.pod",
    "5.0." + "0." * 28 + "d.f.ip6.arpa": "ipv6-ula-1.ip6.arpa",
    "9.0.0.10.in-addr.arpa": "ipv4-private-1.in-addr.arpa",
    "0.10.in-addr.arpa": "ipv4-zone-1.in-addr.arpa",
    "lladdr 02:42:ac:11:00:02": "lladdr mac-1",
    "fd000000000000000000000000000005": "ipv6-ula-1",
    "on n1, in kube-proxy-n1, not n11": "on node-1, in kube-proxy-node-1, not n11",
    "in /home/jo/x.tar.gz": "in /home/[redacted]/x.tar.gz",
    "at 12:34:56, v1.36.3, 6.1.0-13": "at 12:34:56, v1.36.3, 6.1.0-13",
}


@pytest.mark.parametrize("text", TEXTS)
def test_this_becomes_that(text: str) -> None:
    assert _redacted(text) == TEXTS[text]


AROUND = (
    "{}",
    "node:{}",
    "face:{}",
    "[{}]:80",
    "a {}.",
    "x={},",
    "{}/64",
    "host:{}",
    "at.{}",
    "({})",
    "'{}':",
    "→{};",
)


@given(st.ip_addresses(), st.sampled_from(AROUND))
def test_no_address_survives(address: Any, around: str) -> None:
    written = _redacted(around.format(address))

    if kind_of(address) not in ("loopback", "unspecified"):
        assert str(address) not in written
        if "face" not in around:  # which may itself begin an address
            assert f"ipv{address.version}-{kind_of(address)}-1" in written


def test_an_address_has_one_pseudonym_everywhere_and_keeps_to_the_schema() -> None:
    found = redacted(sample())

    document = found.plain()
    jsonschema.validate(document, SCHEMA)
    assert found.redacted is True
    assert found.cluster.nodes[0].internal_ips == ("ipv6-ula-1",)
    assert found.connectivity.nodes == ("node-1", "node-2")
    text = json.dumps(document)
    assert "fd00" not in text
    assert "n1" not in text.replace('"n1"', "")
    item = found.checks[2].items[1]
    target = item.evidence[0].request["address"]
    assert item.failure is not None
    assert f"[{target}]:8081" in item.failure.actual[0]


def test_private_settings_go_wherever_they_stand() -> None:
    settings = {
        "kubeconfig": Setting(value="/home/jo/kube.yaml", source="command line"),
        "declaration": Setting(value="~/customers/acme.yaml", source="ini"),
        "node_selector": Setting(value="pool=east", source="ini"),
        "stack": Setting(value="dual", source="command line"),
    }
    command = (
        "IPV6K8S_CONTEXT=arn:aws:7 pytest --ipv6k8s-kubeconfig /home/jo/kube.yaml "
        "--ipv6k8s-node-selector='pool=east' --ipv6k8s-stack dual"
    )
    reproduce = Reproduce(command=command, versions={}, images={"probe": "10.9.9.9:5000/p"})
    look = "kubectl --kubeconfig /home/jo/kube.yaml get nodes; less /root/customers/acme.yaml"
    failed = result("A-01", "fail", failure=dataclasses.replace(FAILURE, look=look))

    found = redacted(report(failed, settings=settings, reproduce=reproduce))

    text = json.dumps(found.plain())
    assert not [
        leak for leak in ("/home/jo", "arn:aws", "east", "10.9.9.9", "acme") if leak in text
    ]
    assert found.reproduce.command.endswith("--ipv6k8s-stack dual")
    assert found.settings["stack"].value == "dual"


def test_evidence_is_searched_whatever_its_keys_are() -> None:
    kept = Evidence(
        source="p",
        request={"op": "dns_exchange", "wire": "AQIDBA=="},
        answer={"fd00::7": 1, "family": "fd00::8", "id": ["fd00::9"]},
        seconds=0,
    )

    found = redacted(report(result("A-01", "pass", evidence=(kept,))))

    (kept,) = found.checks[0].items[0].evidence
    assert kept.request["wire"] == "[redacted]"
    assert "fd00" not in json.dumps(plain(kept))


def test_what_the_suite_and_the_publisher_say_stays() -> None:
    made = result("A-01", "pass", requirement="64:ff9b::/96 is not used", references=("::1",))

    found = redacted(report(made, implementation=Implementation(url="http://10.0.0.1/")))

    assert found.checks[0].requirement == "64:ff9b::/96 is not used"
    assert found.implementation.url == "http://10.0.0.1/"


def test_a_node_that_is_called_as_a_stack_leaves_the_stack_alone() -> None:
    node = dataclasses.replace(CLUSTER.nodes[0], name="dual")
    cluster = dataclasses.replace(CLUSTER, nodes=(node,))

    found = redacted(report(cluster=cluster)).cluster

    assert (found.stack, found.nodes[0].name) == (CLUSTER.stack, "node-1")


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        *(
            ("2001:db8::1", "documentation"),
            ("192.0.2.1", "documentation"),
            ("fec0::1", "site-local"),
        ),
        *(("4000::1", "other"), ("::", "unspecified"), ("127.9.9.9", "loopback")),
    ],
)
def test_the_class_of_an_address(address: str, kind: str) -> None:
    assert kind_of(ipaddress.ip_address(address)) == kind
