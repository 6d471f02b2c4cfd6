"""The report as dataclasses; ``schema.json`` says the same of its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.features import ABSENT
from pytest_ipv6k8s.plain import build, key, plain
from pytest_ipv6k8s.results import CheckFacts, Outcome
from pytest_ipv6k8s.verdicts import Result, Verdict

API_VERSION = "ipv6k8s.io/v1alpha1"
KIND = "ConformanceReport"
Counts = Mapping[Verdict, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Name and version of the suite, and the revision of its catalogue."""

    name: str
    version: str
    catalogue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementation:
    """Who publishes the report, and about what; empty where nobody says."""

    organization: str = ""
    project: str = ""
    version: str = ""
    contact: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """How many checks ran, of how many that were to run, and what chose them.

    ``of`` are the checks of the suite, or of the profiles that were asked for.
    """

    ran: int
    of: int
    by: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether all ran, so that the run may speak for the cluster."""
        return self.ran >= self.of

    def __str__(self) -> str:
        by = f" ({self.by})" if self.by else ""
        return f"{self.ran} of {self.of} checks ran{by}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedPart:
    """What the core or extended checks of a profile say.

    Attributes:
        result: what they say together.
        statistics: how many came to which verdict, or did not run.
        failed: ids of checks, as in the other lists.
        not_run: checks that this version has, and that were not part of the run.
        checks: all that make up the part.
    """

    result: Result
    statistics: Mapping[str, int]
    failed: tuple[str, ...]
    inconclusive: tuple[str, ...]
    not_judged: tuple[str, ...]
    skipped: tuple[str, ...]
    not_run: tuple[str, ...]
    waived: tuple[str, ...]
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A profile that is claimed of the cluster."""

    name: str
    title: str
    core: ClaimedPart
    extended: ClaimedPart | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """The preconditions of checks that were met, and those that were not."""

    supported: tuple[str, ...]
    unsupported: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Facts of a node; ``left_out`` says why it has no probe, and is empty where it has one."""

    name: str
    internal_ips: tuple[str, ...] = key("internalIPs")
    kubelet: str
    kernel: str
    runtime: str
    left_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Facts of the cluster.

    ``stack`` is that of Services; ``families`` are those that were seen, by where. ``context`` of
    the kubeconfig and URL of the ``server`` are those of a cluster that the run did not make.
    """

    provider: str
    kubernetes: str
    stack: Stack
    cni: str
    cni_version: str
    proxy: str
    nodes: tuple[Node, ...]
    context: str = ""
    server: str = ""
    families: Mapping[str, tuple[Family, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connectivity:
    """Which node's pods reach which node's; see ``matrix``.

    Attributes:
        nodes: their names.
        families: a line for each source node, a sign for each destination, in the nodes' order.
    """

    nodes: tuple[str, ...]
    families: Mapping[Family, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The value of an option that was set, and where."""

    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduce:
    """How to run the same again."""

    command: str
    versions: Mapping[str, str]
    images: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived:
    """A red verdict that is accepted; ``verdict`` is None for a check that did not run."""

    id: str
    reason: str
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCost:
    """What the run asked of the cluster."""

    api_requests: int
    exec_sessions: int
    probe_pods: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult(CheckFacts):
    """What became of a check: the worst of its items.

    Attributes:
        verdict: our judgement.
        reason: why, for every verdict but a plain pass.
        items: the check once, or once for a family.
        rests_on: ids of red checks for which this one was not judged.
        waived: why a red verdict is accepted.
    """

    verdict: Verdict
    reason: str
    items: tuple[Outcome, ...]
    rests_on: tuple[str, ...] = ()
    waived: str = ""

    @property
    def is_absent(self) -> bool:
        """Whether what it is about is declared not to be there: no claim may rest on that."""
        return self.verdict is Verdict.NOT_APPLICABLE and self.reason.startswith(ABSENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class HarnessFact:
    """A fact about the run itself (META): whether it is in order, and what was found."""

    id: str
    title: str
    ok: bool
    actual: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a run found out, in the order in which people want to read it.

    Attributes:
        date: when the run ended, RFC 3339.
        result: what the run says of the cluster.
        complete: whether the run came to its end.
        selection: whether all checks were to run.
        redacted: whether addresses and names stand as pseudonyms.
        summary: how many checks came to which verdict.
        areas: the same for each area.
        settings: each option that was set.
        checks: area by area in their order, then by id.
        harness: the facts about the run itself.
    """

    date: str
    suite: Suite
    implementation: Implementation
    result: Result
    complete: bool
    selection: Selection
    redacted: bool
    summary: Counts
    areas: Mapping[str, Counts]
    profiles: tuple[Claim, ...]
    features: Features
    cluster: Cluster
    connectivity: Connectivity
    settings: Mapping[str, Setting]
    reproduce: Reproduce
    waivers: tuple[Waived, ...]
    cost: RunCost
    checks: tuple[CheckResult, ...]
    harness: tuple[HarnessFact, ...]

    def plain(self) -> dict[str, Any]:
        """Return the document, which keeps to the schema."""
        return {"apiVersion": API_VERSION, "kind": KIND, **plain(self, camel=True)}

    @classmethod
    def from_plain(cls, document: Mapping[str, Any]) -> Report:
        """Return the report of a document that keeps to the schema."""
        facts = {name: document[name] for name in document if name not in ("apiVersion", "kind")}
        return build(cls, facts, camel=True)
