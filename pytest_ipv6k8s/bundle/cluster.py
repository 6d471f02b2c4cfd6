"""What is read from the API: objects, ConfigMaps and logs; never a Secret."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pytest_ipv6k8s.bundle import components
from pytest_ipv6k8s.bundle.chosen import chosen
from pytest_ipv6k8s.bundle.components import Component
from pytest_ipv6k8s.bundle.configs import safe_config
from pytest_ipv6k8s.bundle.gathering import File, Keep, Source
from pytest_ipv6k8s.errors import Ipv6k8sError
from pytest_ipv6k8s.kube import paths
from pytest_ipv6k8s.kube.client import Api, ApiError, Object, readable
from pytest_ipv6k8s.kube.inventory import DnsService
from pytest_ipv6k8s.kube.objects import RUN_LABEL
from pytest_ipv6k8s.masking import redact

_SYSTEM = paths.KUBE_SYSTEM
_KINDS = (
    *("endpointslices", "services", "pods", "deployments", "daemonsets", "networkpolicies"),
    "events",
)
_MOST_OBJECTS, _MOST_LOGS, _LINES, _BYTES = "500", 12, "400", "131072"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where is looked.

    Attributes:
        run_id: of the run whose namespaces are read; empty for none.
        namespaces: others that are read, too.
        dns: the Service of the pods' DNS, as far as it is known.
        nodes: names of the nodes whose pods' logs come first.
    """

    run_id: str = ""
    namespaces: tuple[str, ...] = ()
    dns: DnsService | None = None
    nodes: tuple[str, ...] = ()


def sources(api: Api, scope: Scope) -> dict[str, Source]:
    """Return what can be read from the API.

    Namespaces are those of the scope, kube-system, default, and where DNS and CNI are.
    """
    namespaces = _Namespaces(api, scope)
    found: dict[str, Source] = {kind: partial(_objects, api, namespaces, kind) for kind in _KINDS}
    found["list of nodes"] = lambda: [_list(api, paths.NODES, "objects/nodes.json")]
    found["network components"] = partial(_components, api, scope)
    return found


def objects_in(files: Iterable[File]) -> dict[str, list[Object]]:
    """Return the objects that files hold, by kind; each has its namespace."""
    found: dict[str, list[Object]] = {}
    for file in files:
        folder, _, name = file.name.rpartition("/")
        top, _, namespace = folder.partition("/")
        if top == "objects":
            for item in json.loads(file.text)["items"]:
                meta = {"namespace": namespace, "name": "", **item.get("metadata", {})}
                kind = name.removesuffix(".json")
                found.setdefault(kind, []).append({**item, "metadata": meta})
    return found


class _Namespaces:
    """The names of the namespaces: whoever comes first asks, the others wait for it."""

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api, self._scope = api, scope
        self._lock = threading.Lock()
        self._found: tuple[str, ...] = ()

    def __call__(self) -> tuple[str, ...]:
        with self._lock:
            self._found = self._found or tuple(dict.fromkeys(self._look()))
        return self._found

    def _look(self) -> Iterator[str]:
        scope = self._scope
        yield from scope.namespaces
        if scope.run_id:
            label = f"{RUN_LABEL}={scope.run_id}"
            made = readable(self._api, paths.NAMESPACES, labelSelector=label)
            yield from (item["metadata"]["name"] for item in made)
        yield from (_SYSTEM, "default", *([scope.dns.namespace] if scope.dns else []))
        # What cannot be read is told with the components, which are read by themselves.
        with contextlib.suppress(ApiError):
            yield from (one.namespace for one in components.on_nodes(self._api))


def _objects(api: Api, namespaces: _Namespaces, kind: str) -> Iterator[File]:
    trouble = []
    for namespace in namespaces():
        try:
            yield _list(api, paths.inside(namespace, kind), f"objects/{namespace}/{kind}.json")
        except ApiError as error:
            trouble.append(str(error))
    if trouble:
        raise Ipv6k8sError("; ".join(trouble))


def _list(api: Api, path: str, name: str) -> File:
    page = api.get(path, limit=_MOST_OBJECTS)
    remaining = (page.get("metadata") or {}).get("remainingItemCount")
    kind = name.rpartition("/")[2].removesuffix(".json")
    items = [chosen(kind, item) for item in page.get("items") or []]
    content: dict[str, Any] = {"kind": page.get("kind", "List"), "items": items}
    if remaining:
        content = {**content, "leftOut": remaining}
    return File(name=name, text=json.dumps(redact(content, longest=None), indent=1))


def _components(api: Api, scope: Scope) -> Iterator[File]:
    found: list[Component] = []
    trouble = []
    for read in (components.dns(api, scope.dns), components.on_nodes(api)):
        try:
            found += read
        except ApiError as error:
            trouble.append(str(error))
    wanted = {(one.namespace, name): None for one in found for name in one.config_maps}
    for namespace, name in wanted:
        yield from _config(api.find(paths.config_map(namespace, name)))
    for component in found:
        yield from _logs(api, component, scope.nodes)
    if trouble:
        raise Ipv6k8sError("; ".join(trouble))


def _config(found: Object | None) -> Iterator[File]:
    if found is None:
        return
    meta = found["metadata"]
    for key, text in (found.get("data") or {}).items():
        name = f"config/{meta['namespace']}/{meta['name']}/{key}"
        yield File(name=name, text=safe_config(key, str(text)))


def _logs(api: Api, component: Component, nodes: Sequence[str]) -> Iterator[File]:
    path = paths.pods(component.namespace)
    page = api.get(path, labelSelector=component.selector, limit=_MOST_OBJECTS)
    pods = sorted(
        page.get("items") or [],
        key=lambda pod: (pod["spec"].get("nodeName") not in nodes, pod["metadata"]["name"]),
    )
    for pod in pods[:_MOST_LOGS]:
        for status in pod.get("status", {}).get("containerStatuses") or []:
            yield _log(api, pod, status["name"], "false")
            if status.get("restartCount"):
                yield _log(api, pod, status["name"], "true")


def _log(api: Api, pod: Object, container: str, previous: str) -> File:
    meta = pod["metadata"]
    life = "-previous" if previous == "true" else ""
    name = f"logs/{meta['namespace']}/{meta['name']}/{container}{life}.log"
    path = paths.log(meta["namespace"], meta["name"])
    bounds = {"tailLines": _LINES, "limitBytes": _BYTES}
    try:
        text = api.text(path, container=container, previous=previous, **bounds)
    except ApiError as error:
        text = f"cannot be read: {error}\n"
    return File(name=name, text=text, keep=Keep.END)
