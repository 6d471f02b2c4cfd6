"""Our options in pytest's words: command line, ini file, and the settings that come of them."""

from __future__ import annotations

import os

import pytest

from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.options import OPTIONS
from pytest_ipv6k8s.settings import Settings, resolve


def add(parser: pytest.Parser) -> None:
    """Add every option of the table."""
    group = parser.getgroup("ipv6k8s", "IPv6 conformance of Kubernetes (pytest-ipv6k8s)")
    for option in OPTIONS:
        action = "store_true" if option.is_flag else "append" if option.repeats else "store"
        more = {} if option.is_flag else {"metavar": option.metavar}
        group.addoption(
            option.flag, action=action, default=None, dest=option.ini, help=option.help, **more
        )
        shown = f"{option.help} Like {option.flag}."
        if option.repeats:
            parser.addini(option.ini, shown, type="args", default=None)
        else:
            parser.addini(option.ini, shown, type="string", default=None)


def read(config: pytest.Config) -> Settings:
    """Return the settings.

    Raises:
        pytest.UsageError: one of them is no good.
    """
    given = {option.ini: config.getoption(option.ini, None) for option in OPTIONS}
    ini = {option.ini: config.getini(option.ini) for option in OPTIONS}
    try:
        return resolve(given, os.environ, ini)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
