"""The card, read out of an archive as it streams by."""

import io
import json
import os
import tarfile

import pytest

from dashboard.core.errors import InvalidInput, NotFound, ServiceFault
from dashboard.core.runs import model_card
from dashboard.core.runs.model_card import read_card
from tests.views.scripted import ScriptedAws

URI = "s3://bucket/runs/dogs-1/output/model.tar.gz"
KEY = "runs/dogs-1/output/model.tar.gz"
CARD = {"summary": ["It knows 6 breeds."], "metrics": {"test:accuracy": 0.9}, "versions": {"numpy": "2.4"}}


def archive(**files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name.replace("__", "."))
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def aws() -> ScriptedAws:
    return ScriptedAws()


def test_the_card_tells_its_sentences_and_figures(aws: ScriptedAws) -> None:
    packed = archive(model__onnx=b"x" * 3_000_000, card__json=json.dumps(CARD).encode())
    aws.bodies[KEY] = packed
    card = read_card(aws, URI)
    assert card is not None
    assert card.summary == ("It knows 6 breeds.",)
    assert card.metrics["test:accuracy"] == 0.9
    assert card.versions == {"numpy": "2.4"}
    assert card.archive_bytes == len(packed)
    assert json.loads(card.text) == CARD


def test_it_is_not_read_further_than_the_card(aws: ScriptedAws) -> None:
    packed = archive(card__json=json.dumps(CARD).encode())
    body = io.BytesIO(packed[:-8] + b"torn off")
    aws._GetObject = lambda asked: {"Body": body, "ContentLength": len(packed)}  # type: ignore[method-assign]
    assert read_card(aws, URI) is not None
    assert body.closed


def test_an_archive_without_a_card_has_none(aws: ScriptedAws) -> None:
    aws.bodies[KEY] = archive(model__onnx=b"x")
    assert read_card(aws, URI) is None


def test_what_lies_too_far_back_is_not_looked_at(aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_card, "MOST_ARCHIVE", 100_000)
    aws.bodies[KEY] = archive(model__onnx=os.urandom(600_000), card__json=json.dumps(CARD).encode())
    assert read_card(aws, URI) is None


@pytest.mark.parametrize("body", [b"not a tar", archive(card__json=b"[1]"), archive(card__json=b"{"), b""])
def test_what_is_no_model_of_ours_is_said(aws: ScriptedAws, body: bytes) -> None:
    aws.bodies[KEY] = body
    with pytest.raises(ServiceFault) as caught:
        read_card(aws, URI)
    assert caught.value.next_step


def test_a_card_of_gigabytes_is_refused(aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_card, "MOST_CARD", 100)
    aws.bodies[KEY] = archive(card__json=json.dumps(CARD | {"more": "x" * 200}).encode())
    with pytest.raises(ServiceFault, match="cannot be read"):
        read_card(aws, URI)


def test_a_deleted_model_is_not_found(aws: ScriptedAws) -> None:
    with pytest.raises(NotFound):
        read_card(aws, URI)


@pytest.mark.parametrize("uri", ["", "https://bucket/model.tar.gz", "s3://bucket"])
def test_an_address_that_is_none_is_said(aws: ScriptedAws, uri: str) -> None:
    with pytest.raises(InvalidInput):
        read_card(aws, uri)
