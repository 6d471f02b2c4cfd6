"""The command of a failure gets to the cluster and to the node that it is about."""

from __future__ import annotations

import shlex

import pytest

from pytest_ipv6k8s.plugin.looking import runnable

NODE_LOOK = "nft list ruleset; nstat -az 'Ip6Reasm*' (on the asking pod's node)"


def test_commands_of_a_node_go_through_kubectl_debug() -> None:
    words = shlex.split(runnable(NODE_LOOK, node="n1", context="prod"))

    assert words[:5] == ["kubectl", "--context", "prod", "debug", "node/n1"]
    assert words[-3:] == ["sh", "-c", "nft list ruleset; nstat -az 'Ip6Reasm*'"]


@pytest.mark.parametrize(
    "look",
    [
        "ip -4 route (in a pod)",
        "kubectl describe pod; the CNI agent's log on the pod's node",
        "bridge -d link; the CNI configuration in /etc/cni/net.d (on the pod's node)",
    ],
)
def test_what_is_no_command_of_a_node_stays(look: str) -> None:
    assert runnable(look, node="n1", context="") == look


def test_without_a_node_nothing_is_guessed() -> None:
    assert runnable(NODE_LOOK, node="", context="") == NODE_LOOK


def test_every_kubectl_has_the_context_that_was_given() -> None:
    look = "kubectl get nodes; kubectl get pods -A"

    assert runnable(look, node="", context="a b").count("kubectl --context 'a b' get") == 2
