"""Packet filters in the network namespace of pods that are yet to start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.real import on_node

FOLDER = "/run/ipv6k8s-fault"
# A pod's network namespace is known before its container starts.
FILTER = """
cd /run/containerd/io.containerd.runtime.v2.task/k8s.io
while [ -e {folder}/rules ]; do
  for file in $(grep -l 'sandbox-name":"{pod}' */config.json 2>/dev/null); do
    netns=$(grep -o '/var/run/netns/[^"]*' $file | head -n 1)
    mark={folder}/${{netns##*/}}
    [ -e $mark ] || {{ nsenter --net=$netns nft -f {folder}/rules && touch $mark; }}
  done
  sleep 0.1
done
"""
START = """
mkdir -p {folder}
cat > {folder}/rules <<'END'
table {table} {{ {chain} }}
END
cat > {folder}/filter <<'END'
{filter}
END
setsid sh {folder}/filter >/dev/null 2>&1 </dev/null &
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
    script = START.format(
        folder=FOLDER,
        table=f"{family} ipv6k8s_fault",
        chain=chain,
        filter=FILTER.format(folder=FOLDER, pod=pod),
    )
    for node in nodes:
        on_node(node, script)
    try:
        yield
    finally:
        for node in nodes:
            on_node(node, f"rm -rf {FOLDER}")
