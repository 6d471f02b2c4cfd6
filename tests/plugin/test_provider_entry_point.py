"""Providers of other people, found by the entry points of their packages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT
from tests.packages import install

PAGE = ROOT / "docs" / "a-provider-of-your-own.md"
OURS = """
from pytest_ipv6k8s.clusters.contract import Problem
from pytest_ipv6k8s.errors import ClusterError

class Ours:
    def problems(self, spec):
        return []
    def create(self, spec, home, progress):
        progress(f"making nothing for {spec.run_id}: {spec.stack.value}")
        raise ClusterError("the moon is down", remedy="wait for it")
    def delete(self, name):
        print("deleting", name)
    def on_nodes(self, name, script, timeout):
        return {}

PROVIDER = Ours()
"""


@pytest.fixture(autouse=True)
def _own_state(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(pytester.path / "state"))


@pytest.fixture
def site(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that pytest finds."""
    folder = pytester.mkdir("site")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_a_provider_of_a_package_makes_the_cluster(
    pytester: pytest.Pytester, site: Path, workers: tuple[str, ...]
) -> None:
    install(site, "our_clusters", providers={"ours": "our_clusters:PROVIDER"}, source=OURS)

    result = pytester.runpytest_subprocess("--ipv6k8s-provider=ours", "-s", *workers)

    output = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, output
    made = re.search(r"making nothing for (\w+): ipv6\b", output)
    assert made, output
    assert f"deleting ipv6k8s-{made[1]}" in output
    assert "the moon is down. Wait for it." in output
    assert "Traceback" not in output
    assert not list((pytester.path / "state").rglob("state.json"))


def test_a_provider_under_one_of_our_names_is_refused(
    pytester: pytest.Pytester, site: Path
) -> None:
    install(site, "our_clusters", providers={"kind": "our_clusters:PROVIDER"}, source=OURS)

    result = pytester.runpytest_subprocess("--ipv6k8s-provider=kind")

    output = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, output
    assert "provider 'kind' is there more than once: from our_clusters and pytest-ipv6k8s" in output
    assert "Traceback" not in output


def test_a_name_that_nobody_has_is_hinted_at(pytester: pytest.Pytester, site: Path) -> None:
    install(site, "our_clusters", providers={"ours": "our_clusters:PROVIDER"}, source=OURS)

    result = pytester.runpytest_subprocess("--ipv6k8s-provider=our")

    output = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, output
    assert "unknown provider 'our': available are existing, k3s, kind, ours" in output
    assert "Did you mean 'ours'?" in output


def test_the_provider_of_the_page_works_as_a_package(pytester: pytest.Pytester, site: Path) -> None:
    page = PAGE.read_text("utf-8")
    (source,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (name, value) = re.findall(r'^(\w+) = "(our_clusters:\w+)"$', page, re.MULTILINE)[0]
    install(site, "our_clusters", providers={name: value}, source=source)

    result = pytester.runpytest_subprocess("--ipv6k8s-provider=script", "--ipv6k8s-stack=dual")

    output = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, output
    assert "our-cluster is not on PATH. Ask the platform team." in output
