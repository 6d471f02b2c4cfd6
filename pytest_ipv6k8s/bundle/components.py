"""Which pods are the cluster's network: its DNS, kube-proxy and the CNI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_ipv6k8s.kube import paths
from pytest_ipv6k8s.kube.client import Api, Object
from pytest_ipv6k8s.kube.daemonsets import containers
from pytest_ipv6k8s.kube.inventory import DnsService
from pytest_ipv6k8s.kube.volumes import config_maps

_DNS_PORT = 53


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """Part of the cluster's network: where its pods and its configuration are."""

    namespace: str
    selector: str
    config_maps: tuple[str, ...]


def dns(api: Api, service: DnsService | None) -> Iterator[Component]:
    """Yield what serves the DNS of pods.

    Args:
        api: where the Services are.
        service: the one at the address of the pods' nameserver. Where none has it, or it is not
            known yet, those of kube-system on port 53 are meant: what a cache on the nodes asks.
    """
    namespace = service.namespace if service else paths.KUBE_SYSTEM
    for item in api.items(paths.services(namespace)):
        meant = item["metadata"]["name"] == service.name if service else _serves_dns(item)
        labels = item.get("spec", {}).get("selector")
        if meant and labels:
            selector = _selector(labels)
            pods = api.items(paths.pods(namespace), labelSelector=selector)
            names = (name for pod in pods for name in _mounted(pod["spec"]))
            yield Component(
                namespace=namespace, selector=selector, config_maps=tuple(dict.fromkeys(names))
            )


def on_nodes(api: Api) -> Iterator[Component]:
    """Yield kube-proxy, a cache of DNS on the nodes, and the CNI: whoever puts something below
    /etc/cni or /opt/cni."""
    for daemonset in api.items(paths.ALL_DAEMONSETS):
        meta, spec = daemonset["metadata"], daemonset["spec"]["template"]["spec"]
        if meta["name"] == "kube-proxy" or _is_cni(spec) or _serves_dns_on_nodes(daemonset):
            labels = daemonset["spec"].get("selector", {}).get("matchLabels") or {}
            yield Component(
                namespace=meta["namespace"],
                selector=_selector(labels),
                config_maps=tuple(_mounted(spec)),
            )


def _is_cni(spec: Object) -> bool:
    volumes = spec.get("volumes") or ()
    hosts = [(volume.get("hostPath") or {}).get("path", "") for volume in volumes]
    return any(path.startswith(("/etc/cni", "/opt/cni")) for path in hosts)


def _serves_dns(service: Object) -> bool:
    return any(port.get("port") == _DNS_PORT for port in service.get("spec", {}).get("ports") or ())


def _serves_dns_on_nodes(daemonset: Object) -> bool:
    """Tell it by its port: kubernetes/kubernetes, cluster/addons/dns/nodelocaldns."""
    on_nodes = daemonset["spec"]["template"]["spec"].get("hostNetwork")
    ports = (port for one in containers(daemonset) for port in one.get("ports") or ())
    return bool(on_nodes) and any(port.get("containerPort") == _DNS_PORT for port in ports)


def _mounted(spec: Object) -> Iterator[str]:
    """Yield the names of the ConfigMaps in the volumes of a pod."""
    for volume in spec.get("volumes") or ():
        yield from (source["name"] for source in config_maps(volume))


def _selector(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
