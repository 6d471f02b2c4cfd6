"""API servers that never come to an end, and lists that change while they are read."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from pytest_ipv6k8s.errors import ControlChannelError
from pytest_ipv6k8s.kube import client, pool
from pytest_ipv6k8s.kube.client import Api, ApiError
from tests.unit.api_server import ApiServer, Reply
from tests.unit.clock import Clock

NODES = "/api/v1/nodes"
AGAIN = Reply(body={"items": [{}], "metadata": {"continue": "again"}})
LAST = Reply(body={"items": [{"n": 1}], "metadata": {}})
FORGOTTEN = Reply(code=410, body={"message": "The provided continue parameter is too old"})


def test_a_list_without_an_end_is_given_up(
    api: Api, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_MOST_PAGES", 20)
    server.replies = [AGAIN]

    with pytest.raises(ControlChannelError, match="GET /api/v1/nodes: the list has no end"):
        api.items(NODES)

    assert len(server.asked) == 20


def test_a_list_that_the_server_forgot_is_read_anew(api: Api, server: ApiServer) -> None:
    server.replies = [AGAIN, FORGOTTEN, LAST]

    assert api.items(NODES) == [{"n": 1}]
    assert "continue" not in server.asked[-1].path


def test_a_list_that_is_always_forgotten_is_given_up(api: Api, server: ApiServer) -> None:
    server.replies = [AGAIN, FORGOTTEN] * 3 + [LAST]

    with pytest.raises(ControlChannelError, match="changed faster than it could be read"):
        api.items(NODES)


def test_a_first_page_that_is_gone_is_an_error(api: Api, server: ApiServer) -> None:
    server.replies = [FORGOTTEN]

    with pytest.raises(ApiError, match="too old"):
        api.items(NODES)


@pytest.mark.parametrize("code", [200, 500])
def test_what_is_nested_too_deeply_is_no_answer(api: Api, server: ApiServer, code: int) -> None:
    server.replies = [Reply(code=code, body=b"[" * 100_000)]

    with pytest.raises((ControlChannelError, ApiError)):
        api.get(NODES)


class _Dripping:
    """An answer that never ends: a piece after each pause."""

    status = 200

    def __init__(self, clock: Clock, piece: bytes, pause: float) -> None:
        self._clock, self._piece, self._pause = clock, piece, pause
        self.closed = 0

    def stream(self, size: int) -> Iterator[bytes]:
        """Yield pieces for ever."""
        while True:
            self._clock.sleep(self._pause)
            yield self._piece

    def close(self) -> None:
        """Count."""
        self.closed += 1


@pytest.mark.parametrize(("piece", "pause"), [(b"x", 2.0), (b"x" * 2**20, 0.0)])
def test_an_answer_without_an_end_is_given_up(clock: Clock, piece: bytes, pause: float) -> None:
    response = _Dripping(clock, piece, pause)

    with pytest.raises(ControlChannelError, match="bytes and no end"):
        pool.whole(response, within=30)

    assert response.closed == 1


def test_an_answer_that_ends_is_whole() -> None:
    released: list[bool] = []
    response = SimpleNamespace(
        status=200,
        stream=lambda size: iter([b"a", b"b"]),
        release_conn=lambda: released.append(True),
    )

    assert pool.whole(response, within=30) == pool.Whole(status=200, data=b"ab")
    assert released == [True]
