"""Which oddities are tried: all, or a few that a word chooses, by default the commit's hash."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Sequence

from tests.oddities import admission, dns, network, nodes
from tests.oddities.oddity import Oddity
from tests.real import ROOT

AT_ONCE = 2
"""How many of a slice are tried on each stack."""
EVERYWHERE = [*nodes.ODDITIES, *admission.ODDITIES, *network.ODDITIES, *dns.ODDITIES]


def chosen(oddities: Sequence[Oddity], stack: str) -> list[Oddity]:
    """Return those that SLICE in the environment chooses for a stack."""
    word = os.environ.get("SLICE") or _commit()
    if word == "all":
        return list(oddities)
    return sorted(oddities, key=lambda oddity: _place(word, stack, oddity.name))[:AT_ONCE]


def _place(*words: str) -> bytes:
    return hashlib.sha256(" ".join(words).encode()).digest()


def _commit() -> str:
    asked = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
