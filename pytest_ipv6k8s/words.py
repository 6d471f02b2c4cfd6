"""Questions and answers in words, for people: what says nothing is left out, units are theirs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytest_ipv6k8s import dns_messages
from pytest_ipv6k8s.addresses import endpoint

TARGETS = ("address", "server", "host", "url", "name")
"""Names of the field of a request that says of whom it is asked."""

NOT_ASKED = ("op", "timeout", "payload", "wire", "port", *TARGETS)
"""Fields of a request that are not told, or not by their name."""
_UNKNOWN_AT_0 = ("port", "mss", "mtu", "seconds", "status", "code", "type", "resolved")
"""What ends so is not known when it is 0; other numbers are counts, of which 0 is one."""
_NEVER = -1  # stands where 0 says something, as type and code of ICMP do


def request(fields: Mapping[str, Any]) -> str:
    """Return what was asked: the operation, of whom, and what is special about it.

    `ipv6k8s ask` takes it as it stands.
    """
    target = next((str(fields[name]) for name in TARGETS if fields.get(name)), "")
    port = fields.get("port")
    if target and port:
        target = endpoint(target, port)
    question = dns_messages.question(fields.get("wire") or "")
    if question:
        target = f"{question} @{target}"
    rest = {name: value for name, value in fields.items() if name not in NOT_ASKED}
    return " ".join(filter(None, (str(fields.get("op", "")), target, "; ".join(_said(rest)))))


def answer(found: Any) -> str:
    """Return what came back; beside an error only what is not empty."""
    if not isinstance(found, Mapping):
        return _value(found)
    return "; ".join(_said(found, is_error=bool(found.get("error")))) or "nothing"


def finding(found: Any) -> str:
    """Return anything that was found: what has words of its own keeps them."""
    if dataclasses.is_dataclass(found) and type(found).__str__ is object.__str__:
        return answer(
            {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
        )
    if isinstance(found, (list, tuple)):
        return listed(found)
    return answer(found) if isinstance(found, Mapping) else str(found)


def counted(number: int, noun: str) -> str:
    """Return a number with what it counts: "1 check", "2 checks"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def listed(values: Iterable[object]) -> str:
    """Return several values, of which there may be none."""
    return ", ".join(map(str, values)) or "none"


def _said(fields: Mapping[str, Any], *, is_error: bool = False) -> Iterator[str]:
    for name, value in fields.items():
        word = name.replace("_", " ")
        if value in (None, "", [], (), {}) and not isinstance(value, (bool, int, float)):
            continue
        if isinstance(value, bool):
            if value or not is_error:
                yield word if value else f"not {word}"
        elif isinstance(value, (int, float)) and _says_nothing(name, value, is_error=is_error):
            continue
        elif name == "seconds":
            yield f"{value:.3g} s"
        elif name == "wire":
            yield dns_messages.in_words(value) or "no DNS message"
        else:
            yield f"{word} {_value(value)}"


def _says_nothing(name: str, value: float, *, is_error: bool) -> bool:
    unknown = name.rpartition("_")[2] in _UNKNOWN_AT_0
    return value == _NEVER or (not value and (is_error or unknown))


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)) and all(isinstance(item, (str, int)) for item in value):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False, default=str)
