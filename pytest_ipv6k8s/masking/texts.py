"""Secrets in free text, such as logs, events and command lines.

What they look like is told by the rules of detect-secrets; what they are called, here.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from pytest_ipv6k8s.masking.controls import cleaned
from pytest_ipv6k8s.masking.held import REDACTED, masked
from pytest_ipv6k8s.masking.names import is_secret_name, is_worth_hiding

_LINE = r"[^\n]{9,5000}"
_KEYWORD = r"(?i)key|pass|pwd|secret|contrase"
_BLOCKS = (
    r"-----BEGIN[^-]+-----[^-]*(?:-----END[^-]+-----|\Z)"  # PEM, also one cut off at its end
    r"|\A[\w+/=\s]*-----END[^-]+-----"  # … or at its beginning
    r"|LS0tLS1CRUdJTi[\w+/=]*|b3BlbnNzaC1rZXktdjE[\w+/=\s]*"  # PEM in base64; an SSH key
)
_SHAPES = (
    r"\bBearer\s+[^\s\"']+"
    r"|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"  # a JWT, also one whose signature is cut off
    r"|\b[a-z0-9]{6}\.[a-z0-9]{16}\b"  # a bootstrap token
    r"|\$(?:[156]|2[aby]|apr1|y)\$[\w./$]+"  # a password's hash: crypt(5)
    r"|(?<=://)[^\s/@\"']+(?=@)"  # name and password in a URL, or a token instead
    r"|(?<=hooks\.slack\.com/)[\w/-]+|(?<=/api/webhooks/)[\w/-]+|(?<=/webhookb2/)[\w@/-]+"
    r"|(?<=api\.telegram\.org/bot)[\w:-]+"
    r"|\b(?:github_pat_|glpat-|gh[pousr]_|hv[sb]\.|ya29\.|xox[abeprs]-|xapp-|dop_v1_|shp(?:at|ss)_"
    r"|sk-|sk_live_|rk_live_|ATATT3|AIza|npm_|pypi-|AGE-SECRET-KEY-|nfp_|dckr_pat_)[\w.=-]{10,}"
)
_QUOTED = r'\\+"(?:[^"\\\n]|\\[^"\n])*|"(?:[^"\\\n]|\\.)*|\'(?:[^\'\\\n]|\\.)*'
_ASSIGNMENT = (
    r"(?P<name>(?<![\w.$-])(?:--?)?[A-Za-z_$][\w.$-]{0,80})"
    r"(?P<between>\\*[\"']?\]?(?:[ \t]*(?:=>|:=|[:=])[ \t]*|[ \t]*[:=][ \t]*\n[ \t]+))"
    rf"(?P<value>[|>][-+]?\d?[ \t]*(?:\n[ \t]+[^\n]*)+|{_QUOTED}|[^\s\"',;&<>()\[\]{{}}\\]+)"
)
_FLAG = (
    r"(?P<name>(?<![\w-])--?[A-Za-z][\w.-]{0,80})(?P<between>[ \t]+)"
    rf"(?P<value>{_QUOTED}|[^\s-]\S*)"
)
_VARIABLE = (
    r"(?P<between>\bname\W{1,6}(?P<name>[\w.-]{1,80})\W{1,20}?value[^\w\[{]{1,6})"
    r"(?P<value>[^\s\"'\\,}]+)"
)
_ELEMENT = r"(?P<between><(?P<name>[\w.:-]{1,80})(?: [^<>]*)?>)(?P<value>[^<>]+)(?=</)"
_HEADER = (
    r"(?i)((?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?|(?:set-)?cookie2?[\"']?\s*:[ \t]*[\"']?)"
    r"(?:Digest [^\n]*|[^\n\"']+)"
)
_SCHEME = r"(?i)\b((?:bearer|basic)(?: token)?:?\s+)[\"'`]?(?!tokens?\b|auth)[\w.+/=~-]{6,}"
_DIRECTIVE = (
    r"(?i)\b((?:passw(?:or)?d|passphrase|pwd|token|secret|psk|bindpw|requirepass|masterauth|client_secret"
    r"|api[ _-]?key|access[ _-]?key|aws_access_key|credentials|community|webhook|pin)"
    r"(?:[ \t]+(?:is|was|for|of|set to))?[ \t]*[:=]?[ \t]+)"
    r"(?P<first>[\"'`]?)(?P<value>[^\s\"'`,;]+)(?P<second>[ \t]+[^\s\"'`,;{]+)?"
)
_TOOL = (
    r"\b(?:curl|wget|mysql\w*|mariadb\w*|docker|podman|nerdctl|crictl|sshpass|redis-cli|ldap\w+|psql"
    r"|smbclient|skopeo|buildah|mongo\w*|openssl|htpasswd|snmp\w+)\b[^\n|;&]*"
)
_LETTER = (
    r"(?P<between>(?<!\S)(?:--(?:proxy-)?user(?=[ \t=])|-[puaw])(?:[ \t]+|=|(?=[^\s=-])))"
    r"(?P<value>\"[^\"\n]*|'[^'\n]*|[^\s\"']+)"
)
_PLAIN_ARGUMENT = r"(?i)[\d.:\[\]-]+(?:/\w+)?|[./~]\S*|no:\S+|\d+[.:]\S*|\W*"  # ports, paths
_QUERY = r"(?i)([?&;](?:key|code|sig|auth|pass|sas|[\w.-]*signature)=)[^\s&\"'<>#]+"


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern; none is compiled before it is used, and most processes never do."""
    return re.compile(pattern)


@functools.lru_cache(maxsize=1)
def _detectors() -> tuple[Any, ...]:
    """Return the rules of detect-secrets that name a secret by its form.

    Those that go by entropy, or that hide public addresses, would hide what a diagnosis needs.
    """
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    left_out = ("IPPublicDetector", "PrivateKeyDetector")
    return tuple(
        found().analyze_string
        for found in get_mapping_from_secret_type_to_class().values()
        if found.__name__ not in left_out and "Entropy" not in found.__name__
    )


def _by_rules(text: str) -> str:
    """Take out what the rules find: most all of it in a text at once, keywords one in a line."""
    lines = list(dict.fromkeys(_compiled(_LINE).findall(text)))
    together = "\n".join(lines)
    keyword = [line for line in lines if _compiled(_KEYWORD).search(line)]
    found = {
        secret
        for analyze in _detectors()
        for part in (keyword if "Keyword" in type(analyze.__self__).__name__ else (together,))
        for secret in analyze(part)
    }
    for secret in found:
        if len(secret) > 3 and is_worth_hiding(secret):
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", REDACTED, text)
    return text


def redact_text(text: str) -> str:
    """Return a text of any length, such as a log, without whatever looks like a secret.

    It rather takes out too much: also what stands behind a name such as ``password=``.
    """
    text = _compiled(_SHAPES).sub(REDACTED, _compiled(_BLOCKS).sub(REDACTED, masked(cleaned(text))))
    text = _by_rules(text)
    text = _compiled(_QUERY).sub(rf"\1{REDACTED}", _compiled(_HEADER).sub(rf"\1{REDACTED}", text))
    for pattern in (_VARIABLE, _ELEMENT, _ASSIGNMENT, _FLAG):
        text = _without_named(pattern, text)
    text = _compiled(_DIRECTIVE).sub(_directed, _compiled(_SCHEME).sub(rf"\1{REDACTED}", text))
    return _compiled(_TOOL).sub(lambda found: _compiled(_LETTER).sub(_lettered, found[0]), text)


def without_secrets(command: str) -> str:
    """Return a command of the operator's without passwords, as it may be shown and published.

    In a word that is a command of its own, what follows ``-p``, ``-u`` and the like is taken out.
    """
    text = redact_text(command)
    return _compiled(_LETTER).sub(_lettered, text) if " " in command.strip() else text


def _without_named(pattern: str, text: str) -> str:
    """Replace the values of secret names; what has another name may hold one in its value."""
    compiled, parts, kept, at = _compiled(pattern), [], 0, 0
    while found := compiled.search(text, at):
        value = found["value"]
        at = found.start("value")
        if is_secret_name(found["name"]) and is_worth_hiding(value.strip("\\\"'")):
            quote = re.match(r"\\*[\"']?", value)
            parts += [text[kept:at], quote[0] if quote else "", REDACTED]
            kept = at = found.end("value")
    return "".join([*parts, text[kept:]])


def _directed(found: re.Match[str]) -> str:
    """Hide what follows a word such as ``password`` where it looks made up, or quoted, or assigned.

    Of two words the second may be it: ``credentials USER PASSWORD``, ``secret NAME KEY``.
    """
    said, value, second = found[1], found["value"], found["second"] or ""
    if _looks_made_up(second.strip()) and not _is_prose(value):
        return f"{said}{found['first']}{value} {REDACTED}"
    if is_worth_hiding(value) and _looks_made_up(value):
        return f"{said}{found['first']}{REDACTED}{second}"
    return found[0]


def _is_prose(word: str) -> bool:
    return word.lower() in ("is", "was", "for", "of", "to", "the", "a", "in", "by", "from", "not")


def _looks_made_up(word: str) -> bool:
    """Tell a password from a word of a sentence: digits among letters, odd signs, or both cases."""
    word = word.strip(".,:;!?)(")
    if len(word) < 5 or word == REDACTED or word.startswith(("/", "-")):
        return False
    if re.fullmatch(r"[\d.:/]+|\[?[0-9a-f:]*::?[0-9a-f:.]*\]?(?:/\d+)?", word):
        return False  # numbers, addresses
    letters = any(c.isalpha() for c in word)
    mixed = re.search(r"[a-z][A-Z].*[A-Z]|[A-Z]{2}.*[a-z]", word) is not None
    odd = re.search(r"[!$%^&*#?+=~|\\]", word) is not None
    return (letters and (any(c.isdigit() for c in word) or mixed or odd)) or len(word) >= 24


def _lettered(found: re.Match[str]) -> str:
    value = found["value"]
    if _compiled(_PLAIN_ARGUMENT).fullmatch(value.strip("\"'")) or REDACTED in value:
        return found[0]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{found['between']}{quote}{REDACTED}"
