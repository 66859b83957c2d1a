"""Train a classifier: `python -m training.train --data DIR --model-dir DIR`, or inside SageMaker's container.

This is the command: it reads what it is told, starts several processes where they are wanted, and says how it ended.
The steps of the training are in training.run; `--help` tells the rest.

Exit codes: 0 done; 1 failed, with one sentence on stderr and in <base>/output/failure; 143 stopped before there was a
model. SIGTERM or Ctrl-C while the head trains keeps the best epoch so far: it is tested, exported, and the code is 0.
"""

import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from training import command, container, launch, terminal
from training.container import Paths
from training.distributed import ALONE, is_member, join
from training.errors import HostLost, Stopped, TrainingError
from training.launch import Outcome, Rank
from training.settings import Settings, cores, read_settings
from training.stopping import Stop, listening

STOPPED = 128 + signal.SIGTERM
_FAILURE_LENGTH = 1024
"""SageMaker shows so many characters of a failure's reason."""


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    given = sys.argv[1:] if arguments is None else list(arguments)
    terminal.tolerate_few_characters()
    options = command.parse(given)
    data, model, base, checkpoints = (options.pop(name) for name in ("data", "model_dir", "base", "checkpoint_dir"))
    # With both folders on the command line nothing of a container is asked for, unless its base is named too.
    is_alone = data and model and not base and not environ.get("KENNEL_BASE")
    base = None if is_alone else container.find_base(base, environ)
    stop, rank = Stop(), Rank(environ)
    # As a command, not as a function: a stop heard while Python winds up must not change the exit code.
    with listening(stop, to_the_end=arguments is None):
        rank.announce(stop)
        rank.end_with_launcher()
        try:
            if base is not None:
                container.check_base(base)
                if not rank.is_launched:
                    (base / "output" / "failure").unlink(missing_ok=True)  # of an earlier run
            chosen = read_settings(base, environ, options)
            paths = container.find_paths(
                base, environ, data=data, model=model, checkpoints=checkpoints, cache=chosen.cache
            )
            container.check_channel(base, paths.source)
            outcome = _run(given, chosen, paths, base, environ, stop)
        except Exception as error:  # noqa: BLE001 - whatever happened, SageMaker has to be told
            outcome = _outcome(error)
        if rank.is_launched:
            rank.report(outcome)
            # An orderly stop is no failure to torchrun, which would kill the others for it.
            return 0 if outcome.code in (0, STOPPED) else outcome.code
        return _tell(outcome, base)


def _run(
    given: Sequence[str], chosen: Settings, paths: Paths, base: Path | None, environ: Mapping[str, str], stop: Stop
) -> Outcome:
    if not is_member(environ):
        layout = launch.plan(chosen, container.find_hosts(base), environ)
        if layout.size > 1:
            return launch.relaunch(layout, given, environ, stop)
    group = join(environ) if is_member(environ) else ALONE
    try:
        from training.reporting import Reporter
        from training.run import train
        from training.surroundings import Surroundings

        threads = chosen.num_workers or max(1, cores() // int(environ.get("LOCAL_WORLD_SIZE") or 1))
        train(Surroundings(chosen, paths, group, stop, Reporter.of(group, chosen.is_frozen), threads))
    finally:
        group.close()
    return Outcome(0)


def _outcome(error: Exception) -> Outcome:
    if isinstance(error, Stopped):
        return Outcome(STOPPED, str(error))
    if isinstance(error, TrainingError):
        return Outcome(1, str(error), is_symptom=isinstance(error, HostLost))
    if isinstance(error, OSError):
        what = f"{error.filename} cannot" if error.filename else "A file cannot"
        why = error.strerror or str(error)
        return Outcome(1, f"{what} be read or written ({why}): check the path and the free space.")
    sentence = f"The training failed unexpectedly: {type(error).__name__}: {error}"
    return Outcome(1, sentence, trace="".join(traceback.format_exception(error)))


def _tell(outcome: Outcome, base: Path | None) -> int:
    """Say why on stderr and, when a container's run failed, where SageMaker looks for the reason."""
    if outcome.sentence:
        print(outcome.trace + outcome.sentence, file=sys.stderr, flush=True)
    if outcome.code == 1 and base is not None and base.is_dir():
        failure = base / "output" / "failure"
        try:
            failure.parent.mkdir(parents=True, exist_ok=True)
            failure.write_text(outcome.sentence[:_FAILURE_LENGTH], encoding="utf-8")
        except OSError as error:
            print(f"This reason could not be written to {failure} ({error.strerror}).", file=sys.stderr, flush=True)
    return outcome.code


if __name__ == "__main__":
    sys.exit(main())
