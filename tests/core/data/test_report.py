"""A data report is read as training.data writes it, and kept for the content that was looked at."""

import json
from pathlib import Path

import pytest

from dashboard.core.data import report
from dashboard.core.errors import ServiceFault
from training.data import scan
from training.report import inspect


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `python -m training.data report --json` prints of a small set with a copy across splits."""
    from tests.core.data.conftest import picture

    root = tmp_path_factory.mktemp("looked")
    for split in ("train", "valid", "test"):
        for label in ("a", "b"):
            for number in range(3):
                file = root / split / label / f"{number}.jpg"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(picture(len(list(root.rglob("*.jpg"))) * 9, (90, 70)))
    (root / "test/a/copy.jpg").write_bytes((root / "train/a/0.jpg").read_bytes())
    (root / "train/b/broken.jpg").write_bytes(b"no photo")
    return json.dumps(inspect(scan(root), 1, lambda done: None).as_dict())


def test_what_training_found_is_read(text: str) -> None:
    found = report.parse(text)
    assert (found.photos, found.classes, found.unreadable_count) == (19, 2, 1)
    assert found.unreadable[0][0] == "train/b/broken.jpg"
    assert found.leaked >= 1
    assert any(group.is_across_splits for group in found.groups)
    assert not found.is_clean


def test_it_is_kept_by_the_content_and_read_again(text: str, tmp_path: Path) -> None:
    kept = report.keep(tmp_path, "f1", text)
    assert report.kept(tmp_path, "f1") == kept
    assert report.kept(tmp_path, "f2") is None


@pytest.mark.parametrize("told", ["", "[]", "{}", '{"photos": 3}'])
def test_what_is_no_report_is_refused_and_never_kept(told: str, tmp_path: Path) -> None:
    with pytest.raises(ServiceFault, match="cannot be read"):
        report.keep(tmp_path, "f1", told)
    assert report.kept(tmp_path, "f1") is None


def test_a_kept_one_that_is_damaged_is_none(text: str, tmp_path: Path) -> None:
    report.keep(tmp_path, "f1", text)
    (tmp_path / report.FOLDER / "f1.json").write_text(text[:100])
    assert report.kept(tmp_path, "f1") is None
