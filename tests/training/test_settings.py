"""Hyperparameters and paths, from every source they can come from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from training.errors import BadSettings
from training.settings import Settings, check_channel, check_hosts, find_base, find_paths, read_settings


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
        ({"learning_rate": "fast"}, "learning_rate is 'fast': it has to be a number from 1e-06 to 1"),
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


def test_the_base_is_found_by_flag_then_by_variable(tmp_path: Path) -> None:
    assert find_base(tmp_path, {"KENNEL_BASE": "/other"}) == tmp_path
    assert find_base(None, {"KENNEL_BASE": str(tmp_path)}) == tmp_path


def test_paths_follow_the_container_contract(tmp_path: Path) -> None:
    paths = find_paths(tmp_path, None, None, {})
    assert paths.data == tmp_path / "input" / "data" / "training"
    assert paths.model == tmp_path / "model"
    assert paths.output == tmp_path / "output" / "data"
    assert paths.failure == tmp_path / "output" / "failure"
    assert paths.in_container


def test_variables_and_flags_win_over_the_contracts_paths(tmp_path: Path) -> None:
    environ = {"SM_CHANNEL_TRAINING": "/d", "SM_MODEL_DIR": "/m", "SM_OUTPUT_DATA_DIR": "/o"}
    paths = find_paths(tmp_path, None, None, environ)
    assert (paths.data, paths.model, paths.output) == (Path("/d"), Path("/m"), Path("/o"))
    paths = find_paths(tmp_path, Path("/flag"), None, environ)
    assert paths.data == Path("/flag")


def test_outside_a_container_both_folders_are_needed() -> None:
    with pytest.raises(BadSettings, match="--data"):
        find_paths(None, None, Path("/m"), {})
    with pytest.raises(BadSettings, match="--model-dir"):
        find_paths(None, Path("/d"), None, {})
    paths = find_paths(None, Path("/d"), Path("/m"), {})
    assert paths.failure is None
    assert not paths.in_container


def test_several_instances_are_refused(tmp_path: Path) -> None:
    check_hosts(None)
    check_hosts(base_with(tmp_path, resourceconfig={"current_host": "algo-1", "hosts": ["algo-1"]}))
    with pytest.raises(BadSettings, match="set InstanceCount to 1"):
        check_hosts(base_with(tmp_path, resourceconfig={"current_host": "algo-2", "hosts": ["algo-1", "algo-2"]}))


def test_a_missing_channel_names_the_ones_there_are(tmp_path: Path) -> None:
    base = base_with(tmp_path, inputdataconfig={"photos": {}, "extra": {}})
    with pytest.raises(BadSettings, match="its channels: photos, extra"):
        check_channel(base, base / "input" / "data" / "training")
