"""Choosing an account, on a real embedded AWS: a profile whose endpoint_url is it behaves as a real account does."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import connections, state, tab
from dashboard.core.accounts import switch
from dashboard.core.accounts.choice import Choice
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.views.conftest import APP, text

READER = "arn:aws:sts::123456789012:assumed-role/Reader"
PATIENCE = 60
MADE = [{"Key": "kennel:made-by", "Value": "kennel"}]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    running = start_embedded(tmp_path_factory.mktemp("home") / "aws")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root", "Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = running.client("iam").create_role(RoleName="Reader", AssumeRolePolicyDocument=json.dumps(trust))
    running.client("iam").attach_role_policy(RoleName="Reader", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert role["Role"]["RoleName"] == "Reader"
    yield running
    stop_embedded(running)


@pytest.fixture(scope="module")
def endpoint(own: Embedded) -> str:
    """An endpoint that is in the account's us-east-1 alone. What serves it is a record: there is no model in it."""
    name, sagemaker, s3 = "only-here", own.client("sagemaker"), own.client("s3")
    s3.create_bucket(Bucket="models-of-dogs")
    s3.put_object(Bucket="models-of-dogs", Key="model.tar.gz", Body=b"x")
    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn="arn:aws:iam::123456789012:role/Reader",
        PrimaryContainer={"Image": "kennel/sample", "ModelDataUrl": "s3://models-of-dogs/model.tar.gz"},
        Tags=MADE,
    )
    variant = {"VariantName": "v", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], Tags=MADE)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=MADE)
    return name


@pytest.fixture
def config(own: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An AWS configuration: work has keys, reader assumes a role with them, gone names nothing that is there."""
    told = json.loads((own.state / "client.json").read_text())
    where = f"region = us-east-1\nendpoint_url = {told['endpoint_url']}\n"
    file = tmp_path / "config"
    file.write_text(
        f"[profile work]\n{where}aws_access_key_id = {told['access_key_id']}\n"
        f"aws_secret_access_key = {told['secret_access_key']}\n"
        f"[profile reader]\n{where}role_arn = arn:aws:iam::123456789012:role/Reader\nsource_profile = work\n"
        "[profile gone]\nregion = us-east-1\nrole_arn = arn:aws:iam::123456789012:role/Reader\n"
        "source_profile = nobody\n"
    )
    monkeypatch.setenv("KENNEL_HOME", str(own.state.parent))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    return file


def open_settings() -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=60)
    page.switch_page("views/settings.py").run()
    assert not page.exception, page.exception
    return page


def use(page: AppTest, profile: str, region: str = "") -> str:
    """Choose an account as a person does; what the page says once that has come to an end."""
    page.selectbox(key="account-which").set_value(profile).run()
    if region:
        page.selectbox(key=f"account-region-{profile}").set_value(region).run()
    page.button(key="account-use").click().run()
    deadline = time.monotonic() + PATIENCE
    while "Connecting to" in text(page):
        assert time.monotonic() < deadline
        time.sleep(0.05)
        page.run()
    assert not page.exception
    return text(page)


def allow(page: AppTest) -> None:
    """Switch the tab to changes, as a person does."""
    page.button(key="account-allow").click().run()
    page.text_input(key="confirm-name").set_value("123456789012").run()
    page.button(key="confirm-do").click().run()
    assert "changes allowed" in text(page)


def plan_to_delete(page: AppTest, endpoint: str) -> str:
    """Open the plan that deletes an endpoint, and type its name; what the page says."""
    page.switch_page("views/endpoint.py")
    page.query_params["endpoint"] = endpoint
    page.run()
    page.button(key="delete-endpoint").click().run()
    page.text_input(key="confirm-name").set_value(endpoint).run()
    assert not page.exception
    return text(page)


def is_there(own: Embedded, endpoint: str) -> bool:
    found = own.client("sagemaker").list_endpoints()["Endpoints"]
    return [one["EndpointName"] for one in found if one["EndpointStatus"] != "Deleting"] == [endpoint]


def test_a_tab_begins_on_the_embedded_aws_though_there_are_profiles(config: Path) -> None:
    page = open_settings()
    said = text(page)
    assert "Embedded AWS · simulated money" in said
    assert "the embedded AWS, account 123456789012, us-east-1" in said
    assert page.selectbox(key="account-which").options[1:] == ["Profile gone", "Profile reader", "Profile work"]


def test_a_profile_is_chosen_to_read_and_then_to_change_by_typing_its_id(config: Path) -> None:
    page = open_settings()
    said = use(page, "work")
    assert "Real AWS · profile work · read-only" in said
    assert "arn:aws:iam::123456789012:" in said
    assert "Kennel sends nothing that changes this account" in said

    page.button(key="account-allow").click().run()
    assert page.button(key="confirm-blocked").disabled
    page.text_input(key="confirm-name").set_value("123456789013").run()
    assert page.button(key="confirm-blocked").disabled
    page.text_input(key="confirm-name").set_value("123456789012").run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert "Real AWS · profile work · changes allowed" in text(page)

    page.button(key="account-forbid").click().run()
    assert "Real AWS · profile work · read-only" in text(page)


def test_a_role_is_assumed_with_the_keys_of_another_profile(config: Path) -> None:
    page = open_settings()
    assert f"{READER}/" in use(page, "reader")


def test_what_cannot_be_connected_to_leaves_the_tab_where_it_was(config: Path) -> None:
    page = open_settings()
    said = use(page, "gone")
    assert "nobody" in said
    assert "the embedded AWS, account 123456789012" in said


def test_allowed_changes_end_after_an_hour_without_work(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_settings()
    use(page, "work")
    allow(page)
    moment = state.now()
    monkeypatch.setattr(tab, "now", lambda: moment + switch.IDLE + timedelta(seconds=1))
    assert "Real AWS · profile work · read-only" in text(page.run())


def test_another_account_or_region_is_read_only_again_and_forgets_what_the_tab_held(config: Path) -> None:
    page = open_settings()
    use(page, "work")
    allow(page)
    page.session_state["watched-runs"] = ["a run of the first account"]
    said = use(page, "work", region="eu-west-1")
    assert "eu-west-1: read-only" in said
    assert "watched-runs" not in page.session_state


def test_two_tabs_on_two_accounts_each_see_their_own(config: Path, endpoint: str) -> None:
    """The one is on the embedded AWS, the other on the same place as a real account: neither learns of the other."""
    first, second = open_settings(), open_settings()
    use(second, "work", region="eu-west-1")
    assert "the embedded AWS, account 123456789012, us-east-1" in text(first.run())
    assert "profile work, account 123456789012, eu-west-1" in text(second.run())
    state.forget()
    shown = {}
    for name, page in (("first", first), ("second", second)):
        page.switch_page("views/endpoints.py").run()
        assert not page.exception
        shown[name] = text(page)
    assert "1 endpoint" in shown["first"]
    assert "1 endpoint" not in shown["second"]


def test_a_plan_of_an_account_that_the_tab_has_left_is_not_carried_out(config: Path) -> None:
    page = open_settings()
    use(page, "work")
    page.button(key="account-allow").click().run()
    page.text_input(key="confirm-name").set_value("123456789012").run()
    # in the moment between: the tab has gone elsewhere, and the dialog's button is still to be seen
    page.session_state[tab.CHOICE] = Choice()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert "This tab is on another account now" in text(page)
    assert tab.SWITCH not in page.session_state


def test_a_new_tab_of_a_browser_begins_where_the_last_one_went_and_only_reads(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tab, "_cookie", lambda: "one-browser")
    page = open_settings()
    use(page, "work")
    allow(page)
    assert "profile work · read-only" in text(open_settings())
    monkeypatch.setenv("KENNEL_ACCOUNTS", "reader")  # not offered any more
    assert "Embedded AWS" in text(open_settings())
    monkeypatch.setattr(tab, "_cookie", lambda: "another-browser")
    assert "Embedded AWS" in text(open_settings())


def test_the_environments_profile_is_where_every_tab_begins_and_only_reads(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KENNEL_AWS_PROFILE", "work")
    page = open_settings()
    assert "profile work · read-only" in text(page)
    page.selectbox(key="account-which").set_value("").run()
    page.button(key="account-use").click().run()
    deadline = time.monotonic() + PATIENCE
    while "Embedded AWS ·" not in text(page.run()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_account_that_does_not_answer_keeps_no_page_and_can_be_left(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that never hands out its keys: the pages say so, and Settings is still there."""
    config.write_text(f"{config.read_text()}[profile stuck]\nregion = us-east-1\ncredential_process = sleep 60\n")
    monkeypatch.setenv("KENNEL_AWS_PROFILE", "stuck")
    monkeypatch.setattr(connections, "CONNECTING", 0.2)
    page = AppTest.from_file(str(APP), default_timeout=30).run()
    assert not page.exception
    assert "The profile stuck has not answered yet" in text(page)
    page.switch_page("views/settings.py").run()
    assert "The profile stuck has not answered yet" in text(page)
    assert "the embedded AWS, account 123456789012" not in text(page)
    use(page, "work")
    assert "profile work · read-only" in text(page)


def test_the_configuration_is_mended_while_kennel_runs(config: Path) -> None:
    page = open_settings()
    good = config.read_text()
    config.write_text("[profile work\n")
    page.run()
    assert not page.exception
    assert f"The AWS configuration file {config} cannot be read" in text(page)
    config.write_text(good)
    page.run()
    assert "Profile work" in page.selectbox(key="account-which").options


def test_a_plan_on_a_real_account_names_it_and_a_tab_that_only_reads_does_not_carry_it_out(
    config: Path, own: Embedded, endpoint: str
) -> None:
    page = open_settings()
    use(page, "work")
    allow(page)
    plan_to_delete(page, endpoint)
    del page.session_state[tab.SWITCH]
    said = text(page.run())
    assert "On account 123456789012, us-east-1 · profile work · as root" in said
    assert ("This tab only reads this account. Allow changes", "settings") in {
        (link.value, link.proto.page) for link in page.page_link
    }
    page.button(key="confirm-do").click().run()
    assert "This tab may only read the account work" in text(page)
    assert "Settings, under Account" in text(page)
    assert is_there(own, endpoint)


def test_a_plan_that_was_left_open_for_an_hour_is_not_carried_out(
    config: Path, own: Embedded, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its button holds a connection that was allowed to change the account."""
    page = open_settings()
    use(page, "work")
    allow(page)
    plan_to_delete(page, endpoint)
    moment = state.now()
    monkeypatch.setattr(tab, "now", lambda: moment + switch.IDLE + timedelta(seconds=1))
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert "This tab may only read the account work" in text(page)
    assert is_there(own, endpoint)


def test_what_the_tab_may_change_it_changes(config: Path, own: Embedded, endpoint: str) -> None:
    page = open_settings()
    use(page, "work")
    allow(page)
    plan_to_delete(page, endpoint)
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert not is_there(own, endpoint)
