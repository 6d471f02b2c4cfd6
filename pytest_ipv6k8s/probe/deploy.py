"""Put probes and the shared Services on a cluster, and remove them again."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.errors import ClusterError, ConfigError, Inconclusive
from pytest_ipv6k8s.kube import objects, paths, status
from pytest_ipv6k8s.kube.client import Api, ApiError
from pytest_ipv6k8s.kube.inventory import Node
from pytest_ipv6k8s.kube.objects import Manner
from pytest_ipv6k8s.kube.refusals import WHAT_ADMISSION_WANTS
from pytest_ipv6k8s.masking import hold, hold_named
from pytest_ipv6k8s.probe.placing import LeftOut, named
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.probe.services import PEER, PROBE, ROLE_LABEL, Service, manifests
from pytest_ipv6k8s.probe.starting import Started, Wanted, create, start
from pytest_ipv6k8s.probe.zipapp import zipapp
from pytest_ipv6k8s.threads import at_once
from pytest_ipv6k8s.waiting import wait_until

NO_HOSTS = "no host-network probe"
"""Begins what is said of those that are lacking."""
_OTHER_NODES = 2
"""So many further nodes are tried when the peer does not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be put on the cluster, and how."""

    run_id: str
    manner: Manner
    stack: Stack
    nodes: tuple[Node, ...]
    host_network: bool
    peers: bool = True
    given: str | None = None

    @property
    def namespace(self) -> str:
        """The namespace of the probes and the Services: the one that was given, or our own."""
        return self.given or f"ipv6k8s-{self.run_id}"

    @property
    def host_namespace(self) -> str:
        """The namespace of the host-network probes."""
        return self.given or f"ipv6k8s-{self.run_id}-host"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What stands on the cluster.

    Attributes:
        namespace: that of the probes in the pod network.
        pods: the probes in the pod network, the peer's node first and the peer last.
        hosts: the probes in the network of their node.
        peers: one beside the probe of each other node.
        services: those that were not refused.
        left_out: nodes whose probe did not start.
        lacking: what else is not there, in words.
        seconds: how long it took.
    """

    namespace: str
    pods: tuple[ProbePod, ...]
    hosts: tuple[ProbePod, ...]
    peers: tuple[ProbePod, ...]
    services: tuple[Service, ...]
    left_out: tuple[LeftOut, ...] = ()
    lacking: tuple[str, ...] = ()
    seconds: float = field(compare=False, default=0.0)


def deploy(api: Api, plan: Plan, trouble: Callable[[ProbePod], str]) -> Deployed:
    """Make namespaces, probes and Services, and wait until the pods run and have addresses.

    A node whose probe does not run is left out, and whatever else is refused is done without.

    Args:
        api: the API server.
        plan: what is to be made.
        trouble: says why the agent of a pod that runs cannot be asked; empty when it can.

    Raises:
        ClusterError: no probe runs; says why.
    """
    began = time.monotonic()
    lacking = _make_namespaces(api, plan)
    services, refused = _make_services(api, plan)
    pods = _Pods(plan, any_user=assigns_users(api))
    started = start(api, pods.batches(hosts=not lacking))
    _drop_silent(api, started, trouble)
    nodes = [node for node in plan.nodes if pods.probe(node).name in started.running]
    left_out = tuple(
        _left_out(node, pods.probe(node), started) for node in plan.nodes if node not in nodes
    )
    if not nodes:
        raise _nothing_runs(left_out)
    nodes = _beside_a_peer(api, pods, started, nodes)
    _remove_strays(api, started, nodes)
    _wait_for_endpoints(api, plan, len(nodes))
    return Deployed(
        namespace=plan.namespace,
        pods=_those(started, [*map(pods.probe, nodes), pods.standing(nodes[0])]),
        hosts=_those(started, map(pods.host, nodes)),
        peers=_those(started, map(pods.peer, nodes)),
        services=tuple(Service.from_object(item) for item in services),
        left_out=left_out,
        lacking=(*lacking, *refused, *_lacking(pods, started, nodes)),
        seconds=time.monotonic() - began,
    )


def _left_out(node: Node, wanted: Wanted, started: Started) -> LeftOut:
    name = wanted.name
    unconnected = name in started.unconnected
    return LeftOut(node=node.name, reason=started.failed[name], unconnected=unconnected)


class _Pods:
    """Every pod that a plan may ask for; a node's number is in the names of its pods."""

    def __init__(self, plan: Plan, *, any_user: bool) -> None:
        self._plan = plan
        self._any_user = any_user
        self._number = {node.name: number for number, node in enumerate(plan.nodes)}

    def probe(self, node: Node) -> Wanted:
        """The probe of a node."""
        return self._pod(f"probe-{self._number[node.name]:02}", node, role=PROBE)

    def standing(self, node: Node) -> Wanted:
        """The second probe on the first node, behind the Services as the others are."""
        number = self._number[node.name]
        return self._pod(f"probe-peer-{number:02}" if number else "probe-peer", node, role=PEER)

    def peer(self, node: Node) -> Wanted:
        """The second probe of any other node, behind no Service."""
        return self._pod(f"peer-{self._number[node.name]:02}", node, role=PEER, app="ipv6k8s-peer")

    def host(self, node: Node) -> Wanted:
        """The host-network probe of a node."""
        name = f"host-{self._number[node.name]:02}"
        return self._pod(name, node, role=PROBE, app="ipv6k8s-host", host=True)

    def batches(self, *, hosts: bool) -> Iterator[list[Wanted]]:
        """Yield the pods that are made at first, those that matter most before the others."""
        first, *others = nodes = self._plan.nodes
        yield [self.probe(node) for node in nodes]
        yield [self.standing(first), *map(self.peer, others if self._plan.peers else ())]
        yield [*map(self.host, nodes)] if hosts and self._plan.host_network else []

    def _pod(
        self, name: str, node: Node, *, role: str, app: str = "ipv6k8s-probe", host: bool = False
    ) -> Wanted:
        plan = self._plan
        body = objects.probe_pod(
            name,
            run_id=plan.run_id,
            node=node.name,
            manner=plan.manner,
            pod_labels={"app": app, ROLE_LABEL: role},
            host_network=host,
            any_user=self._any_user,
        )
        namespace = plan.host_namespace if host else plan.namespace
        return Wanted(namespace=namespace, node=node.name, body=body)


def _beside_a_peer(api: Api, pods: _Pods, started: Started, nodes: list[Node]) -> list[Node]:
    """Return the nodes, the one with the peer first; another one gets it where the first cannot."""
    if pods.standing(nodes[0]).name in started.running:
        return nodes
    second = (pods.peer, pods.standing)
    roomy = [node for node in nodes if not any(pod(node).name in started.failed for pod in second)]
    for node in roomy[:_OTHER_NODES]:
        further, wanted = pods.peer(node), pods.standing(node)
        if further.name in started.running:
            api.delete(paths.pod(further.namespace, further.name), grace=0)
            del started.running[further.name]
        again = start(api, [[wanted]])
        started.running |= again.running
        started.failed |= again.failed
        if again.running:
            return [node, *(other for other in nodes if other is not node)]
    return nodes


def _drop_silent(api: Api, started: Started, trouble: Callable[[ProbePod], str]) -> None:
    """Take pods that run and cannot be asked for pods that do not run."""
    pods = [probe_pod_of(item) for item in started.running.values()]
    for pod, why in zip(pods, at_once(trouble, pods), strict=True):
        if why:
            api.delete(paths.pod(pod.namespace, pod.name), grace=0)
            del started.running[pod.name]
            started.failed[pod.name] = why


def _remove_strays(api: Api, started: Started, nodes: Sequence[Node]) -> None:
    """Delete what runs on nodes whose probe does not: nobody would ask it."""
    kept = {node.name for node in nodes}
    stray = [
        (pod["metadata"]["namespace"], name)
        for name, pod in started.running.items()
        if pod["spec"]["nodeName"] not in kept
    ]
    at_once(lambda where: api.delete(paths.pod(*where), grace=0), stray)


def _those(started: Started, wanted: Iterable[Wanted]) -> tuple[ProbePod, ...]:
    """Return where pods run, of those that do."""
    names = [one.name for one in wanted]
    return tuple(probe_pod_of(started.running[name]) for name in names if name in started.running)


def _lacking(pods: _Pods, started: Started, nodes: Sequence[Node]) -> list[str]:
    """Say on which nodes with a probe there is no second one, or none in the node's network."""
    kinds = {"second probe": (pods.standing, pods.peer), "host-network probe": (pods.host,)}
    found = []
    for kind, makers in kinds.items():
        failed = []
        for node in nodes:
            names = [make(node).name for make in makers]
            reasons = [started.failed[name] for name in names if name in started.failed]
            if reasons and not any(name in started.running for name in names):
                failed.append(LeftOut(node=node.name, reason=reasons[0]))
        if failed:
            found.append(f"no {kind} on {named(failed)}")
    return found


def _nothing_runs(left_out: Sequence[LeftOut]) -> ClusterError:
    reasons = " ".join(one.reason for one in left_out)
    remedy = "look further with `kubectl describe pod`, or raise --ipv6k8s-timeout-factor"
    if "Image" in reasons:
        remedy = "give an image that the nodes can pull with --ipv6k8s-probe-image"
    elif "exceeded quota" in reasons:
        remedy = "make room for a pod in the quota of the namespace"
    elif all(one.reason.startswith("refused") for one in left_out):
        remedy = WHAT_ADMISSION_WANTS
    return ClusterError(f"no probe runs: {named(left_out)}", remedy=remedy)


def _make_namespaces(api: Api, plan: Plan) -> list[str]:
    """Make the namespaces, or fill the given one; return what was refused and can be spared."""
    if plan.given is None:
        make_namespace(api, plan, plan.namespace, security="restricted")
    elif api.find(paths.namespace(plan.given)) is None:
        raise ConfigError(
            f"there is no namespace {plan.given}",
            remedy="make it, or leave --ipv6k8s-namespace out",
        )
    else:
        _fill(api, plan, plan.given)
    if not plan.host_network or plan.given is not None:
        return []
    try:
        make_namespace(api, plan, plan.host_namespace, security="privileged")
    except ApiError as error:
        return [f"{NO_HOSTS}: {error.problem}"]
    return []


def _make_services(api: Api, plan: Plan) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Make the shared Services; return them, and what was refused.

    Raises:
        ApiError: not one was taken.
    """
    refusals: list[ApiError] = []

    def make(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        try:
            return create(api, plan.namespace, "services", body)
        except ApiError as error:
            refusals.append(error)
            return None

    bodies = manifests(plan.stack, objects.labels(plan.run_id), exposed=plan.host_network)
    made = [item for item in at_once(make, bodies) if item is not None]
    if not made:
        raise refusals[0]
    return made, [f"refused: {error.problem}" for error in refusals]


def assigns_users(api: Api) -> bool:
    """Tell whether the platform gives pods their user ids, as OpenShift does."""
    return api.find("/apis/security.openshift.io/v1") is not None


def make_namespace(api: Api, plan: Plan, name: str, *, security: str) -> None:
    """Make a namespace with all that a pod of ours needs in it."""
    body = objects.namespace(name, plan.run_id, plan.manner, security=security)
    api.create(paths.NAMESPACES, body)
    _fill(api, plan, name)


def _fill(api: Api, plan: Plan, name: str) -> None:
    """Put into a namespace what a pod of ours needs, and wait for what Kubernetes puts there."""
    if plan.manner.pull_secret:
        _copy_pull_secret(api, plan, name)
    create(api, name, "configmaps", agent_files(objects.AGENT, plan.run_id))
    ca = paths.config_map(name, "kube-root-ca.crt")
    service_account = paths.inside(name, "serviceaccounts", "default")
    for path in (ca, service_account):
        what = f"{path.rsplit('/', 1)[1]} is in namespace {name}"
        wait_until(what, lambda path=path: api.find(path), timeout=api.timeouts.namespace_ready)  # type: ignore[misc]


def agent_files(name: str, run_id: str) -> objects.Object:
    """Return the ConfigMap with the agent, under a name."""
    agent = base64.b64encode(zipapp()).decode()
    return objects.config_map(name, run_id, {"agent.pyz": agent})


def _copy_pull_secret(api: Api, plan: Plan, namespace: str) -> None:
    secret = plan.manner.pull_secret or ""
    source, slash, name = secret.partition("/")
    if not slash:
        raise ConfigError(
            f"--ipv6k8s-pull-secret {secret!r} is not of the form NAMESPACE/NAME",
            remedy="give both",
        )
    if source == namespace:
        return
    found = api.find(paths.inside(source, "secrets", name))
    if found is None:
        raise ConfigError(f"there is no Secret {secret}", remedy="check --ipv6k8s-pull-secret")
    hold_named(found.get("data"))
    for value in (found.get("data") or {}).values():
        hold(value)
    copy: dict[str, Any] = {
        key: found[key] for key in ("apiVersion", "kind", "type", "data") if key in found
    }
    copy["metadata"] = {"name": name, "labels": objects.labels(plan.run_id)}
    api.create(paths.inside(namespace, "secrets"), copy)


def _wait_for_endpoints(api: Api, plan: Plan, nodes: int) -> None:
    """Wait until the slices name every probe. SVC-07 judges, should they never do."""
    path = paths.endpoint_slices(plan.namespace)
    wanted = nodes * len(plan.stack.families)

    def filled() -> bool:
        slices = api.items(path, labelSelector=f"{paths.SERVICE_OF_SLICE}=every")
        return sum(len(item.get("endpoints") or []) for item in slices) >= wanted

    try:
        wait_until("the EndpointSlices are filled", filled, timeout=api.timeouts.endpoints)
    except Inconclusive:
        return


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
