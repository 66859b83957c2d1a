"""What is left out of the trail: secrets, contents, and what is too long. Pure.

Left out are members that botocore's models mark as sensitive, names that say so, contents (photos, archives, user
data), the values of a function's or container's environment, and secrets inside any text: access keys, private keys,
tokens, passwords of addresses, and the signature of a presigned address.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from dashboard.core.format import size
from dashboard.core.trail.model import HIDDEN

TEXT, LONG_TEXT, ITEMS, DEPTH = 2_000, 16_000, 200, 12
"""Characters of one text (and of a policy's), entries of one list, and lists within lists that are written down."""
WHOLE, SHORT = 32_768, 300
"""Characters of all parameters of a call; of more only those are written down that are as short as that."""
SECRET_NAME = re.compile(
    r"password|passwd|passphrase|secret|credential|private.?key|api.?key|access.?key|authorization|signature"
    r"|(?:session|security|access|refresh|id|bearer|auth|api|github|hf)_?.?token$|^token$|userdata|user_data|nonce$",
    re.IGNORECASE,
)
PLAIN_NAME = re.compile(r"Arn$")
CONTENT = frozenset({"Body", "Payload", "ZipFile", "UserData", "Blob", "TemplateBody"})
ENVIRONMENT = frozenset({"Environment", "Variables", "EnvironmentVariables"})
DOCUMENTS = frozenset({"PolicyDocument", "AssumeRolePolicyDocument", "Policy", "Input", "AttributeValue"})
NAMING, VALUES = ("Key", "Name", "ParameterKey"), frozenset({"Value", "ParameterValue"})
"""What a pair of a name and its value calls them: a tag, a parameter of a stack."""
IN_TEXT = (
    (re.compile(r"(?i)(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*(?:x-amz-|awsaccesskeyid=|signature=|authtoken=|token=|sig=)"
                r"[^\s\"'<>]*"), rf"\1?{HIDDEN}"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"), HIDDEN),
    (re.compile(r"-----BEGIN [^-]*PRIVATE KEY-----.*?(?:-----END [^-]*-----|\Z)", re.DOTALL), HIDDEN),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), HIDDEN),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|hf_|xox[abprs]-|sk-)[\w-]{16,}"), HIDDEN),
    (re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{12,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?i)\b((?:set-)?cookie\s*:\s*)[^\r\n]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)((?<![:\w])\w*(?:password|passwd|passphrase|secret(?:_?access)?(?:_?key)?|api_?key|access_?key|token"
                r"|signature|_streamlit_user\w*)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&]{4,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)(--?(?:password|passphrase|secret|token|api-?key)\s+)\S{4,}"), rf"\1{HIDDEN}"),
)  # fmt: skip


def parameters(asked: Mapping[str, Any], shape: Any = None) -> dict[str, Any]:
    """The parameters of a call as JSON that can be kept. shape: botocore's of them, None where it is not known."""
    kept = {name: _member(name, value, _of(shape, name)) for name, value in asked.items()}
    if asked.get("Type") == "SecureString" and "Value" in kept:
        kept["Value"] = HIDDEN
    if (long := len(json.dumps(kept, ensure_ascii=False))) > WHOLE:
        short = {name: value for name, value in kept.items() if isinstance(value, (str, int, float)) and
                 len(str(value)) <= SHORT}  # fmt: skip
        return short | {"…": f"{HIDDEN}: {size(long)} in all"}
    return kept


def text(told: str, most: int = TEXT) -> str:
    """A text without the secrets in it, cut where it is long."""
    for pattern, instead in IN_TEXT:
        told = pattern.sub(instead, told)
    return told if len(told) <= most else f"{told[:most]}… ({len(told):,} characters)"


def is_whole(kept: Any) -> bool:
    """Whether nothing was left out of something kept: only then can it be sent again."""
    if isinstance(kept, str):
        return HIDDEN not in kept and not kept.endswith(" characters)") and not kept.startswith("(content of ")
    if isinstance(kept, Mapping):
        return all(is_whole(one) for one in kept.values())
    if isinstance(kept, list):
        return all(is_whole(one) for one in kept) and not (kept and str(kept[-1]).startswith("… and "))
    return True


def _member(name: str, value: Any, shape: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if (shape is not None and shape.metadata.get("sensitive")) or _says_secret(name):
        return HIDDEN if not isinstance(value, Mapping) else dict.fromkeys(map(str, value), HIDDEN)
    if name in CONTENT or isinstance(value, (bytes, bytearray, memoryview)) or hasattr(value, "read"):
        return content(value)
    if isinstance(value, Mapping):
        if depth > DEPTH:
            return HIDDEN
        if name in ENVIRONMENT and all(isinstance(one, str) for one in value.values()):
            return dict.fromkeys(map(str, value), HIDDEN)
        kept = {str(key): _member(str(key), one, _of(shape, str(key)), depth + 1) for key, one in value.items()}
        named = next((str(value[key]) for key in NAMING if key in value), "")
        return kept if not _says_secret(named) else kept | dict.fromkeys(kept.keys() & VALUES, HIDDEN)
    if isinstance(value, str):
        return text(value, LONG_TEXT if name in DOCUMENTS else TEXT)
    if isinstance(value, Sequence):
        inner = getattr(shape, "member", None)
        first = [_member("", one, inner, depth + 1) if depth <= DEPTH else HIDDEN for one in value[:ITEMS]]
        return first if len(value) <= ITEMS else [*first, f"… and {len(value) - ITEMS:,} more"]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value if isinstance(value, (int, float)) else text(str(value))


def content(value: Any) -> str:
    """What stands for a content: how large it is, where that is known."""
    if isinstance(value, memoryview):
        return f"(content of {size(value.nbytes)})"
    if isinstance(value, str):
        return f"(content of {size(len(value.encode()))})"
    return f"(content of {size(len(value))})" if isinstance(value, (bytes, bytearray)) else "(content of a stream)"


def _says_secret(name: str) -> bool:
    return bool(SECRET_NAME.search(name)) and not PLAIN_NAME.search(name)


def _of(shape: Any, name: str) -> Any:
    """The shape of a member, where the model knows it."""
    if shape is None:
        return None
    if shape.type_name == "structure":
        return shape.members.get(name)
    return shape.value if shape.type_name == "map" else None
