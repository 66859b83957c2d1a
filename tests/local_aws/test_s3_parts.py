"""The pure pieces of S3: checksums by their published check values, lists by the plainest oracle there is."""

import base64
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.errors import ServiceError
from local_aws.services import s3_checksums
from local_aws.services.s3_blobs import Blobs
from local_aws.services.s3_index import Index, StoredObject, after_prefix
from local_aws.services.s3_listing import read_page
from local_aws.store import Store


# the check values of the CRC catalogue (reveng.sourceforge.io) for "123456789"
@pytest.mark.parametrize(
    ("name", "check"), [("crc32", "cbf43926"), ("crc32c", "e3069283"), ("crc64nvme", "ae8b14860a799888")]
)
def test_crcs_have_their_published_check_values(name: str, check: str) -> None:
    one = s3_checksums.checksum(name)
    one.update(b"123456789")
    assert base64.b64decode(one.value()).hex() == check


@pytest.mark.parametrize("name", ["crc32c", "crc64nvme"])
def test_the_wide_way_and_the_bytewise_way_agree(name: str) -> None:
    data = random.Random(1).randbytes(1_500_003)
    wide, bytewise = s3_checksums.checksum(name), s3_checksums.checksum(name)
    wide.update(data)
    for start in range(0, len(data), 255):  # never enough for a lane
        bytewise.update(data[start : start + 255])
    assert wide.value() == bytewise.value()


def test_checksums_that_are_not_here_are_refused() -> None:
    with pytest.raises(ServiceError, match="xxhash64 is not part of the embedded AWS"):
        s3_checksums.checksum("xxhash64")


def test_what_a_request_announces() -> None:
    headers = {
        "x-amz-checksum-sha256": "…",
        "x-amz-checksum-mode": "ENABLED",
        "x-amz-trailer": "x-amz-checksum-crc64nvme",
        "x-amz-sdk-checksum-algorithm": "CRC64NVME",
    }
    assert s3_checksums.announced(headers) == {"sha256", "crc64nvme"}


@pytest.mark.parametrize("prefix", ["a", "a/", "ü", "\ud7ff", "x\U0010ffff", "~"])
def test_what_comes_after_a_prefix(prefix: str) -> None:
    after = after_prefix(prefix)
    assert after is not None
    below = [prefix, prefix + "z", prefix + "\U0010ffff" * 3]
    assert all(one.encode() < after.encode() for one in below)
    assert after_prefix("\U0010ffff") is None


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("index")
    store = Store(folder)
    made = Index(store, Blobs(folder / "s3"))
    made.add_bucket("b", "us-east-1", 0)
    chance = random.Random(2)
    with made.transaction() as connection:
        for _ in range(300):
            key = "".join(chance.choice("ab/-ü") for _ in range(chance.randint(1, 6)))
            made.put(connection, StoredObject("b", key, "0" * 32, 0, "", 0, Path()))
    yield made
    store.close()


def all_pages(index: Index, prefix: str, delimiter: str, size: int) -> list[str]:
    """Keys and common prefixes (marked) of all pages, in the order they come."""
    found: list[str] = []
    behind: str | None = ""
    while behind is not None:
        page = read_page(index, "b", prefix, delimiter, behind, size)
        here = [one.key for one in page.objects] + [f"<{one}>" for one in page.prefixes]
        assert len(here) <= size
        found += sorted(here, key=lambda one: one.strip("<>").encode())
        behind = page.last
    return found


@pytest.mark.parametrize("prefix", ["", "a", "a/", "ü", "b-", "/", "zz"])
@pytest.mark.parametrize("delimiter", ["", "/", "-", "a/"])
def test_lists_are_what_sorting_all_keys_gives(index: Index, prefix: str, delimiter: str) -> None:
    keys = sorted((one.key for one in index.scan("b", "", "", after=False, limit=-1)), key=str.encode)
    expected: list[str] = []
    for key in keys:
        if not key.startswith(prefix):
            continue
        rest = key[len(prefix) :]
        if delimiter and delimiter in rest:
            key = f"<{prefix}{rest[: rest.index(delimiter) + len(delimiter)]}>"
        if key not in expected[-1:]:
            expected.append(key)
    for size in (1, 3, 10, 1000):
        assert all_pages(index, prefix, delimiter, size) == expected


def test_a_death_in_the_middle_is_swept_away(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blobs.start(set)
    with blobs.intake() as intake:
        intake.write(b"kept")
        kept = intake.commit()
    with blobs.intake() as intake:
        intake.write(b"never named")
        orphan = intake.commit()
    (tmp_path / "incoming" / "half").write_bytes(b"half")
    again = Blobs(tmp_path)
    again.start(lambda: {kept.name})
    assert again.path(kept.name).read_bytes() == b"kept"
    assert not again.path(orphan.name).exists()
    assert not list((tmp_path / "incoming").iterdir())


def test_an_intake_that_is_left_leaves_nothing(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    with pytest.raises(RuntimeError), blobs.intake() as intake:
        intake.write(b"x")
        raise RuntimeError
    assert not [one for one in tmp_path.rglob("*") if one.is_file()]
