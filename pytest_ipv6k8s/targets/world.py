"""The program in the outside container: builds hosts, links, gateways and servers.

It reads nothing and changes nothing but its own container. Python 3.11 and pyroute2 are there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.targets import layout
from pytest_ipv6k8s.targets.layout import Gateway, Host

HOME = Path("/ipv6k8s")
AGENT = [sys.executable, "-I", str(HOME / "agent.pyz")]
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
    print("built")


def _own_addresses(root: Any) -> None:
    (loopback,) = root.link_lookup(ifname="lo")
    addresses = (*layout.DNS64_SERVER, *layout.PLAIN_SERVER, layout.PROXY[0], layout.REGISTRY[0])
    for address in addresses:
        root.addr("add", index=loopback, address=address, prefixlen=128 if ":" in address else 32)


def _build_host(root: Any, host: Host) -> None:
    """Root ns - link with the hop's MTU - router ns - host ns; a plain link where there is none."""
    if host.hop == 1500:
        _link(root, None, host.role, mtu=1500)
    else:
        router = host.role + "-router"
        _link(root, None, router, mtu=host.hop)
        _link_namespaces(router, host.role)
        _in_namespace(router, lambda ns: _towards(ns, host, "down"))
        for name in ("net/ipv6/conf/all/forwarding", "net/ipv4/ip_forward"):
            _in_shell(router, "echo 1 > /proc/sys/%s" % name)
        _in_shell(router, "echo 0 > /proc/sys/net/ipv6/icmp/ratelimit")
    _in_namespace(host.role, lambda ns: _own(ns, host))
    _towards(root, host, _device(host.role if host.hop == 1500 else host.role + "-router"))


def _device(namespace: str) -> str:
    return ("to-" + namespace)[:15]


def _link(root: Any, _: None, namespace: str, *, mtu: int) -> None:
    from pyroute2 import netns

    netns.create(namespace)
    near = _device(namespace)
    root.link("add", ifname=near, kind="veth", peer={"ifname": "up", "net_ns_fd": namespace})
    _set_up(root, near, mtu)
    _in_namespace(namespace, lambda ns: (_set_up(ns, "up", mtu, "fe80::2"), _default(ns)))


def _link_namespaces(router: str, namespace: str) -> None:
    from pyroute2 import netns

    netns.create(namespace)

    def build(ns: Any) -> None:
        ns.link("add", ifname="down", kind="veth", peer={"ifname": "up", "net_ns_fd": namespace})
        _set_up(ns, "down", 1500)

    _in_namespace(router, build)
    _in_namespace(namespace, lambda ns: (_set_up(ns, "up", 1500, "fe80::2"), _default(ns)))


def _in_namespace(namespace: str, act: Any) -> None:
    from pyroute2 import IPRoute

    with IPRoute(netns=namespace) as ns:
        act(ns)


def _in_shell(namespace: str, script: str) -> None:
    subprocess.run(["ip", "netns", "exec", namespace, "sh", "-ec", script], check=True)


def _set_up(ns: Any, name: str, mtu: int, link_local: str = "fe80::1") -> None:
    """Bring a link up; the near end is fe80::1 and 169.254.0.1, the far one fe80::2."""
    (index,) = ns.link_lookup(ifname=name)
    ns.link("set", index=index, mtu=mtu, state="up")
    ns.addr("add", index=index, address=link_local, prefixlen=64, flags=_NODAD)
    if link_local == "fe80::1":
        ns.addr("add", index=index, address="169.254.0.1", prefixlen=32)
    (loopback,) = ns.link_lookup(ifname="lo")
    ns.link("set", index=loopback, state="up")


_NODAD = 0x02


def _default(ns: Any) -> None:
    (index,) = ns.link_lookup(ifname="up")
    ns.route("add", dst="::/0", gateway="fe80::1", oif=index)
    ns.route("add", dst="169.254.0.1/32", oif=index, scope=253)
    ns.route("add", dst="0.0.0.0/0", gateway="169.254.0.1", oif=index, flags=_ONLINK)


_ONLINK = 0x4


def _own(ns: Any, host: Host) -> None:
    (index,) = ns.link_lookup(ifname="up")
    for address in filter(None, (host.ipv6, host.ipv4, host.extra)):
        length = 128 if ":" in address else 32
        ns.addr("add", index=index, address=address, prefixlen=length, flags=_NODAD)


def _towards(ns: Any, host: Host, device: str) -> None:
    (index,) = ns.link_lookup(ifname=device)
    if host.ipv6:
        ns.route("add", dst=host.ipv6 + "/128", gateway="fe80::2", oif=index)
    for address in filter(None, (host.ipv4, host.extra)):
        ns.route("add", dst=address + "/32", oif=index, scope=253)


def _start_gateway(root: Any, gateway: Gateway, number: int) -> None:
    folder = Path("/var/lib/tayga") / gateway.device
    folder.mkdir(parents=True)
    file = folder / "tayga.conf"
    file.write_text(
        "tun-device %s\nipv4-addr %s\nipv6-addr 2001:db8:46:%x::1\nprefix %s\n"
        "dynamic-pool %s\ndata-dir %s\n"
        % (gateway.device, gateway.own_ipv4, number, gateway.prefix, gateway.pool, folder)
    )
    subprocess.run(["tayga", "--config", str(file), "--mktun"], check=True, capture_output=True)
    (index,) = root.link_lookup(ifname=gateway.device)
    root.link("set", index=index, state="up")
    for destination in (gateway.prefix, gateway.pool, "2001:db8:46:%x::1/128" % number):
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
        {"POD_NAME": "outside-" + host.role, "NODE_NAME": "outside"},
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
    _start(["docker-registry", "serve", str(servers / "registry-cache.yaml")])


if __name__ == "__main__":
    started = time.monotonic()
    main()
