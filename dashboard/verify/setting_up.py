"""Set an account up as Settings does: what it lacks is made by Kennel's stack, what is there is left alone."""

import time
from collections.abc import Callable

from dashboard.core.aws import Aws
from dashboard.core.errors import Refused, ServiceFault
from dashboard.core.setup import change, quotas
from dashboard.core.setup import missing as lacking
from dashboard.core.setup import stack as stacks
from dashboard.core.setup.pieces import Kind as Sort
from dashboard.core.setup.template import STACK
from dashboard.verify.made import Kind, Made
from dashboard.verify.record import Record

WAIT = 900.0


def set_up(
    aws: Aws,
    made: Made,
    record: Record,
    told: Callable[[str], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
    pause: float = 5.0,
) -> None:
    """Make what is missing. Raises Refused for a stack that lacks something, ServiceFault when making it fails: what
    CloudFormation had made by then it takes back itself.
    """
    zero = quotas.read(aws).zero
    told(f"  {len(zero)} quotas of what Kennel launches are zero")
    missing = [one.piece for one in lacking.missing(aws)]
    if not missing:
        told("  everything is there already, and is left as it is")
        return
    stack = stacks.read(aws)
    if stack.status.is_there:
        raise Refused(
            f"the stack {STACK} is there, and {', '.join(piece.called(aws.account) for piece in missing)} is missing",
            "a verification makes no change to what it did not make",
            "complete it first, in Settings under “Set up”",
        )
    told(f"  makes {', '.join(piece.called(aws.account) for piece in missing)}")
    for piece in missing:  # these stay when their stack is deleted
        if piece.kind is Sort.BUCKET:
            made.add(Kind.BUCKET, piece.called(aws.account))
        elif piece.kind is Sort.LOG:
            made.add(Kind.LOG_GROUP, piece.called(aws.account))
    made.add(Kind.STACK, STACK)
    wish = change.Wish(tuple(missing))
    prepared = change.prepare(aws, stack, change.designed(aws.account, stack, missing, wish), wish.days, sleep)
    change.execute(aws, prepared)
    left = WAIT
    while (stack := stacks.read(aws)).status.is_busy and left > 0:
        record.saw("stack", stack.status.value)
        sleep(pause)
        left -= pause
    record.saw("stack", stack.status.value)
    if stack.status is not stacks.StackStatus.CREATE_COMPLETE:
        why = "; ".join(f"{one.resource}: {one.reason}" for one in stack.failures[:3]) or stack.reason
        raise ServiceFault(f"the stack {STACK} is {stack.status.words}", why, "mend that, then try again")
