"""A declaration with several mistakes: all are told at once, with their lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.external.declaration import read
from tests.unit.test_declaration import _file

MANY = """apiVersion: ipv6k8s.io/v1alpha1
kind: ClusterDeclaration
stack: dual-stack
egres: masquerade
networkPolicy: yes
nat64:
  prefix: ["64:ff9b::/96"]
targets:
- role: v6
  addresses: ["::1"]
  udp: x
- addresses: ["::1"]
proxy: http://me:secret@[::1]:3128
"""
ALL_OF_THEM = """ has 8 errors:
  stack: 'dual-stack' is none of ipv6, ipv4, dual, dual-ipv6; did you mean dual? (line 3)
  egres: unknown key; did you mean egress? (line 4)
  networkPolicy: True is none of enforced, none; did you mean enforced? (line 5)
  nat64: it lacks prefixes (line 6)
  nat64.prefix: unknown key; did you mean prefixes? (line 7)
  targets[0].udp: 'x' is not a whole number (line 11)
  targets[1]: it lacks role (line 12)
  proxy: it has a user or a password, and reports would publish it (line 13). Compare with what"""


def test_all_that_is_wrong_is_told_at_once_with_lines_and_what_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "ipv6k8s.yaml"
    path.write_text(MANY)

    with pytest.raises(ConfigError) as caught:
        read(path)

    assert str(caught.value).startswith(f"declaration {path}{ALL_OF_THEM}")


def test_all_that_no_schema_can_say_is_told_at_once_too(tmp_path: Path) -> None:
    body = "dns64: true\ntargets:\n- {role: v6, addresses: [there], tcp: 1}\n"

    with pytest.raises(ConfigError, match="has 2 errors") as caught:
        read(_file(tmp_path, body))

    assert "dns64: there is no nat64 with a prefix to synthesise with (line 3)" in str(caught.value)
    assert "targets[0].addresses: 'there' is no IP address (line 5)" in str(caught.value)
