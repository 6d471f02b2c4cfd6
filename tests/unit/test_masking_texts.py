"""Free text: the ways in which secrets are written, and what a diagnosis needs."""

from __future__ import annotations

import random
import re
import string
from pathlib import Path

import pytest

from pytest_ipv6k8s.masking import REDACTED, redact, redact_text, without_secrets

_ALPHABETS = {"": string.ascii_letters + string.digits, "hex": "0123456789abcdef"}
_ALPHABETS["upper"] = string.ascii_uppercase + string.digits
_LINES = (Path(__file__).parent / "secret_forms.txt").read_text("utf-8").splitlines()
FORMS = [line for line in _LINES if line and not line.startswith("# ")]


def planted(form: str, seed: int) -> tuple[str, list[str]]:
    """Return a form with secrets that are made here, and the secrets."""
    made = random.Random(seed)

    def fill(found: re.Match[str]) -> str:
        kind, size = found[1] or "", int(found[2])
        text = "".join(made.choices(_ALPHABETS[kind], k=size - 2))
        return text + ("7f" if kind == "hex" else "7Q")

    text = re.sub(r"\{(?:(hex|upper) )?(\d+)\}", fill, form).replace("\\n", "\n")
    return text.replace("«", "").replace("»", ""), re.findall(r"«(.*?)»", text)


def test_there_are_as_many_forms_as_are_known() -> None:
    assert len(FORMS) == len(set(FORMS)) >= 124


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_secret_comes_through(form: str) -> None:
    """In a log, in a command, in an answer; five secrets of each form."""
    for seed in range(5):
        text, secrets = planted(form, seed)
        around = f"I0101 before\n{text}\nafter"
        outputs = [redact_text(around), without_secrets(text), *redact([text, around])]
        for output in outputs:
            assert REDACTED in output
            assert [secret for secret in secrets if secret in output] == [], output
        assert redact_text(outputs[0]) == outputs[0]
        assert outputs[0].startswith("I0101 before\n")
        assert outputs[0].endswith("\nafter")


NEEDED = [
    'I1124 proxier.go:805] "token expired" automountServiceAccountToken: false fd00::1',
    "default via fe80::1 dev eth0 proto kernel metric 1024 pref medium",
    "fd00:10:244:1::/64 via fd00::3 dev eth0 src fd00::2",
    "-A KUBE-SVC-TCOU7JCQXEZGVUNU -d fd00:10:96::a/128 -p udp -m udp --dport 53 -j KUBE-MARK-MASQ",
    "-A POSTROUTING -s 10.244.0.0/24 ! -d 10.244.0.0/16 -m comment --comment x -j MASQUERADE",
    "udp 17 29 src=fd00::2 dst=fd00::3 sport=40112 dport=53 [UNREPLIED] mark=0 use=1",
    '[INFO] fd00::9:40112 - 5 "AAAA IN kubernetes.default.svc.cluster.local. udp 54" NOERROR 0.0s',
    "plugin/forward: no nameservers found; forward . /etc/resolv.conf tls://[2001:db8::53]:853",
    "Kubernetes v1.36.3+k3s1, containerd://2.1.4, 6.18.5-cloud-amd64, quay.io/cilium/cilium:v1.18.2"
    "@sha256:858f807ea4e20e85e3ea3240a762e1f4b29f1cb5bbd0463b8aa77e7b097c0667",
    "net.ipv6.conf.all.forwarding = 1",
    "nameserver fd00:10:96::a",
    "search default.svc.cluster.local svc.cluster.local cluster.local",
    "2: eth0@if9: <BROADCAST,MULTICAST,UP> mtu 1500 link/ether 0e:6c:1d:5f:08:11 state UP",
    "--cluster-cidr=fd00:10:244::/56,10.244.0.0/16 --service-cluster-ip-range=fd00:10:96::/112",
    "--proxy-mode=nftables --kubeconfig=/var/lib/kube-proxy/kubeconfig.conf --v=2",
    "--service-account-key-file=/etc/kubernetes/pki/sa.pub --tls-private-key-file=/etc/k/pki/s.key",
    'MountVolume.SetUp failed for volume "certs": secret "webhook-certs" not found',
    "pod 9f5c7d64-5e0e-4b0c-8f9e-3b8a2a1f0c11 in kube-system/coredns-668d6bf9bc-x7k2p",
    'spec.clusterIPs[0]: Invalid value: []string{"fd00:10:96::ffff"}: is not in the valid range',
    "pytest --ipv6k8s-kubeconfig /home/me/.kube/config --ipv6k8s-pull-secret=team/registry -p no:x",
    "echo of 1232 bytes in 0.003 s; 0 of 3000 datagrams lost; hop limit 62",
]


@pytest.mark.parametrize("text", NEEDED)
def test_what_a_diagnosis_needs_stays_as_it_is(text: str) -> None:
    """Addresses, names, versions, images, routes, rules of packet filters, arguments, logs."""
    assert redact_text(text) == text
    assert redact(text) == text


@pytest.mark.parametrize(
    "command", [text for text in NEEDED if " --" in text and "-A " not in text]
)
def test_a_command_without_secrets_stays_as_it_is(command: str) -> None:
    assert without_secrets(command) == command


def test_a_text_without_end_of_line_is_fast() -> None:
    text = "x" * 100_000 + "=" * 100_000 + "name: " * 5000 + '"' * 10_000

    assert redact_text(text) == text
