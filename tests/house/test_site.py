"""The documentation as a site: it builds without a warning, is whole, and calls nobody."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT

FETCHED = re.compile(
    r"<(?:script|img|iframe|source)[^>]*\ssrc=\"?(?:https?:)?//"
    r"|<link[^>]*rel=\"?(?:stylesheet|preload|icon|preconnect)[^>]*href=\"?(?:https?:)?//"
    r"|@import\s|url\((?:https?:)?//"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from the pages as they are."""
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    words = ["-m", "mkdocs", "build", "--quiet", "--config-file", "ci/docs/mkdocs.yml"]
    done = subprocess.run(
        [sys.executable, *words, "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return folder


def test_every_page_is_in_the_site_and_in_its_menu(site: Path) -> None:
    menu = (site / "index.html").read_text("utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix(".html")
        assert (site / name).is_file()
        assert f'href="{name.as_posix()}"' in menu, name


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for file in site.rglob("*"):
        if file.suffix in (".html", ".css"):
            found = FETCHED.search(file.read_text("utf-8"))
            assert found is None, f"{file.name}: {found}"
