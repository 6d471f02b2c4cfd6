"""Ways to break a node of a kind cluster, each with its way back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager

from pytest_ipv6k8s.clusters.contract import Cluster
from pytest_ipv6k8s.errors import Ipv6k8sError
from pytest_ipv6k8s.waiting import wait_until
from tests.real import kubectl, on_node

TABLE = "ipv6k8s_fault"
UNFILTER = "nft 'add table {family} {table}; delete table {family} {table}'"
KEEP = """
touch {file}
cat > {file}.sh <<'END'
while [ -e {file} ]; do
  {command}
  sleep 0.05
done
END
setsid sh {file}.sh >/dev/null 2>&1 </dev/null &
"""
KUBELET, FLAGS = "/var/lib/kubelet/config.yaml", "/var/lib/kubelet/kubeadm-flags.env"
MANIFESTS = "/etc/kubernetes/manifests"
CNI_PLUGIN = "ipv6k8s-fault"
CNI_BINARY, CNI_CONFIGURATION = f"/opt/cni/bin/{CNI_PLUGIN}", "/etc/cni/net.d/10-flannel.conflist"
ADMISSION = """
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {{name: ipv6k8s-fault}}
spec:{policy}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {{name: ipv6k8s-fault}}
spec: {{policyName: ipv6k8s-fault}}
"""
CREATED = """
  matchConstraints:
    resourceRules:
    - {{apiGroups: ["{group}"], apiVersions: [v1], operations: [CREATE], resources: [{resource}]}}
  matchConditions:
  - {{name: which, expression: {which}}}
  reinvocationPolicy: Never
  mutations:
  - {{patchType: JSONPatch, jsonPatch: {{expression: {patch}}}}}
"""
LEADER = ("-n", "kube-system", "get", "lease", "kube-controller-manager", "-o")


@contextmanager
def packet_filter(*nodes: str, chain: str, family: str = "ip6") -> Iterator[None]:
    """Filter packets on nodes.

    Args:
        nodes: where.
        chain: what a chain of nft has: its type, hook and priority, and rules.
        family: of nft.
    """
    rules = f"table {family} {TABLE} {{\nchain fault {{\n{chain}\n}}\n}}"
    with ExitStack() as healing:
        for node in nodes:
            healing.callback(on_node, node, UNFILTER.format(family=family, table=TABLE))
            on_node(node, f"nft -f - <<'END'\n{rules}\nEND")
        yield


def errors_dropped(node: str, *, hook: str, types: str) -> AbstractContextManager[None]:
    """Drop ICMPv6 errors on a node.

    Args:
        node: where.
        hook: of nft: output for its own errors, forward for those of its pods.
        types: of the errors, as nft calls them.
    """
    chain = f"type filter hook {hook} priority filter;\nicmpv6 type {{ {types} }} drop"
    return packet_filter(node, chain=chain)


@contextmanager
def sysctl(node: str, name: str, value: int) -> Iterator[None]:
    """Give a kernel parameter of a node's network another value."""
    before = on_node(node, f"sysctl -n {name}").strip()
    with undone(node, f"sysctl -w {name}={value}", f"sysctl -w {name}={before}"):
        yield


@contextmanager
def undone(node: str, do: str, undo: str) -> Iterator[None]:
    """Run a shell script on a node, and another one afterwards, also where the first one failed."""
    try:
        on_node(node, do)
        yield
    finally:
        on_node(node, undo)


@contextmanager
def kept(node: str, command: str, undo: str) -> Iterator[None]:
    """Run a command on a node again and again, for what others put right; undo it afterwards."""
    file = "/run/ipv6k8s-fault-kept"
    script = KEEP.format(file=file, command=command)
    with undone(node, script, f"rm -f {file} {file}.sh; sleep 0.5; {undo}"):
        yield


@contextmanager
def other_kubelet(cluster: Cluster, node: str, change: str, file: str = KUBELET) -> Iterator[None]:
    """Run a node's kubelet with a file that sed changed, and with the old one after.

    Args:
        cluster: the node's.
        node: where.
        change: what sed does.
        file: the kubelet's configuration, or its flags.
    """
    restart = "systemctl restart kubelet"
    do = f"cp {file} {file}.healthy; sed -i '{change}' {file}; {restart}"
    with undone(node, do, f"mv {file}.healthy {file}; {restart}"):
        kubectl(cluster, "wait", "--for=condition=Ready", f"node/{node}", "--timeout=60s")
        yield


@contextmanager
def other_proxy(cluster: Cluster, setting: str, value: str) -> Iterator[None]:
    """Run kube-proxy on every node with a line of its configuration changed, and as before after.

    Args:
        cluster: where.
        setting: the line's key.
        value: what it is meanwhile, as YAML.
    """
    where, key = ("-n", "kube-system", "configmap", "kube-proxy"), r"config\.conf"
    before = kubectl(cluster, "get", *where, "-o", f"jsonpath={{.data.{key}}}")
    changed = re.sub(rf"(?m)^{setting}: .*$", f"{setting}: {value}", before)
    try:
        _load_proxy(cluster, changed)
        yield
    finally:
        _load_proxy(cluster, before)


def _load_proxy(cluster: Cluster, text: str) -> None:
    which = ("-n", "kube-system", "daemonset/kube-proxy")
    patch = json.dumps({"data": {"config.conf": text}})
    where = ("-n", "kube-system", "patch", "configmap", "kube-proxy", "--type=merge")
    kubectl(cluster, *where, "-p", patch)
    kubectl(cluster, "rollout", "restart", *which)
    kubectl(cluster, "rollout", "status", *which, "--timeout=80s")


@contextmanager
def other_controller_manager(cluster: Cluster, change: str) -> Iterator[None]:
    """Run kube-controller-manager with a manifest that sed changed, and with the old one after."""
    node, name = f"{cluster.name}-control-plane", "kube-controller-manager.yaml"
    healthy = f"/etc/kubernetes/{name}"
    copy = f"cp {MANIFESTS}/{name} {healthy}; cp {healthy} {healthy}.broken"
    try:
        on_node(node, f"{copy}; sed -i '{change}' {healthy}.broken")
        with _new_leader(cluster):
            on_node(node, f"mv {healthy}.broken {MANIFESTS}/{name}")
        yield
    finally:
        with _new_leader(cluster):
            on_node(node, f"mv {healthy} {MANIFESTS}/{name}")


@contextmanager
def admission(cluster: Cluster, policy: str, acts: Callable[[], bool]) -> Iterator[None]:
    """Change objects when they are made, until the end.

    Args:
        cluster: where.
        policy: the specification of a MutatingAdmissionPolicy, as YAML.
        acts: tells whether it has taken effect.
    """
    manifest = ADMISSION.format(policy=policy)
    kubectl(cluster, "apply", "-f", "-", stdin=manifest)
    try:
        wait_until("the policy acts", acts, timeout=30, interval=1)
        yield
    finally:
        kubectl(cluster, "delete", "-f", "-", stdin=manifest)
        wait_until("the policy has gone", lambda: not acts(), timeout=30, interval=1)


@contextmanager
def changed_services(
    cluster: Cluster, which: str, patch: str, spec: Mapping[str, object], sign: str
) -> Iterator[None]:
    """Change Services when they are made, until the end.

    Args:
        cluster: where.
        which: of them, in CEL.
        patch: a list of JSONPatch, in CEL.
        spec: of a Service that is changed.
        sign: a pattern of what such a Service, as YAML, says only when it was changed.
    """

    full = {"ports": [{"port": 80}], **spec}
    with _changed(cluster, "v1", "Service", which, patch, full, sign):
        yield


@contextmanager
def changed_policies(
    cluster: Cluster, which: str, patch: str, spec: Mapping[str, object], sign: str
) -> Iterator[None]:
    """Change NetworkPolicies when they are made, see :func:`changed_services`."""
    full = {"podSelector": {"matchLabels": {"app": "none"}}, **spec}
    with _changed(cluster, "networking.k8s.io/v1", "NetworkPolicy", which, patch, full, sign):
        yield


@contextmanager
def all_ipv6_opened(cluster: Cluster, peers: str, cidr: str) -> Iterator[None]:
    """Open all of IPv6 where an egress rule of a NetworkPolicy opens some blocks.

    Args:
        cluster: where.
        peers: of which rules, in CEL, with the list of peers as `{peers}`.
        cidr: a block in such a rule.
    """
    of = "object.spec.egress[0].to"
    which = (
        "object.spec.?egress.orValue([]).size() > 0"
        " && object.spec.egress[0].?to.orValue([]).size() > 0"
        f" && {of}.all(peer, has(peer.ipBlock)) && {peers.format(peers=of)}"
    )
    block = '{"ipBlock": {"cidr": "::/0"}}'
    patch = f'[JSONPatch{{op: "add", path: "/spec/egress/0/to/-", value: {block}}}]'
    spec = {"egress": [{"to": [{"ipBlock": {"cidr": cidr}}]}]}
    with changed_policies(cluster, which, patch, spec, "cidr: ::/0"):
        yield


@contextmanager
def _changed(
    cluster: Cluster,
    version: str,
    kind: str,
    which: str,
    patch: str,
    spec: Mapping[str, object],
    sign: str,
) -> Iterator[None]:
    resource = {"Service": "services", "NetworkPolicy": "networkpolicies"}[kind]
    meta = {"name": "ipv6k8s-fault", "namespace": "default"}
    body = {"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec}
    policy = CREATED.format(
        group=version.rpartition("/")[0],
        resource=resource,
        which=json.dumps(which),
        patch=json.dumps(patch),
    )
    with admission(cluster, policy, lambda: bool(re.search(sign, _made(cluster, body)))):
        yield


def _made(cluster: Cluster, body: Mapping[str, object]) -> str:
    """Return what the API server would make of an object; nothing where it refuses it."""
    words = ("create", "--dry-run=server", "-o", "yaml", "-f", "-")
    try:
        return kubectl(cluster, *words, stdin=json.dumps(body))
    except Ipv6k8sError:
        return ""


@contextmanager
def load_balancer_address(cluster: Cluster, address: str) -> Iterator[None]:
    """Have a Service to whose status somebody wrote an address of a load balancer."""
    name = "ipv6k8s-fault"
    status = json.dumps({"status": {"loadBalancer": {"ingress": [{"ip": address}]}}})
    try:
        kubectl(cluster, "create", "service", "loadbalancer", name, "--tcp=80")
        kubectl(cluster, "patch", "service", name, "--subresource=status", "-p", status)
        yield
    finally:
        kubectl(cluster, "delete", "service", name, "--ignore-not-found")


@contextmanager
def _new_leader(cluster: Cluster) -> Iterator[None]:
    """Wait at the end until another controller manager leads."""

    def leader() -> str:
        return kubectl(cluster, *LEADER, "jsonpath={.spec.holderIdentity}")

    before = leader()
    yield
    wait_until("another controller manager leads", lambda: leader() != before, timeout=90)


@contextmanager
def failing_cni(node: str) -> Iterator[None]:
    """Let the CNI of a node fail for each pod that is to start there."""
    change = f'/"plugins": \\[/ s/\\[/[{{"type": "{CNI_PLUGIN}"}}, /'
    do = f"""
cat > {CNI_BINARY} <<'END'
#!/bin/sh
[ "$CNI_COMMAND" = ADD ] || exit 0
echo '{{"cniVersion": "0.4.0", "code": 999, "msg": "the daemon does not answer"}}'
exit 1
END
chmod +x {CNI_BINARY}
sed '{change}' {CNI_CONFIGURATION} > /run/{CNI_PLUGIN}
cp {CNI_CONFIGURATION} {CNI_CONFIGURATION}.healthy
mv /run/{CNI_PLUGIN} {CNI_CONFIGURATION}
"""
    undo = f"mv {CNI_CONFIGURATION}.healthy {CNI_CONFIGURATION}; rm -f {CNI_BINARY}"
    with undone(node, do, undo):
        yield
