"""Which versions the lab builds, from which packages, and where it keeps what it built."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent

KIND = "v0.33.0"
COREDNS = "v1.12.4"
FLANNEL = "v0.26.7"
DEBIAN = "bookworm"
DEFAULT_KUBERNETES = "v1.36.3"

ENGINE_PACKAGES = (
    "ca-certificates",
    "conntrack",
    "containerd",
    "debootstrap",
    "docker.io",
    "gcc",
    "iproute2",
    "iptables",
    "libc6-dev",
    "nftables",
    "python3-minimal",
    "runc",
)
PROBE_PACKAGES = ("python3",)
NETWORK_PACKAGES = ("conntrack", "iproute2", "iptables", "nftables")
NODE_PACKAGES = (
    *NETWORK_PACKAGES,
    "containerd",
    "containernetworking-plugins",
    "curl",
    "ethtool",
    "jq",
    "kmod",
    "mount",
    "procps",
    "runc",
    "socat",
    "systemd",
    "systemd-sysv",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The cache folder: everything the lab makes is in it, nothing else is."""

    cache: Path

    @property
    def outputs(self) -> Path:
        """One folder for each finished step and its inputs, `<step>-<key>`."""
        return self.cache / "out"

    @property
    def logs(self) -> Path:
        """One log for each step, of its latest run."""
        return self.cache / "logs"

    @property
    def engine(self) -> Path:
        """Configuration and data of the container engine that the lab starts."""
        return self.cache / "engine"

    @property
    def programs(self) -> Path:
        """Links to `kind` and `kubectl`; `lab env` puts it first in PATH."""
        return self.cache / "bin"

    @property
    def lock(self) -> Path:
        """Held by a running `lab up` or `lab down`."""
        return self.cache / "lock"


def default_layout() -> Layout:
    """Where the environment wants the cache."""
    own = os.environ.get("IPV6K8S_LAB_CACHE")
    if own:
        return Layout(cache=Path(own).resolve())
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Layout(cache=Path(base).resolve() / "ipv6k8s-lab")


def debian_mirror() -> str:
    """Where debootstrap takes Debian's packages from."""
    return os.environ.get("IPV6K8S_LAB_DEBIAN_MIRROR", "http://deb.debian.org/debian")


def go_program() -> str:
    """The Go toolchain: on PATH, or where its own installer puts it."""
    return shutil.which("go") or "/usr/local/go/bin/go"
