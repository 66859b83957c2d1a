"""Which published version answers: the alias `live`, and a second version beside it that gets a share."""

from typing import Any

from dashboard.core.aws import Account
from dashboard.core.calls import Call
from dashboard.core.errors import Refused
from dashboard.core.format import percent
from dashboard.core.serving.functions.functions import Alias, Details
from dashboard.core.serving.functions.model import LIVE
from dashboard.core.serving.functions.plan import About, Plan, account_warnings, differences, ours, standing


def plan_point(details: Details, version: str, *, account: Account, second: str = "", share: float = 0.0) -> Plan:
    """Point `live` at a published version; with `second`, that one gets a `share` (0 to 1) of the invocations.

    Raises Refused for a version that is not there, or a share without a second.
    """
    one = details.function
    ours(one, "change")
    numbers = {each.number for each in details.versions}
    wrong = next((each for each in (version, *([second] if second else [])) if each not in numbers), "")
    if wrong:
        raise Refused(
            f"the function {one.name} has no version {wrong}", "it was deleted, or never published", "choose another"
        )
    if second and (second == version or not 0 < share < 1):
        raise Refused(
            "a second version takes a share between 0 and 1", f"it is {share}, of version {second}", "change the share"
        )
    live = details.live
    routing = {"AdditionalVersionWeights": {second: share}} if second else {"AdditionalVersionWeights": {}}
    now = "nothing" if live is None else _routed(live.version, live.second, live.share)
    after = _routed(version, second, share)
    call = alias_call(one.name, live, version, routing)
    return Plan(
        function=one.name,
        about=About.SETTINGS,
        title=f"Point {LIVE} of {one.name} elsewhere",
        button=f"Point {LIVE} at {version}",
        calls=() if now == after else (call,),
        said=f"{one.name}:{LIVE} is {after}",
        before=standing(details, About.SETTINGS),
        after=standing(details, About.SETTINGS),
        changes=differences((((LIVE, now, after)),)),
        stays=("every version, its code and settings",),
        warnings=account_warnings(account),
    )


def alias_call(name: str, live: Alias | None, version: str, routing: dict[str, Any] | None = None) -> Call:
    asked: dict[str, Any] = {"FunctionName": name, "Name": LIVE, "FunctionVersion": version}
    if routing is not None and (live is not None or routing["AdditionalVersionWeights"]):
        asked["RoutingConfig"] = routing
    elif live is not None and live.second:
        asked["RoutingConfig"] = {"AdditionalVersionWeights": {}}
    if live is None:
        return Call("lambda", "CreateAlias", asked, f"makes the alias {LIVE}, which callers use")
    return Call("lambda", "UpdateAlias", asked, f"points {LIVE} at it: from then on it answers")


def _routed(version: str, second: str, share: float) -> str:
    if not second:
        return f"version {version}"
    return f"version {version}, and version {second} for {percent(share)}"
