"""--help has to be enough to use it."""

import re

import pytest

from tests.training.conftest import Run
from training.backbones import BACKBONES
from training.command import parse
from training.settings import Settings


def test_help_explains_every_setting_place_and_code(run_module: Run) -> None:
    done = run_module("training.train", "--help")
    assert done.returncode == 0
    for name in Settings.__dataclass_fields__:
        assert re.search(rf"^  --{name.replace('_', '-')} \S+", done.stdout, re.MULTILINE), name
    for words in (
        "--data",
        "--model-dir",
        "--checkpoint-dir",
        "--base",
        "143",
        "SM_CHANNEL_TRAINING",
        "model.tar.gz",
        "hyperparameters.json",
        "dogImages",
        "s3://",
        "exit codes",
        "examples",
        "train/ valid/ test/",
    ):
        assert words in done.stdout, words
    for name in BACKBONES:
        assert name in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 120


def test_every_example_of_help_is_a_command_line_that_is_understood(run_module: Run) -> None:
    lines = run_module("training.train", "--help").stdout.splitlines()
    examples = [line.partition("(")[0].split()[3:] for line in lines if line.startswith("  python -m training.train")]
    assert len(examples) >= 4
    for example in examples:
        assert parse(example)


def test_a_setting_may_be_spelt_as_in_the_reference_scripts() -> None:
    found = parse(["--learning_rate", "0.1", "--batch_size=8", "--warm-start", "false", "--name=my_model"])
    assert (found["learning_rate"], found["batch_size"], found["name"]) == ("0.1", "8", "my_model")
    assert found["epochs"] is None


def test_an_unknown_flag_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--learning-rat", "0.1"])
    assert ended.value.code == 2
    assert "--learning-rat" in capsys.readouterr().err
