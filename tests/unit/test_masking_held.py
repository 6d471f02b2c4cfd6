"""Credentials that a process holds: none of their shapes, and no part of them, gets out."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from pytest_ipv6k8s.masking import (
    REDACTED,
    held,
    hold,
    hold_environment,
    hold_named,
    hold_url,
    masked,
    redact,
    redact_text,
)

ODD = "zQ7\"k'm\\n<3&é+/ x%"
LONG = "".join(f"{number:04x}" for number in range(0, 60_000, 331))
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join([LONG[:64], LONG[64:128]]) + "\n-----END-----"


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test holds its own secrets."""
    monkeypatch.setattr(held, "_held", held._Held())


SHAPES = {
    "as it is": ODD,
    "base64": base64.b64encode(ODD.encode()).decode(),
    "URL": quote(ODD, safe=""),
    "form": quote_plus(ODD),
    "JSON": json.dumps({"a": ODD}),
    "JSON with letters": json.dumps([ODD], ensure_ascii=False),
    "HTML": html.escape(ODD),
    "Python": repr({"a": ODD}),
    "YAML": "'" + ODD.replace("'", "''") + "'",
    "shell": "'" + ODD.replace("'", "'\"'\"'") + "'",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_secret_is_masked_in_every_shape(shape: str) -> None:
    hold(ODD)

    text = masked(f"before {SHAPES[shape]} after")

    assert REDACTED in text
    assert "zQ7" not in text
    assert text.startswith("before ")
    assert text.endswith(" after")
    for other in (redact_text(SHAPES[shape]), *redact([SHAPES[shape]])):
        assert "zQ7" not in other


@pytest.mark.parametrize(
    "part", [LONG, LONG[:40], LONG[-40:], LONG[100:140], f"{LONG[:60]}...{LONG[-60:]}"]
)
def test_a_part_of_a_long_secret_is_masked(part: str) -> None:
    """Python shortens long texts in tracebacks in their middle."""
    hold(LONG)

    assert masked(f"x='{part}'").replace(REDACTED, "").replace("...", "") == "x=''"


def test_the_lines_of_a_key_are_masked_wherever_they_stand() -> None:
    hold_named({"users": [{"user": {"client-key-data": base64.b64encode(KEY.encode()).decode()}}]})

    for text in (KEY, repr(KEY), LONG[64:128], base64.b64encode(KEY.encode()).decode()):
        assert LONG[70:100] not in masked(text)
        assert base64.b64encode(KEY.encode()).decode()[40:80] not in masked(text)


def test_an_entry_gives_its_secrets_and_nothing_else() -> None:
    registry = {
        "auths": {"registry.example": {"auth": base64.b64encode(b"me:pass-of-me").decode()}}
    }
    hold_named(
        {
            "token": "token-of-me",
            "tokenFile": "/var/run/token",
            "auth-provider": {"name": "oidc", "config": {"client-secret": "s3cret-of-oidc"}},
            "exec": {
                "command": "aws",
                "args": ["get", "--token", "token-of-aws", "--cluster", "prod"],
                "env": [
                    {"name": "AWS_PROFILE", "value": "default"},
                    {"name": "AWS_SECRET_ACCESS_KEY", "value": "key-of-aws"},
                ],
            },
            ".dockerconfigjson": base64.b64encode(json.dumps(registry).encode()).decode(),
        }
    )

    harmless = "aws get --cluster prod default oidc registry.example /var/run/token me"
    assert masked(harmless) == harmless
    for secret in ("token-of-me", "s3cret-of-oidc", "token-of-aws", "key-of-aws", "pass-of-me"):
        assert masked(f"<{secret}>") == f"<{REDACTED}>"


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("https://me:pass-word@[fd00::1]:6443", "pass-word"),
        ("https://token-alone@host", "token-alone"),
        ("http://me:p%40ss-word@host:3128", "p@ss-word"),
        ("http://me:pass-word@host:port", "pass-word"),
        ("http://me:pass-word@[fd00::1", "pass-word"),
    ],
)
def test_the_password_of_a_url_is_held(url: str, secret: str) -> None:
    hold_url(url)

    assert masked(f"<{secret}> {url}").count(REDACTED) == 2
    assert masked("https://me@host, [fd00::1]:6443") == "https://me@host, [fd00::1]:6443"


def test_of_the_environment_only_secrets_are_held() -> None:
    hold_environment(
        {
            "GITHUB_TOKEN": "token-of-github",
            "HTTPS_PROXY": "http://me:pass-word@proxy:3128",
            "HOME": "/home/somebody",
            "TOKEN_FILE": "/run/secrets/token",
            "SSH_AUTH_SOCK": "/tmp/ssh-abc/agent.1",
            "PASSWORD": "short",
        }
    )

    text = "token-of-github pass-word /home/somebody /run/secrets/token /tmp/ssh-abc/agent.1 short"
    assert masked(text).split() == [REDACTED, REDACTED, *text.split()[2:]]


def test_a_short_secret_is_masked_as_a_word_only() -> None:
    hold("pod1")
    hold("abc")  # too short to be told from other text
    hold("")
    hold(None)

    assert masked("pod1, pod10, mypod1 abc") == f"{REDACTED}, pod10, mypod1 abc"


def test_secrets_that_overlap_are_masked_once() -> None:
    hold("abcdefgh-ijkl")
    hold("ijkl-mnopqrs")

    assert masked("x abcdefgh-ijkl-mnopqrs y abcdefgh-ijkl") == f"x {REDACTED} y {REDACTED}"
