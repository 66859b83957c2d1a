"""When a training job of a tuning job ends early: SageMaker's documented median rule.

Source: "How Early Stopping Works", Amazon SageMaker AI developer guide: after each epoch the value of the objective is
compared with the median of the running averages, up to the same epoch, of the training jobs before it; a job with a
worse value is stopped. An epoch is one value of the objective that a job printed.
"""

from collections.abc import Sequence
from statistics import fmean, median

FEWEST_JOBS = 2  # that have come as far, so that there is a middle to be on the wrong side of

Curve = Sequence[float]
"""The values of the objective that a job printed, in order."""


def is_hopeless(curve: Curve, earlier: Sequence[Curve], *, minimize: bool) -> bool:
    """Whether the job's latest value is worse than the median of what earlier jobs averaged up to there."""
    epoch = len(curve)
    averages = [fmean(one[:epoch]) for one in earlier if len(one) >= epoch] if epoch else []
    if len(averages) < FEWEST_JOBS:
        return False
    middle = median(averages)
    return curve[-1] > middle if minimize else curve[-1] < middle
