"""The caches of the page Data: data sets and what is in them, reports, buckets, corrections, and work on them."""

import hashlib
from datetime import timedelta

import streamlit as st

from dashboard import data_report
from dashboard.core.aws import Aws
from dashboard.core.data import buckets as core_buckets
from dashboard.core.data import contents as core_contents
from dashboard.core.data import datasets as core_datasets
from dashboard.core.data import report as core_report
from dashboard.core.data import reviews, thumbnails
from dashboard.core.data.buckets import Bucket
from dashboard.core.data.contents import Contents, Photo
from dashboard.core.data.datasets import Dataset
from dashboard.core.data.report import Report
from dashboard.core.data.reviews import Correction
from dashboard.core.errors import InvalidInput, NotFound
from dashboard.core.home import home
from dashboard.core.parallel import gather
from dashboard.data_jobs import Jobs
from dashboard.readings import Reading, is_filling, now, where

FOLDER = "data_work"
SOON = timedelta(seconds=2)
PATIENCE = 10
"""What is worth looking at again soon is, after so many times as long as looking took."""


def datasets(aws: Aws) -> Reading[tuple[Dataset, ...]]:
    """The datasets of the account. Counting many takes long, so that it is done seldom.

    That there are none, or one that cannot be trained on (yet), is looked at again soon.
    """
    reading, took = _datasets(where(aws), aws)
    is_settled = reading.value and not any(one.problem for one in reading.value)
    if not is_settled and now() - reading.at > max(SOON, PATIENCE * took):
        _datasets.clear()
        reading, _ = _datasets(where(aws), aws)
    return reading


def contents(aws: Aws, name: str) -> Reading[Contents]:
    """Every photo of a data set. Raises NotFound and the errors of `Aws.call`."""
    return _contents(where(aws), name, aws)


def pictures(
    aws: Aws, bucket: str, photos: tuple[tuple[str, str], ...], side: int = thumbnails.SIDE
) -> list[bytes | str]:
    """Pictures of photos by key and ETag, at most `side` pixels long, several made at once; a sentence in the place of
    one that cannot be shown."""
    return gather(lambda one: _picture(where(aws), bucket, *one, side, aws), photos, workers=8)


def of_photos(aws: Aws, bucket: str, photos: tuple[Photo, ...]) -> list[bytes | str]:
    """The same of photos as they are listed."""
    return pictures(aws, bucket, tuple((one.key, one.etag) for one in photos))


def data_report_of(content: Contents) -> Report | None:
    """The report on what is in this data set now, if one was made."""
    return core_report.kept(home(), content.fingerprint)


def buckets(aws: Aws) -> Reading[tuple[Bucket, ...]]:
    """The account's buckets and how they are set. Raises the errors of `Aws.call`."""
    return _buckets(where(aws), aws)


def corrections(aws: Aws) -> Reading[tuple[Correction, ...]]:
    """What visitors corrected, those that wait first. Raises the errors of `Aws.call`."""
    return _corrections(where(aws), aws)


def data_jobs(aws: Aws) -> Jobs:
    """The work on this account's data sets, of all who look."""
    account = aws.account
    # not its address, which is another one after a restart, and not who looks: two would do the same work at once
    return _jobs(f"{account.profile} {account.client_file} {account.account_id} {account.region}")


def forget_data() -> None:
    """Something was changed: read it again at the next look."""
    for cached in (_datasets, _contents, _buckets, _corrections):
        cached.clear()


@st.cache_data(show_spinner=False, ttl=20, refresh_mode="background", max_entries=8)
def _datasets(where: str, _aws: Aws) -> tuple[Reading[tuple[Dataset, ...]], timedelta]:
    begun = now()
    found = core_datasets.list_datasets(_aws, is_filling=is_filling(_aws))
    return Reading(found, now()), now() - begun


@st.cache_resource(show_spinner=False, ttl=30, refresh_mode="background", max_entries=6)
def _contents(where: str, name: str, _aws: Aws) -> Reading[Contents]:
    return Reading(core_contents.read(_aws, name), now())


@st.cache_data(show_spinner=False, ttl=86_400, max_entries=3000)
def _picture(where: str, bucket: str, key: str, etag: str, side: int, _aws: Aws) -> bytes | str:
    try:
        return thumbnails.thumbnail(_aws, bucket, key, side)
    except (InvalidInput, NotFound) as error:
        return f"{error.what}: {error.why}"


@st.cache_data(show_spinner=False, ttl=60, refresh_mode="background", max_entries=8)
def _buckets(where: str, _aws: Aws) -> Reading[tuple[Bucket, ...]]:
    return Reading(core_buckets.read(_aws), now())


@st.cache_data(show_spinner=False, ttl=20, refresh_mode="background", max_entries=8)
def _corrections(where: str, _aws: Aws) -> Reading[tuple[Correction, ...]]:
    return Reading(reviews.read(_aws), now())


@st.cache_resource(show_spinner=False)  # none is forgotten while its work goes on
def _jobs(lasting: str) -> Jobs:
    name = hashlib.sha256(lasting.encode()).hexdigest()[:16]
    return Jobs(home() / FOLDER / name, forget_data, data_report.inspect)
