"""A Lambda environment: what a function does in it, whatever that is, becomes an answer and a log."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from local_aws.engine.lambda_environment import Environment
from local_aws.engine.lambda_log import Log
from local_aws.engine.lambda_pool import Pool
from local_aws.engine.lambda_request import Asked, Lost, Outcome, Unusable
from local_aws.engine.opt_ml import OptMl
from local_aws.engine.process import LeashedProcess
from tests.local_aws.environment_world import PID, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def error(outcome: Outcome) -> dict[str, Any]:
    assert outcome.failed
    told: dict[str, Any] = json.loads(outcome.payload)
    return told


def test_an_error_is_told_with_its_kind_its_words_and_where_it_was(world: World) -> None:
    told, again = world.answers("def handler(event, context):\n    raise ValueError('no photo')", 1, 2)
    assert (error(told)["errorType"], error(told)["errorMessage"]) == ("ValueError", "no photo")
    assert "in handler" in error(told)["stackTrace"][0]
    assert b"[ERROR] ValueError: no photo" in told.tail
    assert not again.init_seconds  # it is the same process


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("def handler(e, c): return object()", "Runtime.MarshalError", "Object of type object is not JSON"),
        ("def handler(e, c): return '\\ud800'", "Runtime.MarshalError", "surrogates not allowed"),
        ("def handler(e, c): raise ValueError('x' * 7_000_000)", "ValueError", "x" * 50_000),
        ("def handler(e, c): return 'x' * 7_000_000", "Function.ResponseSizeTooLarge", "maximum allowed payload"),
        ("import os\ndef handler(e, c): os._exit(3)", "Runtime.ExitError", "exit status 3"),
        ("import sys\ndef handler(e, c): sys.exit(4)", "Runtime.ExitError", "exit status 4"),
        ("import os\ndef handler(e, c): os.kill(os.getpid(), 11)", "Runtime.ExitError", "segmentation fault"),
        ("def handler(e, c):\n    import dashboard", "ModuleNotFoundError", "dashboard"),  # nothing of ours is there
    ],
)
def test_whatever_a_function_does_wrong_is_its_answer(world: World, code: str, kind: str, words: str) -> None:
    (told,) = world.answers(code)
    assert error(told)["errorType"] == kind
    assert words in error(told)["errorMessage"]
    assert len(error(told)["errorMessage"]) <= 50_000


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("import nothing_of_this_name", "Runtime.ImportModuleError"),
        ("def handler(", "Runtime.UserCodeSyntaxError"),
        ("x = 1", "Runtime.HandlerNotFound"),
        ("raise RuntimeError('at the start')", "RuntimeError"),
        ("import os; os._exit(4)", "Runtime.ExitError"),
    ],
)
def test_a_function_that_cannot_be_loaded_says_why_in_its_log_too(world: World, code: str, kind: str) -> None:
    with pytest.raises(Unusable) as refused:
        world.answers(code)
    assert json.loads(refused.value.payload)["errorType"] == kind
    assert refused.value.seconds > 0
    last = refused.value.tail.decode().splitlines()[-1]
    assert last.startswith("INIT_REPORT Init Duration: ")
    assert last.endswith(f"Status: error\tError Type: {kind}")


def test_a_function_that_takes_too_long_is_ended_and_says_so(world: World) -> None:
    begun = time.monotonic()
    (told,) = world.answers("import time\ndef handler(e, c): time.sleep(60)", timeout=0.5)
    assert time.monotonic() - begun < 10
    assert "Task timed out after 0.50 seconds" in error(told)["errorMessage"]
    assert b"Task timed out after 0.50 seconds" in told.tail


def test_a_function_that_takes_too_much_memory_is_ended(world: World) -> None:
    code = "import time\ndef handler(e, c):\n    held = b'x' * (300 * 2**20)\n    time.sleep(5)"
    (told,) = world.answers(code, memory=128)
    assert error(told)["errorType"] == "Runtime.OutOfMemory"
    assert b"Max Memory Used: 128 MB" in told.tail


def test_it_does_nothing_between_requests(world: World) -> None:
    code = """
import threading, time
ticks = [0]
def count():
    while True:
        ticks[0] += 1
        time.sleep(0.01)
threading.Thread(target=count, daemon=True).start()
def handler(event, context):
    return ticks[0]
"""

    async def work(pool: Pool) -> None:
        taken = await pool.take(world.spec(code=code))
        ticks = []
        for _ in range(2):
            ticks.append(int((await taken.environment.invoke(Asked("id", "arn", b"{}"), cold=True)).payload))
            await asyncio.sleep(0.6)
        pool.give_back(taken)
        assert ticks[1] - ticks[0] < 30

    world.runs(work)


def test_large_answers_and_much_output_arrive_whole_and_in_order(world: World) -> None:
    code = """
import subprocess, sys
def handler(event, context):
    print("x" * 300_000)
    sys.stdout.buffer.write(b"bytes\\n")
    for number in range(500):
        print("line", number)
    subprocess.run(["echo", "a program"])
    return "y" * 5_000_000
"""
    (told,) = world.answers(code)
    assert json.loads(told.payload) == "y" * 5_000_000
    assert len(told.tail) == 4096
    assert b"line 499\n" in told.tail
    assert {"bytes", "line 0", "line 499"} <= set(world.log.lines)
    assert "a program" in world.log.lines[: next(n for n, line in enumerate(world.log.lines) if line.startswith("END"))]
    assert sum(line.count("x") for line in world.log.lines if set(line) == {"x"}) == 300_000


def test_threads_and_forked_processes_print_at_once_and_nothing_is_lost(world: World) -> None:
    code = """
import os, threading
def much(letter):
    for _ in range(300):
        print(letter * 3000)
def handler(event, context):
    threads = [threading.Thread(target=much, args=[letter]) for letter in "abcd"]
    for thread in threads:
        thread.start()
    child = os.fork()
    if child == 0:
        print("from a child", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    for thread in threads:
        thread.join()
    return "told"
"""
    (told,) = world.answers(code)
    assert json.loads(told.payload) == "told"
    for letter in "abcd":
        assert sum(line.count(letter) for line in world.log.lines if set(line) <= set("abcd")) == 900_000
    assert "from a child" in world.log.lines


def test_the_last_words_of_a_process_that_dies_are_in_its_log(world: World) -> None:
    code = "import os\ndef handler(e, c):\n    os.write(2, b'last words\\n')\n    os.kill(os.getpid(), 6)"
    (told,) = world.answers(code)
    assert "aborted" in error(told)["errorMessage"]
    assert b"last words\n" in told.tail


def test_one_that_died_before_it_was_asked_costs_no_request_but_a_new_one_that_does_is_an_answer(
    world: World,
) -> None:
    async def work(pool: Pool) -> None:
        for cold in (False, True):
            taken = await pool.take(world.spec())
            first = await taken.environment.invoke(Asked("1", "arn", b"{}"), cold=True)
            os.kill(int(first.payload), signal.SIGKILL)
            if cold:  # else functions that end at once would be started for ever
                told = await taken.environment.invoke(Asked("2", "arn", b"{}"), cold=True)
                assert error(told)["errorType"] == "Runtime.ExitError"
            else:
                with pytest.raises(Lost):
                    await taken.environment.invoke(Asked("2", "arn", b"{}"), cold=False)
            pool.give_back(taken)
            assert pool.count == 0

    world.runs(work)


def test_a_start_that_is_given_up_leaves_no_process(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    launched: list[LeashedProcess] = []
    launch = Environment._launch

    def slowly(self: Environment, descriptor: int) -> LeashedProcess:
        time.sleep(0.2)
        launched.append(launch(self, descriptor))
        return launched[0]

    monkeypatch.setattr(Environment, "_launch", slowly)

    async def work() -> None:
        log = Log(world.log, time.time)
        place = OptMl(world.folder / "1", private=False)
        starting = asyncio.create_task(Environment(world.spec(code=PID), place, log).start())
        await asyncio.sleep(0.05)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await log.close()

    asyncio.run(work())
    assert launched[0].code is not None
    assert not (world.folder / "1").exists()
