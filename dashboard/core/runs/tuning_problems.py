"""What is wrong with a search that a person asks for."""

from collections.abc import Iterator

from dashboard.core.errors import InvalidInput
from dashboard.core.format import plain
from dashboard.core.runs.setting_problems import setting_problem
from dashboard.core.runs.tuning_spec import Range, RangeKind, Tuning
from training.metrics import FROM_CACHE, METRIC_DEFINITIONS
from training.settings import RANGES, Settings

STRATEGIES = ("Bayesian", "Random", "Grid")
GOALS = ("Minimize", "Maximize")
SCALINGS = ("Auto", "Linear", "Logarithmic", "ReverseLogarithmic")  # HyperParameterScalingType
NOT_LEARNT = ("progress", FROM_CACHE)
"""What a training prints about itself, and not about what it learnt."""
OBJECTIVES = tuple(definition["Name"] for definition in METRIC_DEFINITIONS if definition["Name"] not in NOT_LEARNT)
MOST_JOBS = 750  # SageMaker: "Maximum number of training jobs per hyperparameter tuning job"
MOST_PARALLEL = 100  # SageMaker: "Maximum number of parallel training jobs per hyperparameter tuning job"
MOST_RANGES = 30  # SageMaker: "Number of hyperparameters that can be searched"
MOST_VALUES = 30  # SageMaker: "Number of values in a categorical hyperparameter"
NOT_TUNED = frozenset({"name", "cache", "wheels", "weights"})
"""Settings that say where things are, not how to learn."""


def tuning_problems(tuning: Tuning) -> tuple[InvalidInput, ...]:
    """Everything that is wrong with a tuning; the fields are "tuning", or "tuning.<hyperparameter>" for a range."""
    return tuple(_problems(tuning))


def _problems(tuning: Tuning) -> Iterator[InvalidInput]:
    if not tuning.ranges:
        yield _wrong("a tuning job needs something to search", "no range was given", "add a hyperparameter")
    if len(tuning.ranges) > MOST_RANGES:
        yield _wrong(
            f"at most {MOST_RANGES} hyperparameters can be searched", f"there are {len(tuning.ranges)}", "drop some"
        )
    if len(tuning.tuned) < len(tuning.ranges):
        yield _wrong("a hyperparameter is searched twice", "each may have one range", "drop one of the two")
    if tuning.strategy not in STRATEGIES:
        yield _wrong(f"the strategy must be one of {', '.join(STRATEGIES)}", f'it is "{tuning.strategy}"', "choose one")
    if tuning.objective not in OBJECTIVES:
        yield _wrong(
            f"the objective must be one of {', '.join(OBJECTIVES)}",
            f'"{tuning.objective}" is not among the metrics that the training prints',
            "choose one of them",
        )
    if tuning.goal not in GOALS:
        yield _wrong("the objective is to be minimized or maximized", f'it is "{tuning.goal}"', "choose one")
    if not 1 <= tuning.max_jobs <= MOST_JOBS:
        yield _wrong(
            f"a tuning job starts 1 to {MOST_JOBS} trainings", f"{tuning.max_jobs} were asked for", "change it"
        )
    elif not 1 <= tuning.parallel <= min(MOST_PARALLEL, tuning.max_jobs):
        yield _wrong(
            f"1 to {min(MOST_PARALLEL, tuning.max_jobs)} trainings can run at once",
            f"{tuning.parallel} were asked for",
            "ask for fewer at once, or for more in all",
        )
    if tuning.strategy == "Grid" and any(one.kind is not RangeKind.CATEGORICAL for one in tuning.ranges):
        yield _wrong(
            "Grid tries combinations of given values only",
            "a range from … to … has no values to try one by one",
            "list the values, or choose Bayesian or Random",
        )
    elif tuning.strategy == "Grid" and tuning.jobs > MOST_JOBS:
        yield _wrong(f"Grid would start {tuning.jobs:,} trainings", f"the most is {MOST_JOBS}", "list fewer values")
    if tuning.seed is not None and not 0 <= tuning.seed < 2**31:
        yield _wrong("the seed must be between 0 and 2,147,483,647", f"it is {tuning.seed}", "choose one in that range")
    for one in tuning.ranges:
        yield from _range_problems(one)


def _range_problems(one: Range) -> Iterator[InvalidInput]:
    field, called = f"tuning.{one.name}", one.name.replace("_", " ")
    if one.name not in Settings.__dataclass_fields__ or one.name in NOT_TUNED:
        why = "the training has no such hyperparameter" if one.name not in NOT_TUNED else "it is no matter of learning"
        yield _wrong(f'"{one.name}" cannot be searched', why, "choose another", field)
        return
    if one.kind is RangeKind.CATEGORICAL:
        yield from _value_problems(one, field)
        return
    allowed = RANGES.get(one.name)
    if allowed is None:
        yield _wrong(f"{called} has words for values", "a range needs numbers", "list the values to try", field)
        return
    whole = isinstance(getattr(Settings, one.name), int)
    if whole and one.kind is not RangeKind.INTEGER:
        yield _wrong(f"{called} is a whole number", "its range is continuous", "make it an integer range", field)
    if one.kind is RangeKind.INTEGER and not (float(one.low).is_integer() and float(one.high).is_integer()):
        yield _wrong(f"the ends of {called} must be whole numbers", one.text, "round them", field)
    if not (allowed.low <= one.low <= allowed.high and allowed.low <= one.high <= allowed.high):
        limits = f"{plain(allowed.low)} and {plain(allowed.high)}"
        yield _wrong(f"the range of {called} must lie between {limits}", f"it is {one.text}", "narrow it", field)
    elif one.low >= one.high:
        says = "From equals To" if one.low == one.high else "From exceeds To"
        yield _wrong(f"{says} in the range of {called}", f"it is {one.text}", "give the lower end first", field)
    if one.scaling not in SCALINGS:
        yield _wrong(f"the scale must be one of {', '.join(SCALINGS)}", f'it is "{one.scaling}"', "choose one", field)
    elif one.scaling == "Logarithmic" and one.low <= 0:
        yield _wrong(f"{called} from {plain(one.low)} has no logarithm", "a logarithmic range starts above 0",
                     "raise its lower end, or choose the linear scale", field)  # fmt: skip
    elif one.scaling == "ReverseLogarithmic" and not 0 <= one.low < one.high < 1:
        yield _wrong("a reverse logarithmic range lies between 0 and 1, without 1", f"{called} is {one.text}",
                     "choose another scale", field)  # fmt: skip


def _value_problems(one: Range, field: str) -> Iterator[InvalidInput]:
    called = one.name.replace("_", " ")
    if not 1 <= len(one.values) <= MOST_VALUES:
        yield _wrong(f"{called} needs 1 to {MOST_VALUES} values", f"it has {len(one.values)}", "list the values", field)
    if len(set(one.values)) < len(one.values):
        yield _wrong(f"a value of {called} is listed twice", one.text, "list each once", field)
    for value in one.values:
        if problem := setting_problem(one.name, value, field):
            yield problem


def _wrong(what: str, why: str, next_step: str, field: str = "tuning") -> InvalidInput:
    return InvalidInput(what, why, next_step, field=field)
