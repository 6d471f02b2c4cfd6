"""The catalogue's pages say what the checks do."""

from __future__ import annotations

import pytest

from ci.catalogue_pages import FOLDER, pages
from pytest_ipv6k8s import catalogue

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_make_docs_writes(name: str) -> None:
    file = FOLDER / name
    text = file.read_text("utf-8") if file.exists() else ""
    assert text == PAGES[name], "run `make docs`"


def test_no_page_is_left_of_an_area_that_is_gone() -> None:
    assert {file.name for file in FOLDER.glob("*.md")} == set(PAGES)


def test_every_check_has_a_heading_of_its_own() -> None:
    headings = [line for text in PAGES.values() for line in text.splitlines() if line[:3] == "## "]
    assert sorted(headings) == sorted(f"## {id}" for id in catalogue.checks())
