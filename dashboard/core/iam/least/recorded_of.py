"""Which of a shared role's recorded calls one duty's proposal has to answer for. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.least.recorded_grants import may_be_of
from dashboard.core.iam.proposal import Proposal
from dashboard.core.iam.recorded import Recorded, RecordedCall
from dashboard.core.iam.usage import Use


def of_proposal(
    recorded: Recorded | None, proposal: Proposal, every: Sequence[Proposal], uses: Sequence[Use]
) -> Recorded | None:
    """The calls that this duty may have made, by their sessions; without those that another duty's proposal allows and
    this one does not: SageMaker names the sessions of jobs and of models alike. every: the proposals of the role.

    A call that no proposal allows stays with each duty that may have made it. Raises PolicyError.
    """
    if recorded is None or len(every) < 2:
        return recorded
    duties = tuple(one.duty for one in every)
    others = [one for one in every if one is not proposal]
    return replace(
        recorded,
        calls=tuple(
            call
            for call in recorded.calls
            if proposal.duty in may_be_of(call, duties, uses)
            and (_allows(proposal, call) or not any(_allows(other, call) for other in others))
        ),
    )


def _allows(proposal: Proposal, call: RecordedCall) -> bool:
    right = call.right
    return evaluate(list(proposal.documents.values()), right.action, right.resource, right.context).allowed
