"""Where a run reads and writes, by SageMaker's container contract and on a laptop."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from training.container import Hosts, check_channel, find_base, find_hosts, find_paths
from training.errors import BadSettings


def base_with(folder: Path, **files: Mapping[str, Any]) -> Path:
    config = folder / "input" / "config"
    config.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (config / f"{name}.json").write_text(json.dumps(content))
    return folder


def test_the_base_is_found_by_flag_then_by_variable(tmp_path: Path) -> None:
    assert find_base(tmp_path, {"KENNEL_BASE": "/other"}) == tmp_path
    assert find_base(None, {"KENNEL_BASE": str(tmp_path)}) == tmp_path


def test_paths_follow_the_container_contract(tmp_path: Path) -> None:
    paths = find_paths(tmp_path, {})
    assert paths.source == str(tmp_path / "input" / "data" / "training")
    assert paths.model == tmp_path / "model"
    assert paths.output == tmp_path / "output" / "data"
    assert paths.failure == tmp_path / "output" / "failure"
    assert paths.in_container


def test_variables_and_flags_win_over_the_contracts_paths(tmp_path: Path) -> None:
    environ = {"SM_CHANNEL_TRAINING": "/d", "SM_MODEL_DIR": "/m", "SM_OUTPUT_DATA_DIR": "/o"}
    paths = find_paths(tmp_path, environ)
    assert (paths.source, paths.model, paths.output) == ("/d", Path("/m"), Path("/o"))
    assert find_paths(tmp_path, environ, data="s3://bucket/dogs").source == "s3://bucket/dogs"


def test_outside_a_container_both_folders_are_needed() -> None:
    with pytest.raises(BadSettings, match="--data"):
        find_paths(None, {}, model=Path("/m"))
    with pytest.raises(BadSettings, match="--model-dir"):
        find_paths(None, {}, data="/d")
    paths = find_paths(None, {}, data="/d", model=Path("/m"))
    assert paths.failure is None
    assert paths.checkpoints is None
    assert not paths.in_container


def test_checkpoints_are_kept_where_the_job_has_a_folder_for_them(tmp_path: Path) -> None:
    assert find_paths(tmp_path, {}).checkpoints is None
    (tmp_path / "checkpoints").mkdir()
    assert find_paths(tmp_path, {}).checkpoints == tmp_path / "checkpoints"
    assert find_paths(tmp_path, {}, checkpoints=Path("/c")).checkpoints == Path("/c")


def test_features_are_kept_where_they_outlive_the_run(tmp_path: Path) -> None:
    assert find_paths(tmp_path, {}).caches == ()
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "sagemaker" / "warmpoolcache").mkdir(parents=True)
    found = find_paths(tmp_path, {"KENNEL_HOME": "/home/k"}).caches
    assert found == (tmp_path / "checkpoints" / "features", tmp_path / "sagemaker" / "warmpoolcache" / "features")
    assert find_paths(tmp_path, {"KENNEL_FEATURE_CACHE": "/mine"}).caches == (Path("/mine"),)
    assert find_paths(tmp_path, {"KENNEL_FEATURE_CACHE": "/mine"}, cache="/flag").caches == (Path("/flag"),)
    assert find_paths(tmp_path, {}, cache="off").caches == ()
    laptop = find_paths(None, {"KENNEL_HOME": "/home/k"}, data="/d", model=Path("/m"))
    assert laptop.caches == (Path("/home/k/features"),)


def test_hosts_come_in_the_order_that_all_of_them_see(tmp_path: Path) -> None:
    assert find_hosts(None) == Hosts()
    one = {"current_host": "algo-1", "hosts": ["algo-1"]}
    assert find_hosts(base_with(tmp_path / "one", resourceconfig=one)) == Hosts()
    two = {"current_host": "algo-2", "hosts": ["algo-1", "algo-2"], "network_interface_name": "eth0"}
    found = find_hosts(base_with(tmp_path / "two", resourceconfig=two))
    assert found == Hosts(("algo-1", "algo-2"), 1, "eth0")


def test_a_host_that_is_not_in_its_own_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="'algo-9' as this host"):
        find_hosts(base_with(tmp_path, resourceconfig={"current_host": "algo-9", "hosts": ["algo-1", "algo-2"]}))


def test_a_missing_channel_names_the_ones_there_are(tmp_path: Path) -> None:
    base = base_with(tmp_path, inputdataconfig={"photos": {}, "extra": {}})
    with pytest.raises(BadSettings, match="its channels: photos, extra"):
        check_channel(base, find_paths(base, {}).source)
    check_channel(base, "s3://bucket/prefix")
    check_channel(None, "/nowhere")
