"""Who owns what was made: run ids, a state file for each run, and reaping what killed runs left."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.clusters.contract import provider
from pytest_ipv6k8s.errors import ConfigError, HostProblem, Ipv6k8sError
from pytest_ipv6k8s.files import Excess, load_json, read_text, write_whole
from pytest_ipv6k8s.process import Progress

_MOST = 1000
"""So many values a state file may have."""
_STATE = "state.json"
_TYPES: dict[object, type] = {"str": str, "bool": bool, "int": int}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A run, as its state file tells.

    ``process`` and ``started`` together name a process: ids are used again. ``kept`` tells that
    the cluster is to outlive its run.
    """

    run_id: str
    provider: str
    name: str
    kept: bool
    process: int
    started: str
    created: str

    @property
    def is_running(self) -> bool:
        """Whether the process of the run is still there."""
        return _start_of(self.process) == self.started


def new_run_id() -> str:
    """Return an id for a run: six hexadecimal digits."""
    return secrets.token_hex(3)


def cluster_name(run_id: str) -> str:
    """Return the name of a cluster that a run makes."""
    return f"ipv6k8s-{run_id}"


def save_state(run_id: str, *, provider: str, name: str, kept: bool) -> Path:
    """Write down what is going to be made, before it is; return the run's own folder.

    Raises:
        HostProblem: it cannot be written.
    """
    state = Remembered(
        run_id=run_id,
        provider=provider,
        name=name,
        kept=kept,
        process=os.getpid(),
        started=_start_of(os.getpid()),
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )
    home = _runs() / run_id
    try:
        home.mkdir(parents=True, mode=0o700)
    except OSError as error:
        raise _unwritable(error) from None
    try:
        write_whole(home / _STATE, json.dumps(asdict(state), indent=2).encode())
    except OSError as error:
        shutil.rmtree(home, ignore_errors=True)
        raise _unwritable(error) from None
    return home


def _unwritable(error: OSError) -> HostProblem:
    return HostProblem(
        f"the run's state cannot be written below {_runs()}: {error.strerror}",
        remedy="free some space, or set XDG_STATE_HOME to a folder that can be written",
    )


def remove_state(run_id: str) -> None:
    """Remove the folder of a run; it is fine when there is none."""
    shutil.rmtree(_runs() / run_id, ignore_errors=True)


def remembered() -> list[Remembered]:
    """Return all runs that have a state file which can be read, oldest first."""
    return sorted((state for state in _states().values() if state), key=lambda state: state.created)


def _states() -> dict[Path, Remembered | None]:
    """Return what each state file says, None where it cannot be read or is of another version."""
    found: dict[Path, Remembered | None] = {}
    for file in sorted(_runs().glob(f"*/{_STATE}")):
        try:
            text = read_text(file, name=str(file), check="remove it")
            found[file] = _remembered_in(load_json(text, most=_MOST))
        except (ConfigError, Excess, ValueError, TypeError, RecursionError):
            found[file] = None
    return found


def _remembered_in(document: dict[str, Any]) -> Remembered:
    """Return the run of a state file.

    Raises:
        TypeError: it is none, or of another version.
    """
    state = Remembered(**document)
    for field in fields(Remembered):
        if not isinstance(getattr(state, field.name), _TYPES[field.type]):
            raise TypeError(field.name)
    return state


def reap(
    progress: Progress, *, everything: bool = False, kept: str = "", forget: bool = False
) -> list[str]:
    """Delete what runs left whose process is gone.

    Args:
        progress: told of each cluster.
        everything: also delete the clusters that were to be kept.
        kept: the name of one that was to be kept, and is deleted, too.
        forget: runs on clusters that existed, for what they left is being removed.

    Returns:
        The names of the clusters that were deleted.

    Raises:
        Ipv6k8sError: no such cluster was kept, or one could not be deleted; the others are.
    """
    removed, troubles = [], list[Ipv6k8sError]()
    with _alone():
        _tell_unreadable(progress)
        known = [state for state in remembered() if not state.is_running]
        names = [state.name for state in known if state.kept]
        if kept and kept not in names:
            remedy = f"kept are {', '.join(names)}" if names else "none is kept"
            raise ConfigError(f"no cluster {kept} was kept by a run that has ended", remedy=remedy)
        for state in known:
            if state.kept and not everything and state.name != kept:
                continue
            try:
                removed += _reap(state, progress, forget=forget)
            except Ipv6k8sError as error:
                troubles.append(error)
    if troubles:
        raise troubles[0]
    return removed


def _tell_unreadable(progress: Progress) -> None:
    for file in (file for file, state in _states().items() if state is None):
        progress(
            f"{file} cannot be read: what its run made may still be there. Look for it with "
            "`docker ps`, and remove the file's folder"
        )


def _reap(state: Remembered, progress: Progress, *, forget: bool) -> list[str]:
    """Delete the cluster of a run, or say where it left something; return what was deleted."""
    if state.provider == "existing":
        if forget:
            remove_state(state.run_id)
        else:
            progress(
                f"run {state.run_id} of {state.created} was killed on a cluster that existed; "
                "what it left there goes with `ipv6k8s reap --kubeconfig FILE`"
            )
        return []
    progress(f"deleting {state.name}, made {state.created}")
    provider(state.provider).delete(state.name)
    remove_state(state.run_id)
    return [state.name]


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process reap at a time."""
    from filelock import FileLock

    try:
        _runs().mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unwritable(error) from None
    with FileLock(_runs() / "reap.lock"):
        yield


def _runs() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "ipv6k8s" / "runs"


def _start_of(process: int) -> str:
    """Return when a process started, in the kernel's own count; empty when there is none.

    Where there is no /proc, a living process is known by its id alone.
    """
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "alive"
