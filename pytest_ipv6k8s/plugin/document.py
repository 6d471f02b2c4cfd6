"""What a run found out, as a report."""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pytest

from pytest_ipv6k8s import __version__, catalogue
from pytest_ipv6k8s.features import Feature
from pytest_ipv6k8s.masking import without_secrets
from pytest_ipv6k8s.plugin.run import Run
from pytest_ipv6k8s.plugin.state import COST, FACTS, SETTINGS, Cost, RunFacts
from pytest_ipv6k8s.reports import HarnessFact, Report, fold_records
from pytest_ipv6k8s.reports.claims import claims
from pytest_ipv6k8s.reports.matrix import connectivity
from pytest_ipv6k8s.settings import ENVIRONMENT, INI, OPTIONS, Settings

_LIBRARIES = ("pytest-ipv6k8s", "pytest", "pytest-xdist", "kubernetes")
Records = Sequence[dict[str, Any]]


def make_report(config: pytest.Config, run: Run, records: Records, *, complete: bool) -> Report:
    """Return the report of a run that has ended.

    Args:
        config: pytest's configuration, with settings and facts.
        run: what the controller knows of itself.
        records: what became of each item.
        complete: whether the run came to its end.
    """
    facts, settings = config.stash[FACTS], config.stash[SETTINGS]
    waivers = {waiver.id: waiver.reason for waiver in settings.waive}
    checks = fold_records(records, waivers)
    return Report(
        date=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        suite={
            "name": "pytest-ipv6k8s",
            "version": __version__,
            "catalogue": catalogue.revision(),
        },
        implementation=dict(settings.report.implementation),
        profiles=claims(checks, catalogue.checks(), facts.stack, settings.profile),
        features=_features(facts),
        cluster=_cluster(facts, settings),
        connectivity=connectivity(records),
        settings={
            option.key: {
                "value": shown(option.value(settings)),
                "source": settings.sources[option.key],
            }
            for option in sorted(OPTIONS, key=lambda option: option.key)
            if option.key in settings.sources
        },
        reproduce=_reproduce(config, settings),
        waivers=waivers,
        checks=checks,
        cost=_cost(config, run.cost),
        harness=(*run.harness, *_own_facts(records)),
        complete=complete,
    )


def shown(value: Any) -> str:
    """Return a setting's value in words, without secrets."""
    if isinstance(value, tuple):
        return ",".join(shown(item) for item in value)
    return without_secrets(str(getattr(value, "value", value)))


def _features(facts: RunFacts) -> dict[str, list[str]]:
    met = {feature.key for feature in Feature if feature.is_met(facts)}
    known = {feature.key for feature in Feature}
    return {"supported": sorted(met), "unsupported": sorted(known - met)}


def _cluster(facts: RunFacts, settings: Settings) -> dict[str, Any]:
    return {
        "provider": settings.provider_name,
        "kubernetes": facts.inventory.version,
        "stack": facts.stack.value,
        "cni": facts.inventory.cni,
        "cniVersion": facts.inventory.cni_version,
        "proxy": facts.inventory.proxy,
        "nodes": [
            {
                "name": node.name,
                "internalIPs": list(node.internal_ips),
                "kubelet": node.kubelet,
                "kernel": node.kernel,
                "runtime": node.runtime,
            }
            for node in facts.inventory.nodes
        ],
    }


def _reproduce(config: pytest.Config, settings: Settings) -> dict[str, Any]:
    variables, ini = [], []
    for option in OPTIONS:
        source = settings.sources.get(option.key)
        if source == ENVIRONMENT:
            variables.append(f"{option.variable}={shlex.quote(os.environ[option.variable])}")
        elif source == INI:
            value = config.getini(option.ini)
            text = value if isinstance(value, str) else " ".join(map(shlex.quote, value))
            ini += ["-o", f"{option.ini}={text}"]
    arguments = shlex.join(["pytest", *map(str, config.invocation_params.args), *ini])
    images = {"probe": settings.cluster.probe_image, "node": settings.cluster.node_image}
    images["testbed"] = settings.external.testbed_image
    return {
        "command": without_secrets(" ".join([*variables, arguments])),
        "versions": {"python": platform.python_version(), **_versions()},
        "images": {name: image for name, image in images.items() if image},
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _cost(config: pytest.Config, before_and_after: Cost) -> dict[str, int]:
    facts, total = config.stash[FACTS], Cost()
    total.add(before_and_after)
    total.add(config.stash[COST])
    return {
        "apiRequests": total.api_requests,
        "execSessions": total.exec_sessions,
        "probePods": len(facts.pods) + len(facts.hosts),
    }


def _own_facts(records: Records) -> list[HarnessFact]:
    reached = [r for r in records if r["verdict"] in ("pass", "fail", "informational")]
    vacuous = [r["check"]["id"] for r in reached if not r["answers"]]
    least = min((r["answers"] for r in reached), default=0)
    broken = [f"{r['check']['id']}: {r['teardown']}" for r in records if "teardown" in r]
    seen = f"{len(records)} items; {'; '.join(broken) or 'no teardown broke'}"
    return [
        HarnessFact(
            id="META-02",
            title="vacuity",
            holds=not vacuous,
            seen=", ".join(vacuous) or f"every verdict rests on at least {least} answers",
        ),
        HarnessFact(id="META-07", title="report", holds=not broken, seen=seen),
    ]
