"""Checks that wait for the data plane give up at once here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_ipv6k8s import waiting


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    def poll(ask: Callable[[], Any], holds: Callable[[Any], bool], **_: float) -> Any:
        value = ask()
        return value if holds(value) else ask()

    monkeypatch.setattr(waiting, "poll", poll)
