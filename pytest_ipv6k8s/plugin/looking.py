"""The command of a failure, so that it works as it is told after the run, too."""

from __future__ import annotations

import re
import shlex

_ON_NODE = re.compile(r"(.+) \(on (?:the|both|each|an?)\b[^()]*\bnodes?\b[^()]*\)")
_TOOLS = re.compile(r"(?:ip|ip6tables|iptables|nft|nstat|conntrack|sysctl|bridge|ss)\b")
_KUBECTL = re.compile(r"\bkubectl\b")
_DEBUG = "kubectl debug node/{node} -it --image=busybox --profile=sysadmin -- chroot /host sh -c {}"


def runnable(look: str, *, node: str, context: str) -> str:
    """Return a command that gets to where it looks.

    Args:
        look: what the check declares; a note in brackets says where commands are to be run.
        node: on which it failed; empty where that is not known.
        context: of the kubeconfig that was asked for; empty for the current one.
    """
    found = _ON_NODE.fullmatch(look)
    if found and node and all(_TOOLS.match(part) for part in re.split(r"\s*;\s*", found[1])):
        look = _DEBUG.format(shlex.quote(found[1]), node=node)
    if context:
        look = _KUBECTL.sub(f"kubectl --context {shlex.quote(context)}", look)
    return look
