"""Runs are written down before anything is made, and reaped when their process is gone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.clusters import ownership
from pytest_ipv6k8s.clusters.contract import Cluster, ClusterSpec, Problem
from pytest_ipv6k8s.errors import ClusterError, ConfigError, HostProblem, Ipv6k8sError
from pytest_ipv6k8s.process import Progress


class FakeProvider:
    """Deletes nothing, and remembers what it was to delete."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.stuck: set[str] = set()

    def problems(self, spec: ClusterSpec) -> list[Problem]:
        return []

    def create(self, spec: ClusterSpec, home: Path, progress: Progress) -> Cluster:
        raise NotImplementedError

    def delete(self, name: str) -> None:
        if name in self.stuck:
            raise ClusterError(f"{name} is stuck")
        self.deleted.append(name)

    def on_nodes(self, name: str, script: str, timeout: float) -> dict[str, str]:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which runs are written down."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "ipv6k8s" / "runs"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    """The provider of every cluster."""
    made = FakeProvider()
    monkeypatch.setattr(ownership, "provider", lambda name: made)
    return made


def _remember(run_id: str, *, provider: str = "kind", kept: bool = False) -> Path:
    return ownership.save_state(run_id, provider=provider, name=f"ipv6k8s-{run_id}", kept=kept)


def _change(runs: Path, run_id: str, **fields: Any) -> None:
    file = runs / run_id / "state.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


def _left_behind(runs: Path, run_id: str, **more: Any) -> None:
    """Write a run down whose process has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    _remember(run_id, **more)
    _change(runs, run_id, process=ended.pid)


def _ids() -> list[str]:
    return [state.run_id for state in ownership.remembered()]


def _reap(**options: Any) -> list[str]:
    return ownership.reap(lambda line: None, **options)


def test_run_ids_are_six_hexadecimal_digits_and_differ() -> None:
    ids = {ownership.new_run_id() for _ in range(50)}

    assert all(re.fullmatch(r"[0-9a-f]{6}", id) for id in ids)
    assert len(ids) > 45


def test_a_run_is_written_down_in_a_folder_of_its_own(runs: Path) -> None:
    home = _remember("abc123", kept=True)

    assert home == runs / "abc123"
    assert home.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in home.iterdir()] == ["state.json"]
    (state,) = ownership.remembered()
    assert (state.run_id, state.provider, state.name) == ("abc123", "kind", "ipv6k8s-abc123")
    assert state.kept
    assert state.process == os.getpid()
    assert state.is_running


def test_without_a_state_home_it_is_below_the_users_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert _remember("abc") == tmp_path / ".local" / "state" / "ipv6k8s" / "runs" / "abc"


def test_a_forgotten_run_leaves_nothing(runs: Path) -> None:
    home = _remember("abc")
    (home / "kubeconfig").write_text("x")

    ownership.remove_state("abc")
    ownership.remove_state("abc")

    assert not home.exists()
    assert ownership.remembered() == []


def test_runs_are_listed_oldest_first(runs: Path) -> None:
    for run_id, created in (("a", "2026-01-03"), ("b", "2026-01-01"), ("c", "2026-01-02")):
        _remember(run_id)
        _change(runs, run_id, created=created)

    assert _ids() == ["b", "c", "a"]


def test_nothing_was_ever_written_down() -> None:
    assert ownership.remembered() == []
    assert _reap() == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"run_id": "x"}', '{"odd": 1}', "\udcff"])
def test_a_state_file_that_is_none_is_passed_over(runs: Path, content: str) -> None:
    _remember("good")
    (runs / "bad").mkdir()
    (runs / "bad" / "state.json").write_bytes(content.encode(errors="surrogateescape"))

    assert _ids() == ["good"]


def test_the_cluster_of_a_dead_process_is_deleted(runs: Path, fake: FakeProvider) -> None:
    _left_behind(runs, "dead")
    said: list[str] = []

    assert ownership.reap(said.append) == ["ipv6k8s-dead"]

    assert fake.deleted == ["ipv6k8s-dead"]
    assert _ids() == []
    assert said[0].startswith("deleting ipv6k8s-dead, made 20")


def test_the_cluster_of_a_running_process_is_left_alone(runs: Path, fake: FakeProvider) -> None:
    _remember("mine")
    _remember("kept", kept=True)

    assert _reap(everything=True) == []
    assert fake.deleted == []
    assert sorted(_ids()) == ["kept", "mine"]


def test_a_process_id_that_is_used_again_is_another_process(runs: Path, fake: FakeProvider) -> None:
    _remember("old")
    _change(runs, "old", started="1")

    assert _reap() == ["ipv6k8s-old"]


def test_a_kept_cluster_is_deleted_only_when_asked_for(runs: Path, fake: FakeProvider) -> None:
    _left_behind(runs, "kept", kept=True)
    _left_behind(runs, "dead")

    assert _reap() == ["ipv6k8s-dead"]
    assert _ids() == ["kept"]

    assert _reap(everything=True) == ["ipv6k8s-kept"]
    assert _ids() == []


def test_one_kept_cluster_is_deleted_and_others_stay(runs: Path, fake: FakeProvider) -> None:
    _left_behind(runs, "kept", kept=True)
    _left_behind(runs, "other", kept=True)

    assert _reap(kept="ipv6k8s-kept") == ["ipv6k8s-kept"]
    assert _ids() == ["other"]


@pytest.mark.parametrize(("kept", "told"), [(False, "none is kept"), (True, "kept are ipv6k8s-b")])
def test_a_kept_cluster_that_is_unknown_is_told(
    runs: Path, fake: FakeProvider, kept: bool, told: str
) -> None:
    _left_behind(runs, "b", kept=kept)

    with pytest.raises(ConfigError, match=f"(?i)no cluster ipv6k8s-a was kept .*{told}"):
        _reap(kept="ipv6k8s-a")

    assert _ids() == ["b"]


def test_what_is_left_on_a_cluster_that_existed_is_told_until_it_is_removed(
    runs: Path, fake: FakeProvider
) -> None:
    _left_behind(runs, "found", provider="existing")
    told: list[str] = []

    assert ownership.reap(told.append) == []
    assert "run found of" in told[0]
    assert told[0].endswith("goes with `ipv6k8s reap --kubeconfig FILE`")
    assert _ids() == ["found"]
    assert ownership.reap(told.append, forget=True) == []
    assert (len(told), fake.deleted, _ids()) == (1, [], [])


@pytest.mark.parametrize("stuck", ["a", "b"])
def test_what_cannot_be_deleted_stays_written_down_and_keeps_nothing_else(
    runs: Path, fake: FakeProvider, stuck: str
) -> None:
    _left_behind(runs, "a")
    _left_behind(runs, "b")
    _change(runs, "a", created="2026-01-01")
    _change(runs, "b", created="2026-01-02")
    fake.stuck = {f"ipv6k8s-{stuck}"}

    with pytest.raises(ClusterError, match=f"ipv6k8s-{stuck} is stuck"):
        _reap()

    assert _ids() == [stuck]
    fake.stuck = set()
    assert _reap() == [f"ipv6k8s-{stuck}"]


def test_a_provider_that_is_no_more_is_named(runs: Path) -> None:
    _left_behind(runs, "dead", provider="minikube")

    with pytest.raises(Ipv6k8sError, match="unknown provider 'minikube'"):
        _reap()
    assert _ids() == ["dead"]


def test_a_place_that_cannot_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))

    with pytest.raises(HostProblem, match="state cannot be written below") as caught:
        _remember("abc")

    assert str(tmp_path / "file") in str(caught.value)
    assert "XDG_STATE_HOME" in caught.value.remedy


def test_reaping_in_a_place_that_cannot_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))

    with pytest.raises(HostProblem):
        _reap()


def test_a_run_id_that_is_taken_leaves_the_other_run_alone() -> None:
    _remember("abc")

    with pytest.raises(HostProblem):
        _remember("abc")

    assert _ids() == ["abc"]
