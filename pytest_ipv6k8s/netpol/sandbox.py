"""Namespaces and pods of one worker's NetworkPolicy checks, which no other check uses.

A policy on the shared probes would break the checks of other workers.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.agent.ops import identity
from pytest_ipv6k8s.errors import ClusterError, ControlChannelError
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.kube import objects, paths
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.netpol.policies import Policies
from pytest_ipv6k8s.probe import deploy, removing, services, starting
from pytest_ipv6k8s.probe.deploy import Plan
from pytest_ipv6k8s.probe.probes import Probe, ProbePod, Transport
from pytest_ipv6k8s.probe.services import ROLE_LABEL, Service
from pytest_ipv6k8s.probe.starting import Wanted
from pytest_ipv6k8s.threads import at_once
from pytest_ipv6k8s.waiting import wait_until

NAME_LABEL = "ipv6k8s/pod"
SERVER, ALLOWED, DENIED = "server", "allowed", "denied"
SERVICE = "servers"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxPods:
    """What stands: two namespaces, and pods of them.

    Attributes:
        plan: how its pods are made.
        worker: whose it is, for names.
        pods: servers on two nodes, the allowed client beside the first and the denied one beside
            the second; in the other namespace an outsider, who is labelled as the allowed one.
        service: leads to both servers, in every family.
        any_user: whether the platform gives pods their user ids.
    """

    plan: Plan
    worker: str
    pods: tuple[ProbePod, ...]
    service: Service
    any_user: bool = False

    @property
    def namespace(self) -> str:
        """The namespace of all but the outsider."""
        return namespaces(self.plan, self.worker)[0]

    @property
    def elsewhere(self) -> str:
        """The outsider's namespace."""
        return namespaces(self.plan, self.worker)[1]


def namespaces(plan: Plan, worker: str) -> tuple[str, str]:
    """Return the names of a sandbox's two namespaces."""
    name = f"{plan.namespace}-policy-{worker}"
    return name, f"{name}-elsewhere"


def build(api: Api, plan: Plan, worker: str) -> SandboxPods:
    """Make a sandbox, and wait until its pods run.

    Raises:
        ClusterError: a pod does not start, or a right is missing.
    """
    names = namespaces(plan, worker)
    at_once(lambda name: deploy.make_namespace(api, plan, name, security="restricted"), names)
    any_user = deploy.assigns_users(api)
    service = api.create(f"/api/v1/namespaces/{names[0]}/services", _service(plan))
    used, pods = _start(api, plan, names, any_user=any_user)
    return SandboxPods(
        plan=used,
        worker=worker,
        pods=pods,
        service=Service.from_object(service),
        any_user=any_user,
    )


def _start(
    api: Api, plan: Plan, names: tuple[str, str], *, any_user: bool
) -> tuple[Plan, tuple[ProbePod, ...]]:
    """Start the pods, on other nodes where the first ones cannot take them.

    Returns:
        The plan with the nodes that could, and the pods.
    """
    running: dict[str, ProbePod] = {}
    while True:
        wanted = _bodies(plan, names, any_user=any_user)
        for one in wanted:
            if one.name in running and running[one.name].node != one.node:
                api.delete(paths.pod(one.namespace, one.name), grace=0)
                del running[one.name]
        missing = [one for one in wanted if one.name not in running]
        started = starting.start(api, [missing])
        running |= {name: deploy.probe_pod_of(item) for name, item in started.running.items()}
        if not started.failed:
            return plan, tuple(running[one.name] for one in wanted)
        full = {one.node for one in missing if one.name in started.failed}
        nodes = tuple(node for node in plan.nodes if node.name not in full)
        if not nodes:
            raise _nowhere(started.failed)
        plan = dataclasses.replace(plan, nodes=nodes)


def _nowhere(failed: Mapping[str, str]) -> ClusterError:
    words = "; ".join(f"{name}: {why}" for name, why in failed.items())
    return ClusterError(
        f"pods for NetworkPolicies do not start: {words}",
        remedy="look further with `kubectl describe pod`, or raise --ipv6k8s-timeout-factor",
    )


def remove(api: Api, made: SandboxPods) -> None:
    """Begin to delete a sandbox; the end of the run waits until its pods are gone."""
    for name in (made.namespace, made.elsewhere):
        removing.delete_namespace(api, name)


def _bodies(plan: Plan, names: tuple[str, str], *, any_user: bool) -> list[Wanted]:
    here, elsewhere = names
    first, last = plan.nodes[0].name, plan.nodes[-1].name
    wanted = (
        ("server-a", SERVER, first, here),
        ("server-b", SERVER, last, here),
        ("allowed", ALLOWED, first, here),
        ("denied", DENIED, last, here),
        ("outsider", ALLOWED, first, elsewhere),
    )
    return [
        Wanted(
            namespace=namespace,
            node=node,
            body=pod_body(plan, name, role, node, any_user=any_user),
        )
        for name, role, node, namespace in wanted
    ]


def pod_body(
    plan: Plan, name: str, role: str, node: str, *, any_user: bool = False, probed: bool = False
) -> dict[str, Any]:
    """Return a pod of the sandbox; policies select it by its role or its name."""
    return objects.probe_pod(
        name,
        run_id=plan.run_id,
        node=node,
        manner=plan.manner,
        pod_labels={"app": "ipv6k8s-policy", ROLE_LABEL: role, NAME_LABEL: name},
        any_user=any_user,
        probed=probed,
    )


def _service(plan: Plan) -> dict[str, Any]:
    return objects.service(
        SERVICE,
        selector={ROLE_LABEL: SERVER},
        ports=services.PORTS,
        labels=objects.labels(plan.run_id),
        policy="PreferDualStack",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What the kubelet says of a pod."""

    ready: bool
    restarts: int
    message: str = ""


class PolicySandbox:
    """A sandbox as checks use it.

    Args:
        api: the API server; its recorder keeps the answers.
        made: what stands.
        connect: makes the way to a pod's agent.
        convergence: seconds in which policies have to take effect, and to end.

    Attributes:
        enforced: whether a policy was seen to shut anything, None when nobody looked.
    """

    def __init__(
        self,
        api: Api,
        made: SandboxPods,
        connect: Callable[[ProbePod], Transport],
        *,
        convergence: float,
    ) -> None:
        self.convergence = convergence
        self.enforced: bool | None = None
        self._api = api
        self._pods = made
        self._connect = connect
        self._transports = {pod.name: connect(pod) for pod in made.pods}
        self._probes = {
            pod.name: Probe(pod, self._transports[pod.name], api.recorder) for pod in made.pods
        }
        self.elsewhere = made.elsewhere
        self.service = made.service
        self.policies = Policies(
            api,
            run_id=made.plan.run_id,
            worker=made.worker,
            namespace=made.namespace,
            elsewhere=made.elsewhere,
        )

    def wait_for_agents(self) -> None:
        """Open the ways to all agents one by one: at once, a busy node answers none in time.

        Raises:
            Inconclusive: an agent does not answer.
        """
        for name, transport in self._transports.items():
            answers = functools.partial(_answers, transport)
            wait_until(
                f"the agent in pod {name} answers", answers, timeout=self._api.timeouts.probes_ready
            )

    @property
    def probes(self) -> tuple[Probe, ...]:
        """All pods."""
        return tuple(self._probes.values())

    @property
    def servers(self) -> tuple[Probe, Probe]:
        """The servers: the first shares the allowed client's node, the second the denied."""
        return self._probes["server-a"], self._probes["server-b"]

    @property
    def allowed(self) -> Probe:
        """The client that policies by role let in."""
        return self._probes["allowed"]

    @property
    def denied(self) -> Probe:
        """The client that no policy lets in."""
        return self._probes["denied"]

    @property
    def outsider(self) -> Probe:
        """A client in the other namespace, labelled as the allowed one."""
        return self._probes["outsider"]

    @contextmanager
    def fresh_pod(self, name: str, role: str, *, probed: bool = False) -> Iterator[Probe]:
        """Start a pod on the first node, wait until it runs, and delete it afterwards.

        Args:
            name: the check's id.
            role: what policies select it by.
            probed: let the kubelet ask its HTTP server; it need not be ready yet.

        Raises:
            Inconclusive: it does not start.
        """
        made, name = self._pods, f"{name.lower()}-{self._pods.worker}"
        node = made.plan.nodes[0].name
        body = pod_body(made.plan, name, role, node, any_user=made.any_user, probed=probed)
        pods = f"/api/v1/namespaces/{self._pods.namespace}/pods"
        self._api.create(pods, body)
        try:
            timeout = self._api.timeouts.probes_ready
            item = wait_until(f"pod {name} runs", lambda: self._started(name), timeout=timeout)
            assert item is not None
            pod = deploy.probe_pod_of(item)
            yield Probe(pod, self._connect(pod), self._api.recorder)
        finally:
            self._api.delete(f"{pods}/{name}", grace=0)

    def _started(self, name: str) -> dict[str, Any] | None:
        """Return a pod object when its container runs and it has an address."""
        item = self._api.find(f"/api/v1/namespaces/{self._pods.namespace}/pods/{name}")
        status = (item or {}).get("status", {})
        containers = status.get("containerStatuses") or []
        running = bool(containers) and all("running" in c.get("state", {}) for c in containers)
        return item if running and status.get("podIPs") else None

    def readiness(self, probe: Probe) -> Record[Readiness]:
        """Return whether the kubelet takes a pod to be ready."""
        path = f"/api/v1/namespaces/{self._pods.namespace}/pods/{probe.name}"
        item = self._api.get(path)
        status = item.get("status", {})
        messages = [
            c.get("message", "") for c in status.get("conditions") or [] if c.get("message")
        ]
        answer = Readiness(
            ready=starting.runs(item),
            restarts=sum(c["restartCount"] for c in status.get("containerStatuses") or []),
            message="; ".join(messages),
        )
        where = f"kubelet of node {probe.node} → pod {probe.name}"
        return self._api.recorder.api_answer({"verb": "read", "path": path}, answer, path=where)


def _answers(source: Transport) -> bool:
    try:
        return bool(source([identity.Request()]))
    except ControlChannelError:
        return False
