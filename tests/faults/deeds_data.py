"""What a person does with photos: buckets, data sets, and what visitors say of an answer."""

import secrets
import threading
from functools import partial
from typing import Any

import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.data import mark
from dashboard.core.data.work import Kind
from dashboard.core.serving import feedback
from dashboard.core.serving.classify import Answer, Prediction, prepare_photo
from dashboard.ui import (
    classify_feedback,
    data_add,
    data_buckets,
    data_dialogs,
    data_review,
    data_unfinished,
    data_work,
)
from dashboard.ui.classify_result import Result, card_key, results
from dashboard.ui.confirm import Question
from tests.faults.deed import Deed, dialog, missing, part, typed
from tests.faults.world import DATASET, ENDPOINT, World, photo

BUCKET, LOOSE, BROKEN, KEY, BREED = "faulty-bucket", "loose-bucket", "broken-off", "a-photo-of-a-dog", "Beagle"
SAID = Answer(ENDPOINT, (Prediction("Poodle", 0.9),), True, 0.99, 0.1, "A poodle.")


def _joined(world: World) -> bool:
    """Wait for the work on data sets, which goes on in threads of its own."""
    for one in threading.enumerate():
        if one.name == "data":
            one.join(60)
    return True


def _keys(world: World, prefix: str) -> list[str]:
    found = world.client("s3").list_objects_v2(Bucket=world.bucket, Prefix=prefix)
    return [one["Key"] for one in found.get("Contents", [])]


def _whole(world: World, name: str) -> int:
    """Whether a data set is there, all of it, and no work on it goes on."""
    keys = _keys(world, f"datasets/{name}/")
    return int(bool(keys) and mark.key(name) not in keys)


def _begun(asks: Any, fill: Any = lambda page: None) -> Any:
    """A dialog that begins work in the background, with what the page shows of that."""
    return dialog(asks, fill, draws=data_work.show)


def _of_set(kind: Kind, name: str) -> Any:
    return lambda aws, world: data_dialogs.question(aws, state.contents(aws, name).value, kind, (DATASET,))


def _from_here(aws: Aws, world: World) -> Question:
    st.session_state["add-place"] = str(world.folder)
    return Question("Add photos", partial(data_add._here, aws, secrets.token_hex(8)))


def _import(aws: Aws, world: World) -> Question:
    source = f"s3://{world.bucket}/photos.zip"
    return Question("Add photos", partial(data_add._import, aws, secrets.token_hex(8), source))


def _zip(world: World) -> None:
    world.client("s3").put_object(Bucket=world.bucket, Key="photos.zip", Body=world.zipped)


def _loose(world: World) -> None:
    world.client("s3").create_bucket(Bucket=LOOSE)
    world.client("s3").delete_public_access_block(Bucket=LOOSE)


def _bucket(aws: Aws) -> Any:
    return next(one for one in state.buckets(aws).value if one.name == LOOSE)


def _blocked(world: World) -> int:
    return 1 - missing(lambda: world.client("s3").get_public_access_block(Bucket=LOOSE))


def _broken(world: World) -> None:
    """A data set on which work of another Kennel broke off."""
    for split in ("train", "valid", "test"):
        key = f"datasets/{BROKEN}/{split}/001.Beagle/one.jpg"
        world.client("s3").put_object(Bucket=world.bucket, Key=key, Body=photo())
    world.client("s3").put_object(Bucket=world.bucket, Key=mark.key(BROKEN), Body=b'{"why": "test", "token": "other"}')


def _answered(aws: Aws, world: World) -> None:
    """The card of a photo that was answered."""
    shown = prepare_photo(photo(), "dog.jpg")
    results().setdefault(KEY, Result("dog.jpg", ENDPOINT, photo=shown, answer=SAID))
    classify_feedback.show(aws, KEY, results()[KEY])


def _corrected(aws: Aws, world: World) -> None:
    shown = prepare_photo(photo(), "dog.jpg")
    if "stage-corrected" not in st.session_state:
        st.session_state["stage-corrected"] = True
        kept = feedback._named(shown, BREED)
        results()[KEY] = Result("dog.jpg", ENDPOINT, photo=shown, answer=SAID, correction=kept)
    classify_feedback.show(aws, KEY, results()[KEY])


def _choose(page: AppTest) -> None:
    page.selectbox(key=f"breed-{card_key(KEY)}").set_value(BREED).run()


def _review(aws: Aws, world: World) -> None:
    data_review.show(aws, state.corrections(aws).value, state.datasets(aws).value)


DEEDS = [
    Deed("make a bucket", "data_buckets._draw_new",
         dialog(lambda aws, world: data_buckets.new_question(aws), typed("bucket-name", BUCKET)),
         lambda world: 1 - missing(lambda: world.client("s3").head_bucket(Bucket=BUCKET))),
    Deed("make a bucket safe", "data_buckets._draw_safe",
         dialog(lambda aws, world: data_buckets.safe_question(aws, _bucket(aws))), _blocked, ready=_loose),
    Deed("keep what a visitor says", "classify_feedback._send", part(_answered, _choose),
         lambda world: len(_keys(world, "feedback/notes/")), button="send-"),
    Deed("accept a correction", "data_review._button", part(_review),
         lambda world: len(_keys(world, "feedback/decisions/")), button="review-accept"),
    Deed("make a new version", "data_review._draw_version",
         _begun(lambda aws, world: data_review.version_question(aws)),
         lambda world: _whole(world, f"{DATASET}-v2"), settle=_joined, again="work-go-on"),
    Deed("take a decision back", "data_review._take_back", part(_review),
         lambda world: -len(_keys(world, "feedback/decisions/")), button="review-take-back"),
    Deed("take a kept photo back", "classify_feedback._undo", part(_corrected),
         lambda world: -len(_keys(world, "feedback/notes/")), button="undo-"),
    Deed("send photos of this machine", "data_add._here", _begun(_from_here),
         lambda world: _whole(world, "brought"), settle=_joined, again="work-go-on"),
    Deed("import a zip", "data_add._import", _begun(_import), lambda world: _whole(world, "photos"), ready=_zip,
         settle=_joined, again="work-go-on"),
    Deed("copy a data set", "data_dialogs._draw", _begun(_of_set(Kind.COPY, DATASET)),
         lambda world: _whole(world, f"{DATASET}-copy"), kind=Kind.COPY, settle=_joined, again="work-go-on"),
    Deed("rename a data set", "data_dialogs._draw",
         _begun(_of_set(Kind.RENAME, f"{DATASET}-copy"), typed("rename-to", "renamed")),
         lambda world: int(_whole(world, "renamed") and not _keys(world, f"datasets/{DATASET}-copy/")),
         kind=Kind.RENAME, settle=_joined, again="work-go-on"),
    Deed("delete a data set", "data_dialogs._draw", _begun(_of_set(Kind.DELETE, "renamed")),
         lambda world: -bool(_keys(world, "datasets/renamed/")), kind=Kind.DELETE, settle=_joined, again="work-go-on"),
    Deed("keep what broke off", "data_unfinished._draw_keeping",
         dialog(lambda aws, world: data_unfinished._keep_question(aws, BROKEN)),
         lambda world: _whole(world, BROKEN), ready=_broken),
]  # fmt: skip
