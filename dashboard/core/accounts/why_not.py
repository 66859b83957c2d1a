"""Why a profile cannot be connected to, in a sentence, with the command that mends it.

What botocore and AWS say is translated in core/aws_errors; here it is said for this profile: where its keys come from
tells which command gets new ones.
"""

import shlex
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from urllib.parse import urlsplit

from botocore import exceptions as boto

from dashboard.core.accounts.choice import Choice, config_files
from dashboard.core.accounts.profiles import Kind, Profile
from dashboard.core.aws_errors import EXPIRED, WRONG_KEYS, redact
from dashboard.core.aws_models import known_regions
from dashboard.core.errors import AccessDenied, CredentialsProblem, InvalidInput, KennelError, Unreachable

SKEWED = ("RequestTimeTooSkewed", "RequestInTheFuture", "RequestExpired")
ASIDE = "Signature expired", "Signature not yet current"


def absent(choice: Choice, environ: Mapping[str, str]) -> CredentialsProblem:
    """No file of the configuration has the profile."""
    config, credentials = config_files(environ)
    name = shlex.quote(choice.profile)
    return CredentialsProblem(
        f"there is no AWS profile named {choice.profile}",
        f"neither {config} nor {credentials} has it",
        f"make it: aws configure --profile {name} for keys, aws configure sso --profile {name} to sign in; or choose "
        "another",
    )


def unusable(one: Profile, environ: Mapping[str, str]) -> KennelError | None:
    """What keeps a profile from being used, as far as its settings say it, before anything is asked."""
    name = shlex.quote(one.name)
    if one.asks_for_code:
        return CredentialsProblem(
            f"the profile {one.name} asks for a code of an MFA device",
            "its keys, or those that it assumes a role with, have an mfa_serial, and Kennel cannot ask for the code",
            f"get a session on the command line, and put its keys into a profile of their own: aws sts "
            f"get-session-token --serial-number ARN --token-code CODE --profile {name}; or use SSO",
        )
    if one.settings.get("credential_source") == "Environment":
        return CredentialsProblem(
            f"the profile {one.name} takes its keys from environment variables",
            "Kennel never reads AWS_ACCESS_KEY_ID and its like",
            f"name a profile that has them: aws configure set source_profile NAME --profile {name}",
        )
    return None


def explained(error: KennelError, choice: Choice, one: Profile, region: str) -> KennelError:
    """The error that a person can mend. error: as `Aws.call` raised it, from botocore's."""
    said = _chain(error)
    if len(said) == 1:  # it was said here, of this profile
        return error
    codes = {cause.response.get("Error", {}).get("Code", "") for cause in said if isinstance(cause, boto.ClientError)}
    texts = " ".join(str(cause) for cause in said)
    for cause in said:
        if isinstance(cause, boto.InvalidConfigError):
            return _incomplete(one, cause)
        if isinstance(cause, boto.CredentialRetrievalError) and one.kind is Kind.PROCESS:
            return _program(one)
    if codes & set(SKEWED) or any(words in texts for words in ASIDE):
        return CredentialsProblem(
            "AWS does not accept this machine's clock",
            "what it signs is minutes away from AWS's time",
            "set the clock: sudo timedatectl set-ntp true",
        )
    if isinstance(error, CredentialsProblem):
        if codes & EXPIRED or one.login:
            return CredentialsProblem(error.what, error.why, _renew(one))
        return CredentialsProblem(error.what, error.why, _keys(one, wrong=bool(codes & WRONG_KEYS)))
    if isinstance(error, AccessDenied) and one.kind is Kind.ROLE:
        return _not_assumed(error, one)
    if isinstance(error, (Unreachable, InvalidInput)):
        return _no_answer(error, choice, one, region)
    return error


def not_enabled(choice: Choice, region: str, account: str) -> KennelError:
    """Elsewhere in the partition the keys are good."""
    name = shlex.quote(choice.profile)
    return CredentialsProblem(
        f"the region {region} is not enabled in account {account}",
        "AWS accepts the profile's keys in another region, and not there",
        f"enable it: aws account enable-region --region-name {region} --profile {name}; or choose another region",
    )


def is_wrong_key(error: KennelError) -> bool:
    """Whether AWS did not know the keys, as a region says it too that is not enabled."""
    return any(
        isinstance(cause, boto.ClientError)
        and cause.response.get("Error", {}).get("Code") in {"InvalidClientTokenId", "UnrecognizedClientException"}
        for cause in _chain(error)
    )


def _chain(error: BaseException) -> list[BaseException]:
    return list(_causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _incomplete(one: Profile, cause: boto.InvalidConfigError) -> KennelError:
    name = shlex.quote(one.name)
    missing = one.chain[-1] if one.chain else "NAME"
    mend = f"name a source: aws configure set source_profile NAME --profile {name}"
    if one.chain:
        mend = f"give it keys: aws configure --profile {shlex.quote(missing)}; or {mend}"
    return CredentialsProblem(f"the profile {one.name} is not complete", redact(str(cause)), mend)


def _program(one: Profile) -> KennelError:
    return CredentialsProblem(
        f"the program that hands out the keys of the profile {one.name} failed",
        "its credential_process ended with an error, or said what is no answer",
        f"see what it says: aws configure export-credentials --profile {shlex.quote(one.name)}",
    )


def _renew(one: Profile) -> str:
    if one.login:
        return f"sign in again: aws sso login --profile {shlex.quote(one.login)}"
    if one.kind is Kind.PROCESS:
        return f"run its program again: aws configure export-credentials --profile {shlex.quote(one.name)}"
    return _keys(one, wrong=False)


def _keys(one: Profile, *, wrong: bool) -> str:
    holder = shlex.quote(one.chain[-1] if one.chain else one.name)
    return f"{'give it others' if wrong else 'give it new ones'}: aws configure --profile {holder}"


def _not_assumed(error: AccessDenied, one: Profile) -> KennelError:
    role = one.settings.get("role_arn", "")
    source = one.chain[0] if one.chain else one.settings.get("credential_source", "")
    found = AccessDenied(
        f"the profile {one.name} may not assume its role",
        f"{role} does not trust the identity of {source}, or no policy of that one allows sts:AssumeRole",
        f"see who asks: aws sts get-caller-identity --profile {shlex.quote(source)}; the role must trust that "
        "identity, and it needs the statement below",
        action="sts:AssumeRole",
        resource=role,
    )
    return found if error.action in ("", "sts:AssumeRole") else error


def _no_answer(error: KennelError, choice: Choice, one: Profile, region: str) -> KennelError:
    name = shlex.quote(one.name)
    if one.endpoint_url:
        where = urlsplit(one.endpoint_url).netloc
        return Unreachable(
            f"nothing answers at {where}",
            f"the profile {one.name} asks that address instead of AWS (endpoint_url)",
            "start what listens there, or take endpoint_url out of the profile",
        )
    known = known_regions()
    if region not in known:
        near = get_close_matches(region, sorted(known), n=2)
        meant = f"; {' and '.join(near)} {'is one' if len(near) == 1 else 'are'}" if near else ""
        return InvalidInput(
            f"there is no AWS region {region}",
            f"no region of that name is known{meant}",
            "choose another"
            if choice.region
            else f"set one: aws configure set region {near[0] if near else 'us-east-1'} --profile {name}",
            field="region",
        )
    return Unreachable(
        error.what,
        error.why,
        f"check the network and the proxy (HTTPS_PROXY), then: aws sts get-caller-identity --region {region} "
        f"--profile {name}",
    )
