"""Files between the instance and S3."""

from pathlib import Path

import pytest

from tests.conftest import Embedded
from training.errors import BadSource
from training.instance.storage import Mirror, fetch
from training.s3_source import Place

BUCKET = "instance-files"


@pytest.fixture(scope="module")
def place(embedded: Embedded) -> Place:
    embedded.client("s3").create_bucket(Bucket=BUCKET)
    return Place(BUCKET, "kept/")


def keys(embedded: Embedded, place: Place) -> list[str]:
    found = embedded.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=place.key).get("Contents", [])
    return [one["Key"].removeprefix(place.key) for one in found]


def test_only_what_changed_is_sent_and_half_written_files_are_not(
    embedded: Embedded, place: Place, tmp_path: Path
) -> None:
    mirror = Mirror(embedded.client("s3"), tmp_path, place)
    (tmp_path / "features").mkdir()
    (tmp_path / "head.npz").write_bytes(b"one")
    (tmp_path / "features" / "a.seg").write_bytes(b"two")
    (tmp_path / ".head.npz.new").write_bytes(b"half")
    assert mirror.sync() == 2
    assert keys(embedded, place) == ["features/a.seg", "head.npz"]
    assert mirror.sync() == 0
    (tmp_path / "head.npz").write_bytes(b"newer")
    assert mirror.sync() == 1


def test_what_was_fetched_is_not_sent_back(embedded: Embedded, place: Place, tmp_path: Path) -> None:
    client = embedded.client("s3")
    client.put_object(Bucket=BUCKET, Key="down/a/b.npz", Body=b"state")
    assert fetch(client, Place(BUCKET, "down"), tmp_path) == 1
    assert (tmp_path / "a" / "b.npz").read_bytes() == b"state"
    mirror = Mirror(client, tmp_path, Place(BUCKET, "down"))
    mirror.known()
    assert mirror.sync() == 0


def test_a_key_that_leads_outside_the_folder_is_refused(embedded: Embedded, place: Place, tmp_path: Path) -> None:
    client = embedded.client("s3")
    client.put_object(Bucket=BUCKET, Key="bad/../../outside.txt", Body=b"x")
    with pytest.raises(BadSource, match="no path of a file"):
        fetch(client, Place(BUCKET, "bad"), tmp_path / "in")
    assert not (tmp_path / "outside.txt").exists()
