"""What reads things that others wrote, each as a function of bytes; and what is nearly right.

Each is understood or refused in one sentence: any other error is an error. ``ci/fuzz.py`` gives
them to atheris, the tests give them samples that were changed at random.
"""

from __future__ import annotations

import base64
import io
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from pytest_ipv6k8s import addresses, catalogue, dns_messages, wanted
from pytest_ipv6k8s.agent import wire
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.external import declaration
from pytest_ipv6k8s.kube import config, corefile, entries
from pytest_ipv6k8s.plain import plain
from pytest_ipv6k8s.probe import questions
from pytest_ipv6k8s.reports import reading
from pytest_ipv6k8s.reports.checking import contradictions
from pytest_ipv6k8s.reports.comparing import compare
from pytest_ipv6k8s.reports.formats import html, json_document, markdown, yaml_document
from pytest_ipv6k8s.settings import OPTIONS, resolve
from tests.documents import sample

ROOT = Path(__file__).parents[2]
_FOLDER = tempfile.TemporaryDirectory(prefix="ipv6k8s-inputs-")
LONGEST = 5_000
"""Characters that an error may have: a declaration is told all that is wrong with it."""


def refused(kind: type[Exception], call: Callable[[], object]) -> bool:
    """Tell whether something is refused, in words; any other error is an error."""
    try:
        call()
    except kind as error:
        text = str(error)
        assert text.strip()
        assert "Traceback" not in text
        assert len(text) < LONGEST
        return True
    return False


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="surrogateescape")


def _file(name: str, data: bytes) -> Path:
    path = Path(_FOLDER.name) / name
    path.write_bytes(data)
    return path


def read_address(data: bytes) -> None:
    """Read an address and a NAT64 prefix."""
    text = _text(data)
    assert addresses.is_address(text) in (True, False)
    assert isinstance(addresses.nat64_prefix_problem(text), str)


def read_dns(data: bytes) -> None:
    """Read what a DNS server sent."""
    text = base64.b64encode(data).decode()
    dns_messages.reply(text)
    dns_messages.in_words(text)


def read_agent(data: bytes) -> None:
    """Read a line of an agent."""
    refused(ValueError, lambda: wire.parse(data))


def read_corefile(data: bytes) -> None:
    """Read a Corefile."""
    text, environment = _text(data), {"UPSTREAM": "::1"}
    files = {"/etc/coredns/snippet": text}
    refused(
        corefile.CorefileError,
        lambda: corefile.parse(text, files=files, environment=environment),
    )


def read_question(data: bytes) -> None:
    """Read a question as people write it."""
    refused(ConfigError, lambda: questions.parse(_text(data)))


def read_option(data: bytes) -> None:
    """Read the value of an option, which the first byte chooses, from each of its three places."""
    option = OPTIONS[data[0] % len(OPTIONS)] if data else OPTIONS[0]
    text = _text(data[1:])
    places: tuple[tuple[Any, Any, Any], ...] = (
        ({option.ini: [text] if option.repeats else text}, {}, {}),
        ({}, {option.variable: text}, {}),
        ({}, {}, {option.ini: text}),
    )
    for given in places:
        refused(ConfigError, lambda given=given: wanted.wish(resolve(*given)))  # type: ignore[misc]


def read_kubeconfig(data: bytes) -> None:
    """Read a kubeconfig."""

    def read() -> None:
        found = config.read(_file("kubeconfig", data))
        entries.refuse_wrong(found)
        config.plugin_of(found)

    refused(ConfigError, read)


def read_declaration(data: bytes) -> None:
    """Read a declaration."""
    refused(ConfigError, lambda: declaration.read(_file("declaration.yaml", data)))


def read_report(data: bytes) -> None:
    """Read a report, and when it is one, check, compare and render it."""
    path = _file("report.json", data)
    if refused(ConfigError, lambda: reading.read(path)):
        return
    report = reading.read(path)
    contradictions(report, catalogue.checks())
    compare(sample(), report)
    for form in (html, json_document, markdown, yaml_document):
        out = io.StringIO()
        form.write(report, out)
        out.getvalue().encode()


KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "here",
    "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
    "clusters": [
        {"name": "c", "cluster": {"server": "https://[::1]:6443", "insecure-skip-tls-verify": True}}
    ],
    "users": [
        {"name": "u", "user": {"exec": {"command": "aws", "args": ["eks"], "env": [{"name": "A"}]}}}
    ],
}
DECLARATION = yaml.safe_load((ROOT / "fixtures/declaration.yaml").read_text("utf-8"))
REPORT = plain(sample())
COREFILE = """(snippet) {
    errors
}
.:53 [::1]:5353 {
    import snippet
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    forward . tls://[2001:db8::53]:853 {$UPSTREAM} { # behind
        tls_servername "dns example"
    }
}
"""
QUESTION = "probe-01 dns AAAA name.example. from udp [fd00::1]:53 count 3 tcp ping size 9"
ANSWER = bytes.fromhex(
    "123484000001000200000000046e616d65076578616d706c6500001c0001"
    "c00c001c0001000000050010fd000000000000000000000000000001c00c0005000100000005000401610000"
)
LINES = (
    b'{"seq": 1, "op": "tcp_connect", "args": {"address": "::1", "port": 80}}',
    b'{"seq": 1, "answer": {"connected": true, "local": ["::1", 5]}}',
    b'{"seq": 2, "broke": "no such operation"}',
)
Read = Callable[[bytes], None]
READERS: dict[str, tuple[Read, Sequence[bytes], int]] = {
    "addresses": (
        read_address,
        (b"2001:db8::1", b"::ffff:192.0.2.1", b"64:ff9b::/96", b"fe80::1%eth0", b"[::1]:53"),
        20_000,
    ),
    "DNS messages": (read_dns, (ANSWER,), 20_000),
    "lines of the agent": (read_agent, LINES, 20_000),
    "Corefiles": (read_corefile, (COREFILE.encode(),), 20_000),
    "questions": (read_question, (QUESTION.encode(),), 15_000),
    "options": (
        read_option,
        tuple(bytes([number]) + b"v6=[2001:db8::1]:443" for number in range(len(OPTIONS))),
        10_000,
    ),
    "kubeconfigs": (read_kubeconfig, (json.dumps(KUBECONFIG).encode(),), 5_000),
    "declarations": (read_declaration, (json.dumps(DECLARATION).encode(),), 5_000),
    "reports": (read_report, (json.dumps(REPORT).encode(),), 3_000),
}
"""By what is read: who reads it, what is right, and how many inputs the tests make of that."""
_TOKENS: tuple[bytes, ...] = (
    *(bytes([character]) for character in b'{}[]:,"\\\n\t#%~0\x00\xff'),
    *(b"*a", b"&a ", b"- ", b"!!x ", b"{{", b"::", b"-1", b"1e999", b"null", b"true", b"9" * 40),
    *("ü".encode(), b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\\u0000", b"\\ud800"),
)


def changed(right: Sequence[bytes], number: int) -> bytes:
    """Return something that is nearly right: the same one for a number each time."""
    chance = random.Random(number)
    data = bytearray(chance.choice(right))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice((0, 1, 1, 2, 5, 30)))
        other = chance.choice(right)
        at = chance.randrange(len(other))
        data[start:end] = chance.choice(
            (
                b"",
                chance.choice(_TOKENS),
                chance.choice(_TOKENS) * chance.choice((2, 9, 300)),
                bytes([chance.randrange(256)]),
                bytes(data[start:end]) * 2,
                other[at : at + chance.choice((1, 4, 20))],
            )
        )
    return bytes(data[: chance.randrange(len(data) + 1)] if chance.random() < 0.1 else data)
