"""Training jobs share a folder from one to the next, as on the instances of a warm pool; it stays within bounds."""

import os
from pathlib import Path

import pytest

from local_aws.engine.job import Stage
from local_aws.engine.opt_ml import OptMl, namespaces_allowed
from local_aws.engine.warm_pool import WarmPool
from tests.conftest import Embedded
from tests.local_aws.engine_world import World, world
from tests.local_aws.sagemaker_world import (
    BUCKET,
    bucket,
    channel,
    client,
    finished,
    log_lines,
    training_request,
    unique,
)
from training.metrics import FROM_CACHE, METRIC_DEFINITIONS
from training.sample_data import write_dataset

needs_namespaces = pytest.mark.skipif(not namespaces_allowed(), reason="this system allows no mount namespaces")
both = pytest.mark.parametrize("private", [pytest.param(True, marks=needs_namespaces), False])
SEEN = "/opt/ml/sagemaker/warmpoolcache"


def run(here: World, script: str, name: str) -> list[str]:
    """A job's own lines."""
    before = len(here.logs.lines)
    told = here.run(script, name)
    assert told.names[-1] is Stage.COMPLETED, told.failure
    return [line for line in here.logs.lines[before:] if not line.startswith("[kennel]")]


@both
def test_a_job_finds_what_the_one_before_left_and_a_restart_keeps_it(tmp_path: Path, private: bool) -> None:
    pool = WarmPool(tmp_path / "state" / "warm-pool")
    with world(tmp_path, private=private, pool=pool) as here:
        assert run(here, f"ls -A {SEEN}; echo features > {SEEN}/table", "first") == []
        assert run(here, f"cat {SEEN}/table", "second") == ["features"]
    (tmp_path / "again").mkdir()
    with world(tmp_path / "again", private=private, pool=pool) as here:
        assert run(here, f"cat {SEEN}/table; rm {SEEN}/table", "third") == ["features"]
    assert list(pool.folder.iterdir()) == []


@both
def test_it_is_no_part_of_what_a_job_leaves(tmp_path: Path, private: bool) -> None:
    pool = WarmPool(tmp_path / "warm-pool")
    with world(tmp_path, private=private, pool=pool) as here:
        run(here, f"echo features > {SEEN}/table", "first")
    assert list(here.scratch.iterdir()) == []
    assert (pool.folder / "table").read_text() == "features\n"


@needs_namespaces
def test_it_is_seen_although_the_servers_state_around_it_is_hidden(tmp_path: Path) -> None:
    pool = WarmPool(tmp_path / "warm-pool")
    pool.prepare()
    (pool.folder / "table").write_text("features")
    place = OptMl(tmp_path / "jobs" / "1", True, tmp_path, pool.folder)
    place.make()
    inside = place.command(["/bin/sh", "-c", f"cat {SEEN}/table; ls -A {tmp_path}"])
    with os.popen(" ".join(f"'{word}'" for word in inside)) as output:  # noqa: S605 - words of ours
        assert output.read() == "features"


@both
def test_a_process_that_gets_none_sees_none(tmp_path: Path, private: bool) -> None:
    """Endpoints have no warm pool."""
    place = OptMl(tmp_path, private)
    place.make()
    assert not (tmp_path / "sagemaker").exists()


def test_what_was_used_longest_ago_goes_when_there_is_too_much(tmp_path: Path) -> None:
    pool = WarmPool(tmp_path / "pool", largest=300_000)
    pool.prepare()
    for age, name in ((300, "old"), (100, "new"), (200, "middle")):
        path = pool.folder / name / "segment"
        path.parent.mkdir()
        path.write_bytes(bytes(130_000))
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    pool.prepare()
    assert sorted(path.parent.name for path in pool.folder.glob("*/segment")) == ["middle", "new"]


def test_what_links_lead_to_is_neither_counted_nor_touched(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o750)
    (outside / "kept").write_bytes(bytes(500_000))
    pool = WarmPool(tmp_path / "pool", largest=100_000)
    pool.prepare()
    (pool.folder / "folder").symlink_to(outside)
    (pool.folder / "file").symlink_to(outside / "kept")
    (pool.folder / "own").write_bytes(bytes(50_000))
    pool.prepare()
    assert sorted(path.name for path in pool.folder.iterdir()) == ["file", "folder", "own"]
    assert (outside / "kept").stat().st_size == 500_000
    assert outside.stat().st_mode & 0o777 == 0o750


def test_a_link_in_the_folders_own_place_is_replaced(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    pool = WarmPool(tmp_path / "pool")
    pool.folder.symlink_to(outside)
    pool.prepare()
    assert not pool.folder.is_symlink()
    assert (outside / "kept").exists()


def test_a_folder_that_a_job_locked_is_opened_again(tmp_path: Path) -> None:
    pool = WarmPool(tmp_path / "pool", largest=1)
    pool.prepare()
    locked = pool.folder / "locked"
    locked.mkdir()
    (locked / "table").write_bytes(bytes(10_000))
    locked.chmod(0)
    pool.folder.chmod(0)
    pool.prepare()
    assert os.access(pool.folder, os.W_OK)
    assert not (locked / "table").exists()


def test_a_second_training_on_the_same_photos_starts_from_the_first_ones_features(
    embedded: Embedded, tmp_path: Path
) -> None:
    sagemaker, s3 = client(embedded, "sagemaker"), client(embedded, "s3")
    prefix = f"{unique('photos')}/"
    photos = write_dataset(tmp_path, photos_per_breed=4, seed=int.from_bytes(os.urandom(2)), size=160).total
    bucket(embedded)
    for path in tmp_path.rglob("*.jpg"):
        s3.upload_file(str(path), BUCKET, prefix + path.relative_to(tmp_path).as_posix())
    logs, shares = [], []
    for _ in range(2):
        name = unique("warm")
        algorithm = {
            "ContainerEntrypoint": ["python", "-m", "training.train"],
            "ContainerArguments": ["--epochs", "1"],
            "MetricDefinitions": METRIC_DEFINITIONS,
        }
        request = training_request(name, AlgorithmSpecification=algorithm, InputDataConfig=[channel(key=prefix)])
        sagemaker.create_training_job(**request)
        found = finished(sagemaker, name, 60)
        assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
        logs.append(log_lines(client(embedded, "logs"), "/aws/sagemaker/TrainingJobs", name))
        shares += [one["Value"] for one in found["FinalMetricDataList"] if one["MetricName"] == FROM_CACHE]
    assert shares == [0.0, 1.0], "whoever judges its time learns from the job itself that it did less work"
    said = f"{photos} of {photos} photos' features came from the cache of an earlier run"
    assert [said in lines for lines in logs] == [False, True]
