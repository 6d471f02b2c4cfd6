"""The standard Services that checks share: which there are, and what they select."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.agent.ports import HTTP_PORT, TCP_PORT, UDP_PORT
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.kube import objects

ROLE_LABEL = "ipv6k8s/role"
PROBE, PEER = "probe", "peer"
PORTS = (
    {"name": "http", "port": 80, "targetPort": HTTP_PORT, "protocol": "TCP"},
    {"name": "tcp", "port": 81, "targetPort": TCP_PORT, "protocol": "TCP"},
    {"name": "udp", "port": 82, "targetPort": UDP_PORT, "protocol": "UDP"},
)
HTTP, TCP, UDP = 80, 81, 82


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A Service as the API server made it.

    ``cluster_ips`` is empty for a headless one; ``domain`` is the cluster's DNS domain.
    ``node_ports`` are pairs of a port and its node port.
    """

    name: str
    namespace: str
    families: tuple[Family, ...]
    cluster_ips: tuple[str, ...]
    domain: str = "cluster.local"
    node_ports: tuple[tuple[int, int], ...] = ()

    def node_port(self, port: int) -> int:
        """Return the port on every node that leads to a port of the Service.

        Raises:
            Inconclusive: it has none.
        """
        for own, on_nodes in self.node_ports:
            if own == port:
                return on_nodes
        raise Inconclusive(f"Service {self.name} has no node port for port {port}")

    @property
    def dns_name(self) -> str:
        """The full name, with a final dot."""
        return f"{self.name}.{self.namespace}.svc.{self.domain}."

    def cluster_ip(self, family: Family) -> str:
        """Return the cluster IP of a family.

        Raises:
            Inconclusive: it has none; API-03 judges that.
        """
        for address in self.cluster_ips:
            if Family.of(address) is family:
                return address
        raise Inconclusive(f"Service {self.name} has no {family.value} cluster IP")

    @classmethod
    def from_object(cls, item: Mapping[str, Any]) -> Service:
        """Return what matters of a Service object."""
        spec = item["spec"]
        return cls(
            name=item["metadata"]["name"],
            namespace=item["metadata"]["namespace"],
            families=tuple(Family(name) for name in spec.get("ipFamilies") or []),
            cluster_ips=tuple(ip for ip in spec.get("clusterIPs") or [] if ip != "None"),
            node_ports=tuple(
                (port["port"], port["nodePort"])
                for port in spec.get("ports") or []
                if port.get("nodePort")
            ),
        )


def manifests(
    stack: Stack, run_labels: Mapping[str, str], *, exposed: bool = True
) -> list[dict[str, Any]]:
    """Return the manifests of the shared Services.

    ``every`` is PreferDualStack with all probes behind it, ``peer`` has only the peer, ``headless``
    all without a cluster IP, ``empty`` nobody; ``only-ipv4`` and ``only-ipv6`` are SingleStack;
    ``nodeport`` has all behind a port of every node, where probes may be ``exposed``.
    """

    def service(name: str, role: str | None, **fields: Any) -> dict[str, Any]:
        selector = {objects.RUN_LABEL: run_labels[objects.RUN_LABEL], "app": "ipv6k8s-probe"}
        if role:
            selector[ROLE_LABEL] = role
        return objects.service(name, selector=selector, ports=PORTS, labels=run_labels, **fields)

    made = [
        service("every", None, policy="PreferDualStack"),
        service("peer", PEER, policy="PreferDualStack"),
        service("headless", None, policy="PreferDualStack", clusterIP="None"),
        service("empty", objects.NOBODY, policy="PreferDualStack"),
    ]
    if exposed:
        made.append(service("nodeport", None, policy="PreferDualStack", type="NodePort"))
    for family in stack.families:
        name = f"only-{family.value.lower()}"
        made.append(service(name, None, policy="SingleStack", families=[family]))
    return made


class Services(Mapping[str, Service]):
    """The shared Services, by name."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._by_name = {service.name: service for service in services}

    def __getitem__(self, name: str) -> Service:
        return self._by_name[name]

    def __iter__(self) -> Any:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)
