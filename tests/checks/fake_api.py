"""The API server of a fake world, as far as a view of the cluster and a sandbox use it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ipv6k8s.evidence import Recorder
from pytest_ipv6k8s.kube.client import Outcome
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.timeouts import Timeouts

if TYPE_CHECKING:
    from tests.checks.world import World


class FakeApi:
    """The API server's side, as far as a view of the cluster uses it."""

    timeouts = Timeouts()

    def __init__(self, world: World) -> None:
        self._world = world
        self.recorder = Recorder()
        self.kubeconfig = Kubeconfig(path=Path("kubeconfig"), context="fake")

    def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Return a list of objects."""
        kind = path.rsplit("/", 1)[1]
        if kind == "networkpolicies":
            return [dict(policy) for policy in self._world.policed.in_folder(path)]
        found = self._world.objects[kind]
        selector = query.get("labelSelector", "")
        if selector:
            key, _, value = selector.partition("=")
            found = [o for o in found if o["metadata"].get("labels", {}).get(key) == value]
        return found

    def find(self, path: str) -> dict[str, Any] | None:
        """Return a pod, also of the sandbox, a Service, or CoreDNS' ConfigMap."""
        if "/pods/" in path:
            name = path.rsplit("/", 1)[1]
            pods = {pod["metadata"]["name"]: pod for pod in self._world.objects["pods"]}
            return pods.get(name) or self._world.policed.pod_object(name)
        if "/services/" in path:
            return self.get(path)
        return {"data": {"Corefile": self._world.corefile}}

    def get(self, path: str) -> dict[str, Any]:
        """Return a pod of the sandbox, or a Service."""
        name = path.rsplit("/", 1)[1]
        if "/pods/" in path:
            return self.find(path) or {}
        return next(o for o in self._world.objects["services"] if o["metadata"]["name"] == name)

    def create(self, path: str, body: Mapping[str, Any]) -> None:
        """Start a pod of the sandbox."""
        self._world.policed.start(path.split("/")[4], body)

    def delete(self, path: str, *, grace: int | None = None) -> None:
        """Delete a pod of the sandbox, or a policy."""
        if "/pods/" in path:
            self._world.policed.stop(path.rsplit("/", 1)[1])
        self._world.policed.take_away(path)

    def try_create(self, path: str, body: Mapping[str, Any], *, dry_run: bool = True) -> Outcome:
        """Admit a NetworkPolicy or a Service, or not."""
        if path.endswith("/networkpolicies"):
            return self._world.policed.put(path, body, dry_run=dry_run)
        return self._world.on_propose(body, self._world.allocator.admit(body))
