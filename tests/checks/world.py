"""A fake cluster in which everything works, and ways to break it: for the tests of checks."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.addresses import Egress, Family, Stack
from pytest_ipv6k8s.agent import wire
from pytest_ipv6k8s.agent.ops import (
    dns_exchange,
    http_get,
    https_get,
    lookups,
    loopback,
    network_state,
    source_address,
    startup_addresses,
    tcp_connect,
    udp_exchange,
)
from pytest_ipv6k8s.checks import Beside, check_of
from pytest_ipv6k8s.evidence import Record, Recorder
from pytest_ipv6k8s.expectations import take_statements
from pytest_ipv6k8s.external.model import Role
from pytest_ipv6k8s.external.view import ExternalTargets
from pytest_ipv6k8s.features import Feature
from pytest_ipv6k8s.kube import corefile, objects
from pytest_ipv6k8s.kube.client import Outcome
from pytest_ipv6k8s.netpol.sandbox import PolicySandbox
from pytest_ipv6k8s.probe import services
from pytest_ipv6k8s.probe.probes import Probe, ProbePod, Probes
from pytest_ipv6k8s.probe.services import Service, Services
from pytest_ipv6k8s.suite.dns import ClusterDns
from pytest_ipv6k8s.testbed import layout, testbed
from pytest_ipv6k8s.verdicts import Judgement, judge
from tests.checks import api_objects, names, sizes
from tests.checks.allocator import Allocator
from tests.checks.answers_loss import ANSWERS as LOSS_ANSWERS
from tests.checks.facts import view
from tests.checks.fake_api import FakeApi
from tests.checks.outside import ANSWERS as OUTSIDE_ANSWERS
from tests.checks.policed import Policed
from tests.checks.shape import Shape, plain

NAMESPACE, RUN = api_objects.NAMESPACE, "abc"
Answerer = Callable[[ProbePod, Any, Any], Any]


class World:
    """A healthy cluster, with two nodes unless a shape says otherwise.

    Break it by overriding answers or changing objects.
    """

    def __init__(self, stack: Stack, shape: Shape | None = None) -> None:
        self.stack = stack
        self.shape = shape or plain(stack)
        self.allocator = Allocator(stack, self.shape.service_cidrs)
        self.on_propose: Callable[[Mapping[str, Any], Outcome], Outcome] = lambda b, o: o
        self.overrides: dict[str, Answerer] = {}
        self.outside = testbed.network_of(Egress.MASQUERADE)
        self.nodes = tuple(self.shape.node(index) for index in range(self.shape.count))
        probed = list(enumerate(self.shape.probed))
        pods = [self._pod(f"probe-{number:02}", index, 2) for number, index in probed]
        pods.append(self._pod("probe-peer", probed[0][1], 3))
        self.pods = tuple(pods[: self.shape.probes])
        self.peers = tuple(self._pod(f"peer-{number:02}", i, 3) for number, i in probed[1:])
        self.hosts = tuple(self._host(f"host-{number:02}", index) for number, index in probed)
        self.api_address = self._service_address(stack.primary, 1)
        self.service_cidrs = self.shape.service_cidrs
        self.further_service_cidrs: tuple[str, ...] = ()
        self.dns_addresses = tuple(self._service_address(f, 10) for f in stack.families)
        self.dns_pods = tuple(
            replace(self._pod(f"coredns-{number}", index, 10), namespace=self.shape.dns_namespace)
            for number, index in probed[:2]
        )
        self.nameservers = self.shape.nameservers or self.dns_addresses[:1]
        self.corefile = f".:53 {{\n    forward . {' '.join(self._upstreams())} {{\n    }}\n}}\n"
        self.services = self._services()
        self.objects = self._objects()
        self._turn, self.ready_at = itertools.count(), 0.0
        self.policed = Policed(self)
        self.unconnected: dict[str, str] = {}
        self.where: dict[str, str] = {}

    def override(self, operation: str, answerer: Answerer) -> None:
        """Change the honest answers of an operation."""
        self.overrides[operation] = answerer

    def behind(self, name: str) -> list[str]:
        """Return the addresses behind a shared Service."""
        if name == "empty":
            return []
        pods = [pod for pod in self.pods if name != "peer" or pod.name == "probe-peer"]
        return [ip for pod in pods for ip in pod.ips]

    def answer(self, pod: ProbePod, request: Any) -> Any:
        """Answer a probe's question."""
        operation = wire.operation_of(request)
        outside = OUTSIDE_ANSWERS.get(operation) or LOSS_ANSWERS.get(operation)
        honest = self.policed.answer(pod, request)
        if honest is None and outside:
            honest = outside(self, pod, request)
        if honest is None:
            honest = getattr(self, f"_{operation}")(pod, request)
        override = self.overrides.get(operation)
        return override(pod, request, honest) if override else honest

    def is_forwarded(self) -> bool:
        """Tell whether the cluster's DNS forwards to a resolver that it can reach."""
        upstreams = [u.address for u in corefile.forwards(corefile.parse(self.corefile))]
        return any(upstream in self._upstreams() for upstream in upstreams)

    def _upstreams(self) -> list[str]:
        """Return the outside's resolvers, one for each family."""
        return [layout.DNS64_SERVER[0 if f is Family.V6 else 1] for f in self.stack.families]

    def _pod(self, name: str, node: int, number: int) -> ProbePod:
        return self.shape.pod(name, node, number)

    def _host(self, name: str, node: int) -> ProbePod:
        pod = self._pod(name, node, 0)
        return replace(pod, ips=pod.host_ips, host_network=True)

    def _service_address(self, family: Family, number: int) -> str:
        return str(self.allocator.networks[family].network_address + number)

    def _services(self) -> dict[str, Service]:
        made = {}
        for body in services.manifests(self.stack, objects.labels(RUN)):
            outcome = self.allocator.admit(body)
            assert outcome.accepted, outcome
            metadata = {**outcome.object["metadata"], "namespace": NAMESPACE}
            service = Service.from_object({**outcome.object, "metadata": metadata})
            made[service.name] = service
        return made

    def _objects(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "pods": [
                *(api_objects.pod_object(p) for p in (*self.pods, *self.hosts, *self.peers)),
                *(api_objects.dns_pod_object(pod, self.shape.coredns) for pod in self.dns_pods),
            ],
            "nodes": [api_objects.node_object(node) for node in self.nodes],
            "services": [
                *(api_objects.service_object(service) for service in self.services.values()),
                api_objects.service_object(self._kubernetes()),
                api_objects.dns_service_object(self.shape.dns, self.dns_addresses),
            ],
            "endpointslices": self._slices(),
            "ipaddresses": [{"metadata": {"name": self.api_address}}],
        }

    def _kubernetes(self) -> Service:
        return Service(
            name="kubernetes",
            namespace="default",
            families=(self.stack.primary,),
            cluster_ips=(self.api_address,),
        )

    def _slices(self) -> list[dict[str, Any]]:
        found = [
            api_objects.slice_object(
                name, family, [ip for ip in self.behind(name) if Family.of(ip) is family]
            )
            for name, service in self.services.items()
            for family in service.families
        ]
        first = self.stack.primary
        dns = [self._source(pod, self.dns_addresses[0]) for pod in self.dns_pods]
        return [
            *found,
            api_objects.slice_object("kubernetes", first, [_of(first, self.nodes[0].host_ips)]),
            api_objects.dns_slice_object(self.shape.dns, self.shape.dns_port, first, dns),
        ]

    def _target(self, address: str, port: int = 0) -> ProbePod | None:
        """Return who answers at an address: a pod, or one behind a Service or its node ports."""
        for pod in (*self.pods, *self.peers):
            if address in pod.ips:
                return pod
        nodes = {ip for node in self.nodes for ip in node.internal_ips}
        for service in self.services.values():
            at_node = address in nodes and port in {own for _, own in service.node_ports}
            if address in service.cluster_ips or at_node:
                behind = self._ready_behind(service.name, Family.of(address))
                return behind[next(self._turn) % len(behind)] if behind else None
        return None

    def _ready_behind(self, name: str, family: Family) -> list[ProbePod]:
        addresses = {ip for ip in self.behind(name) if Family.of(ip) is family}
        return [pod for pod in self.pods if addresses & set(pod.ips)]

    def _source(self, pod: ProbePod, address: str) -> str:
        family = Family.of(address)
        return next((ip for ip in pod.ips if Family.of(ip) is family), "")

    def _tcp_connect(self, pod: ProbePod, request: tcp_connect.Request) -> tcp_connect.Answer:
        target, source = (
            self._target(request.address, request.port),
            self._source(pod, request.address),
        )
        if target is None:
            return tcp_connect.Answer(connected=False, error="ECONNREFUSED")
        return tcp_connect.Answer(
            connected=True,
            local=source,
            pod=target.name,
            seen_source=source,
            echoed=True,
            seen_mss=sizes.mtu(self) - (60 if ":" in request.address else 40),
        )

    def _udp_exchange(self, pod: ProbePod, request: udp_exchange.Request) -> udp_exchange.Answer:
        target, source = (
            self._target(request.address, request.port),
            self._source(pod, request.address),
        )
        if target is None or request.port < services.HTTP:
            return udp_exchange.Answer(sent=request.count, echoed=0, error="ECONNREFUSED")
        return udp_exchange.Answer(
            sent=request.count,
            echoed=request.count,
            local=source,
            pod=target.name,
            seen_source=source,
        )

    def _dns_exchange(self, pod: ProbePod, request: dns_exchange.Request) -> dns_exchange.Answer:
        behind = {(ip, self.shape.dns_port) for pod in self.dns_pods for ip in pod.ips}
        servers = (*self.nameservers, *self.dns_addresses, *layout.DNS64_SERVER)
        if (request.server, request.port) not in {*((ip, 53) for ip in servers), *behind}:
            return dns_exchange.Answer(error="ETIMEDOUT")
        local = self._source(pod, request.server)
        return dns_exchange.Answer(wire=names.exchange(self, request.wire), local=local)

    def _lookups(self, pod: ProbePod, request: lookups.Request) -> lookups.Answer:
        found = " ".join(sorted(names.look_up(self, request.name, SEARCH)))
        if not found:
            return lookups.Answer(errors={"no such name": request.count}, longest=0.01)
        return lookups.Answer(in_time={found: request.count}, p99=0.01, longest=0.01)

    def _loopback(self, pod: ProbePod, request: loopback.Request) -> loopback.Answer:
        return loopback.Answer(works=True)

    def _source_address(self, pod: ProbePod, request: source_address.Request) -> Any:
        return source_address.Answer(local=self._source(pod, request.address))

    def _http_get(self, pod: ProbePod, request: http_get.Request) -> http_get.Answer:
        return http_get.Answer(status=200)

    def _https_get(self, pod: ProbePod, request: https_get.Request) -> https_get.Answer:
        return https_get.Answer(verified=True, address=self.api_address, status=200)

    def _startup_addresses(self, pod: ProbePod, request: Any) -> startup_addresses.Answer:
        addresses = tuple(network_state.Address("eth0", ip, 64, "global") for ip in pod.ips)
        return startup_addresses.Answer(addresses=addresses, unusable=(), seconds=0.01)

    def _network_state(self, pod: ProbePod, request: Any) -> network_state.Answer:
        gateways = {Family.V4: "10.244.0.1", Family.V6: "fe80::1"}
        families, shape = [Family.of(ip) for ip in pod.ips], self.shape
        mtu = sizes.mtu(self) if shape.room and not pod.host_network else 0
        interfaces = {"all", "eth0", *(address.interface for address in shape.more_addresses)}
        return network_state.Answer(
            addresses=(
                network_state.Address("lo", "127.0.0.1", 8, "host"),
                *(network_state.Address("eth0", ip, 64, "global") for ip in pod.ips),
                network_state.Address("eth0", "fe80::2", 64, "link"),
                *shape.more_addresses,
            ),
            routes=(
                *(
                    network_state.Route("default", family.value, gateways[family], "eth0", mtu)
                    for family in families
                ),
                *shape.more_routes,
            ),
            neighbours=tuple(
                network_state.Neighbour(gateways[family], "eth0", "REACHABLE")
                for family in families
            ),
            nameservers=self.nameservers,
            search=SEARCH,
            options=("ndots:5",),
            sysctls={
                **{f"net.ipv6.conf.{name}.disable_ipv6": "0" for name in interfaces},
                **shape.sysctls,
            },
            environment={
                "POD_IP": pod.ips[0],
                "POD_IPS": ",".join(pod.ips),
                "HOST_IPS": ",".join(pod.host_ips),
            },
        )


def _of(family: Family, addresses: Sequence[str]) -> str:
    return next(address for address in addresses if Family.of(address) is family)


SEARCH = (f"{NAMESPACE}.svc.cluster.local", "svc.cluster.local", "cluster.local")


@dataclass(frozen=True)
class Transport:
    """Brings a probe's questions to the world."""

    world: World
    pod: ProbePod

    def __call__(self, requests: Sequence[Any]) -> list[Any]:
        return [self.world.answer(self.pod, request) for request in requests]


def run_check(world: World, id: str, family: Family | None = None) -> Judgement:
    """Run one check in a world and judge it."""
    return record_check(world, id, family)[0]


def record_check(
    world: World, id: str, family: Family | None = None
) -> tuple[Judgement, tuple[Record[Any], ...]]:
    """Run one check in a world; return what was judged, and the answers."""
    function = catalogue.functions()[id]
    declared = check_of(function)
    assert declared is not None
    if Feature.CLAT in declared.features:
        world.outside = replace(world.outside, clat=True)
    api = FakeApi(world)
    cluster = view(world, api)
    take_statements()
    probes = _probes(world, api.recorder, declared.beside).having(declared.asked(family))
    fixtures = {
        "family": family,
        "cluster": cluster,
        "probes": probes,
        "dns": ClusterDns(cluster, probes),
        "services": Services(list(world.services.values())),
        "sandbox": _sandbox(world, api),
        "external": ExternalTargets(world.outside, _hosts(world, api.recorder)),
    }
    error: Exception | None = None
    try:
        function(**{name: fixtures[name] for name in inspect.signature(function).parameters})
    except Exception as raised:
        error = raised
    records = api.recorder.take()
    stated = take_statements()
    judgement = judge(
        level=declared.level,
        answers=len(records),
        expectations=stated.expectations,
        remarks=stated.remarks,
        error=error,
    )
    return judgement, records


def _sandbox(world: World, api: FakeApi) -> PolicySandbox:
    def connect(pod: ProbePod) -> Transport:
        return Transport(world, pod)

    return PolicySandbox(api, world.policed.ground, connect, convergence=30)  # type: ignore[arg-type]


def _probes(world: World, recorder: Recorder, beside: Collection[Beside]) -> Probes:
    """Return the probes that stand when nothing but this check is asked."""
    hosts = world.hosts if Beside.HOSTS in beside else ()
    peers = world.peers if Beside.PEERS in beside else ()

    def made(pods: Sequence[ProbePod]) -> list[Probe]:
        return [Probe(pod, Transport(world, pod), recorder) for pod in pods]

    return Probes(made(world.pods), made(hosts), made(peers), ready_at=world.ready_at)


def _hosts(world: World, recorder: Recorder) -> dict[Role, Probe]:
    found = {}
    for target in world.outside.targets:
        if target.ask:
            pod = ProbePod(
                name=f"target-{target.role.value}",
                namespace="",
                node="external",
                ips=target.addresses,
                host_ips=(),
            )
            found[target.role] = Probe(pod, Transport(world, pod), recorder)
    return found
