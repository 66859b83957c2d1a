"""Which folder an address stands for, which repository an image lies in."""

import pytest

from dashboard.core.iam.least.resources import Folder, Resources, family, folder_of, outermost, repository


@pytest.mark.parametrize(
    ("uri", "name", "prefix"),
    [
        ("s3://dogs/datasets/small/", "job-1", "datasets/small/"),
        ("s3://dogs/checkpoints/job-1/", "job-1", "checkpoints/"),
        ("s3://dogs/out/job-1/output/model.tar.gz", "job-1", "out/"),
        ("s3://dogs/out/job-1-trial-3/x", "job-1", "out/"),
        ("s3://dogs/out/job-12/x", "job-1", "out/job-12/x"),  # another job, whose name only begins alike
        # at the top of a bucket there is no folder around it: those of the same tool are
        ("s3://dogs/pytorch-2026-01-31-10-00-00-123/source/x", "pytorch-2026-01-31-10-00-00-123", "pytorch-"),
        ("s3://dogs/byhand/source/x", "byhand", "byhand"),
        ("s3://dogs", "job-1", ""),
    ],
)
def test_a_folder_is_that_of_the_next_job_too(uri: str, name: str, prefix: str) -> None:
    assert folder_of(uri, name) == Folder("dogs", prefix)


def test_folders_of_the_product_count_whole() -> None:
    assert folder_of("s3://dogs/code/training-1a2b/", "job", ("code/",)) == Folder("dogs", "code/")


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("dogs-2026-01-31-10-00-00-123", "dogs-"),
        ("dogs-20260131-1000", "dogs-"),
        ("dogs-5d20e9f1", "dogs-"),
        ("dogs-v2", "dogs-v2"),
        ("dogs", "dogs"),
    ],
)
def test_names_of_a_tool_begin_alike(name: str, begins: str) -> None:
    assert family(name) == begins


@pytest.mark.parametrize(
    ("image", "arn"),
    [
        (
            "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8-cpu",
            "arn:aws:ecr:us-east-1:763104351884:repository/pytorch-training",
        ),
        (
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/dogs@sha256:0",
            "arn:aws:ecr:eu-west-1:123456789012:repository/team/dogs",
        ),
        ("kennel/sample", ""),
        ("evil.example/763104351884.dkr.ecr.us-east-1.amazonaws.com/x", ""),
    ],
)
def test_an_image_names_its_repository(image: str, arn: str) -> None:
    assert repository(image) == arn


def test_a_folder_inside_another_is_left_out() -> None:
    found = outermost([Folder("a", "x/y/"), Folder("a", "x/"), Folder("b", "x/y/"), Folder("a", "x/")])
    assert found == (Folder("a", "x/"), Folder("b", "x/y/"))


def test_several_are_joined_once_each() -> None:
    one = Resources(reads=(Folder("a", "x/"),), images=("i",), managed=True)
    assert Resources.joined([one, one, Resources(keys=("k",))]) == Resources(
        reads=(Folder("a", "x/"),), images=("i",), keys=("k",), managed=True
    )
