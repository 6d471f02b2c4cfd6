"""Changes in the network namespace of pods that are yet to start, packet filters among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.real import on_node

FOLDER = "/run/ipv6k8s-fault"
# A pod's network namespace is known before its container starts.
CHANGE = """
cd /run/containerd/io.containerd.runtime.v2.task/k8s.io
while [ -e {folder}/change ]; do
  for file in $(grep -l 'sandbox-name":"{pod}' */config.json 2>/dev/null); do
    netns=$(grep -o '/var/run/netns/[^"]*' $file | head -n 1)
    mark={folder}/${{netns##*/}}
    [ -e $mark ] || {{ nsenter --net=$netns sh -e {folder}/change && touch $mark; }}
  done
  sleep 0.1
done
"""
START = """
mkdir -p {folder}
cat > {folder}/change <<'END'
{change}
END
cat > {folder}/each <<'END'
{each}
END
setsid sh {folder}/each >/dev/null 2>&1 </dev/null &
"""


@contextmanager
def filtered_pods(nodes: Sequence[str], pod: str, *, family: str, chain: str) -> Iterator[None]:
    """Filter in the pods that start on some nodes; the filter goes with the pods.

    Args:
        nodes: where.
        pod: how their names begin, for grep.
        family: of nft: inet, ip6.
        chain: of nft.
    """
    rules = f"table {family} ipv6k8s_fault {{ {chain} }}"
    with changed_pods(nodes, pod, f"nft -f - <<'RULES'\n{rules}\nRULES"):
        yield


@contextmanager
def changed_pods(nodes: Sequence[str], pod: str, change: str) -> Iterator[None]:
    """Change the network of the pods that start on some nodes; the change goes with the pods.

    Args:
        nodes: where.
        pod: how their names begin, for grep.
        change: a shell script, run in the network namespace of each of them.
    """
    each = CHANGE.format(folder=FOLDER, pod=pod)
    script = START.format(folder=FOLDER, change=change, each=each)
    try:
        for node in nodes:
            on_node(node, script)
        yield
    finally:
        for node in nodes:
            on_node(node, f"rm -rf {FOLDER}")
