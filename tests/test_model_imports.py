"""Imports in the background: each step told, one at a time, nothing left behind."""

import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dashboard import model_imports
from dashboard.child import Child
from dashboard.core.errors import InvalidInput, Refused, ServiceFault
from dashboard.core.serving.importing import Kind, Progress, Stage, Wanted, carry_out
from dashboard.model_imports import KEPT, MOST_AT_ONCE, Imports, in_a_process
from tests.core.serving.test_archive import FILES, Bucket, pack
from tests.views.scripted import NOW


class Registry(Bucket):
    """A bucket beside a registry that takes everything."""

    def __init__(self) -> None:
        super().__init__()
        self.packages: dict[str, dict[str, object]] = {}

    def _CreateModelPackageGroup(self, asked: dict[str, object]) -> dict[str, object]:
        return {"ModelPackageGroupArn": "group"}

    def _CreateModelPackage(self, asked: dict[str, object]) -> dict[str, object]:
        group = asked["ModelPackageGroupName"]
        number = 1 + sum(one["ModelPackageGroupName"] == group for one in self.packages.values())
        arn = f"arn:package/{group}/{number}"
        self.packages[arn] = {**asked, "ModelPackageArn": arn, "ModelPackageVersion": number, "CreationTime": NOW}
        return {"ModelPackageArn": arn}

    def _DescribeModelPackage(self, asked: dict[str, object]) -> dict[str, object]:
        return self.packages[str(asked["ModelPackageName"])]


def wanted(file: Path, name: str = "model.tar.gz", order: str = "t") -> Wanted:
    return Wanted("dogs", file, Kind.of(name), order, name)


def never(wanted: Wanted, folder: Path) -> Path:
    raise AssertionError("there is nothing to convert")


def over(imports: Imports, order: str = "t") -> Progress:
    deadline = time.monotonic() + 20
    while not (told := dict(imports.all())[order]).stage.is_over:
        assert time.monotonic() < deadline, told
        time.sleep(0.01)
    return told


def test_an_archive_is_looked_through_sent_and_registered(tmp_path: Path) -> None:
    aws, told = Registry(), []
    last = carry_out(aws, wanted(pack(tmp_path, FILES)), tmp_path, never, told.append)
    assert last.stage is Stage.DONE, last.problem
    assert list(dict.fromkeys(one.stage for one in told)) == [
        Stage.CHECKING,
        Stage.SENDING,
        Stage.REGISTERING,
        Stage.DONE,
    ]
    assert last.version is not None
    assert last.version.metrics == {"test:accuracy": 0.9}
    assert last.version.labels == 2
    assert last.version.description == "Imported from model.tar.gz"
    assert last.version.artifact_uri.startswith(f"s3://{aws.account.bucket}/models/imported/")


def test_what_cannot_be_served_is_not_sent(tmp_path: Path) -> None:
    aws = Registry()
    files = {name: data for name, data in FILES.items() if name != "model.onnx"}
    last = carry_out(aws, wanted(pack(tmp_path, files)), tmp_path, never, lambda told: None)
    assert last.stage is Stage.FAILED
    assert "it lacks model.onnx" in str(last.problem)
    assert not aws.bodies
    assert not aws.packages


def test_a_reference_model_is_converted_first(tmp_path: Path) -> None:
    told: list[Progress] = []
    last = carry_out(
        Registry(),
        wanted(tmp_path / "model.pth", "model.pth"),
        tmp_path,
        lambda asked, folder: pack(folder, FILES),
        told.append,
    )
    assert (told[0].stage, last.stage) == (Stage.CONVERTING, Stage.DONE)


def test_a_model_in_s3_is_fetched_first(tmp_path: Path) -> None:
    aws, told = Registry(), []
    aws.bodies["models/old.tar.gz"] = pack(tmp_path, FILES).read_bytes()
    asked = replace(wanted(tmp_path / "brought.tar.gz"), address="s3://bucket/models/old.tar.gz")
    last = carry_out(aws, asked, tmp_path, never, told.append)
    assert (told[0].stage, told[0].share, last.stage) == (Stage.FETCHING, 1.0, Stage.DONE)
    assert last.version is not None
    assert last.version.description == "Imported from s3://bucket/models/old.tar.gz"
    gone = carry_out(aws, replace(asked, address="s3://bucket/none.tar.gz"), tmp_path, never, told.append)
    assert gone.stage is Stage.FAILED
    assert "none.tar.gz is not there" in str(gone.problem)


def test_it_goes_on_in_the_background_once_and_leaves_no_file(tmp_path: Path) -> None:
    aws, ended = Registry(), threading.Event()
    imports = Imports(tmp_path / "imports", ended.set, never)
    data = pack(tmp_path, FILES).read_bytes()
    imports.start(aws, wanted(tmp_path), data)
    imports.start(aws, wanted(tmp_path), data)
    assert over(imports).stage is Stage.DONE
    assert ended.wait(10)
    assert len(imports.all()) == 1
    assert len(aws.asked("CreateModelPackage")) == 1
    assert not list((tmp_path / "imports").iterdir())
    imports.dismiss("t")
    assert not imports.all()


def test_what_a_killed_import_left_is_removed_a_day_later(tmp_path: Path) -> None:
    old, new = tmp_path / "imports" / "old", tmp_path / "imports" / "new"
    for folder in (old, new):
        folder.mkdir(parents=True)
    os.utime(old, (1, 1))
    Imports(tmp_path / "imports", lambda: None, never)
    assert (old.exists(), new.exists()) == (False, True)


def test_two_imports_do_not_work_at_the_same_time(tmp_path: Path) -> None:
    inside, most, lock = [0], [0], threading.Lock()

    def convert(asked: Wanted, folder: Path) -> Path:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.05)
        with lock:
            inside[0] -= 1
        raise InvalidInput("no such model")

    imports = Imports(tmp_path / "imports", lambda: None, convert)
    for token in ("a", "b", "c"):
        imports.start(Registry(), wanted(tmp_path, "model.pth", token), b"")
    assert {over(imports, token).stage for token in ("a", "b", "c")} == {Stage.FAILED}
    assert most == [1]


def test_a_file_that_is_no_such_model_is_told_in_the_importers_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KENNEL_HOME", str(tmp_path / "home"))
    (tmp_path / "brought.pth").write_bytes(b"no tensors")
    asked = wanted(tmp_path / "brought.pth", "my model.pth")
    with pytest.raises(InvalidInput, match=r"my model\.pth was not imported") as refused:
        in_a_process(asked, tmp_path)
    assert "brought.pth" not in str(refused.value)
    assert "Traceback" not in str(refused.value)


def test_what_nobody_expected_is_told_too_and_the_next_import_goes_on(tmp_path: Path) -> None:
    def convert(asked: Wanted, folder: Path) -> Path:
        raise RuntimeError("nobody expected this")

    imports = Imports(tmp_path / "imports", lambda: None, convert)
    imports.start(Registry(), wanted(tmp_path, "model.pth", "a"), b"")
    imports.start(Registry(), wanted(tmp_path, order="b"), pack(tmp_path, FILES).read_bytes())
    told = over(imports, "a")
    assert (told.stage, told.problem and told.problem.what) == (Stage.FAILED, "the import failed")
    assert over(imports, "b").stage is Stage.DONE


def test_a_full_disk_is_told_and_leaves_nothing_waiting(tmp_path: Path) -> None:
    (tmp_path / "imports").write_bytes(b"in the way")
    imports = Imports(tmp_path / "imports", lambda: None, never)
    with pytest.raises(ServiceFault, match="cannot be written"):
        imports.start(Registry(), wanted(tmp_path), b"data")
    assert not imports.all()


def test_so_many_wait_and_no_more(tmp_path: Path) -> None:
    go_on = threading.Event()

    def convert(asked: Wanted, folder: Path) -> Path:
        assert go_on.wait(20)
        raise InvalidInput("no such model")

    imports = Imports(tmp_path / "imports", lambda: None, convert)
    for number in range(MOST_AT_ONCE):
        imports.start(Registry(), wanted(tmp_path, "model.pth", str(number)), b"")
    with pytest.raises(Refused, match="wait for each other already"):
        imports.start(Registry(), wanted(tmp_path, "model.pth", "more"), b"")
    go_on.set()
    assert {over(imports, str(number)).stage for number in range(MOST_AT_ONCE)} == {Stage.FAILED}
    for number in range(KEPT):
        imports.start(Registry(), wanted(tmp_path, "model.pth", f"later-{number}"), b"")
        over(imports, f"later-{number}")
    assert len(imports.all()) == KEPT, "the oldest that are over are forgotten"


def test_a_conversion_that_is_killed_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENNEL_HOME", str(tmp_path / "home"))
    started: list[Child] = []

    class Killed(Child):
        def __init__(self, command: Sequence[str], **more: Any) -> None:
            kill = "import os; os.kill(os.getpid(), 9)"
            super().__init__([sys.executable, "-S", "-c", kill], **more)
            started.append(self)

    monkeypatch.setattr(model_imports, "Child", Killed)
    with pytest.raises(ServiceFault, match=r"my model\.pth was not imported · the process that read it was killed"):
        in_a_process(wanted(tmp_path / "brought.pth", "my model.pth"), tmp_path)
    assert started


@pytest.mark.parametrize("name", ["model.zip", "model", "model.h5", ""])
def test_other_files_are_no_models(name: str) -> None:
    with pytest.raises(InvalidInput):
        Kind.of(name)
