"""What crosses the border between the controller and its workers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_ipv6k8s.plugin.state import FACTS, RunFacts

_KEY = "ipv6k8s"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the facts of the run to a worker that is about to start."""
    facts = node.config.stash.get(FACTS, None)
    if facts is not None:
        node.workerinput[_KEY] = json.dumps(facts.plain())


def is_worker(config: pytest.Config) -> bool:
    """Tell whether we are a worker process."""
    return hasattr(config, "workerinput")


def receive(config: pytest.Config) -> None:
    """Take the facts that the controller handed over."""
    handed = getattr(config, "workerinput", {}).get(_KEY)
    if handed:
        config.stash[FACTS] = RunFacts.from_plain(json.loads(handed))
