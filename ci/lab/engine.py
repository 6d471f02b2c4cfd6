"""The container engine: installed, started, fenced in and stopped by the lab, or left alone."""

from __future__ import annotations

import contextlib
import enum
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from ci.lab.settings import ENGINE_PACKAGES, FILES, Layout
from ci.lab.steps import LabProblem, Log, Step, content_key

SOCKET = Path("/var/run/docker.sock")
STATE = Path("/run/ipv6k8s-lab")
FENCE = FILES / "engine" / "fence.nft"
FENCE_TABLE = ("inet", "ipv6k8s_lab")
RUNTIME = FILES / "engine" / "oci_runtime.py"
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_INSTANCES = 1024  # a node takes about 20, and the kernel's own limit is 128
START_SECONDS = 60
STOP_SECONDS = 60
POLICY = Path("/usr/sbin/policy-rc.d")


class Engine(enum.Enum):
    """Whose container engine answers."""

    NONE = "none answers"
    OURS = "started by the lab"
    FOREIGN = "not the lab's, left alone"


def whose_engine(layout: Layout) -> Engine:
    """Look at the machine; change nothing."""
    if daemon_process(layout) is not None and answers():
        return Engine.OURS
    return Engine.FOREIGN if answers() else Engine.NONE


def answers() -> bool:
    """Whether `docker info` reaches a daemon."""
    if shutil.which("docker") is None:
        return False
    return _quiet(["docker", "info"])


def daemon_process(layout: Layout) -> int | None:
    """The process id of the dockerd that runs with the lab's configuration."""
    pid = _live_process(_pid_file(layout), "dockerd")
    if pid is None:
        return None
    command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return pid if str(_configuration(layout)).encode() in command else None


def steps(layout: Layout) -> list[Step]:
    """Install, start and fence in; only for a machine without an engine of its own."""
    return [
        Step(
            name="packages",
            done=lambda: not missing_packages(),
            act=_install,
            estimate=30,
        ),
        Step(
            name="engine",
            done=lambda: whose_engine(layout) is Engine.OURS,
            act=lambda log: _start(layout, log),
            estimate=3,
        ),
        Step(name="kernel limits", done=enough_inotify, act=_raise_inotify, estimate=1),
        Step(name="fence", done=fence_stands, act=_raise_fence, estimate=1),
    ]


def missing_packages() -> list[str]:
    """Those of the lab's Debian packages that are not installed."""
    query = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n"]
    found = subprocess.run(
        [*query, *ENGINE_PACKAGES], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    installed = {
        line.split()[0] for line in found.stdout.splitlines() if line.endswith(" installed")
    }
    return [name for name in ENGINE_PACKAGES if name not in installed]


def enough_inotify() -> bool:
    """Whether several clusters can run at once: kube-proxy gives up when there are too few."""
    return int(INOTIFY.read_text()) >= INOTIFY_INSTANCES


def fence_stands() -> bool:
    """Whether the table that keeps containers on this machine is there, in this version."""
    if shutil.which("nft") is None:
        return False
    listed = subprocess.run(["nft", "list", "table", *FENCE_TABLE], capture_output=True, text=True)
    return content_key([], [FENCE]) in listed.stdout


def stop(layout: Layout) -> list[str]:
    """Stop what the lab started; the cache stays. Tells what was done."""
    done = []
    pid = daemon_process(layout)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        _await_end(pid)
        done.append(f"engine stopped (process {pid})")
    if shutil.which("nft") and _quiet(["nft", "list", "table", *FENCE_TABLE]):
        subprocess.run(["nft", "delete", "table", *FENCE_TABLE], check=True)
        done.append("nftables table removed")
    return done


def _install(log: Log) -> None:
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing_packages()]
    with _no_service_starts():
        log.run(["apt-get", "update"], env=env)
        log.run(install, env=env)


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    """Keep Debian's packages from starting a daemon with a configuration that is not ours."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def _start(layout: Layout, log: Log) -> None:
    layout.engine.mkdir(parents=True, exist_ok=True)
    runtime = layout.engine / "oci-runtime"
    shutil.copy(RUNTIME, runtime)
    _configuration(layout).write_text(json.dumps(_daemon_settings(layout, runtime), indent=2))
    _remove_stale_pid_files(layout)
    with (layout.logs / "dockerd.log").open("w") as output:
        daemon = subprocess.Popen(
            ["dockerd", "--config-file", str(_configuration(layout))],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    _await_answer(daemon, layout, log)


def _daemon_settings(layout: Layout, runtime: Path) -> dict[str, object]:
    return {
        "hosts": [f"unix://{SOCKET}"],
        "data-root": str(layout.engine / "data"),
        "exec-root": str(STATE),
        "pidfile": str(_pid_file(layout)),
        "storage-driver": "overlay2",
        "runtimes": {"ipv6k8s-lab": {"path": str(runtime)}},
        "default-runtime": "ipv6k8s-lab",
        "experimental": True,
        "ip6tables": True,
        "ipv6": True,
        "fixed-cidr-v6": "fd00:d0c:1ab::/64",
    }


def _await_answer(daemon: subprocess.Popen[bytes], layout: Layout, log: Log) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        status = daemon.poll()
        if status is not None or time.monotonic() > deadline:
            log.write((layout.logs / "dockerd.log").read_text(errors="replace"))
            raise LabProblem(
                f"dockerd ended with status {status}"
                if status is not None
                else f"dockerd does not answer after {START_SECONDS} s"
            )
        time.sleep(0.2)


def _remove_stale_pid_files(layout: Layout) -> None:
    """A pid file that outlived its process makes the daemons refuse to start."""
    files = {_pid_file(layout): "dockerd", STATE / "containerd" / "containerd.pid": "containerd"}
    for file, program in files.items():
        if _live_process(file, program) is None:
            file.unlink(missing_ok=True)


def _live_process(pid_file: Path, program: str) -> int | None:
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        return None
    return pid if _running_program(pid) == program else None


def _running_program(pid: int) -> str | None:
    """The name of a process; a zombie has ended, though its number is still taken."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    return None if facts["State"].startswith("Z") else facts["Name"]


def _await_end(pid: int) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while _running_program(pid) is not None:
        if time.monotonic() > deadline:
            raise LabProblem(f"dockerd (process {pid}) still runs after {STOP_SECONDS} s")
        time.sleep(0.2)


def _raise_fence(log: Log) -> None:
    rules = FENCE.read_text().replace("@KEY@", content_key([], [FENCE]))
    log.write(rules)
    subprocess.run(["nft", "--file", "-"], input=rules, text=True, check=True)


def _raise_inotify(log: Log) -> None:
    log.write(f"{INOTIFY}: {INOTIFY.read_text().strip()} -> {INOTIFY_INSTANCES}")
    INOTIFY.write_text(f"{INOTIFY_INSTANCES}\n")


def _pid_file(layout: Layout) -> Path:
    return layout.engine / "dockerd.pid"


def _configuration(layout: Layout) -> Path:
    return layout.engine / "daemon.json"


def _quiet(command: list[str]) -> bool:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return done.returncode == 0
