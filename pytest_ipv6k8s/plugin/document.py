"""What a run found out, as a report."""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Collection, Sequence
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version

import pytest

from pytest_ipv6k8s import __version__, catalogue
from pytest_ipv6k8s.external.model import TESTBED
from pytest_ipv6k8s.features import Feature
from pytest_ipv6k8s.masking import masked_in, redact_text, without_secrets
from pytest_ipv6k8s.options import Option
from pytest_ipv6k8s.plugin.run import Run
from pytest_ipv6k8s.plugin.run_facts import RunFacts
from pytest_ipv6k8s.plugin.state import COST, FACTS, SETTINGS
from pytest_ipv6k8s.plugin.used import in_use
from pytest_ipv6k8s.reports import folding
from pytest_ipv6k8s.reports.claims import claims
from pytest_ipv6k8s.reports.matrix import connectivity
from pytest_ipv6k8s.reports.model import (
    Cluster,
    Features,
    HarnessFact,
    Implementation,
    Node,
    Report,
    Reproduce,
    RunCost,
    Selection,
    Setting,
    Suite,
)
from pytest_ipv6k8s.results import ItemResult
from pytest_ipv6k8s.settings import ENVIRONMENT, INI, Settings
from pytest_ipv6k8s.words import counted

_LIBRARIES = ("pytest-ipv6k8s", "pytest", "pytest-xdist", "kubernetes")


def make_report(
    config: pytest.Config, run: Run, results: Sequence[ItemResult], *, complete: bool
) -> Report:
    """Return the report of a run that has ended.

    Args:
        config: pytest's configuration, with settings and facts.
        run: what the controller knows of itself.
        results: what became of each item.
        complete: whether the run came to its end.
    """
    facts, settings = config.stash[FACTS], config.stash[SETTINGS]
    waivers = {waiver.id: redact_text(waiver.reason) for waiver in settings.waive}
    checks = folding.fold_items(results, waivers)
    harness = folding.by_id([*run.harness, *_own_facts(results)])
    selection = _selection(config, {check.id for check in checks})
    report = Report(
        date=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        suite=Suite(name="pytest-ipv6k8s", version=__version__, catalogue=catalogue.revision()),
        implementation=_implementation(settings),
        result=folding.result_of(
            checks, harness, complete=complete, selection=selection, asked=settings.profile
        ),
        complete=complete,
        selection=selection,
        redacted=False,
        summary=folding.count(checks),
        areas=folding.areas(checks),
        profiles=claims(checks, catalogue.checks(), facts.stack, settings.profile),
        features=_features(facts),
        cluster=_cluster(facts, settings),
        connectivity=connectivity(results),
        settings=_settings(settings),
        reproduce=_reproduce(config, settings),
        waivers=folding.waived(checks, waivers),
        cost=_cost(config, run),
        checks=checks,
        harness=harness,
    )
    return masked_in(report)


def _implementation(settings: Settings) -> Implementation:
    given = settings.report.implementation
    return Implementation(**{key: redact_text(value) for key, value in given})


def _selection(config: pytest.Config, ids: Collection[str]) -> Selection:
    asked = config.stash[SETTINGS].profile
    return folding.selection_of(ids, catalogue.checks(), asked, chosen_by(config))


def chosen_by(config: pytest.Config) -> str:
    """Return what left checks out, as it stands on the command line."""
    given = config.option
    words = [
        *(f"--ipv6k8s-check={word}" for word in config.stash[SETTINGS].check),
        *([f"-k {given.keyword}"] if given.keyword else []),
        *([f"-m {given.markexpr}"] if given.markexpr else []),
        *(["--lf"] if getattr(given, "lf", False) else []),  # not there without the cacheprovider
        *(["--deselect"] if given.deselect else []),
        *(["--maxfail"] if given.maxfail else []),
        *(map(str, config.args) if config.args != [catalogue.SUITE] else []),
    ]
    return redact_text(" ".join(words))


def _settings(settings: Settings) -> dict[str, Setting]:
    """Return the settings that somebody made and the run used, by key."""
    return {
        option.key: Setting(
            value=format_setting(settings, option), source=settings.sources[option.key]
        )
        for option in sorted(in_use(settings), key=lambda option: option.key)
    }


def format_setting(settings: Settings, option: Option) -> str:
    """Return what was given for an option, as it was, without secrets."""
    return ",".join(map(without_secrets, settings.given[option.key]))


def _features(facts: RunFacts) -> Features:
    met = {feature.key for feature in Feature if feature.is_met(facts)}
    known = {feature.key for feature in Feature}
    return Features(supported=tuple(sorted(met)), unsupported=tuple(sorted(known - met)))


def _cluster(facts: RunFacts, settings: Settings) -> Cluster:
    left_out = {one.node: one.reason for one in facts.left_out}
    return Cluster(
        provider=settings.provider_name,
        kubernetes=facts.inventory.version,
        stack=facts.stack,
        cni=facts.inventory.cni,
        cni_version=facts.inventory.cni_version,
        proxy=facts.inventory.proxy,
        context="" if facts.owned else facts.context,
        server="" if facts.owned else facts.server,
        families=facts.inventory.families.by_part,
        nodes=tuple(
            Node(
                name=node.name,
                internal_ips=node.internal_ips,
                kubelet=node.kubelet,
                kernel=node.kernel,
                runtime=node.runtime,
                left_out=left_out.get(node.name, ""),
            )
            for node in facts.inventory.nodes
        ),
    )


def _reproduce(config: pytest.Config, settings: Settings) -> Reproduce:
    variables, ini = [], []
    for option in in_use(settings):
        source = settings.sources[option.key]
        if source == ENVIRONMENT:
            value = shlex.quote(without_secrets(os.environ[option.variable]))
            variables.append(f"{option.variable}={value}")
        elif source == INI:
            value = config.getini(option.ini)
            text = value if isinstance(value, str) else " ".join(map(shlex.quote, value))
            ini += ["-o", f"{option.ini}={text}"]
    words = ["pytest", *map(str, config.invocation_params.args), *ini]
    arguments = shlex.join(map(_shown_word, words))
    facts = config.stash[FACTS]
    images: dict[str, str | None] = {"probe": settings.cluster.probe_image}
    if facts.owned:
        images["node"] = settings.cluster.node_image
    if facts.external is not None and facts.external.source == TESTBED:
        images["testbed"] = settings.external.testbed_image
    return Reproduce(
        command=" ".join([*variables, arguments]),
        versions={"python": platform.python_version(), **_versions()},
        images={name: image for name, image in images.items() if image},
    )


def _shown_word(word: str) -> str:
    """Return a word of a command without secrets; the value of an option is looked at alone."""
    option, equals, value = word.partition("=")
    if equals and option.startswith("-"):
        return f"{option}={without_secrets(value)}"
    return without_secrets(word)


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _cost(config: pytest.Config, run: Run) -> RunCost:
    facts, checks = config.stash[FACTS], config.stash[COST]
    return RunCost(
        api_requests=run.cost.api_requests + checks.api_requests,
        exec_sessions=run.cost.exec_sessions + checks.exec_sessions,
        probe_pods=len(facts.pods) + len(facts.hosts) + len(facts.peers),
    )


def _own_facts(results: Sequence[ItemResult]) -> list[HarnessFact]:
    reached = [result for result in results if result.outcome.is_reached]
    vacuous = [result.check.id for result in reached if not result.outcome.answers]
    least = min((result.outcome.answers for result in reached), default=0)
    broken = [
        f"{result.check.id}: {result.outcome.teardown}"
        for result in results
        if result.outcome.teardown
    ]
    return [
        HarnessFact(
            id="META-02",
            title="vacuity",
            ok=not vacuous,
            actual=", ".join(vacuous)
            or f"every verdict rests on at least {counted(least, 'answer')}",
        ),
        HarnessFact(
            id="META-07",
            title="report",
            ok=not broken,
            actual=f"{counted(len(results), 'item')}; {'; '.join(broken) or 'no teardown broke'}",
        ),
    ]
