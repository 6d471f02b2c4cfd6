"""The entry point: options always; everything else only where somebody asks for it."""

from __future__ import annotations

import pytest

from pytest_ipv6k8s.cost import Cost
from pytest_ipv6k8s.plugin import collection, fixtures, options
from pytest_ipv6k8s.plugin.state import COST, SETTINGS, TIMEOUTS, is_worker
from pytest_ipv6k8s.settings import Settings
from pytest_ipv6k8s.timeouts import Timeouts


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options to the command line and the ini file."""
    options.add(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Where the suite alone runs, load no ``conftest.py`` of the folder that somebody stands in.

    pytest would load it and those in ``test*`` below: they are of another project, which may need
    packages that are not there.
    """
    collection.look_only_at_the_suite(early_config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the settings; where a cluster is wanted, load what runs one."""
    settings = options.read(config)
    config.stash[SETTINGS] = settings
    config.stash[TIMEOUTS] = Timeouts().scaled(settings.timeout_factor)
    config.stash[COST] = Cost()
    for name in ("core", "extended", "informational"):
        config.addinivalue_line("markers", f"{name}: level of an IPv6 conformance check")
    plugins = config.pluginmanager
    plugins.register(collection, "ipv6k8s-collection")
    plugins.register(fixtures, "ipv6k8s-fixtures")
    if settings.wants_cluster:
        _load(config, settings)
    else:
        options.refuse_without_cluster(config)


def _load(config: pytest.Config, settings: Settings) -> None:
    """Load what runs a cluster."""
    from pytest_ipv6k8s import expectations
    from pytest_ipv6k8s.plugin import (
        beginning,
        cards,
        interrupts,
        junit,
        outcome,
        reporting,
        secrecy,
        workers,
    )

    plugins = config.pluginmanager
    expectations.set_timeout_factor(settings.timeout_factor)
    collection.add_suite(config, settings)
    plugins.register(outcome, "ipv6k8s-outcome")
    plugins.register(cards.Cards(config), "ipv6k8s-cards")
    plugins.register(junit.Names(config), "ipv6k8s-junit")
    plugins.register(reporting.Reporting(config, settings), "ipv6k8s-reporting")
    plugins.register(beginning, "ipv6k8s-beginning")
    plugins.register(interrupts, "ipv6k8s-interrupts")
    plugins.register(workers, "ipv6k8s-xdist")
    if settings.report.bundle is not None:
        from pytest_ipv6k8s.plugin import bundles

        plugins.register(bundles, "ipv6k8s-bundles")
    if settings.pause and not is_worker(config) and not options.only_shows(config):
        from pytest_ipv6k8s.plugin import pausing

        plugins.register(pausing.Pauses(config), "ipv6k8s-pauses")
    plugins.register(secrecy, "ipv6k8s-secrecy")  # the last one, so its hooks are around all
