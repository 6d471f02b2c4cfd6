"""What checks share: the types of what they are given, and in the modules beside, helpers."""

from pytest_ipv6k8s.external.model import Role, Target
from pytest_ipv6k8s.external.view import ExternalTargets
from pytest_ipv6k8s.kube.client import Outcome
from pytest_ipv6k8s.kube.inventory import Node
from pytest_ipv6k8s.kube.texts import AddressText
from pytest_ipv6k8s.kube.view import ClusterView, Pod
from pytest_ipv6k8s.netpol.sandbox import PolicySandbox
from pytest_ipv6k8s.probe.probes import Probe, Probes
from pytest_ipv6k8s.probe.services import Service, Services

__all__ = [
    "AddressText",
    "ClusterView",
    "ExternalTargets",
    "Node",
    "Outcome",
    "Pod",
    "PolicySandbox",
    "Probe",
    "Probes",
    "Role",
    "Service",
    "Services",
    "Target",
]
