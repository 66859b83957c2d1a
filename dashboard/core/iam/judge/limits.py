"""What the conditions of a statement leave of it, for one role and whatever it asks for.

Most conditions that look like a limit are none: `aws:SecureTransport` is true of every call that AWS answers, `*` is
any value, a negated operator and `…IfExists` pass a request without the key, and one's own account or a region is no
less than everything there. Sources: IAM User Guide, "AWS global condition context keys" and "IAM JSON policy elements:
Condition operators".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dashboard.core.iam import conditions
from dashboard.core.iam.documents import Condition, Statement
from dashboard.core.iam.entities import Role
from dashboard.core.iam.judge.principals import is_vacuous

# Keys of every request whose value leaves a role all that it has in its own account, or that a caller chooses freely.
_NO_LIMIT = frozenset(
    {"aws:requestedregion", "aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths", "aws:principalorgid",
     "aws:principalorgpaths", "aws:useragent", "aws:referer", "aws:tagkeys", "aws:tokenissuetime"}
)  # fmt: skip
_SAMPLES = {"numeric": "1", "date": "2026-01-01T00:00:00Z", "bool": "true", "binary": "QQ==", "ip": "192.0.2.1",
            "notip": "192.0.2.1"}  # fmt: skip

Known = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Limit:
    """always: the statement counts whatever the request. never: it cannot count for this role.

    narrowing: the conditions that may make a difference.
    """

    always: bool = True
    never: bool = False
    narrowing: tuple[Condition, ...] = ()

    def told(self, action: str, besides: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """The context keys by which an action is really narrowed, without those in `besides` (lower case)."""
        return tuple(
            dict.fromkeys(one.key for one in self.narrowing if one.key.lower() not in besides and is_sent(one, action))
        )


NO_LIMIT = Limit()


def known(role: Role, now: datetime) -> Known:
    """What is in the context of everything that a role asks for, by lower-case key."""
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    tags = {f"aws:principaltag/{key.lower()}": (value,) for key, value in role.tags.items()}
    return {
        **tags,
        "aws:principalarn": (role.arn,),
        "aws:principalaccount": (role.account,),
        "aws:principaltype": ("AssumedRole",),
        "aws:principalisawsservice": ("false",),
        "aws:securetransport": ("true",),
        "aws:currenttime": (moment,),
        "aws:epochtime": (str(int(now.timestamp())),),
    }


def limit_of(statement: Statement, context: Known) -> Limit:
    """What is left of the statement. Raises PolicyError for a condition that nobody could judge."""
    if not statement.conditions:
        return NO_LIMIT
    always, narrowing = True, []
    for one in statement.conditions:
        if one.key.lower() in context:
            if not conditions.holds(one, context, variables=statement.has_variables):
                return Limit(False, True)
            continue
        _checked(one, statement.has_variables)
        always = False
        if _narrows(one):
            narrowing.append(one)
    return Limit(always, False, tuple(narrowing))


def is_sent(condition: Condition, action: str) -> bool:
    """Whether the condition is more than a form: with `…IfExists` only on a key of the action's own service."""
    if not condition.operator.lower().endswith("ifexists"):
        return True
    return condition.key.lower().partition(":")[0] == action.lower().partition(":")[0]


def _narrows(one: Condition) -> bool:
    operator, key = one.operator.lower(), one.key.lower()
    bare = operator.removeprefix("foranyvalue:").removesuffix("ifexists")
    if key in _NO_LIMIT or operator.startswith("forallvalues:") or bare == "null" or "not" in bare:
        return False
    if bare == "bool" and all(value.lower() == "false" for value in one.values):
        return False
    return not (operator.endswith("ifexists") and key.startswith("aws:")) and not is_vacuous(one)


def _checked(one: Condition, variables: bool) -> None:
    """Raise PolicyError for an operator that is none, or values that it could compare with nothing."""
    bare = one.operator.lower().rpartition("values:")[2].rpartition("value:")[2]
    sample = next((sample for start, sample in _SAMPLES.items() if bare.startswith(start)), "a")
    conditions.holds(one, {one.key.lower(): (sample,)}, variables=variables)
