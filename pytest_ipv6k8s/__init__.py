"""A pytest plugin and conformance suite for IPv6-only and dual-stack Kubernetes."""

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.checks import (
    ALL_STACKS,
    DUAL_STACK,
    ONLY_IPV6,
    SINGLE_STACK,
    WITH_IPV4,
    WITH_IPV6,
    Beside,
    Level,
    check,
)
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import (
    assert_family,
    eventually,
    expect,
    expect_all,
    remark,
    settle,
)
from pytest_ipv6k8s.features import Feature

__version__ = "0.1.0"
__all__ = [
    "ALL_STACKS",
    "DUAL_STACK",
    "ONLY_IPV6",
    "SINGLE_STACK",
    "WITH_IPV4",
    "WITH_IPV6",
    "Beside",
    "Family",
    "Feature",
    "Inconclusive",
    "Level",
    "Record",
    "Stack",
    "assert_family",
    "check",
    "eventually",
    "expect",
    "expect_all",
    "remark",
    "settle",
]
