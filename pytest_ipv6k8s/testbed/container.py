"""The program in the testbed's container: builds hosts, links, gateways and servers.

It reads nothing and changes nothing but its own container. Python 3.11 and pyroute2 are there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from pytest_ipv6k8s.testbed import layout
from pytest_ipv6k8s.testbed.layout import Gateway, Host

HOME = Path("/ipv6k8s")
AGENT = [sys.executable, "-I", str(HOME / "agent.pyz")]
_NODAD = 0x02  # IFA_F_NODAD
_LINK_SCOPE = 253  # RT_SCOPE_LINK: no source for what goes further
_ONLINK = 0x4  # RTNH_F_ONLINK


class Ends(NamedTuple):
    """The addresses of the two ends of a link, IPv6 and IPv4."""

    near: tuple[str, str]
    far: tuple[str, str]


_OUTER = Ends(("fe80::1", "169.254.0.1"), ("fe80::2", "169.254.0.2"))
_INNER = Ends(("fe80::3", "169.254.0.3"), ("fe80::4", "169.254.0.4"))
SYSCTLS = {
    "net/ipv6/conf/all/forwarding": "1",
    "net/ipv4/ip_forward": "1",
    "net/ipv6/icmp/ratelimit": "0",
    "net/ipv4/icmp_ratelimit": "0",
}
RULES = f"""
table ip ipv6k8s {{
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    ip saddr 100.64.0.0/16 ip daddr != 100.64.0.0/16 snat to {layout.NAT64_POOL}
  }}
}}
table ip6 ipv6k8s {{
  chain prerouting {{
    type nat hook prerouting priority dstnat;
    ip6 daddr {layout.LOCAL_USE_PREFIX} dnat ip6 prefix to {layout.LOCAL_USE_MAPPED}
  }}
}}
"""


def main() -> None:
    """Build everything, start every server, and say so."""
    plan = json.loads(sys.stdin.read())
    for name, value in SYSCTLS.items():
        (Path("/proc/sys") / name).write_text(value)
    from pyroute2 import IPRoute

    with IPRoute() as root:
        _own_addresses(root)
        for host in layout.HOSTS:
            _build_host(root, host)
        for number, gateway in enumerate(layout.gateways()):
            _start_gateway(root, gateway, number)
        _dead_ends(root)
        for destination, via in plan["routes"].items():
            root.route("replace", dst=destination, gateway=via)
    subprocess.run(["nft", "-f", "-"], input=RULES, text=True, check=True)
    for host in layout.HOSTS:
        _serve(host)
    _start_servers()


def _own_addresses(root: Any) -> None:
    (loopback,) = root.link_lookup(ifname="lo")
    addresses = (*layout.DNS64_SERVER, *layout.PLAIN_SERVER, layout.PROXY[0], layout.REGISTRY[0])
    for address in addresses:
        root.addr("add", index=loopback, address=address, prefixlen=128 if ":" in address else 32)


def _build_host(root: Any, host: Host) -> None:
    """Root ns - host ns; with a narrow hop: root ns - link of that MTU - router ns - host ns."""
    if host.hop == 1500:
        _make_link(root, _OUTER, _device(host.role), host.role, mtu=1500)
    else:
        router = f"{host.role}-router"
        _make_link(root, _OUTER, _device(host.role), router, mtu=host.hop)
        with _in(router) as ns:
            _make_link(ns, _INNER, "down", host.role, mtu=1500)
            _towards(ns, host, _INNER, "down")
        for name, value in SYSCTLS.items():
            _in_shell(router, f"echo {value} > /proc/sys/{name} || true")
    with _in(host.role) as ns:
        _own(ns, host)
    _towards(root, host, _OUTER, _device(host.role))


def _device(role: str) -> str:
    return f"to-{role}"


def _in(namespace: str) -> Any:
    from pyroute2 import IPRoute

    return IPRoute(netns=namespace)


def _in_shell(namespace: str, script: str) -> None:
    subprocess.run(["ip", "netns", "exec", namespace, "sh", "-ec", script], check=True)


def _make_link(near: Any, ends: Ends, device: str, namespace: str, *, mtu: int) -> None:
    """Make a namespace and a link to it; its own end is called up, and leads to everywhere."""
    from pyroute2 import netns

    netns.create(namespace)
    _in_shell(namespace, "echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range")
    # What a host learnt of a path in one check is news again in the next one.
    _in_shell(namespace, "echo 1 > /proc/sys/net/ipv6/route/mtu_expires")
    near.link("add", ifname=device, kind="veth", peer={"ifname": "up", "net_ns_fd": namespace})
    _set_up(near, device, mtu, ends.near)
    with _in(namespace) as far:
        _set_up(far, "up", mtu, ends.far)
        (index,) = far.link_lookup(ifname="up")
        far.route("add", dst="::/0", gateway=ends.near[0], oif=index)
        far.route("add", dst="0.0.0.0/0", gateway=ends.near[1], oif=index, flags=_ONLINK)


def _set_up(ns: Any, name: str, mtu: int, own: tuple[str, str]) -> None:
    (index,) = ns.link_lookup(ifname=name)
    ns.link("set", index=index, mtu=mtu, state="up")
    ns.addr("add", index=index, address=own[0], prefixlen=64, flags=_NODAD)
    ns.addr("add", index=index, address=own[1], prefixlen=32, scope=_LINK_SCOPE)
    (loopback,) = ns.link_lookup(ifname="lo")
    ns.link("set", index=loopback, state="up")


def _own(ns: Any, host: Host) -> None:
    (index,) = ns.link_lookup(ifname="up")
    for address in filter(None, (host.ipv6, host.ipv4, host.extra)):
        length = 128 if ":" in address else 32
        ns.addr("add", index=index, address=address, prefixlen=length, flags=_NODAD)


def _towards(ns: Any, host: Host, ends: Ends, device: str) -> None:
    (index,) = ns.link_lookup(ifname=device)
    if host.ipv6:
        ns.route("add", dst=f"{host.ipv6}/128", gateway=ends.far[0], oif=index)
    for address in filter(None, (host.ipv4, host.extra)):
        ns.route("add", dst=f"{address}/32", gateway=ends.far[1], oif=index, flags=_ONLINK)


def _start_gateway(root: Any, gateway: Gateway, number: int) -> None:
    folder = Path("/var/lib/tayga") / gateway.device
    folder.mkdir(parents=True)
    file = folder / "tayga.conf"
    own_ipv6 = f"2001:db8:46:{number:x}::1"
    file.write_text(
        f"tun-device {gateway.device}\nipv4-addr {gateway.own_ipv4}\nipv6-addr {own_ipv6}\n"
        f"prefix {gateway.prefix}\ndynamic-pool {gateway.pool}\ndata-dir {folder}\n"
    )
    subprocess.run(["tayga", "--config", str(file), "--mktun"], check=True, capture_output=True)
    (index,) = root.link_lookup(ifname=gateway.device)
    root.link("set", index=index, state="up")
    for destination in (gateway.prefix, gateway.pool, f"{own_ipv6}/128"):
        root.route("add", dst=destination, oif=index)
    subprocess.run(["tayga", "--config", str(file)], check=True, capture_output=True)


def _dead_ends(root: Any) -> None:
    for kind, routes in (
        ("blackhole", layout.BLACK_HOLE_ROUTES),
        ("unreachable", layout.REJECTER_ROUTES),
    ):
        for destination in routes:
            root.route("add", dst=destination, type=kind)


def _serve(host: Host) -> None:
    _start(
        ["ip", "netns", "exec", host.role, *AGENT, "serve"],
        {"POD_NAME": "target-" + host.role, "NODE_NAME": "external"},
    )


def _start(command: list[str], environment: dict[str, str] | None = None) -> None:
    log = (HOME / "log").open("a")
    subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        env={**os.environ, **(environment or {})},
    )


def _start_servers() -> None:
    servers = HOME / "servers"
    _start([sys.executable, str(servers / "servfail.py")])
    subprocess.run(["named", "-c", str(servers / "named.conf")], check=True)
    _start(["tinyproxy", "-d", "-c", str(servers / "tinyproxy.conf")])
    exec_in_v4 = ["ip", "netns", "exec", "v4"]
    _start([*exec_in_v4, "docker-registry", "serve", str(servers / "registry.yaml")])
    push = f"{sys.executable} {servers / 'push_image.py'}"
    cache = f"docker-registry serve {servers / 'registry-cache.yaml'}"
    _start(["sh", "-c", f"{push}; exec {cache}"])  # the cache gives up where there is no upstream


if __name__ == "__main__":
    main()
