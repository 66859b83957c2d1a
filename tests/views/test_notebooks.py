"""The page Notebooks: what it says of them, and what is planned, confirmed and done from it."""

from typing import Any

import pytest

from dashboard.core.errors import AccessDenied, Throttled
from tests.views.conftest import Open, text
from tests.views.scripted import REAL
from tests.views.scripted_notebooks import LINK, WithNotebooks


@pytest.fixture
def account() -> WithNotebooks:
    made = WithNotebooks()
    made.add("kennel-notes", NotebookInstanceLifecycleConfigName="kennel-stop-idle-60min-0a1b2c3d")
    return made


def asked(account: WithNotebooks) -> list[str]:
    return [name for name, _ in account.calls if name.endswith(("NotebookInstance", "Config", "Role", "Policy", "Url"))]


def test_without_a_notebook_the_page_teaches_what_one_is(visit: Open) -> None:
    page = visit(WithNotebooks(), "notebooks")
    assert not page.exception
    said = text(page)
    assert "No notebook yet" in said and "Create notebook" in said
    assert "a notebook instance is a record" in said
    assert "AWS's offer, not a fact about this account" in said.replace("&#x27;", "'")


def test_the_list_says_what_runs_what_it_costs_and_what_stops_it(visit: Open, account: WithNotebooks) -> None:
    account.add("theirs", "Stopped", ours=False, RootAccess="Enabled", VolumeSizeInGB=20)
    page = visit(account, "notebooks")
    assert not page.exception
    said = text(page)
    assert "2 notebooks, 1 in service" in said
    assert "$0.05/h" in said and "$1.20 a day" in said and "25 GB" in said
    rows = {row["Notebook"]: row for row in page.dataframe[0].value.to_dict("records")}
    assert (rows["kennel-notes"]["Stops itself"], rows["kennel-notes"]["Cost"]) == ("after 1 h idle", 0.05)
    assert (rows["theirs"]["Root"], rows["theirs"]["Origin"], rows["theirs"]["Cost"]) == ("yes", "elsewhere", 0)


def test_one_that_nobody_works_in_is_shown_with_its_dollars_a_day(visit: Open, account: WithNotebooks) -> None:
    account.add("kennel-notes", hours=60)
    account.last_line["kennel-notes"] = 30
    page = visit(account, "notebooks")
    assert page.dataframe[0].value.to_dict("records")[0]["Idle"] == pytest.approx(1.2)
    said = text(page)
    assert "$1.20/day" in said and "1 notebook without work" in said
    assert "Jupyter logged nothing since" in said


def test_what_they_log_not_being_readable_leaves_the_list(visit: Open, account: WithNotebooks) -> None:
    account.add("kennel-notes", hours=60)
    account.errors["DescribeLogStreams"] = AccessDenied("not allowed to logs:DescribeLogStreams")
    page = visit(account, "notebooks")
    assert not page.exception and len(page.dataframe) == 1
    assert "Not checked: which of them are idle" in text(page)


def test_a_notebook_is_made_from_the_page_after_its_cost_was_shown(visit: Open) -> None:
    account = WithNotebooks()
    page = visit(account, "notebooks")
    page.button(key="create-notebook").click().run()
    assert not page.exception
    said = text(page)
    assert "$1.20 a day, $36.50 a month of 730 h" in said
    assert "kennel-notebook-kennel-notes: reads and writes s3://kennel-123456789012-us-east-1/" in said
    assert page.button(key="confirm-do").label == r"Create notebook for \$0.05/h · simulated"
    assert account.notebooks == {}
    page.selectbox(key="notebook-type").set_value("ml.m5.xlarge").run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert account.notebooks["kennel-notes"]["InstanceType"] == "ml.m5.xlarge"
    assert "1 changing" in text(page)


def test_who_may_not_make_its_role_is_told_before_it_is_confirmed(visit: Open) -> None:
    account = WithNotebooks()

    def denied(asked: dict[str, Any]) -> dict[str, Any]:
        return {"EvaluationResults": [{"EvalDecision": "implicitDeny", "EvalActionName": asked["ActionNames"][0]}]}

    account._SimulatePrincipalPolicy = denied  # type: ignore[attr-defined]
    page = visit(account, "notebooks")
    page.button(key="create-notebook").click().run()
    assert not page.exception
    assert "lacks iam:CreateRole, iam:PutRolePolicy, iam:PassRole" in text(page)
    (asked_for, *_) = [one.value for one in page.code if "iam:CreateRole" in one.value]
    assert '"Resource": "arn:aws:iam::123456789012:role/kennel-notebook-*"' in asked_for


def test_a_name_that_sagemaker_would_not_take_cannot_be_confirmed(visit: Open) -> None:
    page = visit(WithNotebooks(), "notebooks")
    page.button(key="create-notebook").click().run()
    page.text_input(key="notebook-name").set_value("my notes").run()
    assert "That is no name of a notebook instance" in text(page)
    assert not [button for button in page.button if button.key == "confirm-do"]


def test_it_is_stopped_by_a_confirmed_plan(visit: Open, account: WithNotebooks) -> None:
    page = visit(account, "notebooks")
    page.button(key="notebook-stop").click().run()
    assert "only /home/ec2-user/SageMaker is kept" in text(page)
    assert "StopNotebookInstance" not in asked(account)
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert asked(account).count("StopNotebookInstance") == 1
    assert "It is stopping" in text(page)


def test_a_stopped_one_is_started_or_deleted_once_its_name_was_typed(visit: Open, account: WithNotebooks) -> None:
    account.notebooks["kennel-notes"]["NotebookInstanceStatus"] = "Stopped"
    page = visit(account, "notebooks")
    page.button(key="notebook-start").click().run()
    assert page.button(key="confirm-do").label == r"Start notebook for \$0.05/h · simulated"
    page.button(key="confirm-cancel").click().run()
    page.button(key="notebook-delete").click().run()
    assert not [button for button in page.button if button.key == "confirm-do"]
    page.text_input(key="confirm-name").set_value("kennel-notes").run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert account.notebooks == {}


def test_a_stopped_one_is_made_larger_after_its_cost_was_shown(visit: Open, account: WithNotebooks) -> None:
    account.notebooks["kennel-notes"]["NotebookInstanceStatus"] = "Stopped"
    page = visit(account, "notebooks")
    page.button(key="notebook-change").click().run()
    page.selectbox(key="change-type").set_value("ml.m5.xlarge").run()
    page.number_input(key="change-volume").set_value(15).run()
    assert not page.exception
    said = text(page)
    assert "$0.23/h" in said and "price unknown; also while it is stopped" in said
    assert "cannot be made smaller again" in said
    page.button(key="confirm-do").click().run()
    assert not page.exception
    told = account.notebooks["kennel-notes"]
    assert (told["InstanceType"], told["VolumeSizeInGB"]) == ("ml.m5.xlarge", 15)


def test_a_link_is_made_and_shown_to_who_asked(visit: Open, account: WithNotebooks) -> None:
    page = visit(account, "notebooks")
    page.button(key="notebook-open").click().run()
    assert not page.exception
    (link,) = page.get("link_button")
    assert link.proto.url == LINK
    assert "(for 5 min)" in link.proto.label


def test_a_link_that_is_refused_says_why_beside_the_button(visit: Open, account: WithNotebooks) -> None:
    account.errors["CreatePresignedNotebookInstanceUrl"] = Throttled("AWS is throttling", "too many calls", "wait")
    page = visit(account, "notebooks")
    page.button(key="notebook-open").click().run()
    assert not page.exception
    assert "AWS is throttling" in text(page)
    assert [button.key for button in page.button if button.key == "notebook-open"]


def test_what_kennel_did_not_make_has_no_buttons(visit: Open) -> None:
    account = WithNotebooks()
    account.add("theirs", ours=False)
    page = visit(account, "notebooks")
    assert "Kennel did not make this notebook" in text(page)
    assert not [button for button in page.button if (button.key or "").startswith("notebook-")]


def test_an_account_that_is_read_only_offers_nothing_to_change(visit: Open) -> None:
    account = WithNotebooks(REAL)
    account.add("kennel-notes")
    page = visit(account, "notebooks")
    assert not page.exception
    assert "is a record" not in text(page)
    assert not [button for button in page.button if button.key in ("create-notebook", "notebook-stop", "notebook-open")]


def test_the_address_names_the_one_that_is_shown(visit: Open, account: WithNotebooks) -> None:
    account.add("other", "Stopped")
    assert "A click on a name" in text(visit(account, "notebooks"))
    assert ">other " in text(visit(account, "notebooks", notebook="other"))
    assert "There is no notebook gone" in text(visit(account, "notebooks", notebook="gone"))


@pytest.mark.parametrize("operation", ["ListNotebookInstances", "DescribeNotebookInstance"])
def test_without_the_right_to_see_them_the_page_says_so_and_stands(
    visit: Open, account: WithNotebooks, operation: str
) -> None:
    account.errors[operation] = AccessDenied(f"not allowed to sagemaker:{operation}", action=f"sagemaker:{operation}")
    page = visit(account, "notebooks")
    assert not page.exception
    said = text(page)
    assert "cannot be shown right now" in said
    assert f"Not allowed to sagemaker:{operation}" in said


def test_a_stop_that_fails_is_said_in_its_dialog_and_done_once_when_it_is_pressed_again(
    visit: Open, account: WithNotebooks
) -> None:
    page = visit(account, "notebooks")
    page.button(key="notebook-stop").click().run()
    account.errors["StopNotebookInstance"] = Throttled("AWS is throttling", "too many calls", "wait a minute")
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert "AWS is throttling" in text(page)
    assert account.notebooks["kennel-notes"]["NotebookInstanceStatus"] == "InService"
    del account.errors["StopNotebookInstance"]
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert account.notebooks["kennel-notes"]["NotebookInstanceStatus"] == "Stopping"
