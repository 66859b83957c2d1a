"""Which hyperparameters the next training job of a tuning job gets.

Grid counts through every combination. Random and Bayesian are Optuna's samplers; Bayesian is its tree-structured Parzen
estimator, which takes jobs that still run for bad ones so that parallel jobs do not all try the same place.

Nothing is kept between two choices: a study is built anew from the trials so far, so that a tuning job goes on after
a restart as if nothing had happened, and the same seed and results lead to the same choice.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from local_aws.engine.tuner_ranges import Kind, Range, combination, combinations

if TYPE_CHECKING:
    import optuna

_MOST_RANDOM = 10  # jobs that start a Bayesian search at random; fewer when few are allowed in all
_TRIES = 10  # choices that are thrown away for having been tried before


class Strategy(StrEnum):
    RANDOM = "Random"
    GRID = "Grid"
    BAYESIAN = "Bayesian"
    HYPERBAND = "Hyperband"


@dataclass(frozen=True)
class Trial:
    """A job of the tuning job. value: its final objective, None while it runs or when it has none."""

    parameters: Mapping[str, str]
    value: float | None
    has_ended: bool


@dataclass(frozen=True)
class Search:
    """What is searched, and how. most: the number of jobs allowed in all."""

    strategy: Strategy
    ranges: tuple[Range, ...]
    minimize: bool
    most: int
    seed: int

    def choose(self, trials: Sequence[Trial]) -> dict[str, str]:
        """The hyperparameters of job number len(trials), counted from 0."""
        if self.strategy is Strategy.GRID:
            return combination(self.ranges, len(trials) % combinations(self.ranges))
        tried = [dict(trial.parameters) for trial in trials]
        chosen: dict[str, str] = {}
        for attempt in range(_TRIES):  # few values or integers: try what was not tried, while there is any
            chosen = self._ask(trials, zlib.crc32(f"{self.seed}/{len(trials)}/{attempt}".encode()))
            if chosen not in tried:
                break
        return chosen

    def _ask(self, trials: Sequence[Trial], seed: int) -> dict[str, str]:
        import optuna  # here, since it takes 0.2 s and a server without tuning jobs never needs it

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler: optuna.samplers.BaseSampler
        if self.strategy is Strategy.RANDOM:
            sampler = optuna.samplers.RandomSampler(seed=seed)
        else:
            sampler = optuna.samplers.TPESampler(
                seed=seed,
                multivariate=True,
                constant_liar=True,
                n_startup_trials=max(2, min(_MOST_RANDOM, self.most // 3)),
            )
        study = optuna.create_study(direction="minimize" if self.minimize else "maximize", sampler=sampler)
        space = {one.name: _distribution(one) for one in self.ranges}
        for trial in trials:
            study.add_trial(self._told(trial, space))
        asked = study.ask(space)
        return {one.name: one.text(asked.params[one.name]) for one in self.ranges}

    def _told(self, trial: Trial, space: dict[str, Any]) -> "optuna.trial.FrozenTrial":
        import optuna

        state = optuna.trial.TrialState.RUNNING
        if trial.has_ended:
            state = optuna.trial.TrialState.FAIL if trial.value is None else optuna.trial.TrialState.COMPLETE
        return optuna.trial.create_trial(
            state=state,
            value=trial.value if trial.has_ended else None,
            params={one.name: one.searched(trial.parameters[one.name]) for one in self.ranges},
            distributions=space,
        )


def _distribution(one: Range) -> "optuna.distributions.BaseDistribution":
    import optuna

    if one.kind is Kind.CATEGORICAL:
        return optuna.distributions.CategoricalDistribution(one.values)
    low, high = one.bounds
    if one.kind is Kind.INTEGER:
        return optuna.distributions.IntDistribution(int(low), int(high), log=one.is_logarithmic)
    return optuna.distributions.FloatDistribution(low, high, log=one.is_logarithmic)
