"""What crosses the border between the controller and its workers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_ipv6k8s.kube.config import hold_credentials
from pytest_ipv6k8s.plain import build, plain
from pytest_ipv6k8s.plugin.run_facts import RunFacts
from pytest_ipv6k8s.plugin.state import COST, FACTS, LOST, is_worker

_KEY = "ipv6k8s"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the facts of the run to a worker that is about to start."""
    facts = node.config.stash.get(FACTS, None)
    if facts is not None:
        node.workerinput[_KEY] = json.dumps(plain(facts))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Add up what a worker that has ended counted, and note that one died."""
    if error:
        node.config.stash[LOST] = True
    counted = getattr(node, "workeroutput", {}).get(_KEY)
    if counted:
        node.config.stash[COST].add(**json.loads(counted))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what this worker counted to the controller."""
    if is_worker(session.config):
        counted = json.dumps(session.config.stash[COST].plain())
        session.config.workeroutput[_KEY] = counted  # type: ignore[attr-defined]


def receive(config: pytest.Config) -> None:
    """Take the facts that the controller handed over."""
    handed = getattr(config, "workerinput", {}).get(_KEY)
    if handed:
        facts = config.stash[FACTS] = build(RunFacts, json.loads(handed))
        if facts.kubeconfig.exists():
            hold_credentials(facts.kubeconfig)
