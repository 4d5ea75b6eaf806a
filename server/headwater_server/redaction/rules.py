"""What secrets look like in a text. Pure; every pattern is linear: what it may repeat, it never gives back.

A text is replaced as far as the secret goes, so that the rest stays of use: `postgres://etl:REDACTED@db/shop`.
The word stands where an identifier or a value may, so that SQL with it is still SQL.
"""

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from headwater_server.redaction.names import SENSITIVE, is_name_of_token, is_placeholder, is_sensitive

REDACTED = "REDACTED"
_FLAGS = re.IGNORECASE | re.ASCII
_QUOTES = ("\\'", '\\"', "'", '"', "`", "$$")

Replace: TypeAlias = Callable[["re.Match[str]"], str]


class Rule(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    replace: Replace
    """What stands for a match; the match itself when it is no secret."""
    words: tuple[str, ...]
    """One of them is in every match, in lower case: much cheaper to look for."""


def _whole(_: "re.Match[str]") -> str:
    return REDACTED


def _value(found: "re.Match[str]") -> str:
    """Group `before` stays, and a quote at the start of group `value`."""
    quote, value = _unquoted(found["value"])
    return found[0] if is_placeholder(value) else f"{found['before']}{quote}{REDACTED}"


def _assigned(found: "re.Match[str]") -> str:
    """Of `name = value`: a value in quotes, or one that cannot be another name or a call."""
    text, start, end = found.string, found.start(), found.end()
    name = _BEFORE.search(text[max(0, start - 32) : start])
    word = (name[0] if name else "") + found["word"]
    quote, value = _unquoted(found["value"])
    if is_placeholder(value) or not is_sensitive(word):
        return found[0]
    if not quote:
        if text[end : end + 1] in {"(", "["} or _DOTTED.fullmatch(value) or is_sensitive(value):
            return found[0]  # a call, a column of a table, `password = new_password`
        if word.lower() == "pwd" and value.startswith("/"):
            return found[0]  # the working directory of a shell
        prose = ":" in found["sign"] or is_name_of_token(word)
        if prose and not (len(value) >= 6 and _DIGIT.search(value)):
            return found[0]  # `password: str`, `token = word`
    return f"{found['before']}{quote}{REDACTED}"


def _unquoted(value: str) -> tuple[str, str]:
    quote = next((q for q in _QUOTES if value.startswith(q)), "")
    return quote, value[len(quote) :]


_BEFORE = re.compile(r"[\w.-]+\Z")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_DIGIT = re.compile(r"\d")
_QUOTED = (
    r"\\\"(?:[^\\\"]|\\(?!\"))*+|\\'(?:[^\\']|\\(?!'))*+|'(?:[^'\\]|''|\\.)*+|\"(?:[^\"\\]|\"\"|\\.)*+|`[^`]*+|"
    r"\$\$(?:[^$]|\$(?!\$))*+"
)
"""A text in quotes, without the one that ends it: it may be cut off."""


def _rule(name: str, words: str, pattern: str, replace: Replace = _value, flags: int = _FLAGS) -> Rule:
    return Rule(name, re.compile(pattern, flags), replace, tuple(words.split()))


def _shape(name: str, words: str, pattern: str) -> Rule:
    return _rule(name, words, pattern, _whole, re.ASCII)


RULES: dict[str, tuple[Rule, ...]] = {
    "shape": (
        _rule(
            "private-key",
            "-----begin",
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
            r"(?s:.*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|.*)",
            _whole,
        ),
        _shape("aws-key", "akia asia", r"\bA[KS]IA[A-Z0-9]{16}\b"),
        _shape(
            "github-token",
            "ghp_ gho_ ghu_ ghs_ ghr_ _pat_",
            r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,})",
        ),
        _shape("gitlab-token", "gl", r"\bgl[a-z]{2,5}-[\w-]{20,}"),
        _shape("slack-token", "xox xapp", r"\b(?:xox[abeoprs]-|xapp-\d-)[\w-]{10,}"),
        _shape(
            "slack-webhook", "hooks.slack", r"(?<=hooks\.slack\.com/services/)[A-Za-z0-9]+/[A-Za-z0-9]+/\w+"
        ),
        _shape(
            "stripe-key",
            "k_live k_test whsec",
            r"\b(?:[srp]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{16,})",
        ),
        _shape("google-key", "aiza gocspx", r"\b(?:AIza[\w-]{35}|GOCSPX-[\w-]{20,})"),
        _shape("jwt", "eyj", r"\beyJ[\w-]{6,}+\.eyJ[\w-]{6,}+\.[\w-]*"),
        _shape("openai-key", "sk-", r"\bsk-(?:proj-|ant-|svcacct-)?[A-Za-z0-9_-]{20,}"),
        _shape("huggingface-token", "hf_", r"\bhf_[A-Za-z0-9]{30,}"),
        _shape("npm-token", "npm_", r"\bnpm_[A-Za-z0-9]{36,}"),
        _shape("headwater-token", "hw_", r"\bhw_[A-Za-z0-9]+_[\w-]{43}"),
        _rule("azure-signature", "sig=", r"(?P<before>\bsig=)(?P<value>[A-Za-z0-9%+/=]{20,})"),
        _rule("authorization", "bearer", r"(?P<before>\bbearer\s{1,8})(?P<value>[A-Za-z0-9._~+/-]{12,}=*)"),
        _rule(
            "authorization",
            "authorization",
            r"(?P<before>authorization[\\'\"]{0,2}\s{0,8}[:=]\s{0,8}[\\'\"]{0,2}basic\s{1,8})(?P<value>[A-Za-z0-9+/=]{8,})",
        ),
    ),
    "url": (
        _rule(
            "url-password",
            "://",
            r"(?P<before>://[^\s/?#:'\"<>]*+:)(?!\d+(?:[/?#\s]|\Z))(?P<value>(?:[^\s'\"<>/]|/(?!/)){1,256})(?=@)",
        ),
        _rule(
            "url-password",
            "jdbc:oracle:",
            r"(?P<before>jdbc:oracle:\w{1,16}:[^\s/@:]{1,128}/)(?P<value>[^\s@]{1,256})(?=@)",
        ),
    ),
    "sql": (
        _rule(
            "sql-password",
            "identified",
            r"(?P<before>\bidentified\s{1,64}(?:with\s{1,64}['\"`]?\w{1,64}['\"`]?\s{1,64})?(?:by|as)\s{1,64}"
            rf"(?:password\s{{1,64}}|values\s{{1,64}})?)(?P<value>{_QUOTED}|[^\s;,'\"`]++)",
        ),
        _rule(
            "sql-password",
            "password",
            r"(?P<before>\bpassword(?:\s{1,64}|\s{0,64}\(\s{0,8}))(?P<value>'(?:[^']|'')*+|\$\$(?:[^$]|\$(?!\$))*+)",
        ),
    ),
    "assigned": (
        _rule(
            "assigned-secret",
            "passw pwd passphrase secret key token credential",
            rf"(?P<before>(?P<word>{SENSITIVE})"
            r"(?P<sign>[\\'\"`]{0,2}\s{0,4}(?:=>|:=|==?|:|%3D)\s{0,4}|[\\]?['\"]\s{0,4},\s{0,4}(?=[\\'\"])))"
            rf"(?P<value>{_QUOTED}|[^\s'\"`;,&)}}\]\\(\[]++)",
            _assigned,
        ),
        _rule(
            "assigned-secret",
            "passw pwd passphrase secret key token credential",
            rf"(?P<before>--(?:\w{{1,24}}-)?(?:{SENSITIVE})\s{{1,4}})(?P<value>['\"]?[^\s'\"-][^\s'\"]*+)",
        ),
    ),
}
"""By family: what the prefilter finds says which are tried. Shapes first, they have the better names."""
