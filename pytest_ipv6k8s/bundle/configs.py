"""What of a ConfigMap goes into a bundle: of a Corefile the plugins that are known to hold no
secret, of anything else the facts of a network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pytest_ipv6k8s.bundle.facts import kept
from pytest_ipv6k8s.masking import REDACTED
from pytest_ipv6k8s.masking.names import is_secret_name, words

_SAFE_PLUGINS = words(
    """
    acl any alternate autopath bind bufsize cache cancel chaos debug dns64 dnssec erratic
    errors fanout file forward geoip header health hosts import k8s_external kubernetes
    local log loadbalance loop metadata minimal multicluster multisocket nsid pprof
    prometheus ready reload rewrite root secondary sign template timeouts tls transfer view
    whoami
    """
)
"""Plugins of CoreDNS without credentials among their arguments; route53, etcd, azure, tsig and
others have them (https://coredns.io/plugins/)."""
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
_HOST = re.compile(r"\s*[0-9a-fA-F:.]+(?:\s+[\w.-]+)+\s*|\s*")
_SETTING = re.compile(r"(\s*(?:export )?([\w.-]+)\s*[=:]\s*)(.*)")


def safe_config(key: str, text: str) -> str:
    """Return a value of a ConfigMap as it goes into a bundle.

    Args:
        key: its key, such as ``Corefile`` or ``net-conf.json``.
        text: the value.
    """
    if key == "Corefile" or key.endswith((".server", ".override")):
        return "".join(f"{line}\n" for line in _corefile(text))
    document = None if is_secret_name(key) else _parsed(text)
    if isinstance(document, (dict, list)):
        import yaml

        return str(yaml.safe_dump(_facts(key, document), sort_keys=False))
    if "\n" not in text.strip():
        return kept(key, text)
    return "".join(f"{_line(line)}\n" for line in text.splitlines())


def _parsed(text: str) -> Any:
    import yaml

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return None if re.search(r"(?:^|\s)&\w", text) else yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _facts(name: str, data: Any) -> Any:
    if isinstance(data, dict):
        return {str(key): _facts(str(key), value) for key, value in data.items()}
    if isinstance(data, list):
        return [_facts(name, value) for value in data]
    if isinstance(data, (bool, int, float, type(None))):
        return data
    return kept(name, str(data))


def _line(line: str) -> str:
    """Return a line of a file of settings or of hosts."""
    if _HOST.fullmatch(line) or re.fullmatch(r"\s*\[[\w. -]+\]\s*", line):
        return line
    found = _SETTING.fullmatch(_COMMENT.sub("", line))
    return f"{found[1]}{kept(found[2], found[3])}" if found else REDACTED


def _corefile(text: str) -> Iterator[str]:
    """Yield lines of a Corefile: of plugins that are not known, the name only; no comments."""
    depth, hidden, quoted = 0, 0, False
    for whole in text.splitlines():
        line = _COMMENT.sub("", whole).rstrip()
        found = line.split()
        opens = found.count("{") - found.count("}")
        if line.count('"') % 2 or quoted:  # a text of several lines
            quoted = quoted ^ bool(line.count('"') % 2)
            yield f"{line.partition(chr(34))[0]}{REDACTED}" if quoted else REDACTED
            continue
        unknown = depth == 1 and found and found[0] not in (*_SAFE_PLUGINS, "}")
        if unknown and not hidden:
            indent = line[: len(line) - len(line.lstrip())]
            yield f"{indent}{found[0]} {REDACTED}{' {' if opens > 0 else ''}"
            hidden = depth + 1 if opens > 0 else 0
        elif hidden and depth + opens < hidden:
            yield line if found == ["}"] else REDACTED
            hidden = 0
        elif not hidden:
            yield line
        depth += opens
