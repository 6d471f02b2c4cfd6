"""What checks share: the types of what they are given, and in the modules beside, helpers."""

from pytest_ipv6k8s.external.model import Role, Target
from pytest_ipv6k8s.external.view import ExternalTargets
from pytest_ipv6k8s.kube.client import Outcome
from pytest_ipv6k8s.kube.view import ClusterView
from pytest_ipv6k8s.netpol.sandbox import PolicySandbox
from pytest_ipv6k8s.probe.probes import Probe, Probes
from pytest_ipv6k8s.probe.services import Service, Services

__all__ = [
    "ClusterView",
    "ExternalTargets",
    "Outcome",
    "PolicySandbox",
    "Probe",
    "Probes",
    "Role",
    "Service",
    "Services",
    "Target",
]
