"""What of an object goes into a bundle: the fields that a diagnosis uses, and no others.

Pods of other people are among them: what they are told and told to do is theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pytest_ipv6k8s.bundle.facts import kept, kept_argument

_ANNOTATIONS = re.compile(
    r"(?:k8s\.v1\.cni\.cncf\.io|cni\.projectcalico\.org|projectcalico\.org|k8s\.ovn\.org"
    r"|(?:[\w-]+\.)*cilium\.io|flannel\.alpha\.coreos\.com|(?:[\w-]+\.)*antrea\.io|kube-router\.io"
    r"|(?:node\.)?alpha\.kubernetes\.io|(?:service|endpoints)\.kubernetes\.io"
    r"|service\.beta\.kubernetes\.io|kubernetes\.io)/.*|k3s\.io/(?:in|ex)ternal-ip"
)
ALL: None = None
_STATE = {"waiting": ALL, "running": ALL, "terminated": {"reason": ALL, "exitCode": ALL}}
_STATUS = {
    **dict.fromkeys(("name", "ready", "started", "restartCount", "image"), ALL),
    "state": _STATE,
    "lastState": _STATE,
}
_CONTAINER = dict.fromkeys(("name", "image", "ports", "resources", "securityContext"), ALL)
_METADATA = dict.fromkeys(
    (
        *("name", "namespace", "uid", "labels", "annotations", "creationTimestamp"),
        *("deletionTimestamp", "ownerReferences"),
    ),
    ALL,
)
_POD = {
    "spec": {
        **dict.fromkeys(
            ("nodeName", "hostNetwork", "dnsPolicy", "dnsConfig", "nodeSelector", "tolerations"),
            ALL,
        ),
        **dict.fromkeys(("priorityClassName", "runtimeClassName", "readinessGates"), ALL),
        "containers": _CONTAINER,
        "initContainers": _CONTAINER,
    },
    "status": {
        **dict.fromkeys(("phase", "reason", "message", "conditions", "startTime"), ALL),
        **dict.fromkeys(("podIP", "podIPs", "hostIP", "hostIPs"), ALL),
        "containerStatuses": _STATUS,
        "initContainerStatuses": _STATUS,
    },
}
_NODE = {
    "spec": dict.fromkeys(("podCIDR", "podCIDRs", "providerID", "taints", "unschedulable"), ALL),
    "status": dict.fromkeys(
        ("addresses", "conditions", "capacity", "allocatable", "nodeInfo", "features"), ALL
    ),
}
_TEMPLATE = {
    "metadata": {"labels": ALL},
    "spec": {
        **dict.fromkeys(("hostNetwork", "nodeSelector", "tolerations", "dnsPolicy"), ALL),
        "containers": _CONTAINER,
        "initContainers": _CONTAINER,
    },
}
_WORKLOAD = {
    "spec": {
        **dict.fromkeys(("replicas", "selector", "strategy", "updateStrategy"), ALL),
        "template": _TEMPLATE,
    },
    "status": ALL,
}
_EVENT = dict.fromkeys(
    (
        *("type", "reason", "message", "note", "count", "series", "involvedObject", "regarding"),
        *("source", "reportingComponent", "firstTimestamp", "lastTimestamp", "eventTime"),
    ),
    ALL,
)
_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "pods": _POD,
    "nodes": _NODE,
    "deployments": _WORKLOAD,
    "daemonsets": _WORKLOAD,
    "events": _EVENT,
    "services": {"spec": ALL, "status": ALL},
    "endpointslices": {"addressType": ALL, "endpoints": ALL, "ports": ALL},
    "networkpolicies": {"spec": ALL},
}


def chosen(kind: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an object that go into a bundle.

    Args:
        kind: its resource, such as ``pods``.
        item: the object.
    """
    found: dict[str, Any] = _projected(item, {"metadata": _METADATA, **_FIELDS[kind]})
    annotations = (found.get("metadata") or {}).get("annotations")
    if annotations:
        kept_ones = {k: v for k, v in annotations.items() if _ANNOTATIONS.fullmatch(k)}
        found["metadata"] = {**found["metadata"], "annotations": kept_ones}
    for key in ("containers", "initContainers"):
        asked = (item.get("spec") or {}).get(key) or []
        if kind == "pods" and key in found.get("spec", {}):
            found["spec"][key] = [
                {**short, **_told(whole)}
                for short, whole in zip(found["spec"][key], asked, strict=True)
            ]
    return found


def _projected(data: Any, fields: Mapping[str, Any]) -> Any:
    if isinstance(data, list):
        return [_projected(item, fields) for item in data]
    if not isinstance(data, Mapping):
        return data
    return {
        key: data[key] if below is ALL else _projected(data[key], below)
        for key, below in fields.items()
        if key in data
    }


def _told(container: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a container is told: all names, and the values that are facts of the network."""
    told: dict[str, Any] = {
        key: [kept_argument(str(word)) for word in container[key]]
        for key in ("command", "args")
        if container.get(key)
    }
    variables = container.get("env") or []
    if variables:
        told["env"] = [
            {"name": name, "value": kept(name, str(variable["value"]))}
            if "value" in variable
            else {"name": name, "from": "elsewhere"}
            for variable in variables
            for name in (str(variable.get("name", "")),)
        ]
    return told
