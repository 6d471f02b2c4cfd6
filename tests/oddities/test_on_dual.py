"""Oddities of a dual-stack cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oddities.conftest import Healthy
from tests.oddities.oddity import Oddity, expect_same
from tests.oddities.slices import EVERYWHERE, chosen

pytestmark = pytest.mark.real_cluster


@pytest.mark.parametrize("oddity", chosen(EVERYWHERE, "dual"), ids=lambda oddity: oddity.name)
def test_no_verdict_changes(oddity: Oddity, healthy_dual: Healthy, tmp_path: Path) -> None:
    expect_same(oddity, healthy_dual.cluster, healthy_dual.usual, tmp_path)
