"""Whatever pytest shows, keeps or hands to other plugins is without the secrets that we hold.

Reports are masked as they are made, so JUnit files, other plugins and workers never see a secret:
tracebacks with locals, captured output and sections. The terminal is masked as it is written, and
log records as they are made.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from functools import partial
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from pytest_ipv6k8s.masking import MaskedStream, hold_environment, masked, redact_text
from pytest_ipv6k8s.plugin import junit
from pytest_ipv6k8s.plugin.state import is_worker

_LIBRARIES = ("root", "kubernetes", "urllib3", "websocket")
"""Loggers through which libraries tell of credentials: exec plugins' output goes to the root."""


def pytest_configure(config: pytest.Config) -> None:
    """Note the secrets of our environment, and mask log records from now on."""
    hold_environment()
    config.add_cleanup(_mask_logs())
    if not is_worker(config):
        config.pluginmanager.register(_Ids(), "ipv6k8s-ids")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Mask the terminal, before anything is done that may fail."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    writer: Any = getattr(reporter, "_tw", None)
    if hasattr(writer, "_file") and not isinstance(writer._file, MaskedStream):
        writer._file = MaskedStream(writer._file)


@pytest.hookimpl(wrapper=True)
def pytest_make_parametrize_id(val: object) -> Generator[None, str | None, str | None]:
    """Mask ids that are made of values; those that a test gives are masked in reports."""
    made = yield
    text = val if made is None and isinstance(val, str) else made or ""
    safe = masked(text)
    return made if safe == text else safe


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Mask what became of an item, checks and other tests alike."""
    report = yield
    _mask(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Mask what became of a module that was collected."""
    report = yield
    _mask(report)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Mask what a worker reports once more: it knows fewer secrets than the controller."""
    _mask(report)


class _Ids:
    """Masks ids of items in reports; not in workers, whose reports xdist tells apart by them."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Mask an id that a test made of a secret."""
        report.nodeid = masked(report.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excrepr: object) -> None:
    """Mask an error of pytest's or ours before anybody is told of it."""
    _mask(excrepr)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Mask what tests told JUnit's plugin beside their reports, before it writes its file."""
    xml = junit.written_by(session.config)
    if xml is not None:
        _mask_junit(xml)
    return (yield)


# Ids, and what leads to pytest's own nodes (``call`` of a report is a CallInfo): never printed.
_NOT_SHOWN = ("_id", "call", "nodeid", "result")


def _mask(shown: object) -> None:
    """Mask an object of pytest's in place, such as a report: all texts, however deep."""
    for name, value in list(getattr(shown, "__dict__", {}).items()):
        if name not in _NOT_SHOWN:
            object.__setattr__(shown, name, _masked(value))


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {_masked(key): _masked(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_masked(item) for item in value)
    if hasattr(value, "toterminal"):  # part of a traceback
        _mask(value)
    return value


def _mask_junit(xml: Any) -> None:
    """Mask properties of the suite, and all of the test cases: attributes, properties, texts."""
    xml.global_properties = _masked(xml.global_properties)
    for case in xml.node_reporters_ordered:
        element = case.to_xml()
        for part in element.iter():
            part.attrib = _masked(part.attrib)
            part.text = masked(part.text or "")
        case.to_xml = partial(_itself, element)


def _itself(element: Element) -> Element:
    return element


def _mask_logs() -> Callable[[], None]:
    """Mask log records as they are made; return what puts the factory before back."""
    before = logging.getLogRecordFactory()

    def make(*args: Any, **more: Any) -> logging.LogRecord:
        record = before(*args, **more)
        try:
            said = record.getMessage()
        except Exception:  # a record that is broken shows its own trouble later
            return record
        library = record.name.partition(".")[0] in _LIBRARIES
        safe = redact_text(said) if library else masked(said)
        if safe != said:
            record.msg, record.args = safe, ()
        return record

    logging.setLogRecordFactory(make)
    return lambda: logging.setLogRecordFactory(before)
