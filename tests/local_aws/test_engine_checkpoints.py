"""Checkpoints: in S3 while the job trains, back in the folder when it starts."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.engine.checkpoints import CheckpointFolders
from local_aws.engine.errors import ClientFaultError
from local_aws.engine.job import Checkpoint, Stage
from local_aws.engine.objects import Location
from local_aws.engine.opt_ml import OptMl
from tests.local_aws.engine_world import FolderObject, World, eventually, world

CONFIG = {"S3Uri": "s3://bucket/kept"}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, sync=0.1) as made:
        yield made


def stored(made: World) -> dict[str, bytes]:
    return {one.key: one.path.read_bytes() for one in made.objects.find("bucket", "kept")}


def test_what_a_job_writes_is_in_s3_while_it_trains(here: World) -> None:
    arn = here.start(
        "mkdir /opt/ml/checkpoints/below; echo 1 > /opt/ml/checkpoints/below/a; sleep 60",
        CheckpointConfig=CONFIG,
    )
    assert eventually(lambda: stored(here) == {"kept/below/a": b"1\n"})
    assert here.told["job"].names[-1] is Stage.TRAINING
    here.queue.stop(arn)
    here.finish()


def test_a_job_on_demand_starts_from_what_is_there_and_its_last_words_are_kept(here: World) -> None:
    here.objects.put("bucket", "kept/old", b"old")
    here.objects.put("bucket", "kept-not/other", b"other")
    told = here.run(
        "ls /opt/ml/checkpoints; rm /opt/ml/checkpoints/old; echo 2 > /opt/ml/checkpoints/new", CheckpointConfig=CONFIG
    )
    assert told.names[-1] is Stage.COMPLETED
    assert here.logs.lines == ["old"]
    assert stored(here) == {"kept-not/other": b"other", "kept/new": b"2\n", "kept/old": b"old"}, "as in SageMaker"


def test_another_folder_below_opt_ml_can_be_the_one(here: World) -> None:
    here.run("echo 1 > /opt/ml/state/x", CheckpointConfig=CONFIG | {"LocalPath": "/opt/ml/state"})
    assert stored(here) == {"kept/x": b"1\n"}


@pytest.mark.parametrize("path", ["/var/x", "/opt/ml", "/opt/ml/../etc", "/opt/mlx"])
def test_a_folder_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(ClientFaultError, match="LocalPath"):
        Checkpoint.from_request(CONFIG | {"LocalPath": path})


def test_a_failed_job_leaves_its_checkpoints(here: World) -> None:
    told = here.run("echo 1 > /opt/ml/checkpoints/x; exit 1", CheckpointConfig=CONFIG)
    assert told.names[-1] is Stage.FAILED
    assert stored(here) == {"kept/x": b"1\n"}


def test_a_bucket_that_went_is_said_in_the_log_and_does_not_end_the_training(here: World) -> None:
    arn = here.start(
        "echo ready; sleep 0.5; echo 1 > /opt/ml/checkpoints/x; sleep 0.5",
        CheckpointConfig=CONFIG,
        OutputDataConfig={"S3OutputPath": "s3://other/x"},
    )
    assert arn
    assert eventually(lambda: here.logs.lines)
    shutil.rmtree(here.objects.root / "bucket")
    assert here.finish().names[-1] is Stage.COMPLETED
    said = [line for line in here.logs.lines if line.startswith("[kennel] checkpoint x was not stored")]
    assert len(said) == 1
    assert said[0].endswith("The specified bucket does not exist")


def test_a_link_in_the_folders_place_leads_to_no_file_of_the_servers(here: World, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/key").write_text("wJalrXUtnFEMI")
    here.run(
        f"ln -s {tmp_path}/secrets /opt/ml/checkpoints/folder; ln -s {tmp_path}/secrets/key /opt/ml/checkpoints/file;"
        f"sleep 0.3; rm -r /opt/ml/checkpoints; ln -s {tmp_path}/secrets /opt/ml/checkpoints; sleep 0.3",
        CheckpointConfig=CONFIG,
    )
    assert stored(here) == {}
    assert any("/opt/ml/checkpoints is a link" in line for line in here.logs.lines)


def folders(made: World, tmp_path: Path) -> CheckpointFolders:
    place = OptMl(tmp_path / "host", False)
    place.make("checkpoints")
    return CheckpointFolders(
        Checkpoint(Location("bucket", "kept")), [place], made.objects, made.scratch, pytest.fail, seconds=0.05
    )


def test_a_name_that_s3_cannot_have_is_said_once_and_the_others_are_kept(here: World) -> None:
    script = (
        "cd /opt/ml/checkpoints; echo a > $(printf 'no\\377text'); echo b > good; "
        "d=$(printf 'd%.0s' {1..200}); mkdir -p $d/$d/$d/$d/$d/deep; "
        "echo c > $d/$d/$d/$d/$d/deep/more-than-can-be; sleep 0.5"
    )
    told = here.run(script, CheckpointConfig={"S3Uri": "s3://bucket/kept"})
    assert told.names[-1] is Stage.COMPLETED
    assert [one.key for one in here.objects.find("bucket", "kept")] == ["kept/good"]
    said = sorted(line for line in here.logs.lines if "was not stored in S3" in line)
    assert len(said) == 2, said
    assert "no\\udcfftext was not stored in S3: its name is not UTF-8" in said[1]
    assert "more-than-can-be was not stored in S3: its key would be longer than 1024 bytes" in said[0]


def test_a_file_that_is_being_written_is_stored_when_it_rests(
    here: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, path = folders(here, tmp_path), tmp_path / "host/checkpoints/big"
    path.write_bytes(b"first half")
    copyfile, copies = shutil.copyfile, []

    def slowly(source: Path, target: Path, **options: bool) -> None:
        copyfile(source, target, **options)
        copies.append(target)
        if len(copies) == 1:  # written to before the copy was looked at
            path.write_bytes(b"first half and second half")

    monkeypatch.setattr(shutil, "copyfile", slowly)
    kept.start()
    assert eventually(lambda: stored(here))
    kept.finish()
    assert stored(here) == {"kept/big": b"first half and second half"}
    assert len(copies) == 2


def test_what_did_not_change_is_not_stored_again(here: World, tmp_path: Path) -> None:
    here.objects.put("bucket", "kept/old", b"old")
    kept = folders(here, tmp_path)
    kept.download()
    (tmp_path / "host/checkpoints/new").write_bytes(b"new")
    writes: list[str] = []
    add, lock = here.objects.add_file, threading.Lock()

    def counted(bucket: str, key: str, source: Path, content_type: str = "") -> FolderObject:
        with lock:
            writes.append(key)
        return add(bucket, key, source)

    here.objects.add_file = counted  # type: ignore[method-assign]
    kept.start()
    time.sleep(0.3)
    kept.finish()
    assert writes == ["kept/new"]


def test_a_key_cannot_leave_the_folder(here: World) -> None:
    source = here.scratch.parent / "payload"
    source.write_text("x")
    here.objects.odd.append(FolderObject("kept/../../escaped", source))
    told = here.run("true", CheckpointConfig=CONFIG)
    assert "leads out of the folder" in told.failure


def test_checkpoints_that_cannot_be_read_fail_the_job_in_a_sentence(here: World) -> None:
    told = here.run("true", CheckpointConfig={"S3Uri": "s3://gone/x"})
    assert told.failure == "ClientError: Checkpoint download failed: s3://gone/x: The specified bucket does not exist"
