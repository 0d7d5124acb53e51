"""Takes passwords, keys and card numbers out of text that leaves the terminal.

A support bundle has logs, the configuration and what libraries say in it: nobody knows beforehand where a
secret stands. So whatever looks like a place for one is emptied, and rather once too often.
"""

from __future__ import annotations

import re

from terminal.card_numbers import mask

LEFT_OUT = "[left out]"
"""Stands where a secret stood."""

# Where a password would stand. Before a host: up to the last @ there, or where it has a slash or a blank
# itself, up to the next; a number and a slash are a port.
_USER_INFO = re.compile(
    r"(?<=://)(?!\[[0-9A-Fa-f:.]+\])"
    r"(?:[^/?#\s\"]{1,200}(?=@)|[^/?#\s\"@:]{1,200}:(?!\d*(?:[/?\s\"']|$))[^\n\"@]{0,200}(?=@))"
)
# In a query, whose names are a camera's own: every value, up to the options of a device's address.
_QUERY = re.compile(r"(://(?:\[left out\]|[^\s\"?]){0,500}\?)((?:\[left out\]|[^\s\"])+)")
_OPTIONS = re.compile(r"#(?:\w+=[^#]*)?\Z")
# Beside a name that says so. A short one is one only where it is set to something.
_NAMES = (
    r"(?:password|passwd|passphrase|passcode|pwd|psw|secret|token|credential|authorization"
    r"|(?:api|access|private|secret|signing|stream)[_-]?key)s?[\d_]*"
)
_SHORT_NAMES = r"(?<![a-z])(?:pass|pin|pw)s?[\d_]*"
_VALUE = (
    r"(?:basic|bearer) [^\s\"']+|\"\"\".*?(?:\"\"\"|\Z)|'{3}.*?(?:'{3}|\Z)"
    r"|\\+\"[^\n]*?\\+\"|\"(?:\\.|[^\"\\\n])*\"?|'[^'\n]*'?"
    r"|\[[^\]]*\]?|\{[^}]*\}?|[^\s,;&)\]}\"'\\]+"
)
_NAMED_SECRET = re.compile(
    rf"((?=[pstcaw])(?:{_NAMES}\\*[\"']?\s*[=:]|{_SHORT_NAMES}(?:\\*[\"']\s*[=:]|\s*=))[ \t]*)({_VALUE})",
    re.IGNORECASE | re.DOTALL,
)
# Without quotes it may have blanks in it where it has a line to itself.
_LINE_SECRET = re.compile(
    rf"^([ \t]*[\"']?[\w.-]*(?:{_NAMES}|{_SHORT_NAMES})[\"']?\s*=\s*)(?![\"'\\\[{{])\S.*$",
    re.IGNORECASE | re.MULTILINE,
)
_IS_SECRET = re.compile(rf"(?:{_NAMES}|{_SHORT_NAMES})\Z", re.IGNORECASE)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)


def names_secret(name: str) -> bool:
    """Tell whether what has this name is a secret."""
    return _IS_SECRET.search(name) is not None


def redact(text: str) -> str:
    """Return *text* without what looks like a card number, a password or a private key."""
    text = _PRIVATE_KEY.sub("[private key left out]", text)
    text = _USER_INFO.sub(LEFT_OUT, text)
    text = _QUERY.sub(_without_values, text)
    text = _LINE_SECRET.sub(rf'\1"{LEFT_OUT}"', text)
    text = _NAMED_SECRET.sub(_without_value, text)
    return mask(text)


def _without_values(found: re.Match[str]) -> str:
    query = found[2]
    options = _OPTIONS.search(query)
    end = options.start() if options else len(query)
    fields = (field.partition("=") for field in query[:end].split("&"))
    shown = (f"{name}={LEFT_OUT}" if equals else LEFT_OUT for name, equals, _ in fields)
    return f"{found[1]}{'&'.join(shown)}{query[end:]}"


def _without_value(found: re.Match[str]) -> str:
    name, value = found.groups()
    if value.strip("\\\"'") == LEFT_OUT:
        return found[0]
    # What was JSON or TOML stays so.
    quoted = value[0] in "\"'[{" or name.rstrip(" =:\t\n").endswith(("'", '"'))
    return f'{name}"{LEFT_OUT}"' if quoted else f"{name}{LEFT_OUT}"
