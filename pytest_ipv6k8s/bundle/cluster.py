"""What is read from the API: objects, ConfigMaps and logs; never a Secret."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from pytest_ipv6k8s.bundle import components
from pytest_ipv6k8s.bundle.chosen import chosen
from pytest_ipv6k8s.bundle.components import Component
from pytest_ipv6k8s.bundle.configs import safe_config
from pytest_ipv6k8s.bundle.gathering import File, Keep, Source
from pytest_ipv6k8s.errors import Ipv6k8sError
from pytest_ipv6k8s.kube import paths
from pytest_ipv6k8s.kube.client import Api, ApiError, Object
from pytest_ipv6k8s.kube.inventory import DnsService
from pytest_ipv6k8s.kube.objects import RUN_LABEL
from pytest_ipv6k8s.masking import redact

_SYSTEM = paths.KUBE_SYSTEM
_KINDS = ("endpointslices", "services", "pods", "networkpolicies", "events")
_MOST_OBJECTS, _MOST_LOGS, _LINES, _BYTES = "500", 12, "400", "131072"


def sources(
    api: Api, run_id: str, nodes: Sequence[str], dns: DnsService | None = None
) -> dict[str, Source]:
    """Return what can be read from the API.

    Args:
        api: the API server.
        run_id: the run whose namespaces are read, beside kube-system, default and that of the DNS.
        nodes: names of the nodes whose pods' logs come first.
        dns: the Service of the pods' DNS, as far as it is known.
    """
    others = dict.fromkeys((_SYSTEM, "default", *([dns.namespace] if dns else [])))
    found: dict[str, Source] = {
        kind: partial(_objects, api, run_id, tuple(others), kind) for kind in _KINDS
    }
    found["list of nodes"] = lambda: [_list(api, paths.NODES, "objects/nodes.json")]
    found["network components"] = partial(_components, api, nodes, dns)
    return found


def _objects(api: Api, run_id: str, others: Sequence[str], kind: str) -> Iterator[File]:
    made = api.items(paths.NAMESPACES, labelSelector=f"{RUN_LABEL}={run_id}")
    own = [item["metadata"]["name"] for item in made]
    for namespace in (*own, *others):
        yield _list(api, paths.inside(namespace, kind), f"objects/{namespace}/{kind}.json")


def _list(api: Api, path: str, name: str) -> File:
    page = api.get(path, limit=_MOST_OBJECTS)
    remaining = (page.get("metadata") or {}).get("remainingItemCount")
    kind = name.rpartition("/")[2].removesuffix(".json")
    items = [chosen(kind, item) for item in page.get("items") or []]
    content: dict[str, Any] = {"kind": page.get("kind", "List"), "items": items}
    if remaining:
        content = {**content, "leftOut": remaining}
    return File(name=name, text=json.dumps(redact(content, longest=None), indent=1))


def _components(api: Api, nodes: Sequence[str], dns: DnsService | None) -> Iterator[File]:
    found: list[Component] = []
    trouble = []
    for read in (components.dns(api, dns), components.on_nodes(api)):
        try:
            found += read
        except ApiError as error:
            trouble.append(str(error))
    wanted = {(one.namespace, name): None for one in found for name in one.config_maps}
    for namespace, name in wanted:
        yield from _config(api.find(paths.config_map(namespace, name)))
    for component in found:
        yield from _logs(api, component, nodes)
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
