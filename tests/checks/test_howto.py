"""Every block of Python in the how-to pages passes where all is well, and fails where it is not."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.agent.ops import http_get, lookup, tcp_connect
from pytest_ipv6k8s.kube.view import ClusterView
from pytest_ipv6k8s.probe.probes import Probe, Probes
from tests.checks import api_objects
from tests.checks.facts import view
from tests.checks.fake_api import FakeApi
from tests.checks.world import World
from tests.house.tree import ROOT

BLOCKS = {
    f"{page.stem}-{number}": block
    for page in sorted((ROOT / "docs" / "howto").glob("*.md"))
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))
}
ADDRESSES = ("10.96.0.7", "fd00:10:96::7")


@dataclass(frozen=True)
class App:
    """Answers as an application does, or as one that is down."""

    up: bool

    def __call__(self, requests: Sequence[Any]) -> list[Any]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        if isinstance(request, lookup.Request):
            return lookup.Answer(addresses=ADDRESSES if self.up else ())
        error = "" if self.up else "ECONNREFUSED"
        local = "fd00::5" if ":" in request.address else "10.0.0.5"
        if isinstance(request, tcp_connect.Request):
            return tcp_connect.Answer(connected=self.up, local=local, error=error)
        if isinstance(request, http_get.Request):
            body = "<html></html>" if self.up else ""
            return http_get.Answer(status=200 if self.up else 0, body=body, error=error)
        raise TypeError(request)


def _fixtures(*, up: bool) -> dict[str, Any]:
    world = World(Stack.DUAL)
    app = api_objects.pod_object(world.pods[0])
    app["metadata"] |= {"namespace": "default", "labels": {"app": "my-app"}}
    spec = {"clusterIPs": list(ADDRESSES), "ports": [{"port": 80}]}
    world.objects["pods"].append(app)
    world.objects["services"].append({"metadata": {"name": "my-app"}, "spec": spec})
    api = FakeApi(world)
    cluster: ClusterView = view(world, api)
    probes = Probes([Probe(pod, App(up), api.recorder) for pod in world.pods])
    return {
        "family": Family.V6,
        "ipv6k8s_cluster": cluster,
        "ipv6k8s_probes": probes,
        "ipv6k8s_probe_in": lambda namespace, labels: probes[0],
    }


def _run(block: str, *, up: bool) -> None:
    names: dict[str, Any] = {}
    exec(compile(block, "block", "exec"), names)
    (test,) = [value for name, value in names.items() if name.startswith("test_")]
    fixtures = _fixtures(up=up)
    test(**{name: fixtures[name] for name in inspect.signature(test).parameters})


def test_there_are_blocks() -> None:
    assert len(BLOCKS) > 5


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_passes_where_all_is_well(name: str) -> None:
    _run(BLOCKS[name], up=True)


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_fails_where_the_application_is_down(name: str) -> None:
    with pytest.raises(AssertionError):
        _run(BLOCKS[name], up=False)
