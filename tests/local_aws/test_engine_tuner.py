"""How a tuning job searches: its ranges, its choices, when a training is hopeless, and the thread that does it."""

import subprocess
import sys
import threading
from typing import Any

import pytest

from local_aws.engine.tuner import Tuner
from local_aws.engine.tuner_ranges import RangeError, Scaling, combination, combinations, read_ranges
from local_aws.engine.tuner_stopping import is_hopeless
from local_aws.engine.tuner_strategy import Search, Strategy, Trial
from tests.local_aws.engine_world import eventually


def continuous(name: str, low: float, high: float, scaling: str = "Auto") -> dict[str, str]:
    return {"Name": name, "MinValue": str(low), "MaxValue": str(high), "ScalingType": scaling}


RANGES = read_ranges(
    {
        "ContinuousParameterRanges": [
            continuous("rate", 0.0001, 0.5),
            continuous("momentum", 0.5, 0.999, "ReverseLogarithmic"),
        ],
        "IntegerParameterRanges": [{"Name": "epochs", "MinValue": "1", "MaxValue": "8"}],
        "CategoricalParameterRanges": [{"Name": "kind", "Values": ["a", "b"]}],
    }
)


def within(parameters: dict[str, str]) -> bool:
    return (
        0.0001 <= float(parameters["rate"]) <= 0.5
        and 0.5 <= float(parameters["momentum"]) <= 0.999
        and parameters["epochs"] in "12345678"
        and parameters["kind"] in "ab"
    )


def badness(parameters: dict[str, str]) -> float:
    """Lowest at momentum 0.99, six epochs, kind b."""
    off = abs(float(parameters["momentum"]) - 0.99) * 10 + abs(int(parameters["epochs"]) - 6) / 2
    return off + (parameters["kind"] == "a")


def run(search: Search, count: int, *, parallel: int = 1) -> list[Trial]:
    """Trials as a tuning job has them: the latest still run while the next one is chosen."""
    trials: list[Trial] = []
    for _ in range(count):
        running = [Trial(one.parameters, None, False) for one in trials[len(trials) - parallel + 1 :]]
        chosen = search.choose([*trials[: len(trials) - parallel + 1], *running] if parallel > 1 else trials)
        assert within(chosen)
        trials.append(Trial(chosen, badness(chosen), True))
    return trials


@pytest.mark.parametrize("strategy", [Strategy.RANDOM, Strategy.BAYESIAN])
def test_the_same_seed_and_results_choose_the_same(strategy: Strategy) -> None:
    one, again, other = (run(Search(strategy, RANGES, True, 8, seed), 8) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_bayesian_search_learns_and_random_search_does_not() -> None:
    """The second half of forty trainings, over five seeds: what was learnt shows in what is tried."""

    def later(strategy: Strategy, minimize: bool) -> float:
        values = [
            trial.value or 0.0
            for seed in range(5)
            for trial in run(Search(strategy, RANGES, minimize, 40, seed), 40, parallel=2)[20:]
        ]
        return sum(values) / len(values)

    random = later(Strategy.RANDOM, True)
    assert later(Strategy.BAYESIAN, True) < 0.7 * random
    assert later(Strategy.BAYESIAN, False) > 1.2 * random, "and the other way round when the highest is best"


def test_parallel_jobs_of_few_values_do_not_repeat_each_other() -> None:
    ranges = read_ranges({"CategoricalParameterRanges": [{"Name": "kind", "Values": list("abcd")}]})
    search = Search(Strategy.RANDOM, ranges, True, 4, 9)
    trials: list[Trial] = []
    for _ in range(4):
        trials.append(Trial(search.choose(trials), None, False))
    assert {trial.parameters["kind"] for trial in trials} == set("abcd")


def test_failed_trainings_are_told_to_the_search() -> None:
    search = Search(Strategy.BAYESIAN, RANGES, True, 9, 1)
    failed = [Trial(trial.parameters, None, True) for trial in run(search, 4)]
    assert within(search.choose(failed))


def test_a_grid_holds_every_combination_once() -> None:
    ranges = read_ranges(
        {"CategoricalParameterRanges": [{"Name": "a", "Values": ["1", "2"]}, {"Name": "b", "Values": ["x", "y", "z"]}]}
    )
    assert combinations(ranges) == 6
    points = [combination(ranges, number) for number in range(6)]
    assert len({tuple(point.items()) for point in points}) == 6
    search = Search(Strategy.GRID, ranges, True, 6, 0)
    assert search.choose([Trial(points[0], None, False)]) == points[1]


@pytest.mark.parametrize(
    ("low", "high", "scaling"),
    [(1e-5, 0.1, Scaling.LOGARITHMIC), (0.1, 1.0, Scaling.LINEAR), (0.0, 1e6, Scaling.LINEAR)],
)
def test_auto_scaling_is_logarithmic_over_three_orders_of_magnitude(low: float, high: float, scaling: Scaling) -> None:
    (one,) = read_ranges({"ContinuousParameterRanges": [continuous("x", low, high)]})
    assert one.scaling is scaling


def test_values_go_to_the_search_and_back() -> None:
    for one in RANGES:
        for text in {"rate": ["0.0001", "0.5"], "momentum": ["0.5", "0.9", "0.999"], "epochs": ["1", "8"]}.get(
            one.name, ["a"]
        ):
            back = one.text(one.searched(text))
            assert back == text or float(back) == pytest.approx(float(text), abs=1e-12)


@pytest.mark.parametrize("text", ["nan", "inf", "x", ""])
def test_ranges_are_of_finite_numbers(text: str) -> None:
    with pytest.raises(RangeError, match="range of x"):
        read_ranges({"ContinuousParameterRanges": [{"Name": "x", "MinValue": text, "MaxValue": "1"}]})


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("Continuous", "-1e308", "1e308"),
        ("Integer", "9007199254740993", "9007199254740995"),
        ("Integer", "1", "1" + "0" * 60),
    ],
)
def test_ranges_that_no_number_here_can_go_through_are_refused(kind: str, low: str, high: str) -> None:
    with pytest.raises(RangeError, match="range of x"):
        read_ranges({f"{kind}ParameterRanges": [{"Name": "x", "MinValue": low, "MaxValue": high}]})


def test_the_median_rule_as_documented() -> None:
    # running averages up to the second epoch: 2.5, 3.5, 9.0; their median is 3.5
    earlier = [[3.0, 2.0, 1.0], [4.0, 3.0], [9.0, 9.0, 9.0]]
    assert is_hopeless([9.0, 3.6], earlier, minimize=True)
    assert not is_hopeless([9.0, 3.5], earlier, minimize=True), "as good as the median is not worse"
    assert is_hopeless([1.0, 3.4], earlier, minimize=False)
    assert not is_hopeless([], earlier, minimize=True)
    # only two have come to the third epoch (2.0 and 9.0), and none to the fourth
    assert is_hopeless([1.0, 1.0, 5.6], earlier, minimize=True)
    assert not is_hopeless([1.0, 1.0, 1.0, 99.0], earlier, minimize=True)
    assert not is_hopeless([99.0], earlier[:1], minimize=True), "one job has no middle"


def test_steps_are_taken_one_after_the_other_and_again_when_asked() -> None:
    taken: list[str] = []
    busy = threading.Lock()

    def step(arn: str) -> float | None:
        assert busy.acquire(blocking=False), "two steps at once"
        taken.append(arn)
        busy.release()
        return 0.01 if taken.count(arn) < 3 else None

    tuner = Tuner(step)
    tuner.wake("a")
    tuner.wake("b")
    assert eventually(lambda: taken.count("a") == taken.count("b") == 3)
    tuner.close()
    tuner.wake("a")
    assert taken.count("a") == 3


def test_a_step_that_breaks_harms_no_other(caplog: Any) -> None:
    taken: list[str] = []

    def step(arn: str) -> float | None:
        if arn == "bad":
            raise OSError("no space left")
        taken.append(arn)
        return None

    tuner = Tuner(step)
    tuner.wake("bad")
    tuner.wake("good")
    assert eventually(lambda: taken == ["good"])
    tuner.close()
    assert "no space left" in caplog.text


def test_a_server_without_tuning_jobs_does_not_pay_for_the_search() -> None:
    looks = "import sys, local_aws.server; print([name for name in ('optuna', 'scipy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", looks], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
