"""Deploy and update a function: role, log, code, settings, a published version, and the alias that points at it.

Callers use the alias `live`. An update changes `$LATEST`, publishes it, and moves the alias as its last step: until
then the version before answers, and afterwards it is one click away.
"""

from collections.abc import Mapping
from typing import Any

from dashboard.core import tags
from dashboard.core.aws import Account
from dashboard.core.calls import Call
from dashboard.core.errors import Refused
from dashboard.core.serving.functions import role
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.model import LIVE
from dashboard.core.serving.functions.package import HANDLER, RUNTIME, Package
from dashboard.core.serving.functions.plan import (
    PUBLISHED,
    About,
    Change,
    Plan,
    account_warnings,
    differences,
    ours,
    settings,
    standing,
)
from dashboard.core.serving.functions.versions import alias_call
from dashboard.core.serving.functions.wanted import Wanted, check, warnings

LOG_DAYS = 30
"""How long a function's log is kept; without a limit Lambda keeps it for ever, which is paid for."""


def plan_deploy(wanted: Wanted, package: Package, *, account: Account, token: str, serves: bool = True) -> Plan:
    """What making this function would do. Raises InvalidInput for a value that Lambda would not take.

    token: of the form; the same form confirmed twice makes one function. serves: whether its endpoint answers now.
    """
    check(wanted)
    order = tags.order(token, wanted, package.sha)
    document = role.policy(account, wanted.name, wanted.endpoint_arn, photos=wanted.photos, subnets=wanted.subnets)
    marks = {tags.MADE_BY: tags.KENNEL, tags.ORDER: order}
    group = f"/aws/lambda/{wanted.name}"
    made = {
        "FunctionName": wanted.name,
        "Description": wanted.description,
        "Runtime": RUNTIME,
        "Handler": HANDLER,
        "Role": account.role_arn(role.name_of(wanted.name)),
        "Code": {"ZipFile": package.content},
        "Architectures": [wanted.architecture.value],
        **_settings(wanted),
        "Publish": True,
        "Tags": marks,
    }
    if not wanted.subnets:
        del made["VpcConfig"]
    alias = {"FunctionName": wanted.name, "Name": LIVE, "FunctionVersion": PUBLISHED}
    calls = (
        *role.create_calls(wanted.name, document, account),
        Call("logs", "CreateLogGroup", {"logGroupName": group, "tags": {tags.MADE_BY: tags.KENNEL}}, "makes its log"),
        Call(
            "logs",
            "PutRetentionPolicy",
            {"logGroupName": group, "retentionInDays": LOG_DAYS},
            f"keeps the log for {LOG_DAYS} days",
        ),
        Call("lambda", "CreateFunction", made, "makes the function and publishes it as version 1"),
        Call("lambda", "CreateAlias", alias, f"makes the alias {LIVE}, which callers use"),
    )
    return Plan(
        function=wanted.name,
        about=About.NEW,
        title=f"Deploy {wanted.name}",
        button="Deploy function",
        calls=calls,
        said=f"{wanted.name} answers as {wanted.name}:{LIVE}",
        order=order,
        warnings=(*warnings(wanted, serves=serves), *account_warnings(account)),
    )


def plan_update(
    details: Details,
    wanted: Wanted,
    package: Package | None,
    *,
    account: Account,
    granted: Mapping[str, Any] | None = None,
    serves: bool = True,
) -> Plan:
    """What it takes to make a function as wanted; an empty plan when it is that. package: None leaves its code.

    granted: the policy of its role as it is, None where that is not known: then it is sent along with any change.

    Raises InvalidInput, and Refused for a function that Kennel did not make.
    """
    one = details.function
    ours(one, "change")
    check(wanted)
    sha = package.sha if package else one.code_sha
    settings_changed = (wanted.memory_mb, wanted.timeout, wanted.environment, wanted.subnets, wanted.groups) != (
        one.memory_mb,
        one.timeout,
        dict(one.environment),
        one.subnets,
        one.groups,
    )
    code_changed = sha != one.code_sha or wanted.architecture is not one.architecture
    calls: list[Call] = []
    document = role.policy(account, one.name, wanted.endpoint_arn, photos=wanted.photos, subnets=wanted.subnets)
    is_own_role = one.role_name == role.name_of(one.name)
    rights_changed = is_own_role and granted is not None and granted != document
    if rights_changed and not granted:
        calls += role.create_calls(one.name, document, account)  # somebody deleted the policy, or the role with it
    elif is_own_role and (rights_changed or (granted is None and settings_changed)):
        calls.append(role.policy_call(one.name, document))
    if settings_changed:
        asked = {"FunctionName": one.name, **_settings(wanted)}
        if not wanted.subnets and not one.subnets:
            del asked["VpcConfig"]
        calls.append(Call("lambda", "UpdateFunctionConfiguration", asked, "changes its settings"))
    if code_changed:
        if package is None:
            raise Refused(
                f"the function {one.name} cannot change its processor alone",
                "its code is sent along",
                "update the code as well",
            )
        sent = {"FunctionName": one.name, "ZipFile": package.content, "Architectures": [wanted.architecture.value]}
        calls.append(Call("lambda", "UpdateFunctionCode", sent, "sends its code"))
    live = details.live
    stale = live is None or not any(v.number == live.version and v.code_sha == sha for v in details.versions)
    if settings_changed or code_changed or stale:
        calls.append(Call("lambda", "PublishVersion", {"FunctionName": one.name}, "publishes it under the next number"))
        calls.append(alias_call(one.name, live, PUBLISHED))
    rights = "other ones" if granted else "none"
    changed = differences(
        (
            ("endpoint", one.endpoint or "none", wanted.endpoint),
            ("memory", f"{one.memory_mb:,} MB", f"{wanted.memory_mb:,} MB"),
            ("time-out", f"{one.timeout} s", f"{wanted.timeout} s"),
            ("processor", one.architecture.word, wanted.architecture.word),
            ("environment", _written(one.environment), _written(wanted.environment)),
            ("subnets", ", ".join(one.subnets) or "none", ", ".join(wanted.subnets) or "none"),
            ("security groups", ", ".join(one.groups) or "none", ", ".join(wanted.groups) or "none"),
            ("rights of its role", rights, "; ".join(role.words(document)) if rights_changed else rights),
            ("code", f"{one.code_sha[:10]}…", f"{sha[:10]}…"),
        )
    )
    if not changed and calls:
        changed = (Change("published", live.version if live else "nothing", "the code and settings of $LATEST"),)
    stays: tuple[str, ...] = ()
    if live is not None and live.version.isdecimal():
        stays = (f"version {live.version}, to which {LIVE} can be pointed back at once",)
    return Plan(
        function=one.name,
        about=About.SETTINGS,
        title=f"Update {one.name}",
        button="Update function",
        calls=tuple(calls),
        said=f"{one.name}:{LIVE} is what was asked for",
        before=standing(details, About.SETTINGS),
        after=settings(
            sha,
            wanted.memory_mb,
            wanted.timeout,
            wanted.environment,
            wanted.architecture,
            wanted.subnets,
            wanted.groups,
        ),
        changes=changed,
        stays=stays,
        warnings=(*warnings(wanted, serves=serves), *account_warnings(account)),
    )


def _settings(wanted: Wanted) -> dict[str, Any]:
    return {
        "MemorySize": wanted.memory_mb,
        "Timeout": wanted.timeout,
        "Environment": {"Variables": wanted.environment},
        "VpcConfig": {"SubnetIds": list(wanted.subnets), "SecurityGroupIds": list(wanted.groups)},
    }


def _written(environment: Any) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(environment.items())) or "none"
