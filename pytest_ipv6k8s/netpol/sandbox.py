"""Namespaces and pods of one worker's NetworkPolicy checks, which no other check uses.

A policy on the shared probes would break the checks of other workers. A check begins and ends
without any policy; the control matrix of each check (:mod:`.truth_table`) says whether that is so.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.agent.ops import identity
from pytest_ipv6k8s.errors import ControlChannelError, Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import expect
from pytest_ipv6k8s.kube import objects
from pytest_ipv6k8s.kube.client import Api, Outcome
from pytest_ipv6k8s.netpol import truth_table
from pytest_ipv6k8s.probe import deploy, services
from pytest_ipv6k8s.probe.deploy import Plan
from pytest_ipv6k8s.probe.probes import Probe, ProbePod, Transport
from pytest_ipv6k8s.probe.services import ROLE_LABEL, Service
from pytest_ipv6k8s.waiting import wait_until

NAME_LABEL = "ipv6k8s/pod"
SERVER, FRIEND, STRANGER = "server", "friend", "stranger"
SERVICE = "servers"
_API_SERVER = "the API server"
Rules = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxPods:
    """What stands: two namespaces, and pods of them.

    Attributes:
        plan: how its pods are made.
        worker: whose it is, for names.
        pods: servers on two nodes, a friend beside the first and a stranger beside the second;
            in the other namespace a visitor, who is labelled a friend, too.
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
        """The namespace of all but the visitor."""
        return namespaces(self.plan, self.worker)[0]

    @property
    def elsewhere(self) -> str:
        """The visitor's namespace."""
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
    deploy.at_once(
        lambda name: deploy.make_namespace(api, plan, name, security="restricted"), names
    )
    any_user = deploy.assigns_users(api)
    pods = _bodies(plan, names, any_user=any_user)
    deploy.at_once(lambda item: api.create(f"/api/v1/namespaces/{item[0]}/pods", item[1]), pods)
    service = api.create(f"/api/v1/namespaces/{names[0]}/services", _service(plan))
    for name in names:
        wanted = sum(where == name for where, _ in pods)
        deploy.wait_for_pods(api, name, wanted, plan)
    return SandboxPods(
        plan=plan,
        worker=worker,
        pods=tuple(pod for name in names for pod in deploy.running(api, name)),
        service=Service.from_object(service),
        any_user=any_user,
    )


def remove(api: Api, ground: SandboxPods) -> None:
    """Begin to delete a sandbox; the end of the run waits until it is gone."""
    for name in (ground.namespace, ground.elsewhere):
        deploy.delete_namespace(api, name)


def _bodies(plan: Plan, names: tuple[str, str], *, any_user: bool) -> list[tuple[str, Any]]:
    here, elsewhere = names
    first, last = plan.nodes[0].name, plan.nodes[-1].name
    wanted = (
        ("server-a", SERVER, first, here),
        ("server-b", SERVER, last, here),
        ("friend", FRIEND, first, here),
        ("stranger", STRANGER, last, here),
        ("visitor", FRIEND, first, elsewhere),
    )
    return [
        (namespace, pod_body(plan, name, role, node, any_user=any_user))
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
        image=plan.image,
        pod_labels={"app": "ipv6k8s-policy", ROLE_LABEL: role, NAME_LABEL: name},
        tolerations=plan.tolerations,
        pull_secret=plan.pull_secret and plan.pull_secret.partition("/")[2],
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
        ground: what stands.
        connect: makes the way to a pod's agent.
    """

    def __init__(
        self, api: Api, ground: SandboxPods, connect: Callable[[ProbePod], Transport]
    ) -> None:
        self._api = api
        self._ground = ground
        self._connect = connect
        self._transports = {pod.name: connect(pod) for pod in ground.pods}
        self._probes = {
            pod.name: Probe(pod, self._transports[pod.name], api.recorder) for pod in ground.pods
        }
        self.namespace = ground.namespace
        self.elsewhere = ground.elsewhere
        self.service = ground.service

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
        """The servers: the first shares the friend's node, the second the stranger's."""
        return self._probes["server-a"], self._probes["server-b"]

    @property
    def allowed(self) -> Probe:
        """Whom policies by role let in."""
        return self._probes["friend"]

    @property
    def denied(self) -> Probe:
        """Whom no policy lets in."""
        return self._probes["stranger"]

    @property
    def outsider(self) -> Probe:
        """A friend by its labels, in another namespace."""
        return self._probes["visitor"]

    def policy(
        self,
        name: str,
        *,
        pods: Mapping[str, str] | None = None,
        ingress: Rules | None = None,
        egress: Rules | None = None,
    ) -> dict[str, Any]:
        """Return a NetworkPolicy of the sandbox's namespace, named after its check and worker.

        Args:
            name: the check's id, and what it does, as ``POL-01-deny``.
            pods: labels of the pods that it selects, by default all of the namespace.
            ingress, egress: its rules; None leaves a direction alone, no rules deny it.
        """
        return objects.network_policy(
            f"{name.lower()}-{self._ground.worker}",
            self._ground.plan.run_id,
            pods=pods or {},
            ingress=ingress,
            egress=egress,
        )

    def expect_isolation(
        self, policies: Sequence[dict[str, Any]], flows: Sequence[truth_table.Flow]
    ) -> None:
        """Judge policies by a truth table, between two control matrices in which all is open.

        Raises:
            Inconclusive: the flows do not get through without the policies, either.
            Unmet: they are not as the table says, or still shut when the policies are gone.
        """
        self.require_no_policy()
        truth_table.require_reachable(flows)
        with self.standing(policies):
            truth_table.expect_table(flows)
        truth_table.expect_open(flows)

    def require_no_policy(self) -> None:
        """Make sure that no policy is left of another check, nor put there by somebody else.

        Raises:
            Inconclusive: there is one.
        """
        found = [name for where in (self.namespace, self.elsewhere) for name in self.names(where)]
        if found:
            raise Inconclusive(f"there are policies already: {', '.join(found)}")

    def names(self, namespace: str) -> list[str]:
        """Return the names of the NetworkPolicies in a namespace."""
        found = [f"{namespace}/{o['metadata']['name']}" for o in self._api.items(_path(namespace))]
        self._record({"verb": "list", "path": _path(namespace)}, found)
        return found

    @contextmanager
    def standing(self, policies: Sequence[dict[str, Any]]) -> Iterator[None]:
        """Let policies stand for a while.

        Raises:
            Unmet: the API server refuses one.
        """
        try:
            for body in policies:
                said = self.put(body)
                expect(said.answer.accepted, expected="an accepted policy", seen=said)
            yield
        finally:
            for body in policies:
                self.take_away(body)

    def put(self, body: dict[str, Any], *, dry_run: bool = False) -> Record[Outcome]:
        """Create a policy, or have it validated only, and return what the API server says."""
        path = _path(self.namespace)
        outcome = self._api.try_create(path, body, dry_run=dry_run)
        verb = "create (dry run)" if dry_run else "create"
        question = {"verb": verb, "path": path, "spec": body["spec"]}
        return self._record(question, outcome, path=f"NetworkPolicy {body['spec']}")

    def take_away(self, body: dict[str, Any]) -> None:
        """Delete a policy; it is fine when there is none."""
        self._api.delete(f"{_path(self.namespace)}/{body['metadata']['name']}")

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
        ground, name = self._ground, f"{name.lower()}-{self._ground.worker}"
        node = ground.plan.nodes[0].name
        body = pod_body(ground.plan, name, role, node, any_user=ground.any_user, probed=probed)
        pods = f"/api/v1/namespaces/{self.namespace}/pods"
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
        item = self._api.find(f"/api/v1/namespaces/{self.namespace}/pods/{name}")
        status = (item or {}).get("status", {})
        containers = status.get("containerStatuses") or []
        running = bool(containers) and all("running" in c.get("state", {}) for c in containers)
        return item if running and status.get("podIPs") else None

    def readiness(self, probe: Probe) -> Record[Readiness]:
        """Return whether the kubelet takes a pod to be ready."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{probe.name}"
        item = self._api.get(path)
        status = item.get("status", {})
        words = [c.get("message", "") for c in status.get("conditions") or [] if c.get("message")]
        answer = Readiness(
            ready=deploy.runs(item),
            restarts=sum(c["restartCount"] for c in status.get("containerStatuses") or []),
            message="; ".join(words),
        )
        where = f"kubelet of node {probe.node} → pod {probe.name}"
        return self._record({"verb": "read", "path": path}, answer, path=where)

    def _record(self, question: dict[str, Any], answer: Any, *, path: str = "") -> Record[Any]:
        record = Record(source=_API_SERVER, question=question, answer=answer, path=path)
        return self._api.recorder.append(record)


def _answers(source: Transport) -> bool:
    try:
        return bool(source([identity.Request()]))
    except ControlChannelError:
        return False


def _path(namespace: str) -> str:
    return f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
