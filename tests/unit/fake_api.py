"""An API server in memory: objects by path, and every request that was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.cost import Cost
from pytest_ipv6k8s.evidence import Recorder
from pytest_ipv6k8s.kube.client import Api, ApiError, Object
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.timeouts import Timeouts

Answerer = Callable[[Mapping[str, Any]], Object]


class FakeApi(Api):
    """Lists are found by their paths, objects below them by name.

    Attributes:
        lists: by path, the objects of a list.
        singles: by path, what ``get`` returns; an exception is raised.
        on_create: by path, what becomes of a new object.
        logs: by path, what ``text`` returns.
        asked: verb and path of every request.
    """

    def __init__(self) -> None:
        self.timeouts = Timeouts()
        self.kubeconfig = Kubeconfig(path=Path("/k"), context="fake")
        self.recorder = Recorder()
        self.cost = Cost()
        self.lists: dict[str, list[Object]] = {}
        self.singles: dict[str, Object | Exception] = {}
        self.on_create: dict[str, Answerer] = {}
        self.logs: dict[str, str] = {}
        self.asked: list[tuple[str, str]] = []
        self.queries: list[dict[str, str]] = []

    @property
    def server(self) -> str:
        """The server's URL."""
        return "https://fake"

    def validate(self, path: str, code: int) -> None:
        """Answer a path with an error."""
        self.singles[path] = ApiError(f"{path}: {code}", code=code)

    def get(self, path: str, **query: str) -> Object:
        """Return an object or a page of a list."""
        if path in self.lists:
            return {"kind": "List", "items": self.items(path, **query)}
        self.asked.append(("get", path))
        return self._single(path)

    def text(self, path: str, **query: str) -> str:
        """Return a log."""
        self.asked.append(("get", path))
        if path not in self.logs:
            raise ApiError(f"{path}: 403", code=403)
        return self.logs[path]

    def _single(self, path: str) -> Object:
        folder, _, name = path.rpartition("/")
        found = self.singles.get(path)
        if found is None:
            named = [o for o in self.lists.get(folder, []) if o["metadata"]["name"] == name]
            found = named[0] if named else ApiError(f"{path}: 404", code=404)
        if isinstance(found, Exception):
            raise found
        return found

    def items(self, path: str, **query: str) -> list[Object]:
        """Return the objects of a list that carry the labels asked for."""
        self.asked.append(("list", path))
        self.queries.append(query)
        refused = self.singles.get(path)
        if isinstance(refused, Exception):
            raise refused
        if path not in self.lists:
            raise ApiError(f"{path}: 404", code=404)
        wanted = [part.partition("=") for part in query.get("labelSelector", "").split(",") if part]
        return [
            found
            for found in self.lists[path]
            if all(
                key in _labels(found) and (not equals or _labels(found)[key] == value)
                for key, equals, value in wanted
            )
        ]

    def create(self, path: str, body: Mapping[str, Any], **query: str) -> Object:
        """Keep an object and return it."""
        self.asked.append(("create", path))
        made = self.on_create[path](body) if path in self.on_create else dict(body)
        if not query.get("dryRun"):
            self.lists.setdefault(path, []).append(made)
        return made

    def delete(self, path: str, *, grace: int | None = None) -> None:
        """Forget an object, and what is below it."""
        self.asked.append(("delete", path))
        folder, _, name = path.rpartition("/")
        kept = [o for o in self.lists.get(folder, []) if o["metadata"]["name"] != name]
        self.lists[folder] = kept


def _labels(found: Object) -> Mapping[str, str]:
    labels: Mapping[str, str] = found["metadata"].get("labels", {})
    return labels
