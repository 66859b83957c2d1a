"""The pool of Lambda environments: places, how long an idle one is kept, and what is kept ready."""

from dataclasses import replace
from pathlib import Path

import pytest

from local_aws.engine.lambda_pool import IDLE_SECONDS, NoPlace, Pool, Wanted
from local_aws.engine.lambda_request import Asked, Unusable
from tests.local_aws.environment_world import World, asked, until


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_idle_environment_is_taken_again_and_let_go_after_minutes(world: World) -> None:
    async def work(pool: Pool) -> None:
        spec = world.spec()
        pool.reconcile((), {spec.key})
        first, second = await asked(pool, spec), await asked(pool, spec)
        assert first.payload == second.payload
        assert first.init_seconds > 0 == second.init_seconds
        world.clock = IDLE_SECONDS - 1
        pool.look()
        assert pool.count == 1
        world.clock += IDLE_SECONDS
        pool.look()
        assert pool.count == 0

    world.runs(work)


def test_a_machine_that_is_full_lets_the_one_go_that_waited_longest(world: World) -> None:
    async def work(pool: Pool) -> None:
        specs = [world.spec(name) for name in ("a", "b", "c")]
        pool.reconcile((), {spec.key for spec in specs})
        for number, spec in enumerate(specs):
            world.clock = float(number)
            await asked(pool, spec)
        assert pool.count == 2
        taken = [await pool.take(specs[1]), await pool.take(specs[0])]
        assert [one.cold for one in taken] == [False, True]  # b was left; a had gone for c, which goes for a now
        with pytest.raises(NoPlace):
            await pool.take(specs[2])

    world.runs(work)


def test_what_runs_old_code_is_not_taken_again(world: World) -> None:
    async def work(pool: Pool) -> None:
        old = world.spec()
        pool.reconcile((), {old.key})
        taken = await pool.take(old)
        pool.reconcile((), {"fn:2"})
        outcome = await taken.environment.invoke(Asked("id", "arn", b"{}"), cold=False)
        assert not outcome.failed  # the request that it had is answered
        pool.give_back(taken)
        assert pool.count == 0

    world.runs(work)


def test_environments_are_kept_ready_as_many_as_are_wanted(world: World) -> None:
    async def work(pool: Pool) -> None:
        spec = world.spec()
        wanted = Wanted(spec.function, "live", spec, 2)
        pool.reconcile([wanted], {spec.key})
        await until(lambda: pool.ready(spec.function, "live").count == 2)
        taken = pool.take_ready(spec, "live")
        assert taken is not None
        assert taken.ready
        assert pool.in_use(spec.function, "live") == (1, 2)
        assert pool.take_ready(spec, "other") is None
        pool.reconcile([replace(wanted, count=1)], {spec.key})
        assert pool.in_use(spec.function, "live") == (1, 1)  # the idle one went, the busy one stays
        pool.give_back(taken)
        assert pool.in_use(spec.function, "live") == (0, 1)
        pool.reconcile((), {spec.key})
        assert pool.count == 0

    world.runs(work)


def test_what_is_not_wanted_any_more_is_not_started(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Some of them wait for their turn when the function goes, and its package with it."""

    async def work(pool: Pool) -> None:
        pool.most = 6
        spec = world.spec()
        for count in (6, 2, 5):
            pool.reconcile([Wanted(spec.function, "1", spec, count)], {spec.key})
        pool.reconcile((), ())
        spec.package.unlink()
        await until(lambda: pool.count == 0 and not pool._starts and not pool._ends)
        assert pool._number <= 2

    world.runs(work)
    assert not caplog.records


def test_one_that_cannot_start_says_why_and_is_tried_again_later(world: World) -> None:
    async def work(pool: Pool) -> None:
        spec = world.spec(code="import nothing_of_this_name")
        with pytest.raises(Unusable, match="nothing_of_this_name"):
            await pool.take(spec)
        pool.reconcile([Wanted(spec.function, "1", spec, 1)], {spec.key})
        await until(lambda: bool(pool.ready(spec.function, "1").failure))
        assert "nothing_of_this_name" in pool.ready(spec.function, "1").failure
        world.clock += 31
        pool.look()
        assert pool.ready(spec.function, "1").failure == ""

    world.runs(work)


def test_nothing_is_left_of_an_environment_that_has_ended(world: World) -> None:
    async def work(pool: Pool) -> None:
        spec = world.spec()
        taken = await pool.take(spec)
        pid = int((await taken.environment.invoke(Asked("id", "arn", b"{}"), cold=True)).payload)
        await taken.environment.end()
        assert not Path(f"/proc/{pid}").exists()
        assert not (world.folder / "1").exists()
        pool.give_back(taken)
        assert pool.count == 0

    world.runs(work)
