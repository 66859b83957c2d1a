"""Finding the photos of a data set, and refusing what cannot train a classifier."""

from pathlib import Path

import numpy as np
import pytest

from training.data import Dataset, Split, scan, without
from training.errors import BadDataset


def lay(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not opened while scanning")
    return root


def many(split: str, breed: str, count: int) -> list[str]:
    return [f"{split}/{breed}/{number:03d}.jpg" for number in range(count)]


def counts(dataset: Dataset) -> dict[str, int]:
    return {str(split): dataset.count(split) for split in Split}


def test_splits_and_classes_are_found(tmp_path: Path) -> None:
    lay(
        tmp_path,
        "train/002.B_b/1.jpg",
        "train/001.A/1.JPG",
        "train/001.A/2.heic",
        "valid/001.A/3.png",
        "test/002.B_b/4.webp",
    )
    dataset = scan(tmp_path)
    assert dataset.classes == ("001.A", "002.B_b")
    assert dataset.labels == ["A", "B b"]
    assert counts(dataset) == {"train": 3, "valid": 1, "test": 1}
    assert dataset.files[dataset.rows(Split.TEST)] == ("test/002.B_b/4.webp",)
    assert dataset.targets[dataset.rows(Split.TEST)].tolist() == [1]
    assert dataset.path(4) == tmp_path / "test/002.B_b/4.webp"
    assert dataset.notes == ()


def test_other_names_of_the_folders_are_understood(tmp_path: Path) -> None:
    lay(tmp_path, "training/a/1.jpg", "training/b/1.jpg", "validation/a/1.jpg", "testing/b/1.jpg")
    assert counts(scan(tmp_path)) == {"train": 2, "valid": 1, "test": 1}


def test_what_is_no_photo_by_its_name_does_not_count(tmp_path: Path) -> None:
    lay(
        tmp_path,
        "train/a/1.jpg",
        "train/a/notes.txt",
        "train/a/.hidden.jpg",
        "train/b/1.jpg",
        "train/.cache/1.jpg",
        "train/x.jpg",
    )
    dataset = scan(tmp_path)
    assert dataset.classes == ("a", "b")
    assert dataset.count(Split.TRAIN) == 2


def test_folders_that_would_show_the_same_name_keep_their_own(tmp_path: Path) -> None:
    lay(tmp_path, "train/001.Collie/1.jpg", "train/002.Collie/1.jpg", "train/003.Boxer/1.jpg")
    assert scan(tmp_path).labels == ["001.Collie", "002.Collie", "Boxer"]


def test_missing_splits_are_held_out_the_same_way_for_the_same_seed(tmp_path: Path) -> None:
    lay(tmp_path, *many("train", "a", 20), *many("train", "b", 20))
    dataset = scan(tmp_path, seed=3)
    assert counts(dataset) == {"train": 28, "valid": 6, "test": 6}
    assert dataset.targets[dataset.rows(Split.VALID)].tolist() == [0] * 3 + [1] * 3
    assert dataset.files == scan(tmp_path, seed=3).files
    assert dataset.files != scan(tmp_path, seed=4).files
    assert len(set(dataset.files)) == 40
    assert len(dataset.notes) == 2
    assert "seed 3" in dataset.notes[0]


def test_too_few_photos_are_all_kept_for_training(tmp_path: Path) -> None:
    lay(tmp_path, *many("train", "a", 3), *many("train", "b", 3))
    dataset = scan(tmp_path)
    assert counts(dataset) == {"train": 6, "valid": 0, "test": 0}
    assert all("too few" in note for note in dataset.notes)


def test_class_folders_without_splits_are_taken_as_training_photos(tmp_path: Path) -> None:
    lay(tmp_path, *many(".", "a", 8), *many(".", "b", 8))
    dataset = scan(tmp_path)
    assert dataset.classes == ("a", "b")
    assert counts(dataset) == {"train": 12, "valid": 2, "test": 2}
    assert "no train/ folder" in dataset.notes[0]


def test_a_class_that_is_only_tested_is_left_out_and_said(tmp_path: Path) -> None:
    lay(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "valid/a/1.jpg", "test/a/1.jpg", "test/c/1.jpg")
    dataset = scan(tmp_path)
    assert counts(dataset) == {"train": 2, "valid": 1, "test": 1}
    assert "1 photo in test/c left out" in dataset.notes[0]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "no training photos"),
        (["train/readme.txt"], "no training photos"),
        (["train/a/1.jpg", "train/a/2.jpg"], r"one class only \(a\)"),
        (["train/a/1.jpg", "train/b/notes.txt"], r"one class only \(a\)"),
        (["valid/a/1.jpg", "valid/b/1.jpg"], "no train/ folder"),
    ],
)
def test_what_cannot_train_is_refused(tmp_path: Path, names: list[str], words: str) -> None:
    with pytest.raises(BadDataset, match=words):
        scan(lay(tmp_path, *names))


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="There is no data folder"):
        scan(tmp_path / "nowhere")


def test_unreadable_photos_leave_and_may_take_their_class_along(tmp_path: Path) -> None:
    lay(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "train/b/2.jpg", "train/c/1.jpg", "valid/a/1.jpg", "test/c/1.jpg")
    dataset = scan(tmp_path)
    unreadable = {"train/b/1.jpg", "train/a/1.jpg"}
    less, kept = without(dataset, np.array([file not in unreadable for file in dataset.files]))
    assert less.classes == ("b", "c")
    assert less.files == ("train/b/2.jpg", "train/c/1.jpg", "test/c/1.jpg")
    assert less.targets.tolist() == [0, 1, 1]
    assert counts(less) == {"train": 2, "valid": 0, "test": 1}
    # The valid photo of the class that is gone goes too: a table of features has to follow.
    assert [file for file, stays in zip(dataset.files, kept, strict=True) if stays] == list(less.files)
    assert "left out because none of their training photos can be read: a" in less.notes[-1]
    with pytest.raises(BadDataset, match=r"readable training photos of one class only \(c\)"):
        without(less, np.array([False, True, True]))
