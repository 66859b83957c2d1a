"""The test of a function: what stands beside it as code really calls the function."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from dashboard.core.serving.functions.functions import Details
from dashboard.ui.function_test import as_code
from tests.ui.test_figures_function import made
from tests.views.scripted import EMBEDDED, REAL, ScriptedAws


class Client:
    """Takes the place of boto3's session and client."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def client(self, *_: Any, **__: Any) -> "Client":
        return self

    def invoke(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        return {"Payload": io.BytesIO(b'{"statusCode": 200}')}


@pytest.mark.parametrize("account", [EMBEDDED, REAL], ids=["embedded", "real"])
def test_the_code_beside_a_test_call_sends_the_photo(account, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dog.jpg").write_bytes(b"a photo")
    connection = {"endpoint_url": "", "region": "", "access_key_id": "", "secret_access_key": ""}
    monkeypatch.setattr(Path, "read_text", lambda _: json.dumps(connection))
    client = Client()
    monkeypatch.setattr(boto3, "client", client.client)
    monkeypatch.setattr(boto3, "Session", lambda **_: client)
    exec(as_code(ScriptedAws(account), Details(made())), {})  # noqa: S102 - that it runs is what it is for
    assert json.loads(client.asked["Payload"]) == {"image": base64.b64encode(b"a photo").decode()}
    assert capsys.readouterr().out == '{"statusCode": 200}\n'
