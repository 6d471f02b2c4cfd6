"""The settings of a run: what the options said, with precedence and source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.addresses import Egress, Stack
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.options import (
    OPTIONS,
    Allow,
    Dns64,
    External,
    K3sComponent,
    KubeProxy,
    Option,
    Waiver,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What this run was told; built once.

    ``sources`` says for each field that was set where its value came from.
    """

    kubeconfig: Path | None = None
    context: str | None = None
    provider: str | None = None
    stack: Stack | None = None
    workers: int = 1
    cni: str = "default"
    cni_command: str | None = None
    cni_chart: str | None = None
    cni_values: tuple[str, ...] = ()
    kube_proxy: KubeProxy | None = None
    pod_cidr: tuple[str, ...] = ()
    service_cidr: tuple[str, ...] = ()
    k3s_disable: tuple[K3sComponent, ...] = ()
    max_nodes: int = 10
    node_image: str | None = None
    probe_image: str = "python:3-slim"
    declaration: Path | None = None
    target: tuple[tuple[str, str, int], ...] = ()
    external: External = External.AUTO
    testbed_image: str | None = None
    egress: Egress = Egress.MASQUERADE
    dns64: Dns64 = Dns64.RESOLVER
    pull_secret: str | None = None
    node_selector: tuple[tuple[str, str], ...] = ()
    toleration: tuple[Mapping[str, str], ...] = ()
    allow: tuple[Allow, ...] = ()
    timeout_factor: float = 1.0
    waive: tuple[Waiver, ...] = ()
    strict: bool = False
    keep: bool = False
    profile: tuple[str, ...] = ()
    report: tuple[Path, ...] = ()
    implementation: tuple[tuple[str, str], ...] = ()
    redact: bool = False
    evidence: int = 10
    bundle: Path | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def wants_cluster(self) -> bool:
        """Whether anybody asked for a cluster; without, the plugin stays out of the way."""
        return self.kubeconfig is not None or self.provider is not None

    @property
    def asked_on_command_line(self) -> bool:
        """Whether the cluster was asked for on the command line itself."""
        return COMMAND_LINE in (self.sources.get("kubeconfig"), self.sources.get("provider"))

    @property
    def provider_name(self) -> str:
        """The provider to use: a kubeconfig alone means ``existing``."""
        return self.provider or "existing"


COMMAND_LINE = "command line"
ENVIRONMENT = "environment"
INI = "ini"


def resolve(
    given: Mapping[str, Any], environment: Mapping[str, str], ini: Mapping[str, Any]
) -> Settings:
    """Build the settings: command line before environment before ini file before default.

    Args:
        given: by :attr:`Option.ini`, texts (or lists of them, or True) of the command line.
        environment: the process's variables.
        ini: by :attr:`Option.ini`, texts or lists of the ini file.

    Raises:
        ConfigError: a value is no good; names the option and where it was given.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for option in OPTIONS:
        candidates = (
            (given.get(option.ini), COMMAND_LINE),
            (environment.get(option.variable), ENVIRONMENT),
            (ini.get(option.ini), INI),
        )
        for raw, source in candidates:
            if raw not in (None, "", [], False):
                values[option.field] = _parse(option, raw, source)
                sources[option.field] = source
                break
    settings = Settings(**values, sources=sources)
    if settings.kubeconfig and settings.provider_name != "existing":
        raise ConfigError(
            f"--ipv6k8s-kubeconfig names a cluster, and provider {settings.provider!r} makes one",
            remedy="give one of the two",
        )
    return settings


def _parse(option: Option, raw: Any, source: str) -> Any:
    texts: Iterable[str]
    if option.repeats:
        parts = raw.split(option.separator) if isinstance(raw, str) else raw
        texts = [part for part in parts if part.strip()]
    else:
        texts = [str(raw)]
    try:
        parsed = [option.parse(text.strip()) for text in texts]
    except ValueError as error:
        name = {COMMAND_LINE: option.flag, ENVIRONMENT: option.variable}.get(source, option.ini)
        raise ConfigError(f"{name}: {error}", remedy=f"see {option.flag} in --help") from None
    return tuple(parsed) if option.repeats else parsed[0]
