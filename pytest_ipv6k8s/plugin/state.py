"""What the parts of the plugin hand to each other, and which process this is.

It is loaded with the plugin, in every project: it imports nothing that only a run needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

from pytest_ipv6k8s.checks import Check
from pytest_ipv6k8s.cost import Cost
from pytest_ipv6k8s.evidence import Recorder
from pytest_ipv6k8s.resting import Ledger
from pytest_ipv6k8s.settings import Settings
from pytest_ipv6k8s.timeouts import Timeouts

if TYPE_CHECKING:
    from pytest_ipv6k8s.kube.client import Api
    from pytest_ipv6k8s.plugin.run_facts import RunFacts
    from pytest_ipv6k8s.results import ItemResult

COST = pytest.StashKey[Cost]()
LOST = pytest.StashKey[bool]()
"""Whether a worker process died, and what it had begun has no result."""
SETTINGS = pytest.StashKey[Settings]()
TIMEOUTS = pytest.StashKey[Timeouts]()
FACTS: pytest.StashKey[RunFacts] = pytest.StashKey()
RECORDER = pytest.StashKey[Recorder]()
INSTRUMENTS = pytest.StashKey[dict[str, Callable[[], str]]]()
CHECKS = pytest.StashKey[Mapping[str, Check]]()
LEDGER = pytest.StashKey[Ledger]()
WHERE = pytest.StashKey[dict[str, str]]()
API: pytest.StashKey[Api] = pytest.StashKey()
TRACED: pytest.StashKey[dict[str, ItemResult]] = pytest.StashKey()


def worker_name(config: pytest.Config) -> str:
    """Return this process's name among those that test: gw0, gw1 …, or main."""
    return str(getattr(config, "workerinput", {}).get("workerid", "main"))


def is_worker(config: pytest.Config) -> bool:
    """Tell whether we are a worker process."""
    return hasattr(config, "workerinput")
