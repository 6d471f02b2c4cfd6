"""A report without addresses and names: each gets a pseudonym, the same one everywhere."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from pytest_ipv6k8s.addresses import kind_of
from pytest_ipv6k8s.evidence import digest_of
from pytest_ipv6k8s.masking import REDACTED
from pytest_ipv6k8s.reports.model import Report

_OPEN = {"cluster", "connectivity", "settings", "reproduce", "waivers", "checks", "harness"}
_KEPT = {"id", "requirement", "references", "causes", "level", "family", "verdict", "digest"}
_KEPT |= {"stack", "kubernetes", "cni", "cniVersion", "kubelet", "kernel", "runtime", "versions"}
_RECEIVED = {"request", "answer"}
_DROPPED = {"wire"}
_PRIVATE = ("kubeconfig", "context", "declaration", "pull_secret", "node_selector", "cni_command")
_PRIVATE_ARGUMENT = re.compile(
    rf"(ipv6k8s[-_](?:{'|'.join(_PRIVATE).replace('_', '[-_]')})[= ])(?:'[^']*'|\S+)", re.I
)
_HOME = re.compile(r"(/(?:home|Users)/)[^/\s]+")
_PLAIN_KINDS = {"loopback", "unspecified"}
_HEX = "[0-9A-Fa-f]"

_NIBBLES = re.compile(rf"(?<![0-9A-Za-z])((?:{_HEX}\.)+)ip6\.arpa", re.I)
_OCTETS = re.compile(r"(?<!\d)((?:\d{1,3}\.)+)in-addr\.arpa", re.I)
_V6 = re.compile(
    rf"(?<![0-9A-Fa-f:]){_HEX}{{0,4}}(?::{_HEX}{{0,4}}){{2,8}}(?:\.\d{{1,3}}){{0,3}}(?:%[\w-]+)?"
)
_V4 = re.compile(r"(?<!\d)(?<!\d\.)(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")
_MAC = re.compile(rf"(?<![0-9A-Fa-f:]){_HEX}{{2}}(?::{_HEX}{{2}}){{5}}(?![0-9A-Fa-f:])")
_RAW = re.compile(rf"(?<![0-9A-Za-z]){_HEX}{{32}}(?![0-9A-Za-z])")
_DASHED_V4 = re.compile(r"(?<!\d)(?<!\d-)\d{1,3}(?:-\d{1,3}){3}(?!\d)(?!-\d)")
_DASHED_V6 = re.compile(rf"(?<![0-9A-Za-z]){_HEX}{{1,4}}(?:-{_HEX}{{0,4}}){{2,7}}(?![0-9A-Za-z])")


def redacted(report: Report) -> Report:
    """Return the report with pseudonyms that keep family and class, such as ``ipv6-ula-3``.

    Names of nodes, the kubeconfig's path and context, and other private settings go, too. What
    the suite says of itself and who publishes the report stay. A digest becomes that of the
    evidence which is left: the old one would confirm a guess.
    """
    pseudonyms = _Pseudonyms(_terms(report))
    document = {
        name: pseudonyms.of(value) if name in _OPEN else value
        for name, value in report.plain().items()
    }
    for check in document["checks"]:
        for item in check["items"]:
            item["digest"] = digest_of(item["evidence"])
    return Report.from_plain({**document, "redacted": True})


def _terms(report: Report) -> dict[str, str]:
    """Return what stands for names: nodes are numbered, private settings go."""
    terms = {node.name: f"node-{number}" for number, node in enumerate(report.cluster.nodes, 1)}
    cluster = report.cluster
    values = [cluster.context, cluster.server, urlsplit(cluster.server).hostname or ""]
    private = [report.settings[name].value for name in _PRIVATE if name in report.settings]
    below_home = [value.partition("/")[2] for value in private if value.startswith("~")]
    values += [*private, *below_home]
    return terms | {value: REDACTED for value in values if value}


class _Pseudonyms:
    """Stands for addresses and names; numbers are given in the order of appearance."""

    def __init__(self, terms: Mapping[str, str]) -> None:
        self._terms = dict(terms)
        self._known: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        longest_first = sorted(map(re.escape, terms), key=len, reverse=True)
        self._names = re.compile(
            rf"(?<![0-9A-Za-z])(?:{'|'.join(longest_first)})(?![0-9A-Za-z])" if terms else r"(?!)"
        )

    def of(self, data: Any, kept: Collection[str] = _KEPT) -> Any:
        """Return plain data with pseudonyms; values of the kept keys stay as they are."""
        if isinstance(data, Mapping):
            return {self.of(key): self._value(key, value, kept) for key, value in data.items()}
        if isinstance(data, (list, tuple)):
            return [self.of(value, kept) for value in data]
        return self._text(data) if isinstance(data, str) else data

    def _value(self, key: str, value: Any, kept: Collection[str]) -> Any:
        if key in kept:
            return value
        if key in _DROPPED and value:
            return REDACTED
        return self.of(value, () if key in _RECEIVED else kept)

    def _text(self, text: str) -> str:
        text = _PRIVATE_ARGUMENT.sub(rf"\1{REDACTED}", text)
        text = _HOME.sub(rf"\1{REDACTED}", text)
        text = self._names.sub(lambda found: self._terms[found[0]], text)
        for pattern, read in _READERS:
            text = pattern.sub(lambda found, read=read: self._stand_in(found, read), text)  # type: ignore[misc]
        return text

    def _stand_in(self, found: re.Match[str], read: Callable[[str], tuple[str, str]]) -> str:
        """Return the pseudonym of what was found, or the text itself when it is no address."""
        whole = found[0]
        inside_a_word = found.string[: found.start()][-1:].isalnum()
        for start, end in _ways_to_cut(whole, skip_first=inside_a_word):
            kind, value = read(whole[start:end])
            if kind:
                pseudonym = self._pseudonym(kind, value, whole[start:end])
                return whole[:start] + pseudonym + whole[end:]
        return whole

    def _pseudonym(self, kind: str, value: str, text: str) -> str:
        if kind.partition("-")[2] in _PLAIN_KINDS:
            return text
        if value not in self._known:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._known[value] = f"{kind}-{self._counts[kind]}"
        suffix = re.search(r"\.(?:ip6|in-addr)\.arpa$", text, re.I)
        return self._known[value] + (suffix[0] if suffix else "")


def _ways_to_cut(text: str, *, skip_first: bool) -> Iterator[tuple[int, int]]:
    """Yield where an address may begin and end in a text with punctuation around it.

    What stands before the first colon may be the end of a word: ``node:fd00::5``.
    """
    starts = [0, text.find(":") + 1] if ":" in text else [0]
    for end in range(len(text), max(len(text) - 3, 0), -1):
        if text[end:].strip(":."):
            return
        for start in reversed(starts) if skip_first else starts:
            yield start, end


def _address(text: str) -> tuple[str, str]:
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return "", ""
    return f"ipv{parsed.version}-{kind_of(parsed)}", str(parsed)


def _mac(text: str) -> tuple[str, str]:
    return "mac", text.lower()


def _raw(text: str) -> tuple[str, str]:
    return _address(str(ipaddress.IPv6Address(int(text, 16))))


def _dashed_v4(text: str) -> tuple[str, str]:
    return _address(text.replace("-", "."))


def _dashed_v6(text: str) -> tuple[str, str]:
    return _address(text.replace("-", ":"))


def _nibbles(text: str) -> tuple[str, str]:
    digits = text.lower().removesuffix(".ip6.arpa").replace(".", "")[::-1]
    return _raw(digits) if len(digits) == 32 else ("ipv6-zone", digits)


def _octets(text: str) -> tuple[str, str]:
    octets = text.lower().removesuffix(".in-addr.arpa").split(".")[::-1]
    return _address(".".join(octets)) if len(octets) == 4 else ("ipv4-zone", ".".join(octets))


_READERS = (
    *((_NIBBLES, _nibbles), (_OCTETS, _octets), (_MAC, _mac), (_V6, _address), (_V4, _address)),
    *((_RAW, _raw), (_DASHED_V4, _dashed_v4), (_DASHED_V6, _dashed_v6)),
)
