"""What is asked of nodes that we made: one shell script, and its answer in files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait

from pytest_ipv6k8s.bundle.gathering import File, Keep

Shell = Callable[[str, float], Mapping[str, str]]
"""Runs a script on every node, in so many seconds, and returns each node's output."""

_MARK = "\x1e"
_STATE = {
    "ip-addr": "ip addr",
    "ip-6-route": "ip -6 route show table all",
    "ip-6-rule": "ip -6 rule",
    "ip-4-route": "ip -4 route show table all",
    "ip-neigh": "ip neigh",
    "ip-link": "ip -s link",
    "ip6tables-save": "ip6tables-save -c",
    "iptables-save": "iptables-save -c",
    "nft-ruleset": "nft list ruleset",
    "conntrack": "conntrack -S; conntrack -C; conntrack -L -f ipv6 | head -n 500",
    "counters": "cat /proc/net/snmp6 /proc/net/sockstat6",
    "sysctl": "sysctl -a -r 'net.ipv6.conf.(all|default|eth0)[.]|ip_forward|netfilter|bridge[.]|"
    "net.ipv6.(route|neigh.default|icmp|bindv6only)'",
    "resolv.conf": "cat /etc/resolv.conf",
    "cni.d": "head -n 200 /etc/cni/net.d/*.conf*",
}
_LOGS = {
    "kubelet.log": "journalctl -u kubelet --no-pager -n 300",
    "containerd.log": "journalctl -u containerd --no-pager -n 200",
    "kernel.log": "dmesg | tail -n 100",
}
_POD_LOGS = {"pods.log": "tail -n 200 /var/log/pods/kube-system_*/*/*.log"}

_LISTENING = 6
_HINT = "Press Ctrl-C to quit\n"
_DROPS = f"""exec 2>&1
ctr="ctr --namespace k8s.io"
for agent in $($ctr containers ls -q 'labels."io.kubernetes.container.name"==cilium-agent'); do
  $ctr tasks ls | grep -q "^$agent .*RUNNING" || continue
  $ctr tasks exec --exec-id "ipv6k8s-$$" "$agent" \\
    timeout {_LISTENING} cilium-dbg monitor --type drop --type policy-verdict
done
true
"""


def drops(shell: Shell, ask: Callable[[], object]) -> Iterable[File]:
    """Yield what the CNI of every node says of packets that it drops, for some seconds.

    It is asked for as long: an agent on a busy node takes seconds until it listens.

    Cilium's agent is listened to where there is one; other CNIs keep no such account.

    Args:
        shell: runs a script on the nodes.
        ask: sends packets that may be dropped.

    Raises:
        Ipv6k8sError: the nodes cannot be asked.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        listening = pool.submit(shell, _DROPS, _LISTENING + 4.0)
        while wait([listening], timeout=0.5).not_done:
            ask()
    for node, output in listening.result().items():
        text = output.replace(_HINT, "")
        if output:
            nothing = f"no packet was dropped within {_LISTENING} s\n"
            yield File(name=f"cni-drops/{node}.txt", text=text or nothing)


def read(shell: Shell, *, timeout: float, pod_logs: bool = False) -> Iterable[File]:
    """Yield the state of every node.

    Args:
        shell: runs a script on the nodes.
        timeout: seconds.
        pod_logs: whether to read pods' logs from the disk, for want of an API server.

    Raises:
        Ipv6k8sError: the nodes cannot be asked.
    """
    commands = {**_STATE, **_LOGS, **(_POD_LOGS if pod_logs else {})}
    parts = [f"printf '{_MARK}%s\\n' {name}; {line}" for name, line in commands.items()]
    script = "exec 2>&1\n" + "\n".join(parts)
    for node, output in shell(script, timeout).items():
        before, *rest = output.split(_MARK)
        if before:
            yield File(name=f"nodes/{node}/said.txt", text=before)
        for part in rest:
            name, _, text = part.partition("\n")
            keep = Keep.END if name.endswith(".log") else Keep.BEGINNING
            yield File(name=f"nodes/{node}/{name}.txt", text=text, keep=keep)
