"""The option table: every name, default and way to read a value."""

from __future__ import annotations

import difflib
import enum
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.addresses import Egress, Stack
from pytest_ipv6k8s.profiles import PROFILES

IMPLEMENTATION = ("organization", "project", "version", "contact", "url")


class Allow(enum.Enum):
    """What a run may do on a cluster that it did not make."""

    PRIVILEGED = "privileged"
    CLUSTER_SCOPE = "cluster-scope"
    DISRUPTIVE = "disruptive"


class External(enum.Enum):
    """Where external targets come from: a declaration or else the testbed, the testbed, nowhere."""

    AUTO = "auto"
    TESTBED = "testbed"
    NONE = "none"


class Dns64(enum.Enum):
    """Who synthesises AAAA records: the testbed's resolver, or the cluster's own CoreDNS."""

    RESOLVER = "resolver"
    COREDNS = "coredns"


class KubeProxy(enum.Enum):
    """The mode of kube-proxy in a cluster that is made; none leaves Services to the CNI."""

    IPTABLES = "iptables"
    NFTABLES = "nftables"
    NONE = "none"


class K3sComponent(enum.Enum):
    """What K3s brings besides a cluster, and can leave out."""

    SERVICELB = "servicelb"
    TRAEFIK = "traefik"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A check whose red verdict the operator accepts, and why; shown in every report."""

    id: str
    reason: str

    def __str__(self) -> str:
        return f"{self.id}={self.reason}"


@dataclass(frozen=True, slots=True)
class Option:
    """One option: on the command line, in the environment and in the ini file.

    Attributes:
        name: as on the command line, without the prefix.
        parse: turns one text into a value; a ValueError's text is shown.
        help: one sentence.
        metavar: what ``--help`` shows for the value; empty for a flag.
        default: the value when nobody says anything; a tuple for a repeatable option.
        separator: parts the values of a repeatable option in the environment.
    """

    name: str
    parse: Callable[[str], Any]
    help: str
    metavar: str = ""
    default: Any = None
    separator: str = ","

    @property
    def flag(self) -> str:
        """The option on the command line."""
        return f"--ipv6k8s-{self.name}"

    @property
    def ini(self) -> str:
        """The name in the ini file, and of the field in argparse."""
        return f"ipv6k8s_{self.field}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return self.ini.upper()

    @property
    def field(self) -> str:
        """The attribute of :class:`Settings`."""
        return self.name.replace("-", "_")

    @property
    def is_flag(self) -> bool:
        """Whether it takes no value on the command line."""
        return not self.metavar

    @property
    def repeats(self) -> bool:
        """Whether it may be given more than once."""
        return isinstance(self.default, tuple)


def _one_of(text: str, values: Collection[str]) -> str:
    if text not in values:
        close = difflib.get_close_matches(text, values, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ValueError(f"{text!r} is none of {', '.join(values)}{hint}")
    return text


def _choice(kind: type[enum.Enum]) -> Callable[[str], enum.Enum]:
    def parse(text: str) -> enum.Enum:
        return kind(_one_of(text, [member.value for member in kind]))

    return parse


def _profile(text: str) -> str:
    return _one_of(text, list(PROFILES))


def _style(text: str) -> Egress:
    if text == Egress.GATEWAY.value:
        raise ValueError("an egress gateway can be declared, not made")
    return Egress(_choice(Egress)(text))


def _positive(kind: Callable[[str], float]) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a number") from None
        if not 0 < value < 10_000:
            raise ValueError(f"{text} is not above 0 and below 10000")
        return value

    return parse


def _waiver(text: str) -> Waiver:
    id, equals, reason = text.partition("=")
    if not (id and equals and reason.strip()):
        raise ValueError(f"{text!r} is not of the form ID=reason")
    return Waiver(id=id.strip().upper(), reason=reason.strip())


def _path(text: str) -> Path:
    if not text:
        raise ValueError("is empty")
    return Path(text).expanduser()


def _report_path(text: str) -> Path:
    path = _path(text)
    if not path.absolute().parent.is_dir():
        raise ValueError(f"the folder of {text!r} does not exist")
    return path


def _target(text: str) -> tuple[str, str, int]:
    role, equals, where = text.partition("=")
    address, colon, port = where.rpartition(":")
    if not (role and equals and colon and port.isdecimal()):
        raise ValueError(f"{text!r} is not of the form ROLE=ADDRESS:PORT")
    if ":" in address and not (address.startswith("[") and address.endswith("]")):
        raise ValueError(f"an IPv6 address stands in brackets: {role}=[{address}]:{port}")
    return role, address.strip("[]"), int(port)


def _fact(text: str) -> tuple[str, str]:
    key, value = _label(text)
    return _one_of(key, IMPLEMENTATION), value


def _folder(text: str) -> Path:
    path = _path(text)
    there = next(at for at in (path.absolute(), *path.absolute().parents) if at.exists())
    if not there.is_dir():
        raise ValueError(f"{there} is no folder")
    if not os.access(there, os.W_OK):
        raise ValueError(f"{there} cannot be written")
    return path


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise ValueError(f"{text!r} is not of the form KEY=VALUE")
    return key, value


def _toleration(text: str) -> dict[str, str]:
    key_value, _, effect = text.partition(":")
    key, equals, value = key_value.partition("=")
    toleration = {"key": key, "operator": "Equal" if equals else "Exists"}
    if equals:
        toleration["value"] = value
    if effect not in ("", "NoSchedule", "NoExecute", "PreferNoSchedule"):
        raise ValueError(f"{effect!r} is none of NoSchedule, NoExecute, PreferNoSchedule")
    return {**toleration, "effect": effect} if effect else toleration


def _yes(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in ("1", "true", "yes", "on"):
        return True
    if lowered in ("", "0", "false", "no", "off"):
        return False
    raise ValueError(f"{text!r} is neither true nor false")


OPTIONS = (
    Option("kubeconfig", _path, "Test the cluster of this kubeconfig.", "FILE"),
    Option("context", str, "The kubeconfig's context to use (its current one).", "NAME"),
    Option("provider", str, "Who makes or finds the cluster: kind, k3s, existing.", "NAME"),
    Option(
        "stack",
        _choice(Stack),
        "Families of the cluster, first one first: ipv6, ipv4, dual, dual-ipv6 "
        "(made: ipv6; existing: inferred, and when given a declaration to be kept).",
        "STACK",
    ),
    Option("workers", _positive(int), "Worker nodes of a cluster that is made (1).", "N", 1),
    Option(
        "cni",
        str,
        "Who installs the network of a cluster that is made: default (the provider's own), "
        "cilium, none.",
        "NAME",
        "default",
    ),
    Option(
        "cni-command",
        str,
        "With --ipv6k8s-cni none: a shell command that installs the network; it finds KUBECONFIG.",
        "COMMAND",
    ),
    Option(
        "cni-chart",
        str,
        "Helm chart of the CNI: a path, or a reference such as oci://... (the maker's, pinned).",
        "CHART",
    ),
    Option(
        "cni-values",
        str,
        "More Helm values for the CNI, on top of ours: a file, or tunnel (Cilium over VXLAN).",
        "FILE",
        (),
    ),
    Option(
        "kube-proxy",
        _choice(KubeProxy),
        "Mode of kube-proxy in a cluster that is made: iptables, nftables, none "
        "(the provider's own).",
        "MODE",
    ),
    Option("pod-cidr", str, "Pod range of a cluster that is made, one a family.", "CIDR", ()),
    Option("service-cidr", str, "Service range of a cluster that is made.", "CIDR", ()),
    Option(
        "k3s-disable",
        _choice(K3sComponent),
        "What K3s is to leave out: servicelb, traefik.",
        "NAME",
        (),
    ),
    Option("max-nodes", _positive(int), "At most so many nodes get a probe (10).", "N", 10),
    Option("node-image", str, "Image of the nodes of a cluster that is made.", "IMAGE"),
    Option("probe-image", str, "Image with a Python for the probes.", "IMAGE", "python:3-slim"),
    Option(
        "declaration",
        _path,
        "What the cluster is meant to be, and the targets outside it: ipv6k8s.yaml.",
        "FILE",
    ),
    Option(
        "target",
        _target,
        "A target outside the cluster, on top of the declaration; roles: dual (one for each "
        "family), v6, v4, narrow, narrow-1400, black-hole, rejecter.",
        "ROLE=ADDRESS:PORT",
        (),
    ),
    Option(
        "external",
        _choice(External),
        "Targets outside the cluster: auto (those of the declaration; for a cluster that is made, "
        "the testbed's), testbed, none.",
        "SOURCE",
        External.AUTO,
    ),
    Option("testbed-image", str, "Image of the testbed (built when missing).", "IMAGE"),
    Option(
        "egress",
        _style,
        "How pods' packets look to the testbed: native, masquerade, nptv6, none.",
        "STYLE",
        Egress.MASQUERADE,
    ),
    Option(
        "dns64",
        _choice(Dns64),
        "Who synthesises AAAA records for the testbed: resolver, coredns.",
        "WHO",
        Dns64.RESOLVER,
    ),
    Option("pull-secret", str, "Secret to pull the probe image with, NAMESPACE/NAME.", "SECRET"),
    Option("node-selector", _label, "Only nodes with this label get a probe.", "KEY=VALUE", ()),
    Option("toleration", _toleration, "A taint that probes tolerate.", "KEY[=VALUE][:EFFECT]", ()),
    Option(
        "allow",
        _choice(Allow),
        "What may be done on a cluster that was not made for the run: privileged, "
        "cluster-scope, disruptive.",
        "WHAT",
        (),
    ),
    Option("timeout-factor", _positive(float), "Multiply every deadline by this (1).", "X", 1.0),
    Option("waive", _waiver, "Accept a red check; the reason is shown.", "ID=REASON", (), "\n"),
    Option("strict", _yes, "Skipped core checks make the run fail, too.", "", False),
    Option("keep", _yes, "Keep the cluster that was made, and say how to use it.", "", False),
    Option(
        "profile",
        _profile,
        "Only the checks of this profile run and are judged: ipv6-only, dual-stack, "
        "egress-nat66, nat64, network-policy, load-balancer, hardening, lifecycle "
        "(all that suit the stack).",
        "NAME",
        (),
    ),
    Option(
        "report",
        _report_path,
        "Write the report to a .yaml, .json, .html or .md file.",
        "FILE",
        (),
    ),
    Option(
        "implementation",
        _fact,
        "Who publishes the report, and about what; keys: organization, project, version, "
        "contact, url.",
        "KEY=VALUE",
        (),
        "\n",
    ),
    Option(
        "redact",
        _yes,
        "Reports have pseudonyms for addresses and names, such as ipv6-ula-3.",
        "",
        False,
    ),
    Option("evidence", _positive(int), "Answers that a report keeps of an item (10).", "N", 10),
    Option(
        "bundle",
        _folder,
        "Leave an archive in this folder for each check that fails or is inconclusive.",
        "FOLDER",
    ),
)
