"""Objects as tables, such as ``kubectl get -o wide`` shows them: what is read first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pytest_ipv6k8s.bundle.gathering import File
from pytest_ipv6k8s.kube import odd, paths, status
from pytest_ipv6k8s.kube.client import Object
from pytest_ipv6k8s.wrapping import in_columns

Row = Mapping[str, str]


def tables(objects: Mapping[str, Sequence[Object]]) -> Iterator[File]:
    """Yield a table for each kind of which there are objects.

    Args:
        objects: by kind, as paths have it, such as ``endpointslices``.
    """
    for kind, row in _ROWS.items():
        rows = [{**_place(kind, item), **row(item)} for item in objects.get(kind, ())]
        if rows:
            yield File(name=f"tables/{kind}.txt", text=table(rows))


def table(rows: Sequence[Row]) -> str:
    """Return rows, all with the same columns, each column as wide as it has to be."""
    lines = [list(rows[0]), *([value or "<none>" for value in row.values()] for row in rows)]
    return "".join(f"{line}\n" for line in in_columns(lines, gap=3))


def _place(kind: str, item: Object) -> Row:
    meta = item["metadata"]
    return {**({} if kind == "nodes" else {"NAMESPACE": meta["namespace"]}), "NAME": meta["name"]}


def _node(node: Object) -> Row:
    spec, seen = node.get("spec") or {}, node.get("status") or {}
    info = seen.get("nodeInfo") or {}
    prefix = "node-role.kubernetes.io/"
    labels = node["metadata"].get("labels") or {}
    ready = "Ready" if status.is_ready(node) else "NotReady"
    addresses = seen.get("addresses") or ()
    return {
        "STATUS": f"{ready},SchedulingDisabled" if spec.get("unschedulable") else ready,
        "ROLES": ",".join(key.removeprefix(prefix) for key in labels if key.startswith(prefix)),
        "VERSION": info.get("kubeletVersion", ""),
        "INTERNAL-IPS": ",".join(a["address"] for a in addresses if a["type"] == "InternalIP"),
        "POD-CIDRS": ",".join(spec.get("podCIDRs") or ()),
        "OS-IMAGE": info.get("osImage", ""),
        "KERNEL": info.get("kernelVersion", ""),
        "RUNTIME": info.get("containerRuntimeVersion", ""),
    }


def _pod(pod: Object) -> Row:
    spec, containers = pod.get("spec") or {}, pod.get("status", {}).get("containerStatuses") or ()
    wanted = len(spec.get("containers") or containers)
    return {
        "READY": f"{sum(bool(one.get('ready')) for one in containers)}/{wanted}",
        "STATUS": status.in_short(pod),
        "RESTARTS": str(status.restarts(pod)),
        "IPS": ",".join(status.pod_ips(pod)),
        "NODE": spec.get("nodeName", ""),
        "HOST-NETWORK": "yes" if spec.get("hostNetwork") else "no",
    }


def _service(service: Object) -> Row:
    spec = service.get("spec") or {}
    balancer = (service.get("status") or {}).get("loadBalancer") or {}
    given = [one.get("ip") or one.get("hostname", "") for one in balancer.get("ingress") or ()]
    single = [spec["clusterIP"]] if spec.get("clusterIP") else []
    return {
        "TYPE": spec.get("type", ""),
        "CLUSTER-IPS": ",".join(spec.get("clusterIPs") or single),
        "EXTERNAL-IPS": ",".join([*(spec.get("externalIPs") or ()), *given]),
        "FAMILIES": ",".join(spec.get("ipFamilies") or ()),
        "POLICY": spec.get("ipFamilyPolicy", ""),
        "PORTS": ",".join(map(_port, spec.get("ports") or ())),
        "SELECTOR": _labels(spec.get("selector")),
    }


def _port(port: Mapping[str, Any]) -> str:
    node = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port', '')}{node}/{port.get('protocol', 'TCP')}"


def _slice(item: Object) -> Row:
    endpoints = item.get("endpoints") or ()
    ready = [status.is_endpoint_ready(one) for one in endpoints]
    labels = item["metadata"].get("labels") or {}
    return {
        "SERVICE": labels.get(paths.SERVICE_OF_SLICE, ""),
        "ADDRESS-TYPE": item.get("addressType", ""),
        "READY": f"{sum(ready)}/{len(ready)}",
        "PORTS": ",".join(map(_port, item.get("ports") or ())),
        "ENDPOINTS": ",".join(a for one in endpoints for a in one.get("addresses") or ()),
    }


def _workload(kind: str, up_to_date: str, available: str, item: Object) -> Row:
    seen = item.get("status") or {}
    ready, wanted = odd.replicas(kind, item)
    return {
        "READY": f"{ready}/{wanted}",
        "UP-TO-DATE": str(seen.get(up_to_date, 0)),
        "AVAILABLE": str(seen.get(available, 0)),
        **_template(item),
    }


def _template(item: Object) -> Row:
    spec = item["spec"].get("template", {}).get("spec") or {}
    return {
        "NODE-SELECTOR": _labels(spec.get("nodeSelector")),
        "IMAGES": ",".join(one.get("image", "") for one in spec.get("containers") or ()),
    }


def _policy(item: Object) -> Row:
    spec = item.get("spec") or {}
    selector = spec.get("podSelector") or {}
    expressions = "…" if selector.get("matchExpressions") else ""
    return {
        "POD-SELECTOR": _labels(selector.get("matchLabels")) + expressions or "<all>",
        "TYPES": ",".join(spec.get("policyTypes") or ()),
    }


def _labels(labels: Mapping[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in (labels or {}).items())


_ROWS: Mapping[str, Callable[[Object], Row]] = {
    "nodes": _node,
    "pods": _pod,
    "services": _service,
    "endpointslices": _slice,
    "deployments": partial(_workload, "Deployment", "updatedReplicas", "availableReplicas"),
    "daemonsets": partial(_workload, "DaemonSet", "updatedNumberScheduled", "numberAvailable"),
    "networkpolicies": _policy,
}
