"""The containers of a K3s cluster on a real engine, from an image that only plays K3s."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters import lifecycle, ownership
from pytest_ipv6k8s.clusters.contract import ClusterSpec
from pytest_ipv6k8s.clusters.providers import k3s
from pytest_ipv6k8s.docker import Docker
from pytest_ipv6k8s.errors import ClusterError
from pytest_ipv6k8s.process import must_run, run
from tests.real import settings_of_environment

pytestmark = pytest.mark.real_cluster
# Python serves where the API server would; `agent` ends where the file /ends is.
PLAYER = """#!/bin/sh
echo "$@"
case "$1" in
server) exec python3 -m http.server --bind :: 6443 ;;
agent) [ -n "$K3S_URL" ] && [ ! -e /ends ] && exec sleep 600
       echo 'level=fatal msg="no place for me"'; exit 1 ;;
kubectl) read name < /etc/hostname; echo "node/$name"
         [ -e /ends ] || echo "node/${name%server}agent-1" ;;
ctr) [ -s /tmp/probe.tar ] ;;
esac
"""
KUBECONFIG = "clusters: [{name: default, cluster: {server: 'https://127.0.0.1:6443'}}]\n"


def _image(folder: Path, *, ends: bool) -> str:
    base = settings_of_environment().cluster.probe_image
    (folder / "k3s").write_text(PLAYER)
    (folder / "k3s").chmod(0o755)
    (folder / "k3s.yaml").write_text(KUBECONFIG)
    lines = [f"FROM {base}", "COPY k3s.yaml /etc/rancher/k3s/", "COPY k3s /bin/"]
    lines += ["COPY k3s /ends"] if ends else []
    (folder / "Dockerfile").write_text("\n".join([*lines, 'ENTRYPOINT ["/bin/k3s"]', ""]))
    tag = f"ipv6k8s-tests/k3s:{'ends' if ends else 'runs'}"
    must_run(["docker", "build", "--quiet", "--tag", tag, folder], timeout=120)
    return tag


@pytest.fixture
def spec() -> Iterator[ClusterSpec]:
    """What is wanted; whatever is left of it is removed, and its images."""
    wanted = ClusterSpec(
        run_id=ownership.new_run_id(), probe_image=settings_of_environment().cluster.probe_image
    )
    yield wanted
    k3s.PROVIDER.delete(f"ipv6k8s-{wanted.run_id}")
    for tag in ("runs", "ends"):
        run(["docker", "image", "rm", "--force", f"ipv6k8s-tests/k3s:{tag}"], timeout=60)


def _with(spec: ClusterSpec, folder: Path, stack: Stack, *, ends: bool = False) -> ClusterSpec:
    if stack is Stack.IPV6 and Docker().api_version() < k3s.IPV6_ONLY_API:
        pytest.skip("the container engine makes no IPv6-only network")
    return replace(spec, stack=stack, node_image=_image(folder, ends=ends))


@pytest.mark.parametrize("stack", Stack)
def test_the_engine_makes_what_is_asked_of_it_and_nothing_is_left(
    spec: ClusterSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: Stack
) -> None:
    monkeypatch.setattr(lifecycle, "make_ready", lambda cluster, spec, progress: None)
    spec = _with(spec, tmp_path, stack)

    cluster = k3s.PROVIDER.create(spec, tmp_path, print)

    names = [f"{cluster.name}-agent-1", f"{cluster.name}-server"]
    assert Docker().containers(spec.run_id) == names
    server = yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    host, _, port = server.removeprefix("https://").rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=10) as reached:
        assert reached.getpeername()[0] in ("::1", "127.0.0.1")

    k3s.PROVIDER.delete(cluster.name)
    k3s.PROVIDER.delete(cluster.name)
    assert Docker().containers(spec.run_id) == []
    assert cluster.name not in Docker().subnets()


def test_an_agent_that_ends_is_named_and_nothing_is_left(spec: ClusterSpec, tmp_path: Path) -> None:
    spec = _with(spec, tmp_path, Stack.DUAL, ends=True)

    with pytest.raises(ClusterError, match=r"agent-1 ended before it joined.*no place for me"):
        k3s.PROVIDER.create(spec, tmp_path, print)

    assert Docker().containers(spec.run_id) == []
    assert f"ipv6k8s-{spec.run_id}" not in Docker().subnets()
