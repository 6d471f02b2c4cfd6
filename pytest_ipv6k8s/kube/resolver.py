"""The DNS that pods have: the Service at their nameserver's address, its servers, its Corefile.

It is found by address, not by name: kube-system/kube-dns (kubeadm, EKS, AKS, K3s, GKE),
openshift-dns/dns-default (openshift/cluster-dns-operator), kube-system/rke2-coredns-rke2-coredns.
Where no Service has the address, a cache on the node (169.254.20.10 of NodeLocal DNSCache) or
something outside the cluster (169.254.169.254 of Cloud DNS) serves it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.kube import corefile, paths, status
from pytest_ipv6k8s.kube.client import Api, ApiError, Object
from pytest_ipv6k8s.kube.inventory import DnsService
from pytest_ipv6k8s.kube.volumes import config_maps

_PORT = 53


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsServer:
    """A ready endpoint of the DNS Service on one of its addresses.

    Attributes:
        pod: the pod's name; empty when the endpoint is none.
        node: where it runs, as far as its EndpointSlice says.
        address: its own.
        ports: on which it serves what the Service has on port 53, by ``udp`` and ``tcp``.
        ips: all addresses of its pod.
    """

    pod: str
    node: str
    address: str
    ports: Mapping[str, int]
    ips: tuple[str, ...]

    def __str__(self) -> str:
        return f"pod {self.pod or 'of no name'} (node {self.node or 'not told'})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """How CoreDNS is configured: the ConfigMap as ``namespace/name``, and its server blocks."""

    where: str
    blocks: tuple[corefile.ServerBlock, ...]


def service_at(api: Api, nameservers: Collection[str]) -> DnsService | None:
    """Return the Service that has the address of a nameserver of the pods."""
    for item in api.items(paths.ALL_SERVICES) if nameservers else ():
        addresses = item["spec"].get("clusterIPs") or [item["spec"].get("clusterIP", "")]
        if set(addresses) & set(nameservers):
            metadata = item["metadata"]
            return DnsService(
                namespace=metadata["namespace"],
                name=metadata["name"],
                cluster_ips=tuple(addresses),
            )
    return None


def servers(api: Api, service: DnsService) -> tuple[DnsServer, ...]:
    """Return the ready endpoints of the DNS Service, by name."""
    spec = api.get(paths.inside(service.namespace, "services", service.name))["spec"]
    names = {
        port.get("protocol", "TCP").lower(): port.get("name", "")
        for port in spec.get("ports") or ()
        if port["port"] == _PORT
    }
    selector = f"{paths.SERVICE_OF_SLICE}={service.name}"
    slices = api.items(paths.endpoint_slices(service.namespace), labelSelector=selector)
    pods = api.items(paths.pods(service.namespace))
    found = [server for item in slices for server in _of_slice(item, names, pods)]
    return tuple(sorted(found, key=lambda server: (server.pod, server.address)))


def _owner(endpoint: Object, pods: Sequence[Object]) -> Object:
    """Return the pod of an endpoint, empty when it is none of these.

    Where the slice does not name it, its address does, unless that is its node's.
    """
    name = (endpoint.get("targetRef") or {}).get("name")
    address = endpoint["addresses"][0]
    for pod in pods:
        own = () if pod["spec"].get("hostNetwork") else status.pod_ips(pod)
        if pod["metadata"]["name"] == name or (not name and address in own):
            return pod
    return {}


def _of_slice(
    item: Object, names: Mapping[str, str], pods: Sequence[Object]
) -> Iterator[DnsServer]:
    ports = {
        port.get("protocol", "TCP").lower(): port["port"]
        for port in item.get("ports") or ()
        if names.get(port.get("protocol", "TCP").lower()) == (port.get("name") or "")
    }
    for endpoint in item.get("endpoints") or ():
        if not status.is_endpoint_ready(endpoint):
            continue
        pod, address = _owner(endpoint, pods), endpoint["addresses"][0]
        yield DnsServer(
            pod=pod.get("metadata", {}).get("name", ""),
            node=endpoint.get("nodeName") or pod.get("spec", {}).get("nodeName", ""),
            address=address,
            ports=ports,
            ips=status.pod_ips(pod) or (address,),
        )


def configuration(api: Api, service: DnsService) -> Configuration | None:
    """Return the configuration of the CoreDNS behind a Service; None when it is none we may see.

    Raises:
        CorefileError: CoreDNS would not start with it; says where it stands.
    """
    pods = {pod["metadata"]["name"]: pod for pod in api.items(paths.pods(service.namespace))}
    for server in servers(api, service):
        found = _of_pod(api, pods[server.pod]) if server.pod in pods else None
        if found:
            return found
    return None


def _of_pod(api: Api, pod: Object) -> Configuration | None:
    namespace = pod["metadata"]["namespace"]
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    for container in pod["spec"].get("containers") or ():
        files, maps = {}, {}
        for mount in container.get("volumeMounts") or ():
            for source in config_maps(volumes.get(mount["name"], {})):
                for path, text in _files(api, namespace, source, mount).items():
                    files[path], maps[path] = text, f"{namespace}/{source['name']}"
        main = _main_file(container, files)
        if main:
            blocks = _parsed(files, main, maps[main], _environment(container))
            return Configuration(where=maps[main], blocks=blocks)
    return None


def _parsed(
    files: Mapping[str, str], main: str, where: str, environment: Mapping[str, str]
) -> tuple[corefile.ServerBlock, ...]:
    try:
        return corefile.parse(files[main], file=main, files=files, environment=environment)
    except corefile.CorefileError as error:
        raise corefile.CorefileError(f"ConfigMap {where}, {error}") from None


def _files(api: Api, namespace: str, source: Object, mount: Object) -> dict[str, str]:
    """Return the files that a ConfigMap puts into a container, by path."""
    try:
        data = (api.find(paths.config_map(namespace, source["name"])) or {}).get("data") or {}
    except ApiError:
        return {}
    items = source.get("items") or [{"key": key, "path": key} for key in data]
    named = {item["path"]: data[item["key"]] for item in items if item["key"] in data}
    inside, base = mount.get("subPath", ""), mount["mountPath"]
    if inside:
        return {base: named[inside]} if inside in named else {}
    return {posixpath.join(base, path): text for path, text in named.items()}


def _main_file(container: Object, files: Mapping[str, str]) -> str:
    """Return the file that CoreDNS' ``-conf`` names, or the only one called Corefile."""
    arguments = [*(container.get("command") or ()), *(container.get("args") or ())]
    for place, argument in enumerate(arguments):
        flag, _, value = argument.lstrip("-").partition("=")
        path = value or "".join(arguments[place + 1 : place + 2])
        if argument.startswith("-") and flag == "conf" and path in files:
            return str(path)
    named = [path for path in files if posixpath.basename(path) == "Corefile"]
    return named[0] if len(named) == 1 else ""


def _environment(container: Object) -> dict[str, str]:
    """Return the variables whose values stand in the pod; those from elsewhere are not known."""
    variables: list[dict[str, Any]] = container.get("env") or []
    return {
        entry["name"]: entry.get("value", "") for entry in variables if "valueFrom" not in entry
    }
