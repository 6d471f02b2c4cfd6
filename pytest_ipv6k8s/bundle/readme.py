"""The pages on top: of the bundle, and of each check in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_ipv6k8s.kube.odd import Finding
from pytest_ipv6k8s.masking import redact_text

_MOST_ODD = 20
_WHAT = {
    "checks/": "a folder for each red check: its evidence, and what was read for it alone",
    "tables/": "nodes, pods, Services, EndpointSlices, Deployments, DaemonSets and "
    "NetworkPolicies, as kubectl shows them",
    "evidence.json": "every question that the check asked, and its answer",
    "asked-again.json": "the questions whose answers failed, asked once more",
    "probes/": "the network as each probe pod sees it: addresses, routes, neighbours, resolv.conf",
    "cni-drops/": "packets that the CNI of each node dropped while the questions were asked again",
    "nodes/": "each node's addresses, routes, rules and neighbours; of nodes that the run made "
    "also packet filter, conntrack and services",
    "config/": "ConfigMaps of CoreDNS, kube-proxy and the CNI, a file for each key",
    "logs/": "the last lines of CoreDNS, kube-proxy and the CNI",
    "objects/": "objects of the API, by namespace",
}


def of_check(about: str, names: Iterable[str], missing: Sequence[str], date: str) -> str:
    """Return the page of a check.

    Args:
        about: what happened, as Markdown.
        names: of the files in its folder.
        missing: what could not be read, or was cut.
        date: when it was read.
    """
    return _page(about, _read_at(date), _table(names), _missing(missing))


def of_run(
    about: str, odd: Sequence[Finding], names: Sequence[str], missing: Sequence[str], date: str
) -> str:
    """Return the page of a bundle, what tells most first.

    Args:
        about: what happened, and where, as Markdown.
        odd: what of the cluster is not as it should be.
        names: of the files in the bundle.
        missing: what could not be read, or was cut.
        date: when the cluster was read; empty where it was not.
    """
    looked = any(name.startswith("objects/") for name in names)
    return _page(
        about,
        ["## What looks odd", "", *(_odd(odd) if looked else ["No object was read."])],
        ["## What is where", "", *_table(names)],
        _missing(missing),
        [_read_at(date)[0] if date else "The cluster was not read.", "", *_SECRETS],
    )


_SECRETS = ("What looks like a secret is replaced; Secrets are never read.",)


def _page(about: str, *parts: Sequence[str]) -> str:
    body = "\n".join(line for part in parts if part for line in (*part, ""))
    return f"{redact_text(about).rstrip()}\n\n{body}"


def _read_at(date: str) -> list[str]:
    return [f"Read at {date} UTC."]


def _odd(odd: Sequence[Finding]) -> list[str]:
    if not odd:
        return ["Nothing of what was read."]
    lines = []
    for one in odd[:_MOST_ODD]:
        fix = [f"  * fix: {redact_text(one.fix)}"] if one.fix else []
        lines += [f"* {redact_text(one.text)}", *fix, f"  * look: `{one.look}`"]
    left = len(odd) - _MOST_ODD
    return [*lines, *([f"* … and {left} more: look into `tables/`"] if left > 0 else [])]


def _table(names: Iterable[str]) -> list[str]:
    known = list(names)
    there = [
        f"| `{start}` | {what} |"
        for start, what in _WHAT.items()
        if any(name.startswith(start) for name in known)
    ]
    return ["| file | what |", "|---|---|", *there] if there else []


def _missing(missing: Sequence[str]) -> list[str]:
    told = [f"* {' '.join(redact_text(note).split())}" for note in missing]
    return ["## What is missing or cut", "", *(told or ["Nothing."])]
