"""Set up this account, on a real embedded AWS that is empty: prepared, shown, made, and deleted again."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import state
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.views.conftest import APP, Open, text
from tests.views.scripted import ScriptedAws
from tests.views.test_settings import use

PATIENCE = 60


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    monkeypatch.setenv("KENNEL_HOME", str(tmp_path))
    running = start_embedded(tmp_path / "aws")
    yield running
    stop_embedded(running)


def opened() -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=30).run()
    page.switch_page("views/settings.py")
    page.query_params["part"] = "Set up"
    page.run()
    assert not page.exception, page.exception
    return page


def until(page: AppTest, words: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while words not in (said := text(page)):
        assert time.monotonic() < deadline, f"never said {words!r}:\n{said}"
        time.sleep(0.1)
        state.forget()
        page.run()
        assert not page.exception, page.exception
    return said


def test_an_empty_account_is_set_up_in_the_page_and_cleared_again(own: Embedded) -> None:
    page = opened()
    said = text(page)
    assert "0 of 8 pieces that Kennel needs are here; 8 are missing" in said
    assert "nothing can be trained or registered" in said
    assert any("AWS::S3::Bucket" in block.value for block in page.code)  # the template, to be read before

    page.button(key="setup-prepare").click().run()
    said = text(page)
    assert "makes 9" in said
    assert "makes bucket kennel-123456789012-us-east-1, role KennelTraining, role KennelEndpoint" in said
    assert "instance profile KennelInstance" in said
    assert "all of it is taken back" in said
    assert page.button(key="confirm-do").label == "Make 9 resources · \\$0.00"
    assert any("aws cloudformation deploy" in block.value for block in page.code)
    page.button(key="confirm-cancel").click().run()
    assert "nothing is made yet" in until(page, "prepared, nothing made yet")
    page.button(key="setup-discard").click().run()
    until(page, "CloudFormation says first what it would do")
    assert page.button(key="setup-prepare").label == "Prepare 8 missing"

    page.button(key="setup-prepare").click().run()
    page.button(key="confirm-do").click().run()
    page = opened()  # a test has no browser that would stay where it was sent
    until(page, "8 of 8 pieces that Kennel needs are here")
    assert "arn:aws:iam::123456789012:role/KennelTraining" in until(page, "complete")
    until(page, "Nothing is missing: the stack is as this version of Kennel would make it.")

    page.button(key="setup-delete").click().run()
    assert page.button(key="confirm-blocked").disabled
    assert "kennel-123456789012-us-east-1" in text(page)  # what stays
    page.text_input(key="confirm-name").set_value("kennel").run()
    page.button(key="confirm-do").click().run()
    page = opened()
    assert "3 of 8" in until(page, "5 are missing")


def test_why_it_failed_stands_on_the_page_with_the_way_on(own: Embedded) -> None:
    own.client("logs").create_log_group(logGroupName="/kennel/ec2-runs")
    page = opened()
    page.button(key="setup-end-logs").click().run()
    page.selectbox(key="setup-end-days").set_value(14).run()
    assert page.button(key="confirm-do").label == "Delete what is older than 14 days"
    page.button(key="confirm-do").click().run()
    page = opened()
    assert "setup-end-logs" not in [button.key for button in page.button]
    page.toggle(key="setup-versions").set_value(True).run()
    page.toggle(key="setup-own-roles").set_value(True).run()
    assert page.button(key="setup-prepare").label == "Prepare 9 missing"
    page.button(key="setup-prepare").click().run()
    page.button(key="confirm-do").click().run()
    page = opened()
    said = until(page, "failed and taken back")
    assert "versioning of objects is not part of the embedded AWS" in said
    assert "Delete it, then set up again" in said
    assert "Prepare" not in " ".join(button.label for button in page.button)
    page.button(key="setup-delete").click().run()
    assert "nothing that it made is there any more" in text(page)
    assert not page.button(key="confirm-do").disabled  # its record alone goes: nothing has to be typed


def test_on_a_real_account_a_tab_has_to_be_let_and_each_plan_asks_for_its_id(
    own: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = json.loads((own.state / "client.json").read_text())
    (tmp_path / "config").write_text(
        f"[profile work]\nregion = us-east-1\nendpoint_url = {told['endpoint_url']}\n"
        f"aws_access_key_id = {told['access_key_id']}\naws_secret_access_key = {told['secret_access_key']}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    page = opened()
    page.segmented_control(key="part").set_value("Account").run()
    use(page, "work")
    page.segmented_control(key="part").set_value("Set up").run()
    assert page.button(key="setup-prepare").disabled
    assert "This tab only reads" in text(page)
    page.segmented_control(key="part").set_value("Account").run()
    page.button(key="account-allow").click().run()
    page.text_input(key="confirm-name").set_value("123456789012").run()
    page.button(key="confirm-do").click().run()
    page.segmented_control(key="part").set_value("Set up").run()
    page.button(key="setup-prepare").click().run()
    assert "This changes a real account" in page.text_input(key="confirm-name").label
    assert page.button(key="confirm-blocked").disabled
    page.text_input(key="confirm-name").set_value("123456789012").run()
    assert not page.button(key="confirm-do").disabled


def test_an_account_that_answers_none_of_this_says_so_and_keeps_the_way_to_another(
    visit: Open, empty: ScriptedAws
) -> None:
    page = visit(empty, "settings", part="Set up")
    assert not page.exception, page.exception
    assert "What to do" in text(page)
    assert page.segmented_control(key="part").options == ["Account", "Set up"]
