"""Whether and how people sign in: the tables [auth] and [kennel] of the secrets file.

[auth]                              # Streamlit's own: any OpenID Connect provider
redirect_uri = "https://kennel.example.com/oauth2callback"
cookie_secret = "…"                 # python -c 'import secrets; print(secrets.token_hex(32))'
client_id = "…"
client_secret = "…"
server_metadata_url = "https://accounts.example.com/.well-known/openid-configuration"

[kennel]
ask = "ml-platform@example.com"     # whom a page names to those for whom it is not
hours = 12                          # how long a sign-in holds

[kennel.people]
engineer = ["ann@example.com", "groups=ml-engineers"]
manager = ["@finance.example.com"]
visitor = ["@example.com"]
"""

import importlib.util
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dashboard.core.errors import InvalidInput, KennelError, Refused
from dashboard.core.home import REPOSITORY
from dashboard.core.people import Role, Rule, rule

SETTING = "KENNEL_SECRETS"
SECRET_LENGTH = 32
USUAL_HOURS, MOST_HOURS = 12.0, 720.0
CALLBACK = "/oauth2callback"
KNOWN = ("ask", "hours", "people")
NEEDED = ("client_id", "client_secret", "server_metadata_url")
PACKAGES = ("authlib", "httpx")


@dataclass(frozen=True)
class SignIn:
    """How people sign in here. `providers`: their names, () for one without a name; "" is such a one among others.

    `ask`: who may give somebody a role, "" where nobody is named; `hours`: how long a sign-in holds.
    """

    providers: tuple[str, ...]
    rules: tuple[tuple[Role, Rule], ...]
    ask: str
    hours: float
    origin: str


def secrets_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The file of secrets: KENNEL_SECRETS, else `.streamlit/secrets.toml` in the repository, which need not be there.

    Raises InvalidInput for one that was named and is not there: without it everybody would be an engineer.
    """
    chosen = environ.get(SETTING)
    if not chosen:
        return REPOSITORY / ".streamlit" / "secrets.toml"
    file = Path(chosen).expanduser().resolve()
    if not file.exists():
        raise InvalidInput(
            f"{SETTING} names a file that is not there",
            f"nobody could sign in: there is no {file}",
            f"mend its name, or take {SETTING} away to run without sign-in",
        )
    return file


def read(file: Path, is_there: Callable[[str], object] = importlib.util.find_spec) -> SignIn | None:
    """How people sign in, by that file; None where it says nothing of it. Raises InvalidInput or Refused.

    is_there: tells whether a Python package is installed.
    """
    try:
        told = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _wrong(file, f"it cannot be read: {error}") from error
    auth, kennel = _table(file, told, "auth"), _table(file, told, "kennel")
    if unknown := [name for name in kennel if name not in KNOWN]:
        raise _wrong(file, f"[kennel] has {', '.join(unknown)}, and what it may have is {', '.join(KNOWN)}")
    if not auth:
        if kennel:
            raise _wrong(file, "it says who people are ([kennel]) and not how they sign in ([auth])")
        return None
    if missing := [name for name in PACKAGES if not is_there(name)]:
        raise Refused(
            "people cannot sign in",
            f"the packages {', '.join(missing)} are not installed",
            "pip install 'streamlit[auth]' into Kennel's environment",
        )
    return SignIn(
        _providers(file, auth),
        _rules(file, _table(file, kennel, "people")),
        _text(file, kennel, "ask"),
        _hours(file, kennel),
        _origin(file, auth),
    )


def _providers(file: Path, auth: Mapping[str, Any]) -> tuple[str, ...]:
    _secret(file, _text(file, auth, "cookie_secret"))
    named: dict[str, Mapping[str, Any]] = {
        name: value for name, value in auth.items() if isinstance(value, dict) and name != "client_kwargs"
    }
    if not named or "client_id" in auth:
        named = {"": auth, **named}
    for name, provider in named.items():
        where = f"[auth.{name}]" if name else "[auth]"
        if missing := [key for key in NEEDED if not _text(file, provider, key)]:
            raise _wrong(file, f"{where} lacks {', '.join(missing)}")
        address = urlsplit(provider["server_metadata_url"])
        if not _is_safe(address.scheme, address.hostname):
            raise _wrong(file, f"{where}: server_metadata_url must begin with https://")
        if "_" in name:
            raise _wrong(file, f"{where}: a provider's name has no _ in it")
    return tuple(named) if len(named) > 1 or "" not in named else ()


def _secret(file: Path, text: str) -> None:
    if len(text) < SECRET_LENGTH or len(set(text)) < SECRET_LENGTH // 4:
        raise InvalidInput(
            f"{file.name} has no good cookie_secret",
            "whoever guesses it signs in as anybody",
            "make one: python -c 'import secrets; print(secrets.token_hex(32))'",
        )


def _origin(file: Path, auth: Mapping[str, Any]) -> str:
    text = _text(file, auth, "redirect_uri")
    address = urlsplit(text)
    if not address.netloc or not text.endswith(CALLBACK):
        raise _wrong(file, f"redirect_uri is this server's address with {CALLBACK} at its end")
    if not _is_safe(address.scheme, address.hostname):
        raise _wrong(file, "redirect_uri must begin with https://: a sign-in over http can be overheard")
    return f"{address.scheme}://{address.netloc}"


def _is_safe(scheme: str, host: str | None) -> bool:
    return scheme == "https" or (scheme == "http" and host in ("127.0.0.1", "localhost", "::1"))


def _rules(file: Path, people: Mapping[str, Any]) -> tuple[tuple[Role, Rule], ...]:
    found: list[tuple[Role, Rule]] = []
    for name, texts in people.items():
        if name not in Role._value2member_map_:
            raise _wrong(file, f"[kennel.people] has {name}, and the roles are {', '.join(Role)}")
        if isinstance(texts, str):
            texts = [texts]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise _wrong(file, f"[kennel.people] {name} is a list of texts")
        found += [(Role(name), rule(text)) for text in texts]
    if not found:
        raise _wrong(file, "[kennel.people] gives nobody a role, so that nobody could do anything")
    return tuple(found)


def _hours(file: Path, kennel: Mapping[str, Any]) -> float:
    told = kennel.get("hours", USUAL_HOURS)
    if isinstance(told, bool) or not isinstance(told, (int, float)) or not 0 < told <= MOST_HOURS:
        raise _wrong(file, f"[kennel] hours is a number up to {MOST_HOURS:g}")
    return float(told)


def _table(file: Path, told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = told.get(name, {})
    if not isinstance(table, dict):
        raise _wrong(file, f"{name} is no table")
    return table


def _text(file: Path, table: Mapping[str, Any], name: str) -> str:
    text = table.get(name, "")
    if not isinstance(text, str):
        raise _wrong(file, f"{name} is no text")
    return text.strip()


def _wrong(file: Path, why: str) -> KennelError:
    return InvalidInput(
        f"{file.name} does not say how people sign in", why, f"mend {file}, or take [auth] and [kennel] out of it"
    )
