"""Every operation's question and answer survive the way to the agent and back."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import pkgutil
import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ipv6k8s.agent import ops, wire
from pytest_ipv6k8s.agent.ops import identity, loopback, network_state

OPERATIONS = sorted(module.name for module in pkgutil.iter_modules(ops.__path__))
_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    int: st.integers(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
}


def _values(hint: Any) -> st.SearchStrategy[Any]:
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if dataclasses.is_dataclass(hint):
        return _instances(hint)
    inner = [_values(argument) for argument in typing.get_args(hint) if argument is not ...]
    if typing.get_origin(hint) is tuple:
        return st.lists(inner[0], max_size=3).map(tuple)
    assert typing.get_origin(hint) is dict, hint
    return st.dictionaries(*inner, max_size=3)


def _instances(kind: Any) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(kind)
    names = [item.name for item in dataclasses.fields(kind)]
    return st.builds(kind, **{name: _values(hints[name]) for name in names})


def _module(operation: str) -> Any:
    return importlib.import_module(f"{wire.OPERATIONS}.{operation}")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_keeps_the_contract(operation: str) -> None:
    module = _module(operation)

    assert "timeout" in {item.name for item in dataclasses.fields(module.Request)}
    assert list(inspect.signature(module.perform).parameters) == ["request"]
    assert wire.operation_of(module.Request.__new__(module.Request)) == operation
    for kind in (module.Request, module.Answer):
        assert kind.__dataclass_params__.frozen


@pytest.mark.parametrize("operation", OPERATIONS)
@given(data=st.data(), seq=st.integers(min_value=0))
def test_a_question_arrives_as_it_was_put(operation: str, data: st.DataObject, seq: int) -> None:
    kind = _module(operation).Request
    request = data.draw(_instances(kind))

    line = wire.request_line(seq, request)

    message = wire.parse(line.rstrip(b"\n"))
    assert line.count(b"\n") == 1
    assert (message["seq"], message["op"]) == (seq, operation)
    assert wire.build(kind, message["args"]) == request


@pytest.mark.parametrize("operation", OPERATIONS)
@given(data=st.data(), seq=st.integers(min_value=0))
def test_an_answer_arrives_as_it_was_given(operation: str, data: st.DataObject, seq: int) -> None:
    answer = data.draw(_instances(_module(operation).Answer))

    line = wire.answer_line(seq, answer)

    message = wire.parse(line)
    assert line.count(b"\n") == 1
    assert message["seq"] == seq
    assert wire.answer_of(operation, message["answer"]) == answer


def test_an_operation_is_performed_by_its_name() -> None:
    answer = wire.perform("loopback", {"address": "::1"})

    assert isinstance(answer, loopback.Answer)


def test_an_unknown_operation_is_an_error() -> None:
    with pytest.raises(ImportError, match="no_such"):
        wire.perform("no_such", {})


def test_nested_records_are_made_again() -> None:
    address = network_state.Address("eth0", "fd00::1", 64, "global", ("tentative",))
    plain = json.loads(json.dumps(dataclasses.asdict(address)))

    assert wire.build(network_state.Address, plain) == address


def test_an_unknown_field_is_an_error() -> None:
    with pytest.raises(TypeError, match="colour"):
        wire.build(identity.Request, {"colour": "red"})


def test_what_broke_is_told_in_one_line() -> None:
    line = wire.broken_line(7, "KeyError: 'a\nb'")

    assert line.count(b"\n") == 1
    assert wire.parse(line) == {"seq": 7, "broke": "KeyError: 'a\nb'"}


@pytest.mark.parametrize("line", [b"", b"x", b"[]", b"{}", b"7", b'{"op": "hello"}', b"\xff"])
def test_what_is_no_message_is_an_error(line: bytes) -> None:
    with pytest.raises(ValueError):
        wire.parse(line)
