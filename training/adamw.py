"""AdamW over one flat array of parameters, in place."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
_FIRST, _SECOND, _EPSILON = 0.9, 0.999, 1e-8
_BLOCK = 65536
"""Parameters updated at a time: four arrays of 256 KiB stay in a core's own cache."""


@dataclass
class AdamW:
    """AdamW (Loshchilov and Hutter, arXiv:1711.05101) with its usual constants, for parameters [P].

    Weight decay pulls towards `anchor` [P], the start of a warm head, instead of towards zero (None). `first` and
    `second` are the running sums of gradients and of their squares [P], each the usual mean over (1 − β), which saves
    two passes a step; together with `steps` they are all that a resumed run needs.
    """

    weight_decay: float
    anchor: Array | None
    first: Array
    second: Array
    steps: int = 0

    def step(self, parameters: Array, gradient: Array, learning_rate: float) -> None:
        """One step; `gradient` [P] is used up as scratch space."""
        self.steps += 1
        # rate · m̂ / (√v̂ + ε) with the constants of both sums taken out of the root: see the tests for the plain form.
        root = math.sqrt((1 - _SECOND) / (1 - _SECOND**self.steps))
        rate = learning_rate * (1 - _FIRST) / (1 - _FIRST**self.steps) / root
        epsilon = _EPSILON / root
        decay = learning_rate * self.weight_decay
        for start in range(0, len(parameters), _BLOCK):
            block = slice(start, start + _BLOCK)
            value, slope, first, second = parameters[block], gradient[block], self.first[block], self.second[block]
            first *= _FIRST
            first += slope
            slope *= slope
            second *= _SECOND
            second += slope
            if decay and self.anchor is None:
                value *= 1 - decay
            elif decay and self.anchor is not None:
                np.subtract(value, self.anchor[block], out=slope)
                slope *= decay
                value -= slope
            np.sqrt(second, out=slope)
            slope += epsilon
            np.divide(first, slope, out=slope)
            slope *= rate
            value -= slope
