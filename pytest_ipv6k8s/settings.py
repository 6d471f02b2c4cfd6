"""The settings of a run: what was given as options, with precedence and source."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.addresses import Egress, Stack
from pytest_ipv6k8s.clusters.contract import ClusterSpec, names
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.external.model import INTERNET, OUR_AGENT, Role
from pytest_ipv6k8s.options import (
    Option,
    changed,
    choice,
    chosen,
    folder,
    label,
    listed,
    old_options,
    one_of,
    option,
    options_of,
    path_of,
    positive,
    report_file,
    toleration,
)
from pytest_ipv6k8s.profiles import PROFILES

COMMAND_LINE = "command line"
ENVIRONMENT = "environment"
INI = "ini"
NAME_A_CLUSTER = ("kubeconfig", "provider", "context")
IMPLEMENTATION = ("organization", "project", "version", "contact", "url")


class Allow(enum.Enum):
    """What a run may do on a cluster that it did not make."""

    PRIVILEGED = "privileged"


class External(enum.Enum):
    """Where external targets come from: a declaration or else the testbed, the testbed, nowhere."""

    AUTO = "auto"
    TESTBED = "testbed"
    NONE = "none"


class Dns64(enum.Enum):
    """Who synthesises AAAA records: the testbed's resolver, or the cluster's own CoreDNS."""

    RESOLVER = "resolver"
    COREDNS = "coredns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A check whose red verdict the operator accepts, and why; shown in every report."""

    id: str
    reason: str

    def __str__(self) -> str:
        return f"{self.id}={self.reason}"


def _waiver(text: str) -> Waiver:
    id, equals, reason = text.partition("=")
    if not (id and equals and reason.strip()):
        raise ValueError(f"{text!r} is not of the form ID=reason")
    return Waiver(id=id.strip().upper().replace("_", "-"), reason=reason.strip())


def _target(text: str) -> tuple[str, str, int]:
    if text == INTERNET:
        return INTERNET, "", 0
    role, equals, where = text.partition("=")
    address, colon, port = where.rpartition(":")
    if not (role and equals and colon and (port.isdecimal() or port == "agent")):
        raise ValueError(f"{text!r} is not of the form ROLE=ADDRESS:PORT")
    if ":" in address and not (address.startswith("[") and address.endswith("]")):
        raise ValueError(f"an IPv6 address stands in brackets: {role}=[{address}]:{port}")
    return role, address.strip("[]"), OUR_AGENT if port == "agent" else int(port)


def _fact(text: str) -> tuple[str, str]:
    key, value = label(text)
    return one_of(key, IMPLEMENTATION), value


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSettings:
    """Where probes run, and what they may do."""

    max_nodes: int = option(
        "At most so many nodes get a probe (10).", "N", parse=positive(int), default=10
    )
    node_selector: tuple[tuple[str, str], ...] = option(
        "Only nodes with this label get a probe.", "KEY=VALUE", parse=label, default=()
    )
    toleration: tuple[Mapping[str, str], ...] = option(
        "A taint that probes tolerate.", "KEY[=VALUE][:EFFECT]", parse=toleration, default=()
    )
    pull_secret: str | None = option(
        "Secret to pull the probe image with, NAMESPACE/NAME.", "SECRET"
    )
    namespace: str | None = option(
        "A namespace that exists, for all that is made; only that is deleted in it, and checks "
        "that need namespaces of their own are skipped.",
        "NAME",
    )
    labels: tuple[tuple[str, str], ...] = option(
        "A label of the namespaces and pods that are made.",
        "KEY=VALUE",
        parse=label,
        default=(),
        name="label",
    )
    annotations: tuple[tuple[str, str], ...] = option(
        "An annotation of the namespaces and pods that are made.",
        "KEY=VALUE",
        parse=label,
        default=(),
        name="annotation",
        separator="\n",
    )
    priority_class: str | None = option("The PriorityClass of probe pods.", "NAME")
    requests: tuple[tuple[str, str], ...] = option(
        "What a probe pod requests, by resource (cpu=10m, memory=32Mi).",
        "RESOURCE=QUANTITY",
        parse=label,
        default=(),
        name="request",
    )
    limits: tuple[tuple[str, str], ...] = option(
        "The limits of a probe pod, by resource (cpu=1, memory=512Mi).",
        "RESOURCE=QUANTITY",
        parse=label,
        default=(),
        name="limit",
    )
    allow: tuple[Allow, ...] = option(
        f"What may be done on a cluster that was not made for the run: {listed(Allow)} "
        "(probes in the network of their node).",
        "WHAT",
        parse=choice(Allow),
        default=(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalSettings:
    """What there is outside the cluster, and how pods get there."""

    declaration: Path | None = option(
        "What the cluster is meant to be, and the targets outside it: ipv6k8s.yaml.",
        "FILE",
        parse=path_of,
    )
    target: tuple[tuple[str, str, int], ...] = option(
        f"A target outside the cluster, on top of the declaration; roles: {listed(Role)} "
        "(dual: once for each family). Port agent: our agent, with all its ports. "
        f"{INTERNET}: some public hosts.",
        "ROLE=ADDRESS:PORT",
        parse=_target,
        default=(),
    )
    enforces_policy: bool = option(
        "The cluster enforces NetworkPolicy, whatever is inferred from its CNI.", default=False
    )
    source: External = option(
        f"Targets outside the cluster: {listed(External)} (auto: those of the declaration; for a "
        "cluster that is made, the testbed's).",
        "SOURCE",
        parse=choice(External),
        default=External.AUTO,
        name="external",
    )
    testbed_image: str | None = option("Image of the testbed (built when missing).", "IMAGE")
    egress: Egress | None = option(
        f"How pods' packets look outside: {listed(Egress)} (the testbed's: masquerade).",
        "STYLE",
        parse=choice(Egress),
    )
    dns64: Dns64 = option(
        f"Who synthesises AAAA records for the testbed: {listed(Dns64)}.",
        "WHO",
        parse=choice(Dns64),
        default=Dns64.RESOLVER,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """What is written of a run."""

    files: tuple[Path, ...] = option(
        "Write the report to a file; its suffix tells the format, such as .yaml or .html.",
        "FILE",
        parse=report_file,
        default=(),
        name="report",
    )
    implementation: tuple[tuple[str, str], ...] = option(
        f"Who publishes the report, and about what; keys: {listed(IMPLEMENTATION)}.",
        "KEY=VALUE",
        parse=_fact,
        default=(),
        separator="\n",
    )
    redact: bool = option(
        "Reports have pseudonyms for addresses and names, such as ipv6-ula-3.", default=False
    )
    evidence: int = option(
        "Answers that a report keeps of an item (10).", "N", parse=positive(int), default=10
    )
    bundle: Path | None = option(
        "Leave an archive in this folder when a check fails or is inconclusive.",
        "FOLDER",
        parse=folder,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What was asked of this run; built once.

    For each option that was given, by :attr:`Option.key`, ``sources`` has where it came from, and
    ``given`` the texts that it had there.
    """

    provider: str | None = option(
        f"Who makes or finds the cluster: {listed(names('provider'))}, or one that an installed "
        "package brings.",
        "NAME",
    )
    cluster: ClusterSpec = field(default_factory=ClusterSpec)
    probes: ProbeSettings = field(default_factory=ProbeSettings)
    external: ExternalSettings = field(default_factory=ExternalSettings)
    profile: tuple[str, ...] = option(
        "Only the checks of this profile run and are judged: "
        f"{listed(PROFILES)} (all that suit the stack).",
        "NAME",
        parse=lambda text: one_of(text, list(PROFILES)),
        default=(),
    )
    check: tuple[str, ...] = option(
        "Only these checks: ids and areas, as SVC,DNS-01; !ID and !AREA for all others.",
        "CHECK",
        parse=chosen,
        default=(),
    )
    waive: tuple[Waiver, ...] = option(
        "Accept a red check; the reason is shown.",
        "ID=REASON",
        parse=_waiver,
        default=(),
        separator="\n",
    )
    strict: bool = option("Skipped core checks make the run fail, too.", default=False)
    all: bool = option("Judge every check, also what rests on a red one.", default=False)
    timeout_factor: float = option(
        "Multiply every timeout by this (1).", "X", parse=positive(float), default=1.0
    )
    pause: bool = option(
        "At a terminal, stop at each red check while its probes stand, and say how to look.",
        default=False,
    )
    report: ReportSettings = field(default_factory=ReportSettings)
    sources: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def wants_cluster(self) -> bool:
        """Whether anybody asked for a cluster; without, the plugin stays out of the way.

        A context on the command line names one of the usual kubeconfig.
        """
        named = self.cluster.kubeconfig is not None or self.provider is not None
        return named or self.asked_on_command_line

    @property
    def asked_on_command_line(self) -> bool:
        """Whether the cluster was asked for on the command line itself."""
        return any(self.sources.get(key) == COMMAND_LINE for key in NAME_A_CLUSTER)

    @property
    def provider_name(self) -> str:
        """The provider to use: a kubeconfig alone means ``existing``."""
        return self.provider or "existing"

    @property
    def declared_stack(self) -> Stack | None:
        """The stack that was asked for, None when nobody named one."""
        return self.cluster.stack if "stack" in self.sources else None


OPTIONS = tuple(options_of(Settings))
"""Every option, in the order of the settings."""

OLD_OPTIONS = tuple(old_options(OPTIONS))
"""Options that were renamed: under the old name, and as they are called now."""

_Given = Mapping[str, Any]


def resolve(given: _Given, environment: Mapping[str, str], ini: _Given) -> Settings:
    """Build the settings: command line before environment before ini file before default.

    Args:
        given: by :attr:`Option.ini`, texts (or lists of them, or True) of the command line.
        environment: the process's variables.
        ini: by :attr:`Option.ini`, texts or lists of the ini file.

    Raises:
        ConfigError: a value is no good or an option has a new name; names the option as it was
            given.
    """
    for old, new in OLD_OPTIONS:
        _, source = _find(old, given, environment, ini)
        if source:
            raise ConfigError(
                f"{_named(old, source)} is now {_named(new, source)}",
                remedy=f"see {new.flag} in --help",
            )
    settings, sources, texts = Settings(), {}, {}
    for known in OPTIONS:
        raw, source = _find(known, given, environment, ini)
        if source:
            texts[known.key] = _texts(known, raw)
            parsed = _parse(known, texts[known.key], source)
            settings = changed(settings, known.path, parsed)
            sources[known.key] = source
    settings = replace(settings, sources=sources, given=texts)
    if settings.cluster.kubeconfig and settings.provider_name != "existing":
        raise ConfigError(
            f"--ipv6k8s-kubeconfig names a cluster, and provider {settings.provider!r} makes one",
            remedy="give one of the two",
        )
    return settings


def _find(
    known: Option, given: _Given, environment: Mapping[str, str], ini: _Given
) -> tuple[Any, str]:
    """Return what was given for an option and where; nowhere is empty."""
    candidates = (
        (given.get(known.ini), COMMAND_LINE),
        (environment.get(known.variable), ENVIRONMENT),
        (ini.get(known.ini), INI),
    )
    there = (found for found in candidates if found[0] not in (None, "", [], False))
    return next(there, (None, ""))


def _named(known: Option, source: str) -> str:
    """Return the name of an option as it is written in a source."""
    return {COMMAND_LINE: known.flag, ENVIRONMENT: known.variable}.get(source, known.ini)


def _texts(known: Option, raw: Any) -> tuple[str, ...]:
    """Return the texts that were given for an option, each without the space around it."""
    if not known.repeats:
        return (str(raw).strip(),)
    parts = raw.split(known.separator) if isinstance(raw, str) else raw
    if known.separator == "," and known.metavar != "FILE":  # only a file has a comma in its name
        parts = [word for part in parts for word in part.split(known.separator)]
    return tuple(part.strip() for part in parts if part.strip())


def _parse(known: Option, texts: Iterable[str], source: str) -> Any:
    try:
        parsed = [known.parse(text) for text in texts]
    except (ValueError, OSError, RuntimeError) as error:  # RuntimeError: a home of nobody
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            f"{_named(known, source)}: {why}", remedy=f"see {known.flag} in --help"
        ) from None
    return tuple(parsed) if known.repeats else parsed[0]
