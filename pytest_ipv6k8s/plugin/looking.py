"""The command of a failure, so that it works as it is told after the run, too."""

from __future__ import annotations

import json
import re
import shlex

from pytest_ipv6k8s.checks import LOOK_IMAGE

ON_NODE, IN_POD = " (on the node)", " (in a pod)"
"""Notes behind commands that run on the node where a check failed, or in a pod on it."""

_KUBECTL = re.compile(r"\bkubectl\b")
_IMAGE = f"--image={LOOK_IMAGE}"
_DEBUG = f"kubectl debug node/{{}} -it {_IMAGE} --profile=sysadmin -- chroot /host sh -c {{}}"
_RUN = f"kubectl run look -it --rm --restart=Never {_IMAGE} --overrides={{}} -- sh -c {{}}"


def runnable(look: str, *, node: str, context: str, address: str = "") -> str:
    """Return a command that gets to where it looks.

    Args:
        look: what the check declares; :data:`ON_NODE` or :data:`IN_POD` ends commands that have to
            get there first, and ADDRESS in them is the one that was asked.
        node: on which it failed; empty where that is not known.
        context: of the kubeconfig that was asked for; empty for the current one.
        address: that was asked there; empty where there is none.
    """
    if address:
        look = look.replace("ADDRESS", address)
    if node and look.endswith(ON_NODE):
        look = _DEBUG.format(node, shlex.quote(look.removesuffix(ON_NODE)))
    elif node and look.endswith(IN_POD):
        there = json.dumps({"spec": {"nodeName": node}}, separators=(",", ":"))
        look = _RUN.format(shlex.quote(there), shlex.quote(look.removesuffix(IN_POD)))
    if context:
        look = _KUBECTL.sub(f"kubectl --context {shlex.quote(context)}", look)
    return look
