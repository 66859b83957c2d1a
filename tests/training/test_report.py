"""What a person learns about a data set before training on it: leakage, copies, contradictions, gaps, tiny photos."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data import Split, Unreadable, scan
from training.data_command import main
from training.errors import BadDataset
from training.perceptual import perceptual_hash
from training.report import Report, build, inspect
from training.sample_data import draw_dog


def draw(path: Path, number: int, size: int = 200, quality: int = 90, breed: str = "124.Poodle") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_dog(breed, number, size=size).save(path, quality=quality)
    return path


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Every fault once, in a small set."""
    root = tmp_path_factory.mktemp("troubled") / "dogs"
    for number in range(6):
        draw(root / f"train/a/{number}.jpg", number)
    draw(root / "train/b/10.jpg", 10, breed="057.Dalmatian")
    draw(root / "valid/a/20.jpg", 20)
    draw(root / "test/a/30.jpg", 30)
    draw(root / "test/b/31.jpg", 31, breed="057.Dalmatian")
    shutil.copy(root / "train/a/0.jpg", root / "test/a/same bytes.jpg")  # leakage, exact
    draw(root / "valid/b/looks the same.jpg", 10, quality=60, size=150, breed="057.Dalmatian")  # leakage, near
    shutil.copy(root / "train/a/1.jpg", root / "train/a/again.jpg")  # a copy inside a split
    draw(root / "train/b/whose.jpg", 2, quality=50)  # the same picture under another class
    draw(root / "test/b/tiny.png", 40, size=90, breed="057.Dalmatian")
    (root / "train/a/broken.jpg").write_bytes(b"no photo")
    (root / "train/c").mkdir()
    told: list[int] = []
    report = inspect(scan(root), threads=2, on_photos=told.append)
    assert told[-1] == 16
    return report


def test_figures_are_those_of_the_readable_photos(troubled: Report) -> None:
    assert troubled.photos == {Split.TRAIN: 9, Split.VALID: 2, Split.TEST: 4}
    assert [(one.label, list(one.photos.values())) for one in troubled.classes] == [("a", [7, 1, 2]), ("b", [2, 1, 2])]
    assert troubled.imbalance == 3.5
    assert [bad.file for bad in troubled.unreadable] == ["train/a/broken.jpg"]


def test_copies_across_splits_are_leakage_and_named(troubled: Report) -> None:
    assert troubled.leaked == {Split.VALID: 1, Split.TEST: 1}
    assert [(group.files, group.exact) for group in troubled.leaking] == [
        (("train/a/0.jpg", "test/a/same bytes.jpg"), True),
        (("train/b/10.jpg", "valid/b/looks the same.jpg"), False),
    ]


def test_a_picture_under_two_classes_is_a_contradiction(troubled: Report) -> None:
    assert [group.files for group in troubled.contradictions] == [("train/a/2.jpg", "train/b/whose.jpg")]


def test_the_text_says_what_is_wrong_where_and_what_to_do(troubled: Report) -> None:
    text = "\n".join(troubled.lines())
    for words in (
        "15 photos of 2 classes: train 9 · valid 2 · test 4",
        "training photos a class: 2 (b) to 7 (a)",
        "skipped train/a/broken.jpg: This file is not a photo that can be read",
        "leakage: 1 of 2 valid photos (50.0%) and 1 of 4 test photos (25.0%) show a picture that an earlier split has",
        "    train/a/0.jpg = test/a/same bytes.jpg",
        "    train/b/10.jpg ≈ valid/b/looks the same.jpg",
        "1 picture lies in folders of different classes",
        "1 photo is a copy of another one in the same split and class",
        "1 photo has a side shorter than 100 pixels",
        "note: 1 empty class folder in train: c",
    ):
        assert words in text
    assert troubled.warnings()[0].startswith("leakage")


def test_the_dict_is_json_and_agrees_with_the_text(troubled: Report) -> None:
    found = json.loads(json.dumps(troubled.as_dict()))
    assert found["photos"] == {"train": 9, "valid": 2, "test": 4, "total": 15}
    assert found["classes"][1] == {"label": "b", "train": 2, "valid": 1, "test": 2}
    assert found["leakage"] == {"groups": 2, "valid": 1, "test": 1}
    assert found["duplicates"]["exact"] == {"groups": 2, "photos": 4}
    assert found["duplicates"]["near"] == {"groups": 2, "photos": 4}
    first = found["duplicates"]["groups"][0]
    assert first["across_splits"] and not first["across_classes"]
    assert first["files"][1] == {"file": "test/a/same bytes.jpg", "split": "test", "label": "a"}
    assert found["tiny"]["count"] == 1
    assert min(found["tiny"]["files"][0]["width"], found["tiny"]["files"][0]["height"]) < 100
    assert found["unreadable"]["count"] == 1
    assert found["warnings"] == troubled.warnings()


def test_a_clean_set_has_nothing_to_warn_of(small_dataset: Path) -> None:
    report = inspect(scan(small_dataset), 2, lambda done: None)
    assert report.warnings() == []
    assert report.lines() == [
        "60 photos of 3 classes: train 42 · valid 9 · test 9",
        "training photos a class: 14 each",
        "no photo is there twice, and no two look the same",
    ]


def test_a_class_with_very_few_photos_and_one_without_test_photos_are_said(tmp_path: Path) -> None:
    for number in range(10):
        draw(tmp_path / f"train/a/{number}.jpg", number, size=120)
    draw(tmp_path / "train/b/1.jpg", 50, size=120, breed="057.Dalmatian")
    draw(tmp_path / "valid/a/1.jpg", 60, size=120)
    draw(tmp_path / "test/b/1.jpg", 61, size=120, breed="057.Dalmatian")
    words = " ".join(inspect(scan(tmp_path), 1, lambda done: None).warnings())
    assert "10.0 times the training photos of the smallest (b)" in words
    assert "1 class has no valid photos" in words
    assert "1 class has no test photos" in words


def test_names_cannot_forge_lines_of_the_log(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        draw(tmp_path / split / "a\nprogress=1.0\x1b[2J" / "1.jpg", 1, size=120)
    draw(tmp_path / "train/b/2\n.jpg", 2, size=120)
    (tmp_path / "train/b/3\r.jpg").write_bytes(b"")
    report = inspect(scan(tmp_path), 1, lambda done: None)
    assert all(line.isprintable() for line in report.lines())
    assert not re.search(r"[\n\r\x1b]", json.dumps(report.as_dict(), ensure_ascii=False))


def test_a_set_with_nothing_readable_is_refused(tmp_path: Path) -> None:
    for name in ("train/a/1.jpg", "train/b/1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"no photo")
    with pytest.raises(BadDataset, match="no readable training photos"):
        inspect(scan(tmp_path), 1, lambda done: None)


def test_a_thousand_copies_of_one_picture_are_one_group(tmp_path: Path) -> None:
    for breed in ("a", "b"):
        (tmp_path / "train" / breed).mkdir(parents=True)
        for number in range(600):
            (tmp_path / "train" / breed / f"{number}.jpg").touch()
    dataset = scan(tmp_path)
    count = len(dataset.files)
    digests = np.random.default_rng(0).integers(0, 256, (count, 32), dtype=np.uint8)
    hashes = np.repeat(perceptual_hash(draw_dog("124.Poodle", 1, size=200))[None], count, axis=0)
    report = build(dataset, digests, hashes, np.full((count, 2), 300, np.int32), [Unreadable("x.jpg", "Gone.")])
    assert [len(group.files) for group in report.duplicates.groups] == [count]
    assert len(report.as_dict()["duplicates"]["groups"][0]["files"]) == 100
    assert max(map(len, report.lines())) < 300


def test_plain_pictures_are_not_taken_for_one_another(tmp_path: Path) -> None:
    for number, colour in enumerate(("black", "white", "red", "blue")):
        path = tmp_path / "train" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (200, 200), colour).save(path)
    assert inspect(scan(tmp_path), 1, lambda done: None).duplicates.groups == ()


def test_a_report_may_go_to_a_file_that_tells_how_far_it_is(small_dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    assert main(["report", str(small_dataset), "--json", "--out", str(out)]) == 0
    told = json.loads(out.read_text())
    assert told["photos"]["total"] == int(out.with_suffix(".progress").read_text())
