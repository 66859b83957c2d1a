"""Where files of a folder or a zip belong, and what is refused before anything is sent."""

import pytest

from dashboard.core.data.layout import LARGE, MOST_FILES, NO_CLASS, NO_PHOTO, UNUSED, lay_out
from dashboard.core.errors import InvalidInput
from training.data import Split
from training.images import MAX_BYTES


def placed(*paths: str) -> dict[str, str]:
    return {one.path: one.key for one in lay_out((path, 100) for path in paths).photos}


def test_splits_and_classes_are_found_below_a_folder_that_wraps_them() -> None:
    assert placed(
        "dogImages/train/001.Affenpinscher/a.jpg", "dogImages/val/001.Affenpinscher/b.JPG", "dogImages/testing/x/c.png"
    ) == {
        "dogImages/train/001.Affenpinscher/a.jpg": "train/001.Affenpinscher/a.jpg",
        "dogImages/val/001.Affenpinscher/b.JPG": "valid/001.Affenpinscher/b.JPG",
        "dogImages/testing/x/c.png": "test/x/c.png",
    }


def test_class_folders_alone_are_training_photos_and_what_is_missing_is_told() -> None:
    found = lay_out([("dogs/Beagle/a.jpg", 5), ("dogs/Poodle/b.jpg", 5)])
    assert [one.key for one in found.photos] == ["train/Beagle/a.jpg", "train/Poodle/b.jpg"]
    assert found.splits == {Split.TRAIN: 2, Split.VALID: 0, Split.TEST: 0}
    assert any("No train/ folder" in note for note in found.notes)
    assert any("No valid/" in note for note in found.notes)
    assert any("No test/" in note for note in found.notes)


def test_deeper_folders_belong_to_their_class_and_no_photo_hides_another() -> None:
    keys = placed("train/Beagle/1.jpg", "train/Beagle/a/1.jpg", "train/Beagle/a_1.jpg", "train/Poodle/1.jpg")
    assert sorted(keys.values()) == [
        "train/Beagle/1.jpg",
        "train/Beagle/a_1-2.jpg",
        "train/Beagle/a_1.jpg",
        "train/Poodle/1.jpg",
    ]


def test_what_differs_in_capitals_only_stays_two_photos() -> None:
    assert len({key.casefold() for key in placed("train/B/a.jpg", "train/B/A.jpg", "train/C/a.jpg").values()}) == 3


def test_what_is_left_out_is_counted_by_why() -> None:
    found = lay_out(
        [
            ("x/train/Beagle/a.jpg", 5),
            ("x/train/Poodle/a.jpg", 5),
            ("x/train/Poodle/notes.txt", 5),
            ("x/train/loose.jpg", 5),
            ("x/extra/Poodle/a.jpg", 5),
            ("x/train/Poodle/huge.jpg", MAX_BYTES + 1),
            ("x/train/Poodle/.DS_Store", 5),
            ("x/__MACOSX/train/Poodle/a.jpg", 5),
        ]
    )
    assert len(found.photos) == 2
    assert found.left_out == {NO_PHOTO: 1, NO_CLASS: 1, UNUSED: 1, LARGE: 1}


@pytest.mark.parametrize(
    "path", ["../train/a/1.jpg", "/etc/a/1.jpg", "train\\..\\..\\1.jpg", "C:/a/1.jpg", "train/a\0/1.jpg"]
)
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput, match="leads outside"):
        lay_out([("train/Beagle/a.jpg", 5), (path, 5)])


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ([], "there is no photo"),
        ([("a/readme.txt", 5)], "there is no photo"),
        ([("x/valid/Beagle/a.jpg", 5), ("x/valid/Poodle/a.jpg", 5)], "no train/ folder"),
        ([("a.jpg", 5), ("b.jpg", 5)], "no photo to train on"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_with_why(files: list[tuple[str, int]], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        lay_out(files)


def test_more_than_a_data_set_may_have_is_refused() -> None:
    with pytest.raises(InvalidInput, match="too many"):
        lay_out((f"train/a/{number}.jpg", 1) for number in range(MOST_FILES + 1))


def test_one_class_alone_is_told() -> None:
    assert any("only one class" in note for note in lay_out([("train/Beagle/a.jpg", 5)]).notes)
