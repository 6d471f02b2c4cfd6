"""Whatever a file or a peer says: it is understood, or refused in one sentence."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.external import declaration
from pytest_ipv6k8s.kube import config
from pytest_ipv6k8s.reports import reading
from tests.unit.inputs import (
    COREFILE,
    DECLARATION,
    KUBECONFIG,
    QUESTION,
    READERS,
    REPORT,
    changed,
    read_address,
    read_agent,
    read_corefile,
    read_declaration,
    read_dns,
    read_kubeconfig,
    read_question,
    read_report,
    refused,
)

DRAWN = {
    "kubeconfigs": 2_000,
    "declarations": 2_000,
    "reports": 1_000,
    "any text": 500,
    "Corefiles": 2_000,
    "questions": 2_000,
    "DNS messages": 2_000,
    "lines of the agent": 2_000,
    "addresses": 2_000,
}
"""How many inputs Hypothesis draws: each costs fifty times what a changed sample does."""
FILES = (config.read, declaration.read, reading.read)
STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["", "\ud800", "::", "fe80::1%eth0", "64:ff9b::/96", "0x", "1e999", "\x00", "{{", "~"]
    ),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.none(), max_size=2),
)


def many(reader: str) -> Callable[[Any], Any]:
    """Run a test with as many inputs as there are to be; the same ones each time."""
    return settings(
        max_examples=DRAWN[reader],
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def _places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    inner = value.items() if isinstance(value, dict) else ()
    for key, below in enumerate(value) if isinstance(value, list) else inner:
        yield from _places(below, (*above, key))


def _changed(document: Any, place: tuple[Any, ...], strange: Any) -> Any:
    if not place:
        return strange
    made = copy.deepcopy(document)
    inner = made
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = strange
    return made


def altered(document: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Draw a document in which one value, whole part or name is another one."""
    places = list(_places(document))
    return st.builds(_changed, st.just(document), st.sampled_from(places), STRANGE)


def _understood(read: Callable[[Path], object], path: Path, text: str) -> None:
    path.write_text(text, "utf-8", errors="surrogatepass")
    refused(ConfigError, lambda: read(path))


def _dumped(document: Any) -> bytes:
    return json.dumps(document, default=str).encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of all inputs go, one after the other."""
    return tmp_path_factory.mktemp("generated")


def test_there_are_enough() -> None:
    drawn = sum(DRAWN.values()) + (len(FILES) - 1) * DRAWN["any text"]

    assert drawn + sum(count for _, _, count in READERS.values()) >= 100_000


@pytest.mark.parametrize("name", READERS)
def test_what_is_nearly_right(name: str) -> None:
    read, right, count = READERS[name]

    for number in range(count):
        data = changed(right, number)
        try:
            read(data)
        except Exception as error:
            raise AssertionError(f"input {number} of {name}: {data!r}") from error


@many("kubeconfigs")
@given(document=altered(KUBECONFIG))
def test_kubeconfig(document: Any) -> None:
    read_kubeconfig(_dumped(document))


@many("declarations")
@given(document=altered(DECLARATION))
def test_declaration(document: Any) -> None:
    read_declaration(_dumped(document))


@many("reports")
@given(document=altered(REPORT))
def test_report(document: Any) -> None:
    read_report(_dumped(document))


@many("any text")
@given(text=st.text(max_size=60))
@pytest.mark.parametrize("read", FILES)
def test_any_text_as_a_file(folder: Path, read: Callable[[Path], object], text: str) -> None:
    _understood(read, folder / "t.yaml", text)


def _pieces(text: str) -> st.SearchStrategy[bytes]:
    words = st.sampled_from(text.split(" "))
    strange = st.text(max_size=6)
    marks = st.sampled_from(["{", "}", "\n", '"', "\\", "#", "(", ")", "import", "{$", "%", ":"])
    pieces = st.lists(st.one_of(words, marks, strange), max_size=30).map(" ".join)
    return pieces.map(lambda joined: joined.encode("utf-8", errors="surrogateescape"))


@many("Corefiles")
@given(data=_pieces(COREFILE))
def test_corefile(data: bytes) -> None:
    read_corefile(data)


@many("questions")
@given(data=_pieces(QUESTION))
def test_questions(data: bytes) -> None:
    read_question(data)


@many("DNS messages")
@given(data=st.binary(max_size=90))
def test_dns_messages(data: bytes) -> None:
    read_dns(data)


@many("lines of the agent")
@given(
    message=st.dictionaries(st.sampled_from(["seq", "op", "args", "answer", "broke"]), STRANGE),
)
def test_lines_of_the_agent(message: dict[str, Any]) -> None:
    read_agent(_dumped(message))


@many("addresses")
@given(text=st.text("0123456789abcdef:.%/[] ü", max_size=24))
def test_addresses(text: str) -> None:
    read_address(text.encode())
