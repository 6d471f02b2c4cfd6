"""What the site adds to mkdocs: a menu of all pages; links to sources lead to the repository."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from pytest_ipv6k8s.checks import Area

SOURCES = "https://github.com/pytest-ipv6k8s/pytest-ipv6k8s/blob/main"

_LINK = re.compile(r"\[([^\]]+)\]\(([^)#:]+)(#[^)]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the catalogue, and pages that nobody put into the menu, to its end."""
    listed = set(_paths(config.nav))
    pages = sorted(file.src_uri for file in files.documentation_pages())
    catalogue = [page for page in pages if page.startswith("catalogue/")]
    order = ["index", *map(str.lower, Area.__members__)]
    catalogue.sort(key=lambda page: order.index(posixpath.basename(page).removesuffix(".md")))
    others = [page for page in pages if page not in listed and page not in catalogue]
    config.nav.append({"Catalogue": catalogue})
    if others:
        config.nav.append({"More": others})
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead a link to a file that is not part of the site to the repository."""

    def lead(match: re.Match[str]) -> str:
        path = posixpath.join(posixpath.dirname(page.file.src_uri), match[2])
        inside = posixpath.normpath(path).removeprefix("../")
        if inside == posixpath.normpath(path):
            return match[0]
        return f"[{match[1]}]({SOURCES}/{inside}{match[3] or ''})"

    return _LINK.sub(lead, markdown)


def _paths(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    entries = nav.values() if isinstance(nav, dict) else nav
    return [path for entry in entries for path in _paths(entry)]
