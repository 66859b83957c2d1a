"""Drawn data sets: the same seed draws the same, and the folders are those of the reference data set."""

import hashlib
from pathlib import Path

import pytest

from tests.training.conftest import Run
from training.breeds import table
from training.sample_data import BREEDS, draw_dog, main, split_of, write_dataset


def digest(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.jpg"))
    }


def test_the_drawn_breeds_are_reference_breeds() -> None:
    assert set(BREEDS) <= {breed.reference for breed in table()}
    assert len(BREEDS) >= 6


@pytest.mark.parametrize("breed", BREEDS)
def test_a_seed_decides_the_picture(breed: str) -> None:
    one = draw_dog(breed, 3, size=160)
    assert one.tobytes() == draw_dog(breed, 3, size=160).tobytes()
    assert one.tobytes() != draw_dog(breed, 4, size=160).tobytes()
    assert max(one.size) == 160
    assert one.mode == "RGB"


def test_an_unknown_breed_is_refused() -> None:
    with pytest.raises(KeyError):
        draw_dog("000.Unicorn", 0)


def test_a_data_set_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    breeds = tuple(BREEDS)[:2]
    written = write_dataset(tmp_path / "a", photos_per_breed=7, seed=1, size=96, breeds=breeds)
    write_dataset(tmp_path / "b", photos_per_breed=7, seed=1, size=96, breeds=breeds)
    write_dataset(tmp_path / "c", photos_per_breed=7, seed=2, size=96, breeds=breeds)
    first = digest(tmp_path / "a")
    assert first == digest(tmp_path / "b")
    assert first.keys() == digest(tmp_path / "c").keys()
    assert not set(first.values()) & set(digest(tmp_path / "c").values())
    assert len(set(first.values())) == written.total == 14
    assert (written.train, written.valid, written.test) == (10, 2, 2)
    folders = {path.relative_to(tmp_path / "a").parts[:2] for path in (tmp_path / "a").rglob("*.jpg")}
    assert folders == {(split, breed) for split in ("train", "valid", "test") for breed in breeds}


@pytest.mark.parametrize("count", range(1, 12))
def test_there_is_always_something_to_train_on(count: int) -> None:
    splits = [split_of(index, count) for index in range(count)]
    assert splits.count("train") >= 1
    assert splits.count("valid") == splits.count("test")
    assert splits.count("train") >= splits.count("valid")


def test_the_command_line_says_what_it_wrote(tmp_path: Path, run_module: Run) -> None:
    done = run_module("training.sample_data", tmp_path / "dogs", "--photos-per-breed", "2", "--size", "80")
    assert done.returncode == 0
    assert f"12 pictures of {len(BREEDS)} breeds" in done.stdout


def test_other_peoples_files_are_not_mixed_with_drawn_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(tmp_path), "--photos-per-breed", "1", "--size", "64"]
    assert main(arguments) == 0
    assert main(arguments) == 0  # the same again
    assert main([str(tmp_path), "--photos-per-breed", "2", "--size", "64"]) == 1
    assert "holds other files: choose an empty or a new folder" in capsys.readouterr().err
    (tmp_path / "train" / "own.jpg").touch()
    assert main(arguments) == 1


def test_ctrl_c_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.sample_data.write_dataset", interrupted)
    assert main([str(tmp_path / "dogs")]) == 130
    assert capsys.readouterr().err.count("Stopped") == 1


def test_nonsense_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--photos-per-breed", "0"], ["--size", "9"], ["--seed", "-1"], ["--photos-per-breed", "many"]):
        with pytest.raises(SystemExit) as caught:
            main([str(tmp_path), *arguments])
        assert caught.value.code == 2
    (tmp_path / "file").write_text("in the way")
    assert main([str(tmp_path / "file"), "--photos-per-breed", "1"]) == 1
    assert "choose another folder" in capsys.readouterr().err
