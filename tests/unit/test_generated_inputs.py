"""Whatever a file or a peer says: it is understood, or refused in one sentence."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ipv6k8s import addresses, dns_messages
from pytest_ipv6k8s.agent import wire
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.external import declaration
from pytest_ipv6k8s.kube import config, corefile
from pytest_ipv6k8s.plain import plain
from pytest_ipv6k8s.probe import questions
from pytest_ipv6k8s.reports import reading
from tests.documents import sample

ROOT = Path(__file__).parents[2]
STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", "::", "fe80::1%eth0", "64:ff9b::/96", "0x", "1e999", "\x00", "{{", "~"]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.none(), max_size=2),
)


def many(count: int) -> Callable[[Any], Any]:
    """Run a test with so many inputs; the same ones each time."""
    return settings(
        max_examples=count,
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


KUBECONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "here",
    "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
    "clusters": [
        {"name": "c", "cluster": {"server": "https://[::1]:6443", "insecure-skip-tls-verify": True}}
    ],
    "users": [
        {"name": "u", "user": {"exec": {"command": "aws", "args": ["eks"], "env": [{"name": "A"}]}}}
    ],
}
DECLARATION = yaml.safe_load((ROOT / "fixtures/declaration.yaml").read_text("utf-8"))
REPORT = plain(sample())
COREFILE = """(snippet) {
    errors
}
.:53 [::1]:5353 {
    import snippet
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    forward . tls://[2001:db8::53]:853 {$UPSTREAM} { # behind
        tls_servername "dns example"
    }
}
"""


def _sentence(kind: type[Exception], call: Callable[[], object]) -> str:
    """Return how something is refused, empty when it is not; any other error is an error."""
    try:
        call()
    except kind as error:
        text = str(error)
        assert text.strip()
        return text
    return ""


def _understood(read: Callable[[Path], object], path: Path, text: str) -> None:
    path.write_text(text, "utf-8", errors="surrogatepass")

    assert "Traceback" not in _sentence(ConfigError, lambda: read(path))


def _dumped(document: Any) -> str:
    return json.dumps(document, default=str)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of all inputs go, one after the other."""
    return tmp_path_factory.mktemp("generated")


@many(6000)
@given(document=altered(KUBECONFIG))
def test_kubeconfig(folder: Path, document: Any) -> None:
    _understood(
        lambda path: config.plugin_of(config.read(path)), folder / "k.yaml", _dumped(document)
    )


@many(6000)
@given(document=altered(DECLARATION))
def test_declaration(folder: Path, document: Any) -> None:
    _understood(declaration.read, folder / "d.yaml", _dumped(document))


@many(1000)
@given(document=altered(REPORT))
def test_report(folder: Path, document: Any) -> None:
    _understood(reading.read, folder / "r.json", _dumped(document))


@many(2000)
@given(text=st.text(max_size=60))
@pytest.mark.parametrize("read", [config.read, declaration.read, reading.read])
def test_any_text_as_a_file(folder: Path, read: Callable[[Path], object], text: str) -> None:
    _understood(read, folder / "t.yaml", text)


def _pieces(text: str) -> st.SearchStrategy[str]:
    words = st.sampled_from(text.split(" "))
    strange = st.text(max_size=6)
    marks = st.sampled_from(["{", "}", "\n", '"', "\\", "#", "(", ")", "import", "{$", "%", ":"])
    return st.lists(st.one_of(words, marks, strange), max_size=30).map(" ".join)


@many(20000)
@given(text=_pieces(COREFILE))
def test_corefile(text: str) -> None:
    files, environment = {"/etc/coredns/snippet": text}, {"UPSTREAM": "::1"}

    _sentence(
        corefile.CorefileError,
        lambda: corefile.parse(text, files=files, environment=environment),
    )


@many(20000)
@given(
    text=_pieces("probe-01 dns AAAA name.example. from udp [fd00::1]:53 count 3 tcp ping size 9")
)
def test_questions(text: str) -> None:
    _sentence(ConfigError, lambda: questions.parse(text))


@many(20000)
@given(data=st.binary(max_size=90))
def test_dns_messages(data: bytes) -> None:
    text = base64.b64encode(data).decode()

    dns_messages.reply(text)
    dns_messages.in_words(text)


@many(15000)
@given(
    line=st.one_of(
        st.binary(max_size=60),
        st.dictionaries(st.sampled_from(["seq", "op", "args", "answer", "broke"]), STRANGE).map(
            lambda message: json.dumps(message).encode()
        ),
    )
)
def test_lines_of_the_agent(line: bytes) -> None:
    _sentence(ValueError, lambda: wire.parse(line))


@many(15000)
@given(
    text=st.one_of(st.text(max_size=30), st.from_regex(r"[0-9a-f:.%/\[\]]{0,24}", fullmatch=True))
)
def test_addresses(text: str) -> None:
    assert addresses.is_address(text) in (True, False)
    assert isinstance(addresses.nat64_prefix_problem(text), str)
