"""A browser shows the HTML report as one page, with every check in it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pytest_ipv6k8s.reports import save
from tests.documents import sample

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_chromium_shows_the_report(tmp_path: Path) -> None:
    page, profile = tmp_path / "report.html", tmp_path / "profile"
    save(sample(), page)

    done = subprocess.run(
        [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    for check in sample().checks:
        assert f'id="{check.id}"' in done.stdout
    assert "Refused to" not in done.stderr
