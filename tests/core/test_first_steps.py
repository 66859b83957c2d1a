"""The five steps of somebody new: ticked off by what the account holds, each told by what."""

from datetime import UTC, datetime

from dashboard.core.data.datasets import Dataset
from dashboard.core.first_steps import EARLIER, FAMILIAR, Found, Step, coming, is_newcomers, is_shown, steps
from dashboard.core.overview import assemble
from dashboard.core.runs.model import RunStatus
from dashboard.core.serving.functions.model import Architecture, Function, FunctionState
from dashboard.core.serving.model import EndpointStatus
from dashboard.core.steps_taken import taken as taken_ever
from tests.core.runs.made import NOW, run
from tests.core.test_overview import endpoint

SAMPLE = {"kennel:sample": "true"}
DOGS = Dataset("dogs", "s3://b/datasets/dogs/", 20, 2, 1, splits={"train": 20})
HALF = Dataset("half", "s3://b/datasets/half/", 20, 1, 1, splits={"train": 20})


def function(name="dog-infer", endpoint="dogs", **more):
    return Function(
        name, f"arn:aws:lambda:us-east-1:1:function:{name}", FunctionState.ACTIVE, "python3.12", "handler.handler",
        128, 3, Architecture.X86, 1, "", "role", datetime(2026, 11, 1, tzinfo=UTC),
        environment={"ENDPOINT_NAME": endpoint} if endpoint else {}, **more,
    )  # fmt: skip


def taken(prices, *, runs=(), endpoints=(), found=None):
    seen = assemble(runs, endpoints, prices=prices, region="us-east-1", now=NOW)
    return seen, steps(seen, found or Found())


def done(told):
    return [one.step for one in told if one.is_done]


def test_an_empty_account_has_taken_none_and_is_told_how_each_is(prices):
    seen, told = taken(prices)
    assert [one.step for one in told] == list(Step)
    assert done(told) == []
    assert all(one.told for one in told)
    assert is_shown(seen, told)
    assert coming(told) is Step.DATA  # nothing serves, so that no photo can be classified


def test_with_the_sample_account_the_photo_comes_first_and_its_own_are_still_to_come(prices):
    sample = [run("sample", tags=SAMPLE)]
    starter = [endpoint(prices, "starter", tags=SAMPLE)]
    _, told = taken(
        prices, runs=sample, endpoints=starter, found=Found((DOGS,), (function(tags=SAMPLE),), 0.0)
    )  # fmt: skip
    assert done(told) == [Step.DATA]
    assert coming(told) is Step.PHOTO


def test_each_step_is_ticked_off_by_what_is_there_and_names_it(prices):
    runs = [run("dogs-2"), run("dogs-1"), run("bad", RunStatus.FAILED), run("trial", parent="search")]
    found = Found((DOGS, HALF), (function(),), 12.0, 3.0)
    seen, told = taken(prices, runs=runs, endpoints=[endpoint(prices)], found=found)
    assert done(told) == list(Step)
    assert [one.told for one in told] == [
        "12 photos answered in two weeks",
        "dogs",
        "dogs-2 and 1 more run",
        "dogs",
        "dog-infer: 3 calls in two weeks",
    ]
    assert coming(told) is None
    assert not is_shown(seen, told)


def test_what_cannot_be_used_ticks_nothing_off(prices):
    there = [endpoint(prices, "new", EndpointStatus.CREATING)]
    _, told = taken(prices, endpoints=there, found=Found((HALF,), (function(endpoint=""),), 0.0))
    assert done(told) == []


def test_a_function_that_nobody_called_waits_for_a_photo(prices):
    _, told = taken(prices, endpoints=[endpoint(prices)], found=Found((DOGS,), (function(),), 1.0, 0.0))
    assert Step.CALL not in done(told)
    assert (told[-1].name, told[-1].told) == ("dog-infer", "dog-infer is there: send a photo through it.")


def test_a_step_that_was_taken_stays_taken_when_what_it_made_is_deleted(prices, tmp_path):
    file = tmp_path / "steps" / "1.json"
    assert taken_ever(file, [Step.PHOTO, Step.DEPLOY]) == {Step.PHOTO, Step.DEPLOY}
    assert taken_ever(file, [Step.DATA]) == {Step.PHOTO, Step.DATA, Step.DEPLOY}
    _, told = taken(prices, found=Found((DOGS,), (), 0.0, before=taken_ever(file, ())))
    assert done(told) == [Step.PHOTO, Step.DATA, Step.DEPLOY]
    assert [one.told for one in told if one.is_done] == [EARLIER, "dogs", EARLIER]
    assert coming(told) is Step.TRAIN


def test_steps_of_which_the_file_tells_nothing_are_as_the_account_has_them(tmp_path):
    file = tmp_path / "1.json"
    file.write_text('["Fly"]')
    assert taken_ever(file, [Step.DATA]) == {Step.DATA}
    assert taken_ever(tmp_path / "1.json" / "2.json", [Step.DATA]) == {Step.DATA}  # no folder can be made there


def test_the_proof_of_a_role_is_no_training_of_ones_own(prices):
    _, told = taken(prices, runs=[run("kennel-trial-1", tags={"kennel:proof": "kennel-trial-1"})])
    assert Step.TRAIN not in done(told)


def test_what_could_not_be_read_is_not_yet_done(prices):
    _, told = taken(prices, runs=[run("mine")], endpoints=[endpoint(prices)], found=Found(None, None, None))
    assert done(told) == [Step.TRAIN, Step.DEPLOY]
    assert coming(told) is Step.PHOTO


def test_whoever_has_trained_often_is_shown_no_way(prices):
    seen, told = taken(prices, runs=[run(f"dogs-{number}") for number in range(FAMILIAR)])
    assert not is_newcomers(seen)
    assert not is_shown(seen, told)
