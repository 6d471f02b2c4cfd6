"""Every kind of bad file, for each file or option that takes one: exit 4, one sentence."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.documents import sample
from tests.prepared import Called, Prepared

SECRET = "hunter2-is-no-secret"
"""Stands in every file that can hold it, and is never told."""
KUBECONFIG = f"""
apiVersion: v1
kind: Config
current-context: one
contexts: [{{name: one, context: {{cluster: c, user: u}}}}]
clusters: [{{name: c, cluster: {{server: "https://[::1]:9"}}}}]
users: [{{name: u, user: {{token: {SECRET}}}}}]
"""
DECLARATION = "apiVersion: ipv6k8s.io/v1alpha1\nkind: ClusterDeclaration\nstack: dual\n"
REPORT = json.dumps(sample().plain())
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefghi", "bcdefghij", strict=True)
)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        folder = os.open(path.parent, os.O_RDONLY)
        listening.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)


def _sparse(path: Path) -> None:
    with path.open("wb") as out:
        out.truncate(50 << 20)


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _holds(content: str | bytes) -> Callable[[Path], object]:
    data = content.encode() if isinstance(content, str) else content
    return lambda path: path.write_bytes(data)


def _nothing(path: Path) -> None:
    """Leave the file out."""


NO_FILE: dict[str, Callable[[Path], object]] = {
    "missing": _nothing,
    "broken link": _link("/no/such/file"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "below a file": _link("/etc/passwd/x"),
    "folder": lambda path: path.mkdir(),
    "link to a folder": _link("/proc"),
    "FIFO": _fifo,
    "socket": _socket,
    "endless device": _link("/dev/zero"),
    "random device": _link("/dev/urandom"),
    "empty device": _link("/dev/null"),
    "terminal": _link("/dev/tty"),
    "no right to read": _link("/proc/self/mem"),
    "a file of the kernel's": _link("/proc/self/clear_refs"),
    "50 MB of nothing": _sparse,
}
NO_TEXT: dict[str, Callable[[Path], object]] = {
    "binary": _holds(b"\xff\xfe\xff"),
    "a program": _holds(b"\x7fELF\x02\x01\x01\x00\x00"),
    "a picture": _holds(b"\x89PNG\r\n\x1a\n\x00\x00"),
    "NUL": _holds("a: \x00"),
    "NUL behind a document": _holds(DECLARATION + "\x00"),
    "Latin-1": _holds("name: Müller".encode("latin-1")),
    "UTF-16": _holds(DECLARATION.encode("utf-16")),
    "UTF-8 cut in a letter": _holds("name: Brüh".encode()[:-2]),
    "escape sequence": _holds("\x1b[31mred: 1"),
    "surrogate": _holds(b"a: \xed\xa0\x80"),
}
NO_DOCUMENT: dict[str, Callable[[Path], object]] = {
    "empty": _holds(""),
    "blank lines": _holds("\n\n  \n"),
    "a BOM alone": _holds(b"\xef\xbb\xbf"),
    "a comment": _holds("# nothing\n"),
    "two documents": _holds("a: 1\n---\nb: 2\n"),
    "text": _holds("hello"),
    "a list": _holds("[1, 2]"),
    "a number": _holds("5"),
    "null": _holds("null"),
    "true": _holds("true"),
    "HTML": _holds("<html><body>Sign in: please</body></html>"),
    "not closed": _holds(f"token: '{SECRET}"),
    "braces": _holds("{{{"),
    "a tab": _holds("a:\n\t- b"),
    "a tag of Python": _holds("!!python/object/apply:os.system [ls]"),
    "no such date": _holds("a: 2026-13-01"),
    "an anchor that is not there": _holds("a: *b"),
    "a list as key": _holds("? [1]\n: 2"),
}
TOO_MUCH: dict[str, Callable[[Path], object]] = {
    "nested lists": _holds("[" * 20_000),
    "nested maps": _holds("{a: " * 20_000),
    "nested lists of lines": _holds("- " * 20_000 + "a"),
    "nested and closed": _holds("a: " + "[" * 900 + "]" * 900),
    "aliases of aliases": _holds(BOMB),
    "aliases in kind": _holds(BOMB + "kind: *j\napiVersion: *j\n"),
    "an endless alias": _holds("&a [*a]"),
    "an endless map": _holds("a: &a {b: *a}"),
    "3 MB of lists": _holds("a:\n" + "- {b: c}\n" * 350_000),
    "3 MB of letters": _holds("a: " + "b" * 3_000_000),
    "3 MB of keys": _holds("".join(f"key{number}: 1\n" for number in range(250_000))),
    "3 MB of lists in JSON": _holds("[" + "[]," * 1_000_000 + "[]]"),
    "a number of 5000 digits": _holds("a: " + "9" * 5000),
}
KINDS = NO_FILE | NO_TEXT | NO_DOCUMENT | TOO_MUCH

OWN_TEST = "def test_mine(ipv6k8s_probes): pass"
WITHOUT = ("cacheprovider", "hypothesispytest", "xdist", "junitxml", "doctest", "unittest")
PYTEST = ("pytest", "test_mine.py", *(word for name in WITHOUT for word in ("-p", f"no:{name}")))
EXISTING = "--ipv6k8s-provider=existing"
KIND = "--ipv6k8s-provider=kind"


@dataclass(frozen=True, kw_only=True)
class Taker:
    """What takes a file.

    Attributes:
        words: the program and its arguments; FILE stands for the file.
        name: how the file has to be called.
        ini, environment: where else it may be named.
    """

    words: tuple[str, ...]
    name: str = "FILE"
    ini: str = ""
    environment: dict[str, str] = field(default_factory=dict)


TAKERS = {
    "--ipv6k8s-kubeconfig": Taker(words=(*PYTEST, "--ipv6k8s-kubeconfig=FILE")),
    "IPV6K8S_KUBECONFIG": Taker(words=PYTEST, environment={"IPV6K8S_KUBECONFIG": "FILE"}),
    "KUBECONFIG": Taker(words=(*PYTEST, EXISTING), environment={"KUBECONFIG": "FILE"}),
    "one of KUBECONFIG": Taker(words=(*PYTEST, EXISTING), environment={"KUBECONFIG": "FILE:other"}),
    "~/.kube/config": Taker(words=(*PYTEST, EXISTING), name=".kube/config"),
    "ini: kubeconfig": Taker(words=PYTEST, ini="ipv6k8s_kubeconfig = FILE"),
    "init": Taker(words=("ipv6k8s", "init", "--kubeconfig=FILE")),
    "list --here": Taker(words=("ipv6k8s", "list", "--here", "--kubeconfig=FILE")),
    "bundle": Taker(words=("ipv6k8s", "bundle", "--kubeconfig=FILE", "-o", "b.tar.gz")),
    "reap": Taker(words=("ipv6k8s", "reap", "--kubeconfig=FILE")),
    "ask": Taker(words=("ipv6k8s", "ask", "--kubeconfig=FILE", "probe-00 dns AAAA a.example.")),
    "--ipv6k8s-declaration": Taker(words=(*PYTEST, KIND, "--ipv6k8s-declaration=FILE")),
    "IPV6K8S_DECLARATION": Taker(
        words=(*PYTEST, KIND), environment={"IPV6K8S_DECLARATION": "FILE"}
    ),
    "ini: declaration": Taker(words=(*PYTEST, KIND), ini="ipv6k8s_declaration = FILE"),
    "list --ipv6k8s-declaration": Taker(
        words=("ipv6k8s", "list", "--here", "--kubeconfig=good", "--ipv6k8s-declaration=FILE")
    ),
    "report check": Taker(words=("ipv6k8s", "report", "check", "FILE"), name="r.json"),
    "report check YAML": Taker(words=("ipv6k8s", "report", "check", "FILE"), name="r.yaml"),
    "report diff, before": Taker(words=("ipv6k8s", "report", "diff", "FILE", "good.json")),
    "report diff, after": Taker(words=("ipv6k8s", "report", "diff", "good.json", "FILE")),
    "report render": Taker(words=("ipv6k8s", "report", "render", "FILE", "--to", "md")),
    "run --failed-of": Taker(words=("ipv6k8s", "run", "--failed-of", "FILE"), name="r.json"),
}


@pytest.fixture(scope="module")
def prepared() -> Iterator[Prepared]:
    """A process that is forked for each row."""
    made = Prepared()
    yield made
    made.close()


def called(prepared: Prepared, taker: Taker, folder: Path) -> Called:
    """Let a taker take the file."""
    ini = f"[pytest]\n{taker.ini}\n".replace("FILE", taker.name)
    for name, text in {
        "test_mine.py": OWN_TEST,
        "good": KUBECONFIG,
        "good.json": REPORT,
        "pytest.ini": ini,
    }.items():
        (folder / name).write_text(text)
    home = {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "PATH": "/nowhere"}
    unset = {"KUBECONFIG": "", "KUBERNETES_SERVICE_HOST": ""}
    given = {name: value.replace("FILE", taker.name) for name, value in taker.environment.items()}
    program, *words = (word.replace("FILE", taker.name) for word in taker.words)
    return prepared.call(program, *words, folder=folder, environment={**home, **unset, **given})


def assert_refused(result: Called) -> str:
    """See that a call ended with exit code 4 and one sentence; return that."""
    said = result.out + result.err
    assert result.code == 4, said
    for word in ("Traceback", "INTERNALERROR", SECRET):
        assert word not in said
    lines = result.err.strip().splitlines()
    told = [
        number for number, line in enumerate(lines) if line.startswith(("ERROR: ", "ipv6k8s: "))
    ]
    assert len(told) == 1, said
    sentence = "\n".join(lines[told[0] :])
    assert sentence.endswith((".", "?")), said
    assert all(line.startswith("  ") for line in lines[told[0] + 1 :]), said
    assert len(sentence) < 600
    return sentence


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_file_is_one_sentence_and_exit_code_4(
    prepared: Prepared, tmp_path: Path, kind: str, taker: str
) -> None:
    takes = TAKERS[taker]
    path = tmp_path / takes.name
    path.parent.mkdir(exist_ok=True)
    KINDS[kind](path)

    assert_refused(called(prepared, takes, tmp_path))


NEVER_FOUND = {"missing", "broken link", "link to itself", "below a file"}


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - NEVER_FOUND))
def test_a_state_file_that_cannot_be_read_is_told(
    prepared: Prepared, tmp_path: Path, kind: str
) -> None:
    taker = Taker(words=("ipv6k8s", "reap"), name="state/ipv6k8s/runs/abc/state.json")
    (tmp_path / taker.name).parent.mkdir(parents=True)
    KINDS[kind](tmp_path / taker.name)

    result = called(prepared, taker, tmp_path)

    assert result.code == 0, result.err
    assert "state.json cannot be read: what its run made may still be there" in result.out
    assert "Nothing was left behind" not in result.out
