"""The command of a failure gets to the cluster and to the node that it is about."""

from __future__ import annotations

import json
import shlex

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.plugin.looking import IN_POD, ON_NODE, manifest, runnable

NODE_LOOK = f"nft list ruleset; nstat -az 'Ip6Reasm*'{ON_NODE}"
POD_LOOK = f"ip -6 route get ADDRESS{IN_POD}"


def test_commands_of_a_node_go_through_kubectl_debug() -> None:
    words = shlex.split(runnable(NODE_LOOK, node="n1", context="prod"))

    assert words[:5] == ["kubectl", "--context", "prod", "debug", "node/n1"]
    assert words[-3:] == ["sh", "-c", "nft list ruleset; nstat -az 'Ip6Reasm*'"]


def test_commands_in_a_pod_get_one_on_that_node_and_the_address_that_was_asked() -> None:
    words = shlex.split(runnable(POD_LOOK, node="n1", context="", address="2001:db8::1"))

    overrides = next(word for word in words if word.startswith("--overrides="))
    assert words[:2] == ["kubectl", "run"]
    assert json.loads(overrides.removeprefix("--overrides=")) == {"spec": {"nodeName": "n1"}}
    assert words[-3:] == ["sh", "-c", "ip -6 route get 2001:db8::1"]


def test_what_the_api_server_was_asked_stands_in_place_of_a_file() -> None:
    spec = {"ipFamilies": ["IPv6"], "selector": {"app": "it's"}}
    asked = manifest({"path": "/api/v1/namespaces/n/services", "spec": spec})
    look = "kubectl create --dry-run=server -o yaml -f service.yaml; kubectl get nodes"

    words = shlex.split(runnable(look, node="n1", context="prod", asked=asked))

    assert words[0] == "echo"
    assert json.loads(words[1])["spec"] == spec
    assert " ".join(words[2:]) == (
        "| kubectl --context prod create --dry-run=server -o yaml -f -; "
        "kubectl --context prod get nodes"
    )
    assert manifest({"op": "tcp_connect", "address": "::1"}) == ""


def test_without_a_node_nothing_is_guessed() -> None:
    assert runnable(NODE_LOOK, node="", context="") == NODE_LOOK


def test_every_kubectl_has_the_context_that_was_given() -> None:
    look = "kubectl get nodes; kubectl get pods -A"

    assert runnable(look, node="", context="a b").count("kubectl --context 'a b' get") == 2


def test_every_kubectl_has_the_kubeconfig_that_was_given() -> None:
    look = runnable("kubectl get nodes", node="", context="prod", kubeconfig="my file")

    assert look == "kubectl --kubeconfig 'my file' --context prod get nodes"


@pytest.mark.parametrize("id", sorted(catalogue.checks()))
def test_every_check_tells_a_command_that_a_shell_takes(id: str) -> None:
    look = runnable(catalogue.checks()[id].look, node="n1", context="", address="2001:db8::1")

    assert look.startswith("kubectl ")
    assert shlex.split(look)
    assert "(" not in look.replace("$(", "")
