"""The command of a failure, so that it works as it is told after the run, too."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from pytest_ipv6k8s.checks import LOOK_IMAGE

ON_NODE, IN_POD = " (on the node)", " (in a pod)"
"""Notes behind commands that run on the node where a check failed, or in a pod on it."""

_KINDS = {
    "services": ("v1", "Service"),
    "networkpolicies": ("networking.k8s.io/v1", "NetworkPolicy"),
}
_FROM_FILE = re.compile(r"kubectl (create [^;|]*)-f [a-z]+\.yaml")
_KUBECTL = re.compile(r"\bkubectl\b")
_IMAGE = f"--image={LOOK_IMAGE}"
_DEBUG = f"kubectl debug node/{{}} -it {_IMAGE} --profile=sysadmin -- chroot /host sh -c {{}}"
_RUN = f"kubectl run look -it --rm --restart=Never {_IMAGE} --overrides={{}} -- sh -c {{}}"


def manifest(request: Mapping[str, Any]) -> str:
    """Return the object that the API server was asked about, as JSON; empty where it was none."""
    kind = _KINDS.get(str(request.get("path", "")).rpartition("/")[2])
    if kind is None or "spec" not in request:
        return ""
    body = {"apiVersion": kind[0], "kind": kind[1], "metadata": {"name": "look"}}
    return json.dumps({**body, "spec": request["spec"]}, separators=(",", ":"))


def runnable(
    look: str,
    *,
    node: str,
    context: str,
    kubeconfig: str = "",
    address: str = "",
    asked: str = "",
) -> str:
    """Return a command that gets to where it looks.

    Args:
        look: what the check declares; :data:`ON_NODE` or :data:`IN_POD` ends commands that have to
            get there first, and ADDRESS in them is the one that was asked.
        node: on which it failed; empty where that is not known.
        context: of the kubeconfig that was asked for; empty for the current one.
        kubeconfig: the file that was asked for; empty for the usual one.
        address: that was asked there; empty where there is none.
        asked: the manifest that the API server was asked about, which stands in place of a file.
    """
    if asked:
        echo = f"echo {shlex.quote(asked)} | kubectl "
        look = _FROM_FILE.sub(lambda found: f"{echo}{found[1]}-f -", look)
    if address:
        look = look.replace("ADDRESS", address)
    if node and look.endswith(ON_NODE):
        look = _DEBUG.format(node, shlex.quote(look.removesuffix(ON_NODE)))
    elif node and look.endswith(IN_POD):
        there = json.dumps({"spec": {"nodeName": node}}, separators=(",", ":"))
        look = _RUN.format(shlex.quote(there), shlex.quote(look.removesuffix(IN_POD)))
    words = [("--kubeconfig", kubeconfig), ("--context", context)]
    way = "".join(f" {flag} {shlex.quote(value)}" for flag, value in words if value)
    return _KUBECTL.sub(lambda found: found[0] + way, look)
