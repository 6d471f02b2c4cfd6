"""Put probes and the shared Services on a cluster, and remove them again."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.errors import ClusterError, ConfigError, Inconclusive
from pytest_ipv6k8s.kube import objects, paths, status
from pytest_ipv6k8s.kube.client import Api, ApiError
from pytest_ipv6k8s.kube.inventory import Inventory, Node
from pytest_ipv6k8s.masking import hold, hold_named
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.probe.services import PEER, PROBE, ROLE_LABEL, Service, manifests
from pytest_ipv6k8s.probe.zipapp import zipapp
from pytest_ipv6k8s.waiting import wait_until

_IMAGE_TROUBLE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")
FURTHER = "peer-"
"""Begins the names of the peers that are behind no Service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be put on the cluster, and how."""

    run_id: str
    image: str
    stack: Stack
    nodes: tuple[Node, ...]
    host_network: bool
    tolerations: tuple[Mapping[str, str], ...] = ()
    pull_secret: str | None = None

    @property
    def namespace(self) -> str:
        """The namespace of the probes and the Services."""
        return f"ipv6k8s-{self.run_id}"

    @property
    def host_namespace(self) -> str:
        """The namespace of the host-network probes."""
        return f"ipv6k8s-{self.run_id}-host"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What stands on the cluster."""

    pods: tuple[ProbePod, ...]
    hosts: tuple[ProbePod, ...]
    peers: tuple[ProbePod, ...]
    services: tuple[Service, ...]
    seconds: float = field(compare=False, default=0.0)


def probe_nodes(
    inventory: Inventory, *, most: int, selector: Mapping[str, str]
) -> tuple[Node, ...]:
    """Return the nodes that get a probe.

    Raises:
        ConfigError: no node is left.
    """
    chosen = [
        node
        for node in inventory.nodes
        if node.can_run_probes and all(node.labels.get(k) == v for k, v in selector.items())
    ]
    if not chosen:
        raise ConfigError(
            "no node can run a probe: none is Ready, schedulable and has the labels asked for",
            remedy="check `kubectl get nodes` and --ipv6k8s-node-selector",
        )
    return tuple(chosen[:most])


def deploy(api: Api, plan: Plan) -> Deployed:
    """Make namespaces, probes and Services, and wait until the pods run and have addresses.

    Raises:
        ClusterError: a probe cannot run; names the pod, the node and what the kubelet says.
    """
    started = time.monotonic()
    make_namespace(api, plan, plan.namespace, security="restricted")
    if plan.host_network:
        make_namespace(api, plan, plan.host_namespace, security="privileged")
    services = at_once(
        lambda body: api.create(paths.services(plan.namespace), body),
        manifests(plan.stack, objects.labels(plan.run_id), exposed=plan.host_network),
    )
    pods = _pods(plan, any_user=assigns_users(api))
    at_once(lambda item: api.create(paths.pods(item[0]), item[1]), pods)
    for namespace in {item[0]: None for item in pods}:
        wanted = sum(item[0] == namespace for item in pods)
        wait_for_pods(api, namespace, wanted, plan)
    _wait_for_endpoints(api, plan)
    inside = running(api, plan.namespace)
    return Deployed(
        pods=tuple(pod for pod in inside if not pod.name.startswith(FURTHER)),
        peers=tuple(pod for pod in inside if pod.name.startswith(FURTHER)),
        hosts=running(api, plan.host_namespace) if plan.host_network else (),
        services=tuple(Service.from_object(item) for item in services),
        seconds=time.monotonic() - started,
    )


def assigns_users(api: Api) -> bool:
    """Tell whether the platform gives pods their user ids, as OpenShift does."""
    return api.find("/apis/security.openshift.io/v1") is not None


def remove(api: Api, run_id: str) -> list[str]:
    """Delete the namespaces of a run and return the names of those that are still there."""

    def left() -> list[str]:
        selector = f"{objects.RUN_LABEL}={run_id}"
        found = api.items(paths.NAMESPACES, labelSelector=selector)
        return [item["metadata"]["name"] for item in found]

    for name in left():
        delete_namespace(api, name)
    try:
        wait_until(
            "the namespaces are gone", lambda: not left(), timeout=api.timeouts.namespace_gone
        )
    except Inconclusive:
        return left()
    return []


def delete_namespace(api: Api, name: str) -> None:
    """Begin to delete a namespace; its pods go at once."""
    for item in api.items(paths.pods(name)):
        api.delete(paths.pod(name, item["metadata"]["name"]), grace=1)
    api.delete(paths.namespace(name))


def make_namespace(api: Api, plan: Plan, name: str, *, security: str) -> None:
    """Make a namespace with all that a pod of ours needs in it."""
    api.create(paths.NAMESPACES, objects.namespace(name, plan.run_id, security=security))
    if plan.pull_secret:
        _copy_pull_secret(api, plan.pull_secret, name)
    agent = base64.b64encode(zipapp()).decode()
    files = objects.config_map("ipv6k8s-agent", plan.run_id, {"agent.pyz": agent})
    api.create(paths.inside(name, "configmaps"), files)
    ca = paths.config_map(name, "kube-root-ca.crt")
    service_account = paths.inside(name, "serviceaccounts", "default")
    for path in (ca, service_account):
        what = f"{path.rsplit('/', 1)[1]} is in namespace {name}"
        wait_until(what, lambda path=path: api.find(path), timeout=api.timeouts.namespace_ready)  # type: ignore[misc]


def _copy_pull_secret(api: Api, secret: str, namespace: str) -> None:
    source, slash, name = secret.partition("/")
    if not slash:
        raise ConfigError(
            f"--ipv6k8s-pull-secret {secret!r} is not of the form NAMESPACE/NAME",
            remedy="give both",
        )
    found = api.find(paths.inside(source, "secrets", name))
    if found is None:
        raise ConfigError(f"there is no Secret {secret}", remedy="check --ipv6k8s-pull-secret")
    hold_named(found.get("data"))
    for value in (found.get("data") or {}).values():
        hold(value)
    copy: dict[str, Any] = {
        key: found[key] for key in ("apiVersion", "kind", "type", "data") if key in found
    }
    copy["metadata"] = {"name": name}
    api.create(paths.inside(namespace, "secrets"), copy)


def _pods(plan: Plan, *, any_user: bool) -> list[tuple[str, dict[str, Any]]]:
    def pod(
        name: str, node: Node, role: str, *, app: str = "ipv6k8s-probe", host: bool = False
    ) -> dict[str, Any]:
        return objects.probe_pod(
            name,
            run_id=plan.run_id,
            node=node.name,
            image=plan.image,
            pod_labels={
                "app": app,
                ROLE_LABEL: role,
            },
            tolerations=plan.tolerations,
            pull_secret=plan.pull_secret and plan.pull_secret.partition("/")[2],
            host_network=host,
            any_user=any_user,
        )

    numbered = list(enumerate(plan.nodes))
    made = [(plan.namespace, pod(f"probe-{i:02}", n, PROBE)) for i, n in numbered]
    made.append((plan.namespace, pod("probe-peer", plan.nodes[0], PEER)))
    made += [
        (plan.namespace, pod(f"{FURTHER}{i:02}", n, PEER, app="ipv6k8s-peer"))
        for i, n in numbered[1:]
    ]
    if plan.host_network:
        hosts = [pod(f"host-{i:02}", n, PROBE, app="ipv6k8s-host", host=True) for i, n in numbered]
        made += [(plan.host_namespace, body) for body in hosts]
    return made


def at_once(make: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """Make many things side by side."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(make, items))


def wait_for_pods(api: Api, namespace: str, wanted: int, plan: Plan) -> None:
    """Wait until so many pods of a namespace are ready and have addresses.

    Raises:
        ClusterError: one does not start; names the pod, the node and what the kubelet says.
    """
    path, timeout = paths.pods(namespace), api.timeouts.probes_ready

    def all_run() -> bool:
        pods = api.items(path)
        for pod in pods:
            _raise_for_image(pod, plan.image)
        return len(pods) == wanted and all(runs(pod) for pod in pods)

    try:
        wait_until(f"{wanted} probes run", all_run, timeout=timeout)
    except Inconclusive:
        waiting = [_why_not_running(api, pod) for pod in api.items(path) if not runs(pod)]
        raise ClusterError(
            f"probes do not start within {timeout:.0f} s: {'; '.join(waiting)}",
            remedy="look further with `kubectl describe pod`, or raise --ipv6k8s-timeout-factor",
        ) from None


def runs(pod: Mapping[str, Any]) -> bool:
    """Tell whether a pod object is ready and has an address."""
    return status.is_ready(pod) and bool(status.pod_ips(pod))


def _raise_for_image(pod: Mapping[str, Any], image: str) -> None:
    for container in pod.get("status", {}).get("containerStatuses") or []:
        waiting = container.get("state", {}).get("waiting") or {}
        if waiting.get("reason") in _IMAGE_TROUBLE:
            node = pod["spec"].get("nodeName", "?")
            words = " ".join(str(waiting.get("message", "")).split())[:300]
            raise ClusterError(
                f"node {node} cannot get the probe image {image}: {words}",
                remedy="give an image that the nodes can pull with --ipv6k8s-probe-image",
            )


def _why_not_running(api: Api, pod: Mapping[str, Any]) -> str:
    """Say what keeps a pod from running: its last event, or its conditions."""
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    node = pod["spec"].get("nodeName") or "no node"
    reasons = [
        f"{c.get('reason', '')} {c.get('message', '')}".strip()
        for c in status.conditions(pod)
        if c["status"] != "True" and c.get("message")
    ]
    selector = f"involvedObject.name={name},type=Warning"
    try:
        events = api.items(paths.inside(namespace, "events"), fieldSelector=selector)
        reasons += [f"{event.get('reason')}: {event.get('message')}" for event in events[-1:]]
    except ApiError:
        pass
    return f"pod {name} on {node}: {' / '.join(reasons)[:400] or 'no reason given'}"


def _wait_for_endpoints(api: Api, plan: Plan) -> None:
    """Wait until the slices name every probe. SVC-07 judges, should they never do."""
    path = paths.endpoint_slices(plan.namespace)
    wanted = (len(plan.nodes) + 1) * len(plan.stack.families)

    def filled() -> bool:
        slices = api.items(path, labelSelector="kubernetes.io/service-name=every")
        return sum(len(item.get("endpoints") or []) for item in slices) >= wanted

    try:
        wait_until("the EndpointSlices are filled", filled, timeout=api.timeouts.endpoints)
    except Inconclusive:
        return


def running(api: Api, namespace: str) -> tuple[ProbePod, ...]:
    """Return the probe pods of a namespace, by name."""
    found = [probe_pod_of(item) for item in api.items(paths.pods(namespace))]
    return tuple(sorted(found, key=lambda pod: pod.name))


def probe_pod_of(item: Mapping[str, Any]) -> ProbePod:
    """Return where a probe runs, from its pod object."""
    return ProbePod(
        name=item["metadata"]["name"],
        namespace=item["metadata"]["namespace"],
        node=item["spec"]["nodeName"],
        ips=status.pod_ips(item),
        host_ips=status.host_ips(item),
        host_network=bool(item["spec"].get("hostNetwork")),
        uid=item["metadata"]["uid"],
        restarts=status.restarts(item),
    )


def reap_namespaces(api: Api) -> list[str]:
    """Remove the namespaces of all runs from a cluster and return the names of those removed."""
    items = api.items(paths.NAMESPACES, labelSelector=objects.RUN_LABEL)
    runs = {item["metadata"]["labels"][objects.RUN_LABEL] for item in items}
    left = {name for run_id in runs for name in remove(api, run_id)}
    return sorted({item["metadata"]["name"] for item in items} - left)
