"""JSON lines between host and agent: one question or answer a line. Standard library only.

A question is ``{"seq": 7, "op": "tcp_connect", "args": {…}}``, its answer
``{"seq": 7, "answer": {…}}``; ``{"seq": 7, "broke": "…"}`` means that the operation itself broke.
Answers come in the order in which they are ready.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import typing
from typing import Any, Dict

OPERATIONS = "pytest_ipv6k8s.agent.ops"


def operation_of(request: Any) -> str:
    """Return the name of the operation that a request belongs to: its module's last name."""
    return str(type(request).__module__.rsplit(".", 1)[1])


def request_line(seq: int, request: Any) -> bytes:
    """Return a request as a line."""
    return _line({"seq": seq, "op": operation_of(request), "args": dataclasses.asdict(request)})


def answer_line(seq: int, answer: Any) -> bytes:
    """Return an answer as a line."""
    return _line({"seq": seq, "answer": dataclasses.asdict(answer)})


def broken_line(seq: int, why: str) -> bytes:
    """Return the line which says that an operation broke."""
    return _line({"seq": seq, "broke": why})


def _line(message: Dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def parse(line: bytes) -> Dict[str, Any]:
    """Return the message in a line.

    Raises:
        ValueError: the line is no JSON object with a sequence number.
    """
    message = json.loads(line)
    if not isinstance(message, dict) or "seq" not in message:
        raise ValueError("not a message: %r" % line[:80])
    return message


def perform(operation: str, args: Dict[str, Any]) -> Any:
    """Carry out an operation by name and return its answer."""
    module = importlib.import_module(OPERATIONS + "." + operation)
    return module.perform(build(module.Request, args))


def answer_of(operation: str, data: Dict[str, Any]) -> Any:
    """Return the answer of an operation as the dataclass that its module declares."""
    return build(importlib.import_module(OPERATIONS + "." + operation).Answer, data)


def build(kind: Any, data: Dict[str, Any]) -> Any:
    """Make a dataclass from plain data; tuples of dataclasses are made, too.

    Raises:
        TypeError: the data has fields that the dataclass does not have.
    """
    hints = typing.get_type_hints(kind)
    return kind(**{name: _value(hints.get(name), value) for name, value in data.items()})


def _value(hint: Any, value: Any) -> Any:
    if isinstance(value, list):
        inner = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else None
        return tuple(_value(inner, item) for item in value)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return build(hint, value)
    return value
