import pytest

from dashboard.core.data.datasets import list_datasets
from dashboard.core.errors import AccessDenied
from tests.core.conftest import Reply


class Bucket:
    """S3's ListObjectsV2 and GetObjectTagging over keys that a test gives."""

    def __init__(self, fake, page=1000):
        self.sizes: dict[str, int] = {}
        self.samples: set[str] = set()
        self.page = page
        fake.on("S3 GET", self.list)
        fake.on("S3 tagging", self.tags)

    def add(self, *keys, size=1000):
        self.sizes |= dict.fromkeys(keys, size)

    def list(self, asked):
        if not self.sizes:
            return Reply(
                b"<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>", 404
            )
        keys = sorted(key for key in self.sizes if key.startswith(asked["prefix"]))
        if asked.get("delimiter"):
            folders = sorted({asked["prefix"] + k.removeprefix(asked["prefix"]).split("/")[0] + "/" for k in keys})
            found = "".join(f"<CommonPrefixes><Prefix>{f}</Prefix></CommonPrefixes>" for f in folders)
            return Reply(f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode())
        begin = int(asked.get("continuation-token", 0))
        now = keys[begin : begin + self.page]
        more = begin + self.page < len(keys)
        found = "".join(f"<Contents><Key>{k}</Key><Size>{self.sizes[k]}</Size></Contents>" for k in now)
        token = f"<NextContinuationToken>{begin + self.page}</NextContinuationToken>" if more else ""
        body = f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{found}{token}</ListBucketResult>"
        return Reply(body.encode())

    def tags(self, asked):
        sample = any(name in asked["path"] for name in self.samples)
        tag = "<Tag><Key>kennel:sample</Key><Value>true</Value></Tag>" if sample else ""
        return Reply(f"<Tagging><TagSet>{tag}</TagSet></Tagging>".encode())


@pytest.fixture
def bucket(fake):
    return Bucket(fake)


def test_datasets_are_counted(aws, bucket):
    for split, number in (("train", 6), ("valid", 2), ("test", 1)):
        for label in ("001.Affenpinscher", "002.Afghan_hound"):
            bucket.add(*(f"datasets/dogs/{split}/{label}/{n}.jpg" for n in range(number)))
    bucket.add(
        "datasets/dogs/README.md", "datasets/dogs/train/notes.txt", "datasets/dogs/train/001.Affenpinscher/.DS_Store"
    )
    (dogs,) = list_datasets(aws)
    assert dogs.name == "dogs"
    assert dogs.uri == "s3://kennel-123456789012-us-east-1/datasets/dogs/"
    assert (dogs.photos, dogs.classes, dogs.size) == (18, 2, 18_000)
    assert dogs.splits == {"train": 12, "valid": 4, "test": 2}
    assert dogs.is_counted
    assert not dogs.is_sample
    assert dogs.problem == ""


def test_all_pages_are_counted(aws, fake):
    bucket = Bucket(fake, page=10)
    bucket.add(*(f"datasets/dogs/train/{label}/{n}.JPG" for label in ("a", "b") for n in range(17)))
    assert list_datasets(aws)[0].photos == 34


def test_the_sample_is_known_by_its_tag(aws, bucket):
    bucket.add("datasets/drawn/train/a/1.jpg", "datasets/dogs/train/a/1.jpg")
    bucket.samples.add("datasets/drawn/")
    assert {d.name: d.is_sample for d in list_datasets(aws)} == {"drawn": True, "dogs": False}


def test_folders_without_photos_are_no_datasets(aws, bucket):
    bucket.add("datasets/empty/readme.txt", "datasets/flat/1.jpg", "datasets/dogs/train/a/1.jpg")
    assert [d.name for d in list_datasets(aws)] == ["dogs"]


def test_data_that_cannot_be_trained_on_says_why(aws, bucket):
    bucket.add("datasets/one/train/a/1.jpg", "datasets/untrained/valid/a/1.jpg")
    problems = {d.name: d.problem for d in list_datasets(aws)}
    assert "only one class" in problems["one"]
    assert "no photo in train/" in problems["untrained"]


def test_no_bucket_yet_is_no_datasets(aws, bucket):
    assert list_datasets(aws) == ()


def test_no_permission_is_not_no_datasets(aws, fake):
    fake.on("S3 GET", Reply(b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", 403))
    with pytest.raises(AccessDenied, match="s3:ListBucket"):
        list_datasets(aws)
