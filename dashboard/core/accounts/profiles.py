"""The profiles of the AWS configuration, as its files tell of them: no service is asked, and no program is run."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.configloader import load_config, raw_config_parse
from botocore.exceptions import ConfigParseError

from dashboard.core.accounts.choice import allowed, config_files, listed
from dashboard.core.errors import CredentialsProblem


class Kind(StrEnum):
    """Where a profile's keys come from."""

    KEYS = "keys"
    SSO = "SSO"
    ROLE = "assumed role"
    WEB_IDENTITY = "web identity"
    PROCESS = "program"
    NONE = "no keys"


@dataclass(frozen=True)
class Profile:
    """settings: as the files hold them, without the secret ones. chain: the profiles that it takes its keys from, the
    next first; a name that is not there is the last of it. login: the one of them that `aws sso login` signs in, and
    sign_in what that sign-in is known by: the session's name, or its start URL. is_temporary: its keys have a session
    token, and so an end.
    """

    name: str
    kind: Kind
    settings: Mapping[str, str]
    chain: tuple[str, ...] = ()
    asks_for_code: bool = False
    login: str = ""
    sign_in: str = ""
    is_temporary: bool = False

    @property
    def region(self) -> str:
        """Its own region, "" where it names none."""
        return self.settings.get("region", "")

    @property
    def endpoint_url(self) -> str:
        """What it asks instead of AWS; "" for AWS itself."""
        return self.settings.get("endpoint_url", "")

    @property
    def how(self) -> str:
        """Where its keys come from, in a sentence."""
        told = self.settings
        if self.kind is Kind.SSO:
            where = f" to account {told['sso_account_id']}" if told.get("sso_account_id") else ""
            role = f" as {told['sso_role_name']}" if told.get("sso_role_name") else ""
            return f"Signs in with SSO{where}{role}."
        if self.kind is Kind.ROLE:
            role = told["role_arn"].rpartition("/")[2]
            source = f"the profile {self.chain[0]}" if self.chain else told.get("credential_source", "nothing")
            return f"Assumes the role {role} with the keys of {source}."
        return {
            Kind.KEYS: "Has keys of its own in the AWS configuration.",
            Kind.WEB_IDENTITY: "Assumes a role with a token that a file holds.",
            Kind.PROCESS: "Has its keys from a program that the configuration names.",
            Kind.NONE: "Has no keys: on an EC2 instance those of its role are used.",
        }[self.kind]

    @property
    def asks(self) -> str:
        """What it asks instead of AWS, in a sentence; "" for AWS itself."""
        return f"Asks {urlsplit(self.endpoint_url).netloc} instead of AWS (endpoint_url)." if self.endpoint_url else ""


SECRET = ("aws_secret_access_key", "aws_session_token", "aws_access_key_id", "credential_process")


def profiles(environ: Mapping[str, str] = os.environ) -> tuple[Profile, ...]:
    """Those that may be chosen here, by name; what KENNEL_ACCOUNTS lists and no file has is not among them.

    Raises CredentialsProblem for files that cannot be read.
    """
    found = _files(environ)
    return tuple(_profile(name, found) for name in sorted(found) if allowed(name, environ))


def unknown(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """What KENNEL_ACCOUNTS lists and no file has. Raises CredentialsProblem for files that cannot be read."""
    found = _files(environ)
    return tuple(name for name in listed(environ) if name not in found)


def profile(name: str, environ: Mapping[str, str] = os.environ) -> Profile | None:
    """One of them; None for one that is not there. Raises CredentialsProblem."""
    found = _files(environ)
    return _profile(name, found) if name in found else None


def _files(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    config, credentials = config_files(environ)
    found: dict[str, dict[str, Any]] = {}
    for name, told in _read(config, load_config).get("profiles", {}).items():
        found[str(name)] = dict(told)
    for name, told in _read(credentials, raw_config_parse).items():
        if isinstance(told, dict):
            found.setdefault(str(name), {}).update(told)
    return found


def _read(file: Path, parse: Any) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        file.open("rb").close()  # botocore takes a file that it may not read for an empty one
        found: dict[str, Any] = parse(str(file))
    except ConfigParseError as error:
        raise CredentialsProblem(
            f"the AWS configuration file {file} cannot be read",
            _reason(error),
            f"mend it: open {file}, and see that each line is a [section] or a name = value",
        ) from error
    except OSError as error:
        raise CredentialsProblem(
            f"the AWS configuration file {file} cannot be read",
            error.strerror or "",
            f"let Kennel read it: chmod u+r {file}",
        ) from error
    return found


def _reason(error: ConfigParseError) -> str:
    """Where it is wrong, without the line itself, which may be a key."""
    told = str(error.kwargs.get("error", ""))
    lines = [part for part in told.replace("\n", " ").split() if part.strip("[]:").isdigit()]
    return f"line {lines[0].strip('[]:')} makes no sense" if lines else "it is not in the form of such files"


def _profile(name: str, found: Mapping[str, Mapping[str, Any]]) -> Profile:
    told = found[name]
    chain = _chain(name, found)
    each = [told, *(found[one] for one in chain if one in found)]
    signs_in = [one for one in (name, *chain) if one in found and _kind(found[one]) is Kind.SSO]
    settings = {key: str(value) for key, value in told.items() if key not in SECRET and not isinstance(value, dict)}
    asks = any(one.get("mfa_serial") for one in each)
    login = next(iter(signs_in), "")
    session = found.get(login, {})
    return Profile(
        name,
        _kind(told),
        settings,
        chain,
        asks,
        login,
        str(session.get("sso_session") or session.get("sso_start_url") or ""),
        bool(told.get("aws_session_token")),
    )


def _kind(told: Mapping[str, Any]) -> Kind:
    """In the order in which botocore looks for keys."""
    if told.get("role_arn") and told.get("web_identity_token_file"):
        return Kind.WEB_IDENTITY
    if told.get("role_arn"):
        return Kind.ROLE
    if told.get("sso_session") or told.get("sso_start_url"):
        return Kind.SSO
    if told.get("aws_access_key_id"):
        return Kind.KEYS
    return Kind.PROCESS if told.get("credential_process") else Kind.NONE


def _chain(name: str, found: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """The source profiles, each once: a profile with keys of its own may name itself as its source."""
    chain: list[str] = []
    at = name
    while at in found and (source := found[at].get("source_profile")) and source not in (*chain, name):
        chain.append(str(source))
        at = str(source)
    return tuple(chain)
