"""The fake sandbox: pods whose flows are judged by the policies that a check really created."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.agent import wire
from pytest_ipv6k8s.agent.ops import (
    dns_exchange,
    http_get,
    ping,
    policy_latency,
    sctp_exchange,
    tcp_connect,
    udp_exchange,
)
from pytest_ipv6k8s.agent.sockets import unmapped
from pytest_ipv6k8s.kube.client import Outcome
from pytest_ipv6k8s.kube.objects import Manner
from pytest_ipv6k8s.netpol import sandbox
from pytest_ipv6k8s.probe import deploy
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.probe.services import Service
from tests.checks import outside, policies
from tests.checks.policies import End, Packet

if TYPE_CHECKING:
    from tests.checks.world import World

LISTENING = {("TCP", 8080), ("TCP", 8081), ("TCP", 8083), ("TCP", 8084), ("UDP", 8082)}
LISTENING |= {("SCTP", 8085), ("ICMP", 0)}
BEHIND = {("TCP", 80): 8080, ("TCP", 81): 8081, ("UDP", 82): 8082}
PROTOCOLS = {"udp_exchange": "UDP", "sctp_exchange": "SCTP", "ping": "ICMP"}


class Policed:
    """The sandbox of a world. Break it by overriding its verdicts and what its API server does.

    Attributes:
        standing: the policies, by path.
        verdict: given a packet and the right verdict, what this cluster's CNI makes of it.
        admit: given a policy, what the API server makes of it.
        forgets: whether a deleted policy ends.
        kubelet_reaches: whether the kubelet's probes get through to a pod.
        flip_seconds: after how long a policy takes effect, by family.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        nodes, stack = tuple(world.nodes[i] for i in world.shape.complete), world.stack
        self.plan = deploy.Plan(
            run_id="abc",
            manner=Manner(image="probe:1"),
            stack=stack,
            nodes=nodes,
            host_network=False,
        )
        self.standing: dict[str, Mapping[str, Any]] = {}
        self.verdict: Callable[[Packet, bool], bool] = lambda packet, right: right
        self.admit: Callable[[Mapping[str, Any]], Outcome] = policies.admit
        self.forgets = True
        self.kubelet_reaches = True
        self.flip_seconds = {Family.V4: 0.3, Family.V6: 0.4}
        self.pods: dict[str, ProbePod] = {}
        self.labels: dict[str, tuple[tuple[str, str], ...]] = {}
        here, elsewhere = sandbox.namespaces(self.plan, "main")
        for one in sandbox._bodies(self.plan, (here, elsewhere), any_user=False):
            self.start(one.namespace, dict(one.body))
        self.ground = sandbox.SandboxPods(
            plan=self.plan,
            worker="main",
            pods=tuple(self.pods.values()),
            service=self._service(here, stack),
        )

    def _service(self, namespace: str, stack: Stack) -> Service:
        outcome = self._world.allocator.admit(sandbox._service(self.plan))
        metadata = {**outcome.object["metadata"], "namespace": namespace}
        return Service.from_object({**outcome.object, "metadata": metadata})

    def start(self, namespace: str, body: Mapping[str, Any]) -> None:
        """Start a pod."""
        name, labels = body["metadata"]["name"], body["metadata"]["labels"]
        terms = body["spec"]["affinity"]["nodeAffinity"]
        (term,) = terms["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
        node = term["matchFields"][0]["values"][0]
        index = [n.name for n in self._world.nodes].index(node)
        pod = self._world._pod(name, index, 0x20 + len(self.labels))
        self.pods[name] = replace(pod, namespace=namespace, uid=f"uid-of-{name}")
        self.labels[name] = tuple(labels.items())

    def stop(self, name: str) -> None:
        """Delete a pod."""
        self.pods.pop(name, None)

    def pod_object(self, name: str) -> dict[str, Any] | None:
        """Return a pod as the API server writes it."""
        pod = self.pods.get(name)
        if pod is None:
            return None
        ready = "True" if self.kubelet_reaches else "False"
        return {
            "metadata": {"name": name, "namespace": pod.namespace, "uid": pod.uid},
            "spec": {"nodeName": pod.node},
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": ready}],
                "podIPs": [{"ip": ip} for ip in pod.ips],
                "hostIPs": [{"ip": ip} for ip in pod.host_ips],
                "containerStatuses": [{"restartCount": 0, "state": {"running": {}}}],
            },
        }

    def put(self, path: str, body: Mapping[str, Any], *, dry_run: bool) -> Outcome:
        """Admit a policy, or not."""
        outcome = self.admit(body)
        if outcome.accepted and not dry_run:
            metadata = {**outcome.object["metadata"], "namespace": path.split("/")[5]}
            made = {**outcome.object, "metadata": metadata}
            self.standing[f"{path}/{metadata['name']}"] = made
        return outcome

    def take_away(self, path: str) -> None:
        """Delete a policy."""
        if self.forgets:
            self.standing.pop(path, None)

    def in_folder(self, path: str) -> list[Mapping[str, Any]]:
        """Return the policies of a list."""
        found = [body for key, body in self.standing.items() if key.startswith(f"{path}/")]
        return found if self.forgets else []

    def answer(self, pod: ProbePod, request: Any) -> Any:
        """Answer a question of a sandbox's pod; None when policies have no say in it."""
        operation = wire.operation_of(request)
        if pod.name not in self.pods or operation not in _DENIED:
            return None
        address = unmapped(getattr(request, "address", "") or getattr(request, "server", ""))
        protocol = PROTOCOLS.get(operation) or getattr(request, "transport", "tcp").upper()
        port = getattr(request, "port", 0)
        target = self._resolve(address, protocol)
        to = self._end(target, address) if target else self._stranger(address)
        port = BEHIND.get((protocol, port), port)
        packet = Packet(source=self._end(pod, address), target=to, protocol=protocol, port=port)
        right = policies.allowed(self.standing.values(), packet)
        through = self.verdict(packet, right)
        if operation == "policy_latency":
            seconds = self.flip_seconds[Family.of(address)]
            if self.standing and not request.opens and through:
                return policy_latency.Answer(flipped=False, tries=3)
            return policy_latency.Answer(flipped=seconds < 10, tries=3, seconds=seconds)
        if target is None or not through:
            return self._beyond(pod, request, address) if through else _DENIED[operation]
        if (protocol, port) not in LISTENING:
            return _REFUSED
        return _opened(operation, target.name, self._world._source(pod, address))

    def _beyond(self, pod: ProbePod, request: Any, address: str) -> Any:
        """Answer what leads out of the sandbox: to the testbed, or to the cluster's DNS."""
        if isinstance(request, dns_exchange.Request):
            asked = self._world.dns_addresses[0]
            return self._world._dns_exchange(pod, replace(request, server=asked, port=53))
        plain = replace(request, address=address)
        return outside.ANSWERS[wire.operation_of(request)](self._world, pod, plain)

    def _resolve(self, address: str, protocol: str) -> ProbePod | None:
        if address in self.ground.service.cluster_ips:
            return self.pods["server-a"]
        return next((pod for pod in self.pods.values() if address in pod.ips), None)

    def _end(self, pod: ProbePod, towards: str = "") -> End:
        family = Family.of(towards) if towards else self._world.stack.primary
        address = next((ip for ip in pod.ips if Family.of(ip) is family), pod.ips[0])
        return End(
            address=address,
            namespace=pod.namespace,
            labels=self.labels[pod.name],
            node=pod.node,
        )

    def _stranger(self, address: str) -> End:
        found = next((pod for pod in self._world.pods if address in pod.ips), None)
        return End(address=address, namespace=found.namespace if found else "")


_REFUSED = tcp_connect.Answer(connected=False, error="ECONNREFUSED")
_DENIED: dict[str, Any] = {
    "tcp_connect": tcp_connect.Answer(connected=False, error="ETIMEDOUT"),
    "udp_exchange": udp_exchange.Answer(sent=2, echoed=0, error="ETIMEDOUT"),
    "http_get": http_get.Answer(status=0, error="ETIMEDOUT"),
    "sctp_exchange": sctp_exchange.Answer(supported=True, error="ETIMEDOUT"),
    "ping": ping.Answer(permitted=True, sent=1),
    "dns_exchange": dns_exchange.Answer(error="ETIMEDOUT"),
    "policy_latency": None,
}


def _opened(operation: str, name: str, source: str) -> Any:
    fields: dict[str, Any] = {"local": source, "pod": name, "seen_source": source}
    if operation == "udp_exchange":
        return udp_exchange.Answer(sent=2, echoed=2, **fields)
    if operation == "http_get":
        return http_get.Answer(status=200, **fields)
    if operation == "sctp_exchange":
        return sctp_exchange.Answer(supported=True, connected=True, echoed=True, **fields)
    if operation == "ping":
        return ping.Answer(permitted=True, sent=1, received=1, local=source)
    return tcp_connect.Answer(connected=True, echoed=True, **fields)
