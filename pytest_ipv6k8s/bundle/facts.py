"""Which values of settings are facts of a network: those are kept, and no others."""

from __future__ import annotations

import ipaddress
import re

from pytest_ipv6k8s.masking import REDACTED
from pytest_ipv6k8s.masking.names import is_secret_name, words

_SHAPE = re.compile(
    r"-?\d+(?:\.\d+)?(?:ns|us|ms|s|m|h|[KMG]i?|%)?|v?\d+(?:\.\d+)+(?:[+-][\w.]+)?"
    r"|true|false|null|none|yes|no|on|off"
    r"|/[\w.-]+(?:/[\w.-]+)*/?"  # paths
    r"|__\w+__|\$\(\w+\)",  # filled in elsewhere
    re.IGNORECASE,
)
_WORDS = words(
    """
    ipv4 ipv6 dual dual-stack vxlan geneve native tunnel bgp ipip strict disabled enabled
    always never auto cluster-pool kubernetes crd iptables nftables ipvs ebpf bpf veth
    netkit snat dsr hybrid host-local host-gw calico flannel cilium antrea canal ovn multus
    portmap bridge loopback bandwidth tuning wireguard ipsec udp tcp sctp rr wrr sh lc
    cluster local clusterfirst default info debug warning warn error first-found
    kubernetes-internal-ip encap noencap vlan macvlan ipvlan l3 l2 static dhcp
    delegated-ipv6 eni azure slurm crossubnet crosssubnet inclusive
    """
)
_NAMES = re.compile(
    r"(?:^|[^a-z])(?:cidrs?|range|subnets?|network|pool|mode|type|name|version|devices?|interfaces?"
    r"|iface|mtu|zone|domain|image|kind|apiversion|backend|plugins?|level|gateway|hosts?|ports?|dns"
    r"|bind|address|addresses|ip[46s]?|families|family|protocol|scheduler|strategy|gates?|method|enable\w*"
    r"|routing|masquerade|selector|policy|feature\w*|ipam|cni)$",
)


def kept(name: str, value: str) -> str:
    """Return a value, or what stands for it where it is not known to be harmless.

    Args:
        name: what it is called: a variable, a flag or a key.
        value: booleans, numbers, addresses, paths and words of the trade are facts under every
            name that is not secret; other values under the names of a network's settings.
    """
    if is_secret_name(name):
        return REDACTED
    harmless = all(map(_is_fact, re.split(r"[,\s]+", value.strip())))
    return value if harmless or _NAMES.search(_snake(name)) else REDACTED


def kept_argument(word: str) -> str:
    """Return an argument of a container, with its value where that is known to be harmless."""
    name, equals, value = word.partition("=")
    if not word.startswith("-"):
        return word if _is_fact(word) else REDACTED
    return f"{name}={kept(name, value)}" if equals else word


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_").strip("_")


def _is_fact(text: str) -> bool:
    return not text or bool(_SHAPE.fullmatch(text)) or text.lower() in _WORDS or _is_address(text)


def _is_address(text: str) -> bool:
    host = re.sub(r"^(?:\w+://)?\[([0-9a-fA-F:.]+)\](?::\d+)?$|^([\d.]+):\d+$", r"\1\2", text)
    try:
        ipaddress.ip_interface(host)
    except ValueError:
        return False
    return True
