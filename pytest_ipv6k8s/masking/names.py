"""Which names say that a value is secret, and which values cannot be."""

from __future__ import annotations

import functools
import itertools
import re


def words(text: str) -> frozenset[str]:
    """Return the words of a text, each once."""
    return frozenset(text.split())


_WORDS = words(
    """
    pass pw pwd passcode passin passout requirepass bindpw secret secrets token tokens auth
    authz masterauth authorization creds cred psk presharedkey privatekey accesskey
    accountkey secretkey signingkey encryptionkey sharedaccesskey salt cookie cookies jwt
    dsn pat webhook webhooks tsig signature sig sessionid connectionstring keytab otp
    """
)
_ENDS = (
    *("password", "passwords", "passwd", "passphrase", "token", "secret", "apikey", "apitoken"),
    *("credential", "credentials", "credentialsdata"),
)
_BEFORE_KEY = words(
    """
    api access private secret encryption encrypt signing sign master ssh account shared
    client storage session app application consumer license preshared pre hmac aes deploy
    auth data service subscription server tls registry admin cipher host
    """
)
_HARMLESS_ENDS = words(
    """
    name names file files path paths ref refs dir type types kind ttl seconds expiration
    expiry expires count size length len mount volume audience audiences mode modes method
    methods provider enabled issuer review reviews request requests required timeout port
    version policy bits algorithm plugin url server username user
    """
)
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_HARMLESS_VALUE = re.compile(
    r"true|false|null|none|nil|undefined|yes|no|on|off|unset|empty|redacted|\W{0,3}"
    r"|\d{1,4}|\[redacted\]|\*+"
    r"|(?:~|\.{1,2})?/[\w.@-]+(?:/[\w.@-]+)+/?"  # a path
    r"|\$\(?\{?\w+\}?\)?|\{\$\w+\}|<[\w -]+>",  # what is filled in elsewhere
    re.IGNORECASE,
)


@functools.lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Tell whether what has this name is a secret: ``DB_PASS``, ``--client-secret``, ``apiKey``."""
    parts = [part.lower() for part in _PARTS.findall(name)]
    if not parts:
        return False
    if parts[-1] in _HARMLESS_ENDS and "webhook" not in parts:
        return False
    pairs = ["".join(pair) for pair in itertools.pairwise(parts)]
    if {"pullsecret", "pullsecrets"} & set(pairs):
        return False  # the name of one
    if any(part in _WORDS or part.endswith(_ENDS) for part in (*parts, *pairs)):
        return True
    keys = [at for at, part in enumerate(parts) if part in ("key", "keys")]
    shouted = name.isupper() and len(parts) > 1  # a variable of an environment: SOMETHING_KEY
    return any(shouted or parts[at - 1] in _BEFORE_KEY for at in keys if at)


def is_worth_hiding(value: str) -> bool:
    """Tell whether a value may be a secret: not where it is a boolean, a path or a reference."""
    return _HARMLESS_VALUE.fullmatch(value.strip()) is None
