"""Addresses in S3."""

import pytest

from dashboard.core.s3_address import parts


@pytest.mark.parametrize(
    ("uri", "bucket", "key"),
    [
        ("s3://dogs/train/a b.jpg", "dogs", "train/a b.jpg"),
        ("s3://dogs/folder/", "dogs", "folder/"),
        ("s3://dogs", "dogs", ""),
        ("", "", ""),
    ],
)
def test_an_address_is_a_bucket_and_what_lies_in_it(uri: str, bucket: str, key: str) -> None:
    assert parts(uri) == (bucket, key)
