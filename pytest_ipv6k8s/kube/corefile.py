"""Corefiles, read as CoreDNS reads them: ``lexer.go`` and ``parse.go`` of coredns/caddy 1.1.1.

Words end at white space, a word that begins with a quote ends at the next one, ``#`` begins a
comment wherever it stands outside quotes, ``import`` takes in a snippet or files, and ``{$NAME}``
and ``{%NAME%}`` stand for variables of the environment.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_VARIABLE = re.compile(r"\{%([^%}]+)%\}|\{\$([^}]+)\}")
_WORD = re.compile(r'"((?:\\.|[^"\\])*)("|\Z)|#[^\n]*|([^\s#]+)(#[^\n]*)?', re.DOTALL)


_LONGEST = 300


class CorefileError(ValueError):
    """A Corefile that CoreDNS itself would refuse; one sentence that says why."""

    def __init__(self, why: str) -> None:
        super().__init__(why if len(why) <= _LONGEST else f"{why[:_LONGEST]}…")


@dataclass(frozen=True, slots=True)
class Word:
    """One word and where it stands: its file, and the line there."""

    text: str
    line: int
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerBlock:
    """The keys of a block, such as ``.:53``, and its directives with their arguments.

    The words of a directive's own block follow its arguments, between braces.
    """

    keys: tuple[str, ...]
    directives: tuple[tuple[str, ...], ...]


def parse(
    text: str,
    *,
    file: str = "Corefile",
    files: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[ServerBlock, ...]:
    """Return the server blocks of a Corefile.

    Args:
        text: the Corefile.
        file: its path, which relative imports start from.
        files: other files that it may import, by their paths.
        environment: the variables whose values are known; of others the reference stays.

    Raises:
        CorefileError: CoreDNS would not start with it.
    """
    parser = _Parser(_words(text, file), files or {}, environment or {})
    return tuple(parser.blocks())


def _words(text: str, file: str) -> list[Word]:
    text = text.removeprefix("\ufeff").replace("\r", "")
    found = []
    for match in _WORD.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match[1] is not None and (match[2] or match[1]):
            found.append(Word(match[1].replace('\\"', '"'), line, file))
        elif match[3]:
            found.append(Word(match[3], line, file))
    return found


@dataclass
class _Parser:
    words: list[Word]
    files: Mapping[str, str]
    environment: Mapping[str, str]
    at: int = 0
    snippets: dict[str, list[Word]] = field(default_factory=dict)
    imports: int = 0

    def blocks(self) -> Iterator[ServerBlock]:
        while self.at < len(self.words):
            keys = self._keys()
            if len(keys) == 1 and keys[0].startswith("(") and keys[0].endswith(")"):
                self._snippet(keys[0][1:-1])
                continue
            directives = tuple(self._directives())
            if keys:  # without, CoreDNS reads the block as well, and serves it to nobody
                yield ServerBlock(keys=keys, directives=directives)

    def _keys(self) -> tuple[str, ...]:
        found: list[str] = []
        goes_on = False
        while self.at < len(self.words):
            text = self._text()
            if text == "import" and self._begins_line():
                self._import()
                continue
            if text == "}":
                raise self._error("a brace is closed that was not opened")
            if text == "{":
                if goes_on:
                    raise self._error("a comma stands before the brace")
                break
            goes_on = text.endswith(",")
            found += [text.removesuffix(",")] if text else []
            self.at += 1
            if not goes_on and self._begins_line():
                break
        if goes_on and self.at >= len(self.words):
            raise self._error("it ends after a comma")
        return tuple(found)

    def _directives(self) -> Iterator[tuple[str, ...]]:
        braced = self._take("{")
        while self.at < len(self.words):
            if self.words[self.at].text == "}":
                self.at += 1
                return
            if self.words[self.at].text == "import":
                self._import()
                continue
            yield tuple(self._directive())
        if braced:
            raise self._error("a block is not closed")

    def _directive(self) -> Iterator[str]:
        yield self._text()
        self.at += 1
        depth = 0
        while self.at < len(self.words):
            text = self.words[self.at].text
            if text == "import" and self._begins_line() and depth:
                self._import()
                continue
            if text != "{" and self._begins_line() and not depth:
                return
            depth += {"{": 1, "}": -1}.get(text, 0)
            if depth < 0:
                raise self._error("a brace is closed that was not opened")
            yield self._text()
            self.at += 1
        if depth:
            raise self._error("a block is not closed")

    def _snippet(self, name: str) -> None:
        if name in self.snippets:
            raise self._error(f"the snippet {name} is there twice")
        if not self._take("{"):
            raise self._error(f"the snippet {name} has no block")
        body: list[Word] = []
        depth = 1
        while self.at < len(self.words):
            word = self.words[self.at]
            self.at += 1
            depth += {"{": 1, "}": -1}.get(word.text, 0)
            if not depth:
                self.snippets[name] = body
                return
            body.append(word)
        raise self._error("a block is not closed")

    def _import(self) -> None:
        """Put what is imported in the place of the two words that say so."""
        start = self.at
        self.at += 1
        if self.at >= len(self.words) or self._begins_line():
            raise self._error("import names nothing")
        pattern = self._text()
        self.imports += 1
        if self.imports > 1000:
            raise self._error(f"{pattern} imports itself")
        taken = self.snippets.get(pattern)
        self.words[start : start + 2] = self._files(pattern) if taken is None else taken
        self.at = start

    def _files(self, pattern: str) -> list[Word]:
        folder = posixpath.dirname(self.words[self.at].file)
        path = posixpath.normpath(posixpath.join(folder, pattern))
        names = [name for name in sorted(self.files) if _matches(name, path)]
        if not names and not re.search(r"[*?\[\]]", path):
            raise self._error(f"it imports {pattern}, which none of its volumes has")
        return [word for name in names for word in _words(self.files[name], name)]

    def _take(self, text: str) -> bool:
        if self.at < len(self.words) and self.words[self.at].text == text:
            self.at += 1
            return True
        return False

    def _text(self) -> str:
        """Return the word here with the variables whose values are known."""

        def value(match: re.Match[str]) -> str:
            return self.environment.get(match[1] or match[2], match[0])

        return _VARIABLE.sub(value, self.words[self.at].text)

    def _begins_line(self) -> bool:
        """Tell whether the word here stands on another line than the one before."""
        if not 0 < self.at < len(self.words):
            return True
        before, here = self.words[self.at - 1], self.words[self.at]
        return (before.file, before.line + before.text.count("\n")) != (here.file, here.line)

    def _error(self, problem: str) -> CorefileError:
        word = self.words[min(self.at, len(self.words) - 1)]
        return CorefileError(f"{word.file}, line {word.line}: {problem}")


def _matches(name: str, pattern: str) -> bool:
    """Tell whether a path matches, as Go's filepath.Glob has it: ``*`` stops at a slash."""
    same = posixpath.dirname(name) == posixpath.dirname(pattern)
    return same and fnmatch.fnmatchcase(posixpath.basename(name), posixpath.basename(pattern))


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """Where a ``forward`` leads, as ``HostPortOrFile`` in CoreDNS' plugin/pkg/parse reads it.

    Attributes:
        text: as it is written.
        address: empty when it is no address: then it is a file, a socket, or not known.
        port: the one that is asked.
        transport: ``dns``, ``tls`` and so on.
    """

    text: str
    address: str = ""
    port: int = 53
    transport: str = "dns"

    @property
    def is_file(self) -> bool:
        """Whether it is a file like ``/etc/resolv.conf``."""
        return not self.address and self.transport == "dns" and self.text.startswith("/")


_PORTS = {"dns": 53, "tls": 853, "quic": 853, "grpc": 443, "https": 443, "https3": 443}
_UPSTREAM = re.compile(
    r"(?:(?P<transport>dns|tls|quic|grpc|https3|https)://)?"
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)(?:%[^\]]*)?\]|(?P<bare>[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)"
    r"|(?P<v4>[0-9.]+))(?:%[^:]*)?(?::(?P<port>\d+))?"
)


def upstream(text: str) -> Upstream:
    """Return what the argument of a ``forward`` means."""
    match = _UPSTREAM.fullmatch(text)
    if match is None:
        return Upstream(text=text, transport="dns" if text.startswith("/") else "")
    transport = match["transport"] or "dns"
    address = match["v6"] or match["bare"] or match["v4"]
    port = int(match["port"] or _PORTS[transport])
    return Upstream(text=text, address=address, port=port, transport=transport)


def forwards(blocks: Sequence[ServerBlock]) -> tuple[Upstream, ...]:
    """Return where names outside the cluster are asked: what the root zone's blocks forward to."""
    found = [
        upstream(word)
        for block in blocks
        if any(_zone(key) == "." for key in block.keys)
        for directive in block.directives
        if directive[:2] == ("forward", ".")
        for word in _before_brace(directive[2:])
    ]
    return tuple(dict.fromkeys(found))


def _before_brace(words: Sequence[str]) -> Sequence[str]:
    return words[: words.index("{")] if "{" in words else words


def _zone(key: str) -> str:
    """Return the zone of a block's key: ``.`` of ``dns://.:1053``."""
    zone = key.rpartition("://")[2]
    return re.sub(r":\d+$", "", zone) or "."
