"""What the site adds to mkdocs: every page is in the menu; sources are named, not linked."""

from __future__ import annotations

import posixpath
import re
from typing import Any

_LINK = re.compile(r"\[([^\]]+)\]\(([^)#:]+)(#[^)]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the catalogue, and pages that nobody put into the menu, to its end."""
    listed = set(_paths(config.nav))
    pages = sorted(file.src_uri for file in files.documentation_pages())
    catalogue = [page for page in pages if page.startswith("catalogue/")]
    catalogue.sort(key=lambda page: (page != "catalogue/index.md", page))
    others = [page for page in pages if page not in listed and page not in catalogue]
    config.nav.append({"Catalogue": catalogue})
    if others:
        config.nav.append({"More": others})
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Replace a link to a file that is not part of the site by the file's name."""

    def name(match: re.Match[str]) -> str:
        text, target = match[1], match[2]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page.file.src_uri), target))
        if not path.startswith("../"):
            return match[0]
        path = path.removeprefix("../")
        return f"`{path}`" if text in (path, posixpath.basename(path)) else f"{text} (`{path}`)"

    return _LINK.sub(name, markdown)


def _paths(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    entries = nav.values() if isinstance(nav, dict) else nav
    return [path for entry in entries for path in _paths(entry)]
