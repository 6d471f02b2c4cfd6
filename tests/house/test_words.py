"""Users read the words of the field, and the project speaks of itself alone."""

from __future__ import annotations

import functools
import re
import subprocess

from tests.house.tree import ROOT

PRIVATE = re.compile(
    r"\b(amiss|in vain|let a world|arenas?|scenes?|hermetic|outside world)\b", re.IGNORECASE
)
READ_BY_USERS = (
    *("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "action.yml"),
    *("docs", "conformance", "fixtures", "pytest_ipv6k8s"),
)
REPORTS_OF_CLUSTERS = "docs/examples/"
NOT_OURS = (  # in two parts, so that this file has none of them
    *("helper" + "-", "sub" + "agent", ".." + "/shared", "/wo" + "rk/", "this " + "session"),
    *("clau" + "de", "anth" + "ropic", "chat" + "gpt", "is" + "sue 3"),
    *("to" + "do", "fix" + "me", "xx" + "x"),
)
OTHERS_WORDS = {"LICENSE"}


@functools.cache
def _texts(*paths: str) -> list[tuple[str, str]]:
    """Return name and text of the project's own files, of those below these paths if any."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *paths],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = sorted(set(listed.stdout.splitlines()) - OTHERS_WORDS)
    files = [(name, ROOT / name) for name in names]
    return [(name, file.read_text("utf-8", "replace")) for name, file in files if file.is_file()]


def test_users_read_the_words_of_the_field() -> None:
    offenders = [
        f"{name}:{number}: {found[0]}"
        for name, text in _texts(*READ_BY_USERS)
        if not name.startswith(REPORTS_OF_CLUSTERS)
        for number, line in enumerate(text.splitlines(), 1)
        if (found := PRIVATE.search(line))
    ]
    assert not offenders, "\n".join(offenders)


def test_words_that_are_not_ours_are_nowhere() -> None:
    offenders = [
        f"{name}: {word}"
        for name, text in _texts()
        for lower in [f"{name}\n{text}".lower()]
        for word in NOT_OURS
        if word in lower
    ]
    assert not offenders, "\n".join(offenders)
