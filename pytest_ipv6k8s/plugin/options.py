"""Our options in pytest's words: command line, ini file, and the settings that come of them."""

from __future__ import annotations

import argparse
import os

import pytest

from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.options import Option
from pytest_ipv6k8s.settings import OLD_OPTIONS, OPTIONS, Settings, resolve


def add(parser: pytest.Parser) -> None:
    """Add every option; those that were renamed are not shown on the command line."""
    group = parser.getgroup("ipv6k8s", "IPv6 conformance of Kubernetes (pytest-ipv6k8s)")
    for option in OPTIONS:
        _add(group, option, option.help)
        _add_ini(parser, option, f"{option.help} Like {option.flag}.")
    for old, new in OLD_OPTIONS:
        _add(group, old, argparse.SUPPRESS)
        _add_ini(parser, old, f"Now {new.ini}.")


def _add(group: pytest.OptionGroup, option: Option, text: str) -> None:
    more: dict[str, str] = {} if option.is_flag else {"metavar": option.metavar}
    more |= {"action": option.action, "dest": option.ini, "help": text}
    group.addoption(option.flag, default=None, **more)


def _add_ini(parser: pytest.Parser, option: Option, text: str) -> None:
    if option.repeats:
        parser.addini(option.ini, text, type="args", default=None)
    else:
        parser.addini(option.ini, text, type="string", default=None)


def read(config: pytest.Config) -> Settings:
    """Return the settings.

    Raises:
        pytest.UsageError: one of them is no good.
    """
    names = [option.ini for option in (*OPTIONS, *(old for old, _ in OLD_OPTIONS))]
    given = {name: config.getoption(name, None) for name in names}
    ini = {name: config.getini(name) for name in names}
    try:
        return resolve(given, os.environ, ini)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None


def only_shows(config: pytest.Config) -> bool:
    """Tell whether pytest is only to show something, and to run nothing."""
    names = ("showfixtures", "show_fixtures_per_test", "markers", "version", "help", "cacheshow")
    return any(getattr(config.option, name, None) for name in names)


def refuse_without_cluster(config: pytest.Config) -> None:
    """Refuse options that somebody typed although there is no cluster that they could be about.

    In an ini file, in addopts or in the environment they wait for one.

    Raises:
        pytest.UsageError: there are some.
    """
    words = map(str, config.invocation_params.args)
    typed = next((word for word in words if word.startswith("--ipv6k8s-")), "")
    if typed and not only_shows(config):
        raise pytest.UsageError(
            f"{typed.partition('=')[0]} is given, and no cluster. Give --ipv6k8s-kubeconfig=FILE, "
            "or --ipv6k8s-provider=existing for the cluster of the usual kubeconfig."
        )
