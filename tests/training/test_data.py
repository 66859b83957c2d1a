"""Finding the photos of a data set, and refusing what cannot train a classifier."""

import json
import os
import tracemalloc
import unicodedata
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


def test_capitals_do_not_matter_and_what_is_not_used_is_said(tmp_path: Path) -> None:
    lay(tmp_path, "Train/a/1.jpg", "Train/b/1.jpg", "VAL/a/1.jpg", "Test/b/1.jpg", "extra/c/1.jpg", "validation.csv")
    dataset = scan(tmp_path)
    assert dataset.files == ("Train/a/1.jpg", "Train/b/1.jpg", "VAL/a/1.jpg", "Test/b/1.jpg")
    assert dataset.notes == ("not used, because only train/, valid/ and test/ are: extra",)


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


# -- names that folders may have --------------------------------------------------------------------------------------


def test_odd_names_become_labels_and_stay_paths(tmp_path: Path) -> None:
    names = [
        "St. Bernard v2.0",
        "  spaces  ",
        "柴犬 (Shiba)",
        "a:b*?|",
        "back\\slash",
        "..dots",
        "Lévrier",
        "🐕\u200d🦺",
        "'quote\"",
    ]
    lay(tmp_path, *(f"train/{name}/photo 1.jpg" for name in names), *(f"test/{name}/2.jpg" for name in names))
    dataset = scan(tmp_path)
    # A name that begins with a dot is a hidden folder.
    assert len(dataset.classes) == len(names) - 1
    assert set(dataset.labels) == {"St. Bernard v2.0", "spaces", *names[2:5], *names[6:]}
    assert json.loads(json.dumps(dataset.labels, ensure_ascii=False).encode()) == dataset.labels
    assert all(dataset.path(row).read_bytes() for row in range(len(dataset.files)))
    assert dataset.count(Split.TEST) == len(dataset.classes)


def test_names_that_would_break_a_line_a_terminal_or_json_are_shown_harmless(tmp_path: Path) -> None:
    try:
        for name in (b"two\nlines", b"red\x1b[31m", b"latin\xe9", b"latin\xe8", b"\xe2\x80\xaereversed"):
            lay(tmp_path, f"train/{os.fsdecode(name)}/1.jpg")
    except OSError:
        pytest.skip("this file system takes no such names")
    dataset = scan(tmp_path)
    assert len(set(dataset.labels)) == 5
    assert all(label.isprintable() for label in dataset.labels)
    assert "two lines" in dataset.labels
    json.dumps(dataset.labels, ensure_ascii=False).encode("utf-8")
    assert all(dataset.path(row).is_file() for row in range(5))


def test_one_class_in_two_spellings_is_one_class(tmp_path: Path) -> None:
    """A Mac writes é as two characters; its validation folder must not become another class."""
    composed, decomposed = (unicodedata.normalize(form, "Griffon Vendéen") for form in ("NFC", "NFD"))
    lay(tmp_path, f"train/{composed}/1.jpg", "train/b/1.jpg", f"valid/{decomposed}/2.jpg", "test/b/3.jpg")
    if not (tmp_path / "valid" / decomposed).is_dir():
        pytest.skip("this file system keeps one spelling only")
    dataset = scan(tmp_path)
    assert dataset.classes == (composed, "b")
    assert counts(dataset) == {"train": 2, "valid": 1, "test": 1}
    assert all(dataset.path(row).is_file() for row in range(4))


def test_folders_inside_a_class_belong_to_it(tmp_path: Path) -> None:
    lay(tmp_path, "train/a/day/1.jpg", "train/a/night/far/2.jpg", "train/a/.hidden/3.jpg", "train/b/1.jpg")
    (tmp_path / "train/a/day/loop").symlink_to(tmp_path / "train/a", target_is_directory=True)
    assert scan(tmp_path).files == ("train/a/day/1.jpg", "train/a/night/far/2.jpg", "train/b/1.jpg")


def test_an_empty_class_is_said_and_left_out(tmp_path: Path) -> None:
    lay(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "train/c/notes.txt", "valid/a/1.jpg", "test/a/1.jpg")
    (tmp_path / "test" / "b").mkdir()
    dataset = scan(tmp_path)
    assert dataset.classes == ("a", "b")
    assert "1 empty class folder in train: c" in dataset.notes
    assert "1 empty class folder in test: b" in dataset.notes
    for number in range(30):
        (tmp_path / f"train/empty {number:02}").mkdir()
    assert any("31 empty class folders in train: c, empty 00" in note for note in scan(tmp_path).notes)
    assert max(map(len, scan(tmp_path).notes)) < 200


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    lay(tmp_path, "train/a/1.jpg", "train/b/1.jpg")
    (tmp_path / "train/b").chmod(0)
    with pytest.raises(OSError, match="train/b"):
        scan(tmp_path)
    (tmp_path / "train/b").chmod(0o755)


def test_a_photo_costs_little_more_than_its_name(tmp_path: Path) -> None:
    lay(
        tmp_path,
        *(f"train/{breed:03}.Some_breed_of_dogs/Some_breed_{n:05}.jpg" for breed in range(20) for n in range(200)),
    )
    scan(tmp_path)  # what is imported on the way does not count
    tracemalloc.start()
    dataset = scan(tmp_path)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(dataset.files) == 4000
    assert kept / 4000 < 160
    assert peak / 4000 < 300
