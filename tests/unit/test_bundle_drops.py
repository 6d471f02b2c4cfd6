"""Packets that the CNI dropped are heard of while questions are asked again."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from pytest_ipv6k8s.bundle import nodes

SAID = "xx drop (Policy denied)\n"


def test_questions_are_asked_for_as_long_as_the_cni_is_listened_to() -> None:
    asked: list[str] = []
    enough = threading.Event()

    def ask() -> None:
        asked.append("again")
        if len(asked) == 2:
            enough.set()

    def shell(script: str, timeout: float) -> Mapping[str, str]:
        assert enough.wait(timeout)
        return {"a": SAID}

    (file,) = nodes.drops(shell, ask)

    assert (file.text, asked) == (SAID, ["again", "again"])
