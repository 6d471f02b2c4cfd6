"""When a run begins: what is wanted is settled first, then the cluster is taken or made.

Without xdist that is between collection and the first test. xdist's controller collects nothing, so
it looks once by itself before it starts any worker; workers collect with the facts in their hands.
"""

from __future__ import annotations

import traceback
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.checks import Beside
from pytest_ipv6k8s.clusters.contract import provider
from pytest_ipv6k8s.errors import Inconclusive, Ipv6k8sError
from pytest_ipv6k8s.features import OfTargets
from pytest_ipv6k8s.masking import cleaned, masked, one_line
from pytest_ipv6k8s.plugin import collection, run, workers
from pytest_ipv6k8s.plugin.document import chosen_by
from pytest_ipv6k8s.plugin.interrupts import interrupt_on_signals
from pytest_ipv6k8s.plugin.options import only_shows
from pytest_ipv6k8s.plugin.run_facts import EVERYTHING, Used
from pytest_ipv6k8s.plugin.state import FACTS, SETTINGS, TIMEOUTS, is_worker
from pytest_ipv6k8s.plugin.steps import STEPS, Steps

_NOTHING = "no cluster was touched. `ipv6k8s list` has all checks"


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Take over what the controller hands to a worker."""
    if is_worker(session.config):
        workers.receive(session.config)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: list[Any]) -> Generator[None]:
    """Look what there is to run before workers start; start none where that is nothing.

    Raises:
        pytest.UsageError: for every known trouble; pytest ends with exit code 4.
    """
    if only_shows(config):
        return (yield)
    session: Any = config.pluginmanager.get_plugin("session")
    session.perform_collect()
    wanted = bool(session.items) and not _has_failed(session)
    if wanted:
        _begin(session)
    yield
    if not wanted:
        specs.clear()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Begin the run where something was selected, and nothing went wrong on the way.

    Raises:
        pytest.UsageError: for every known trouble; pytest ends with exit code 4.
    """
    config = session.config
    if is_worker(config) or config.option.collectonly or FACTS in config.stash:
        return None
    if _has_failed(session):
        raise session.Interrupted(f"errors during collection: {session.testsfailed}")
    if not session.items:
        _teller(config)(f"nothing matches {_asked(config)}; {_NOTHING}")
        return True
    _begin(session)
    collection.keep_families(session)
    if not session.items:
        _teller(config)(f"nothing is left of {_asked(config)} in the cluster's families")
    return None


def _asked(config: pytest.Config) -> str:
    return chosen_by(config) or "what was asked for"


def _has_failed(session: pytest.Session) -> bool:
    going_on = session.config.option.continue_on_collection_errors
    return bool(session.testsfailed) and not going_on


def _begin(session: pytest.Session) -> None:
    config = session.config
    config.add_cleanup(interrupt_on_signals())
    settings, timeouts = config.stash[SETTINGS], config.stash[TIMEOUTS]
    bundles = settings.report.bundle is not None
    steps, used = _teller(config), used_by(session.items, bundles=bundles)
    begun = run.Run(settings, timeouts, steps, provider, used)
    config.stash[run.RUN], config.stash[STEPS] = begun, steps
    config.add_cleanup(steps.end)
    config.add_cleanup(begun.close)
    try:
        facts = begun.start()
    except (Ipv6k8sError, Inconclusive) as error:
        raise pytest.UsageError(cleaned(masked(str(error)))) from None
    except OSError as error:
        trouble = masked(str(error))
        raise pytest.UsageError(f"{trouble}. Check this machine's disk and rights.") from None
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise pytest.UsageError(_odd(error)) from None
    finally:
        steps.end()
    config.stash[FACTS] = facts


def _odd(error: Exception) -> str:
    """Say that an object of the cluster was not understood, and where; or that we are wrong."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"
    return (
        f"the cluster has an object that is not as Kubernetes makes it, or ipv6k8s is wrong: "
        f"{one_line(masked(str(error)))[:200]} ({where}). Tell us, with the objects that were read."
    )


def used_by(items: Iterable[pytest.Item], *, bundles: bool = False) -> Used:
    """Return what these items use; a test that is no check may use anything.

    Args:
        items: the selected ones.
        bundles: whether failures leave bundles, which show what host-network probes see of nodes.
    """
    checks = [(item, collection.declared_by(item)) for item in items]
    beside: set[Beside] = set()
    external = False
    for item, declared in checks:
        if declared is None:
            return EVERYTHING
        beside |= declared.beside
        external |= "ipv6k8s_external" in getattr(item, "fixturenames", ())
        external |= any(isinstance(feature.value, OfTargets) for feature in declared.features)
    hosts = bundles or Beside.HOSTS in beside
    return Used(hosts=hosts, peers=Beside.PEERS in beside, external=external)


def _teller(config: pytest.Config) -> Steps:
    return Steps(config.pluginmanager.get_plugin("terminalreporter"))
