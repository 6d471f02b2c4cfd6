"""An API server in memory on which pods start at once and Services get addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_ipv6k8s.kube.client import ApiError, Object
from tests.unit.fake_api import FakeApi

NAMESPACES = "/api/v1/namespaces"
ADDRESSES = [{"ip": "fd00:1::1"}, {"ip": "10.1.0.1"}]


class ClusterApi(FakeApi):
    """Whatever is created comes to life: namespaces are filled, pods run, slices fill.

    ``pod_status`` is that of all pods, ``status_of`` that of single ones.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lists |= {NAMESPACES: [], "/api/v1/pods": [], "/api/v1/services": []}
        self.pod_status: Mapping[str, Any] | None = None
        self.status_of: dict[str, Mapping[str, Any]] = {}
        self.refuse: Callable[[Mapping[str, Any]], str] = lambda body: ""

    def create(self, path: str, body: Mapping[str, Any], **query: str) -> Object:
        """Keep an object as a cluster would make of it; ``refuse`` says what admission says."""
        refusal = self.refuse(body)
        if refusal:
            raise ApiError(refusal, code=403)
        made = super().create(path, body, **query)
        namespace = path.split("/")[4] if path.startswith(f"{NAMESPACES}/") else ""
        if path == NAMESPACES:
            self.fill(made["metadata"]["name"])
        elif path.endswith("/pods"):
            self._start(namespace, made)
        elif path.endswith("/services"):
            made["metadata"]["namespace"] = namespace
            made["spec"].setdefault("ipFamilies", ["IPv4", "IPv6"])
            made["spec"].setdefault("clusterIPs", ["10.96.0.1", "fd00:96::1"])
        return made

    def fill(self, name: str) -> None:
        """Put into a new namespace what every namespace has."""
        inside = f"{NAMESPACES}/{name}"
        self.lists[f"{inside}/configmaps"] = [{"metadata": {"name": "kube-root-ca.crt"}}]
        self.lists[f"{inside}/serviceaccounts"] = [{"metadata": {"name": "default"}}]
        self.lists[f"{inside}/pods"] = []
        self.lists[f"{inside}/events"] = []
        self.lists[f"/apis/discovery.k8s.io/v1/namespaces/{name}/endpointslices"] = [
            {
                "metadata": {"labels": {"kubernetes.io/service-name": "every"}},
                "endpoints": [{}] * 100,
            }
        ]

    def _start(self, namespace: str, pod: Object) -> None:
        (term,) = pod["spec"]["affinity"]["nodeAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ]["nodeSelectorTerms"]
        pod["metadata"] |= {"namespace": namespace, "uid": f"uid-of-{pod['metadata']['name']}"}
        pod["spec"]["nodeName"] = term["matchFields"][0]["values"][0]
        status = self.status_of.get(pod["metadata"]["name"], self.pod_status)
        pod["status"] = status or {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "podIPs": ADDRESSES,
            "hostIPs": [{"ip": "fd00::1"}],
            "containerStatuses": [{"restartCount": 0, "state": {"running": {}}}],
        }
