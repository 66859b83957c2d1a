"""Hyperparameters, from every source they can come from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from training.errors import BadSettings
from training.settings import CHOICES, RANGES, TEXTS, Settings, read_settings, without_effect


def base_with(tmp_path: Path, **files: Mapping[str, Any]) -> Path:
    config = tmp_path / "input" / "config"
    config.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (config / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def test_hyperparameters_arrive_as_texts_with_either_dash(tmp_path: Path) -> None:
    base = base_with(
        tmp_path,
        hyperparameters={
            "learning-rate": "0.05", "batch_size": '"32"', "epochs": "3", "engine": '"torch"', "seed": "7.0",
            "sagemaker_region": '"eu-central-1"', "_tuning_objective_metric": "Testing Loss",
        },
    )  # fmt: skip
    found = read_settings(base, {}, {})
    assert found == Settings(learning_rate=0.05, batch_size=32, epochs=3, engine="torch", seed=7)


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    base = base_with(tmp_path, hyperparameters={"learning_rate": "0.1", "epochs": "5", "batch_size": "8"})
    environ = {"SM_HP_EPOCHS": "6", "SM_HP_BATCH_SIZE": "16"}
    found = read_settings(base, environ, {"batch_size": "32", "seed": None})
    assert (found.learning_rate, found.epochs, found.batch_size) == (0.1, 6, 32)


def test_the_model_is_called_like_the_job() -> None:
    assert read_settings(None, {"TRAINING_JOB_NAME": "kennel-42"}, {}).name == "kennel-42"
    assert read_settings(None, {"TRAINING_JOB_NAME": "kennel-42"}, {"name": "mine"}).name == "mine"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"lerning_rate": "0.1"}, "did you mean learning_rate"),
        ({"momentum": "0.9"}, "no hyperparameter named momentum: known are learning_rate"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast': it has to be a number from 0.000001 to 1"),
        ({"learning_rate": "0"}, "learning_rate is '0'"),
        ({"learning_rate": "nan"}, "learning_rate is 'nan'"),
        ({"learning_rate": "inf"}, "learning_rate is 'inf'"),
        ({"batch_size": "32.5"}, "batch_size is '32.5': it has to be a whole number from 1 to 4,096"),
        ({"epochs": "0"}, "epochs is '0'"),
        ({"epochs": "1e400"}, "epochs is '1e400'"),
        ({"weight_decay": "-1"}, "weight_decay"),
        ({"seed": "x"}, "seed"),
        ({"engine": "tensorflow"}, "engine is 'tensorflow': choose onnx or torch"),
        ({"name": "x" * 200}, "longer than 128"),
        ({"weights": "a\nb"}, "not printable"),
        ({"precision": "int4"}, "precision is 'int4': choose fp32 or int8"),
        ({"class_weights": "some"}, "choose none or balanced"),
        ({"warm_start": "maybe"}, "warm_start is 'maybe': choose true or false"),
        ({"unfreeze": "-1"}, "unfreeze is '-1': give how many"),
        ({"unfreeze": "some"}, "or all, or 0 for none"),
        ({"views": "7"}, "views is '7': it has to be a whole number from 1 to 6"),
        ({"label_smoothing": "0.9"}, "label_smoothing"),
        ({"processes": "1000"}, "processes"),
        ({"batch-size": "1", "batch_size": "2"}, "given twice"),
    ],
)
def test_a_wrong_hyperparameter_is_refused_by_name(tmp_path: Path, given: dict[str, str], words: str) -> None:
    with pytest.raises(BadSettings, match=words):
        read_settings(base_with(tmp_path, hyperparameters=given), {}, {})


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    base = base_with(tmp_path)
    for content in ("{", "[1]"):
        (base / "input" / "config" / "hyperparameters.json").write_text(content)
        with pytest.raises(BadSettings, match="JSON object"):
            read_settings(base, {}, {})


@pytest.mark.parametrize(("given", "meant"), [("True", True), ("1", True), ('"false"', False), ("off", False)])
def test_a_truth_is_understood_as_people_write_it(tmp_path: Path, given: str, meant: bool) -> None:
    assert read_settings(base_with(tmp_path, hyperparameters={"warm-start": given}), {}, {}).warm_start is meant


def test_blocks_to_unfreeze_are_a_number_or_all() -> None:
    assert read_settings(None, {}, {"unfreeze": "03"}).unfreeze == "3"
    assert read_settings(None, {}, {"unfreeze": "All"}).unfreeze == "all"
    assert read_settings(None, {}, {}).is_frozen
    assert not read_settings(None, {}, {"unfreeze": "3"}).is_frozen


def test_every_setting_is_checked_by_exactly_one_rule() -> None:
    rules = [*RANGES, *CHOICES, *TEXTS]
    assert sorted(rules) == sorted(Settings.__dataclass_fields__)
    for name, allowed in RANGES.items():
        assert allowed.low <= getattr(Settings, name) <= allowed.high
    for name, choice in CHOICES.items():
        assert str(getattr(Settings, name)).lower() in choice.words


def test_settings_of_fine_tuning_have_no_effect_without_it() -> None:
    assert without_effect(Settings()) == ()
    assert without_effect(Settings(fine_tune_epochs=9, clip=0.5)) == ("fine_tune_epochs", "clip")
    assert without_effect(Settings(fine_tune_epochs=9, unfreeze="2")) == ()
