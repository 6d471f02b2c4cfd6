"""Which versions the lab builds, from which packages, and where it keeps what it built."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

FILES = Path(__file__).resolve().parent / "files"

KIND = "v0.33.0"
FLANNEL = "v0.26.7"
CILIUM = "v1.18.3"
HELM = "v3.22.0"
DEBIAN = "bookworm"
# Python 3.13: the first that refuses certificates as strictly as today's `python:3-slim`.
PROBE_DEBIAN = "trixie"
DEFAULT_KUBERNETES = "v1.36.3"

# The CoreDNS that kubeadm of this Kubernetes names: an image's tag must tell what is in it.
COREDNS = {"v1.34": "v1.12.1", "v1.36": "v1.14.2"}

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

# Cilium's agent compiles its BPF programs, and enters the namespaces of its node.
CILIUM_PACKAGES = (*NETWORK_PACKAGES, "clang-19", "ipset", "kmod")
# What clang brings to compile for this machine.
LEFT_OUT_OF_CILIUM = (
    "binutils",
    "binutils-common",
    "binutils-x86-64-linux-gnu",
    "libbinutils",
    "libc-dev-bin",
    "libc6-dev",
    "libclang1-19",
    "libcrypt-dev",
    "libgcc-12-dev",
    "libnsl-dev",
    "libobjc-12-dev",
    "libstdc++-12-dev",
    "libtirpc-dev",
    "linux-libc-dev",
    "llvm-19-linker-tools",
)

# Nothing in a container of the lab installs packages, mounts, or logs in.
LEFT_OUT_OF_CONTAINERS = (
    "adduser",
    "apt",
    "bsdutils",
    "debian-archive-keyring",
    "e2fsprogs",
    "gpgv",
    "libapt-pkg6.0",
    "libext2fs2",
    "libgnutls30",
    "libhogweed6",
    "libidn2-0",
    "libnettle8",
    "libp11-kit0",
    "libseccomp2",
    "libsemanage-common",
    "libsemanage2",
    "libsepol2",
    "libss2",
    "libstdc++6",
    "libtasn1-6",
    "libunistring2",
    "login",
    "logsave",
    "mount",
    "passwd",
    "perl-base",
    "util-linux",
)
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
        """Links to `kind`, `kubectl` and `helm`; `lab env` puts it first in PATH."""
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


def minor(kubernetes_version: str) -> str:
    """v1.36.3 -> v1.36"""
    return kubernetes_version.rpartition(".")[0]


def widen_path() -> None:
    """Find the administrator's programs even when the shell's PATH leaves them out."""
    os.environ["PATH"] = (
        f"{os.environ.get('PATH', '/usr/bin:/bin')}:/usr/local/sbin:/usr/sbin:/sbin"
    )


def prepare_go() -> None:
    """Let Go name each package that it compiles, for the logs, and leave out what nobody needs.

    Without debug information and with less garbage collection kind compiles in three quarters of
    the time of a processor (37 s instead of 49 s).
    """
    asked = subprocess.run([go_program(), "env", "GOFLAGS"], capture_output=True, text=True)
    os.environ["GOFLAGS"] = f"{asked.stdout.strip()} -v -gcflags=all=-dwarf=false".strip()
    os.environ.setdefault("GOGC", "800")


def debian_mirror() -> str:
    """Where debootstrap takes Debian's packages from."""
    return os.environ.get("IPV6K8S_LAB_DEBIAN_MIRROR", "http://deb.debian.org/debian")


def go_program() -> str:
    """The Go toolchain: on PATH, or where its own installer puts it."""
    return shutil.which("go") or "/usr/local/go/bin/go"
