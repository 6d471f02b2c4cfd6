"""JUnit files that say which check and which cluster: ids as names, facts as properties.

Beside pytest's own plugin for JUnit, and only where it is used; other tests keep their names.
"""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ipv6k8s.plugin.outcome import result_in
from pytest_ipv6k8s.plugin.run_facts import RunFacts
from pytest_ipv6k8s.plugin.state import FACTS, SETTINGS, is_worker
from pytest_ipv6k8s.settings import Settings


def written_by(config: pytest.Config) -> Any:
    """Return pytest's plugin that writes the JUnit file, None where none is written."""
    plugins = config.pluginmanager.get_plugins()
    return next((plugin for plugin in plugins if type(plugin).__name__ == "LogXML"), None)


class Names:
    """Names the test cases of checks, and the cluster of the suite.

    Args:
        config: pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Name the test case of a check that has come to its end; its file and line stay."""
        result, xml = result_in(report), written_by(self._config)
        if result is None or xml is None or is_worker(self._config):
            return
        case = xml.node_reporter(report)
        case.add_attribute("classname", f"ipv6k8s.{result.check.area}")
        case.add_attribute("name", f"{result.name} {result.check.requirement}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Say which cluster was tested."""
        facts, xml = self._config.stash.get(FACTS, None), written_by(self._config)
        if facts is not None and xml is not None and not is_worker(self._config):
            for name, value in _properties(facts, self._config.stash[SETTINGS]).items():
                xml.add_global_property(f"ipv6k8s.{name}", value)


def _properties(facts: RunFacts, settings: Settings) -> dict[str, str]:
    found = {
        "provider": settings.provider_name,
        "kubernetes": facts.inventory.version,
        "stack": facts.stack.value,
        "cni": facts.inventory.cni,
        "proxy": facts.inventory.proxy,
        "nodes": str(len(facts.inventory.nodes)),
    }
    if facts.owned or settings.report.redact:
        return found
    return {**found, "context": facts.context, "server": facts.server}
