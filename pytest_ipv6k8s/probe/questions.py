"""A question to a probe as people write it, and as reports do: ``probe-01 dns AAAA a.example``."""

from __future__ import annotations

import dataclasses
import importlib
import json
import pkgutil
import re
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pytest_ipv6k8s import dns_messages
from pytest_ipv6k8s.addresses import endpoint, is_address
from pytest_ipv6k8s.agent import ops, wire
from pytest_ipv6k8s.agent.ops import dns_exchange, http_get, https_get
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.suggestions import alike
from pytest_ipv6k8s.words import NOT_ASKED, TARGETS

SHORT = {
    "dns": "dns_exchange",
    "tcp": "tcp_connect",
    "udp": "udp_exchange",
    "http": "http_get",
    "https": "https_get",
    "route": "route_to",
}
"""Operations under a shorter name."""

EXAMPLES = (
    "probe-01 dns AAAA kubernetes.default.svc.cluster.local @10.96.0.10",
    "probe-01 tcp [fd00::1]:443",
    "udp fd00::1 53",
    "ping fd00::1",
    "route fd00::1",
    "http http://[fd00::1]:8080/",
    "lookup a.example",
)
_PROBE = re.compile(r"(probe|peer|host)-(\d\d+|peer)(-\d\d+)?")
_PASTED = re.compile(r"^\d+ answers, | → .*$", re.DOTALL)
_DNS_PORT = 53
_DECISIVE = ("connected", "echoed", "received", "status", "verified", "wire")
"""Fields of answers of which the first one that there is says whether anybody answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of whom.

    Attributes:
        source: the name of a probe; empty for any.
        request: for its agent. A DNS question without a server has an empty one: the pod's own.
    """

    source: str = ""
    request: ops.Request[Any]


def parse(text: str) -> Question:
    """Return the question in a text; an answer behind an arrow is left out.

    Raises:
        ConfigError: it is none; says what was meant.
    """
    words = _PASTED.sub("", text.strip()).split()
    source = ""
    if words and _PROBE.fullmatch(words[0].rstrip(":")):
        source = words.pop(0).rstrip(":")
    if not words:
        raise ConfigError("nothing is asked", remedy=f"ask such as {EXAMPLES[0]!r}")
    name, *rest = words
    operation = _operation(name)
    try:
        return Question(source=source, request=_request(operation, rest))
    except (TypeError, ValueError) as error:
        example = next((one for one in EXAMPLES if f"{name} " in one), EXAMPLES[0])
        raise ConfigError(f"{text!r}: {error}", remedy=f"write such as {example!r}") from None


def is_probe(text: str) -> bool:
    """Tell whether a text is the name of a probe."""
    return bool(_PROBE.fullmatch(text))


def is_answered(answer: Any) -> bool:
    """Tell whether somebody answered, whatever was said."""
    decisive = next((name for name in _DECISIVE if hasattr(answer, name)), None)
    if decisive is not None:
        return bool(getattr(answer, decisive))
    return not getattr(answer, "error", "")


def operations() -> list[str]:
    """Return the names of all operations of the agent."""
    return sorted(module.name for module in pkgutil.iter_modules(ops.__path__))


def _operation(name: str) -> str:
    known = [*SHORT, *operations()]
    if name not in known:
        close = alike(name, known)
        remedy = f"did you mean {close}?" if close else f"give one of {', '.join(known)}"
        raise ConfigError(f"{name!r} is neither a probe nor an operation", remedy=remedy)
    return SHORT.get(name, name)


def _request(operation: str, rest: Sequence[str]) -> Any:
    if operation == wire.operation_of(dns_exchange.Request("", "")):
        return _dns(rest)
    if rest and "://" in rest[0]:
        return _web(urlsplit(rest[0]), rest[1:])
    module = importlib.import_module(f"{wire.OPERATIONS}.{operation}")
    fields = {field.name: field for field in dataclasses.fields(module.Request)}
    target = next((name for name in TARGETS if name in fields), "")
    given, rest = _target(target, rest, with_port="port" in fields) if target else ({}, rest)
    return wire.build(module.Request, {**given, **_more(module.Request, rest)})


def _target(name: str, rest: Sequence[str], *, with_port: bool) -> tuple[dict[str, Any], list[str]]:
    """Return of whom it is asked, and the words that are left."""
    if not rest:
        raise ValueError("whom it is asked of is missing")
    first, *left = rest
    if not with_port:
        return {name: _address(first) if name == "address" else first}, left
    host, port = split_endpoint(first)
    if port is None and left and left[0].isdecimal():
        port = int(left.pop(0))
    if name == "address":
        host = _address(host)
    if port is None:
        raise ValueError(f"the port of {host} is missing")
    return {name: host, "port": port}, left


def _address(text: str) -> str:
    if not is_address(text):
        raise ValueError(f"{text} is no address; `lookup {text}` asks for those of a name")
    return text


def split_endpoint(text: str) -> tuple[str, int | None]:
    """Return host and port of ``HOST``, ``HOST:PORT`` or ``[ADDRESS]:PORT``.

    Raises:
        ValueError: it is none of them.
    """
    if is_address(text):
        return text, None
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.path:
        raise ValueError(f"{text!r} is not of the form [ADDRESS]:PORT")
    return parts.hostname, parts.port


def _dns(rest: Sequence[str]) -> dns_exchange.Request:
    if len(rest) < 2:
        raise ValueError("type or name is missing")
    record_type, name, *left = rest
    server, port = "", None
    if left and left[0].startswith("@"):
        server, port = split_endpoint(left.pop(0).removeprefix("@"))
        server = _address(server)
    query = dns_messages.query(name, record_type.upper())
    more = _more(dns_exchange.Request, left)
    return dns_exchange.Request(server=server, wire=query, port=port or _DNS_PORT, **more)


def _web(url: SplitResult, rest: Sequence[str]) -> Any:
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(f"{url.geturl()!r} is no URL of http or https")
    path = f"{url.path or '/'}{'?' + url.query if url.query else ''}"
    host = url.hostname
    if url.scheme == "https":
        more = {"server_name": host, "path": path, "ca_file": "", **_more(https_get.Request, rest)}
        return https_get.Request(host=host, port=url.port or 443, **more)
    authority = "" if is_address(host) else endpoint(host, url.port)
    more = {"path": path, "host": authority, "keep": 0, **_more(http_get.Request, rest)}
    return http_get.Request(address=host, port=url.port or 80, **more)


def _more(kind: Any, rest: Sequence[str]) -> dict[str, Any]:
    """Return the further fields of a request, from ``count 3; source port 5`` as words say them."""
    text = " ".join(rest)
    return dict(_field(kind, part.strip()) for part in text.split(";") if part.strip())


def _field(kind: Any, part: str) -> tuple[str, Any]:
    hints = typing.get_type_hints(kind)
    for name, hint in hints.items():
        said = name.replace("_", " ")
        if name in NOT_ASKED:
            continue
        if hint is bool and part in (said, f"not {said}"):
            return name, part == said
        if part.startswith(f"{said} "):
            return name, _value(hint, part.removeprefix(said).strip())
    known = ", ".join(_sayable(hints))
    raise ValueError(f"{part!r} is nothing that can be asked for" + (f": {known}" if known else ""))


def _sayable(hints: dict[str, Any]) -> Iterator[str]:
    return (name.replace("_", " ") for name in hints if name not in NOT_ASKED)


def _value(hint: Any, text: str) -> Any:
    if hint in (int, float, str):
        return hint(text)
    if typing.get_origin(hint) is tuple and typing.get_args(hint)[0] in (int, str):
        inner = typing.get_args(hint)[0]
        return [inner(item) for item in text.split(", ")]
    return json.loads(text)
