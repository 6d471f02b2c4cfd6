"""Providers of other people, found by the hook."""

from __future__ import annotations

import re

import pytest

from tests.house.tree import ROOT

PAGE = ROOT / "docs" / "a-provider-of-your-own.md"
OURS = """
from pytest_ipv6k8s.clusters.contract import Problem
from pytest_ipv6k8s.errors import ClusterError

class Ours:
    def problems(self, spec):
        return []
    def create(self, spec, home, progress):
        progress(f"making nothing for {{spec.run_id}}")
        raise ClusterError("the moon is down", remedy="wait for it")
    def delete(self, name):
        print("deleting", name)
    def on_nodes(self, name, script, timeout):
        return {{}}

def pytest_ipv6k8s_cluster_provider(name):
    return Ours() if name == {name!r} else None
"""


@pytest.fixture(autouse=True)
def _own_state(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(pytester.path / "state"))


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
@pytest.mark.parametrize("name", ["ours", "kind"])
def test_a_provider_of_a_conftest_makes_the_cluster_also_under_one_of_our_names(
    pytester: pytest.Pytester, name: str, workers: tuple[str, ...]
) -> None:
    pytester.makeconftest(OURS.format(name=name))

    result = pytester.runpytest_subprocess(f"--ipv6k8s-provider={name}", "-s", *workers)

    said = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, said
    made = re.search(r"making nothing for (\w+)", said)
    assert made, said
    assert f"deleting ipv6k8s-{made[1]}" in said
    assert "the moon is down. Wait for it." in said
    assert "Traceback" not in said
    assert not list((pytester.path / "state").rglob("state.json"))


def test_a_name_that_nobody_answers_to_is_hinted_at(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(OURS.format(name="ours"))

    result = pytester.runpytest_subprocess("--ipv6k8s-provider=knid")

    said = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, said
    assert "unknown provider 'knid'" in said
    assert "Did you mean 'kind'?" in said


def test_the_provider_of_the_page_works_as_a_conftest(pytester: pytest.Pytester) -> None:
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    pytester.makeconftest(source)

    result = pytester.runpytest_subprocess("--ipv6k8s-provider=script", "--ipv6k8s-stack=dual")

    said = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, said
    assert "our-cluster is not on PATH. Ask the platform team." in said
