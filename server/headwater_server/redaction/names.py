"""Which names are names of secrets, and which values cannot be one. Pure."""

import re

SENSITIVE = (
    r"passw(?:or)?d|passwort|passphrase|pwd|secret(?:[_.-]?(?:access[_.-]?)?key)?|"
    r"api[_.-]?key|access[_.-]?key|account[_.-]?key|private[_.-]?key|shared[_.-]?key|"
    r"master[_.-]?(?:symmetric[_.-]?)?key|signing[_.-]?key|encryption[_.-]?key|token|credentials?"
)
"""How such a name ends."""
_NAME = re.compile(rf"(?:{SENSITIVE})(?:[_.-]?(?:value|b64|base64|\d{{1,2}}))?\Z", re.IGNORECASE | re.ASCII)
_TOKEN = re.compile(r"(?:token|credentials?)\Z", re.IGNORECASE)
_OTHER_TOKEN = re.compile(
    r"(?:pad|eos|bos|cls|sep|unk|mask|next|stop|special|start|end|page|continuation|first|last|per|image)[_.\s-]?token\Z",
    re.IGNORECASE,
)
"""Of language models and of pages."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PLACEHOLDER = re.compile(
    r"[${%<?]|:\w|\*+\Z|x{3,}\Z|(?:null|none|true|false|yes|no|not|redacted|undefined|optional)?\Z|"
    r"(?:(?:n?var)?char(?:acter)?|string|text|binary|bytea|(?:big|small)?int(?:eger)?|uuid|str|boolean)\b(?:\s*\(\s*\d+\s*\))?\Z",
    re.IGNORECASE,
)


def is_sensitive(name: str) -> bool:
    """Whether what is called so is a secret: `DB_PASSWORD`, `spark.hadoop.fs.s3a.secret.key`, `apiKey`."""
    name = name[-128:]
    if _NAME.search(name) is None and _NAME.search(_CAMEL.sub("_", name)) is None:
        return False
    return not _OTHER_TOKEN.search(_CAMEL.sub("_", name))


def is_name_of_token(name: str) -> bool:
    """A word that stands for much else too."""
    return bool(_TOKEN.search(name))


def is_placeholder(value: str) -> bool:
    """What stands for a secret that is elsewhere, tells whether there is one, or is the type of a column."""
    return bool(_PLACEHOLDER.match(value))
