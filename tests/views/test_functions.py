"""Lambda's pages: what they say of functions, and what is planned, confirmed and done from them."""

import json

import pytest

from dashboard.core.errors import AccessDenied, ServiceFault
from tests.views.conftest import Open, text
from tests.views.scripted_functions import WithFunctions

ALL_PARTS = ("Live", "Concurrency", "What if", "Test", "Who may invoke", "Network", "Versions")


@pytest.fixture
def account() -> WithFunctions:
    made = WithFunctions()
    made.add("dogs")
    return made


def test_without_a_function_the_page_teaches_what_one_is(visit: Open) -> None:
    page = visit(WithFunctions(), "functions")
    assert not page.exception
    assert "No Lambda function yet" in text(page)
    assert "Deploy function" in text(page)


def test_the_list_says_what_each_asks_and_what_the_account_allows(visit: Open, account: WithFunctions) -> None:
    account.functions["dogs"]["reserved"] = 5
    account.asked_per_bin = 60.0
    page = visit(account, "functions")
    assert not page.exception
    said = text(page)
    assert "1 function, 1 asks starter" in said
    assert "5 of 1,000" in said and "995 left to the others" in said
    (row,) = page.dataframe[0].value.to_dict("records")
    assert (row["Function"], row["Asks"], row["Reserved"]) == ("dogs", "starter", 5)


def test_what_cannot_be_read_is_named_and_the_list_stands(visit: Open, account: WithFunctions) -> None:
    account.errors["GetMetricData"] = AccessDenied("not allowed to cloudwatch:GetMetricData")
    account.errors["GetAccountSettings"] = ServiceFault("lambda GetAccountSettings is not available here")
    page = visit(account, "functions")
    assert not page.exception
    assert "Not checked: invocations and durations" in text(page)
    assert len(page.dataframe) == 1


@pytest.mark.parametrize("part", ALL_PARTS)
def test_every_part_of_a_function_opens_by_its_address(visit: Open, account: WithFunctions, part: str) -> None:
    account.asked_per_bin = 60.0
    page = visit(account, "function", function="dogs", part=part)
    assert not page.exception
    assert page.session_state["part"] == part
    assert "asks the endpoint starter; live is version 1" in text(page)


def test_a_part_written_as_a_link_is_found(visit: Open, account: WithFunctions) -> None:
    page = visit(account, "function", function="dogs", part="what-if")
    assert not page.exception and page.session_state["part"] == "What if"
    assert "Reserved concurrency is free. It is a ceiling" in text(page)


def test_a_function_that_is_not_there_is_said_so(visit: Open, account: WithFunctions) -> None:
    page = visit(account, "function", function="cats")
    assert not page.exception
    assert "no such function" in text(page)


def test_a_function_is_deployed_from_the_page(visit: Open) -> None:
    account = WithFunctions()
    page = visit(account, "functions")
    page.button(key="deploy-function").click().run()
    assert not page.exception
    assert "starter-photos" in page.text_input(key="function-name").value
    assert "CreateFunction" in text(page) and account.functions == {}  # it is only shown yet
    page.button(key="confirm-do").click().run()
    assert not page.exception
    (made,) = account.functions
    assert made == "starter-photos"
    assert account.functions[made]["tags"]["kennel:made-by"] == "kennel"
    assert list(account.roles) == ["kennel-lambda-starter-photos"]


def test_a_bad_name_is_said_and_nothing_can_be_pressed(visit: Open) -> None:
    account = WithFunctions()
    page = visit(account, "functions")
    page.button(key="deploy-function").click().run()
    page.text_input(key="function-name").set_value("dogs & cats").run()
    assert "1 to 50 letters" in text(page)
    assert page.button(key="confirm-blocked").disabled
    assert account.functions == {}


def test_reserved_5_and_provisioned_2_cost_what_the_button_says(visit: Open, account: WithFunctions) -> None:
    page = visit(account, "function", function="dogs", part="Concurrency")
    page.toggle(key="concurrency-has-live").set_value(True).run()
    page.number_input(key="concurrency-reserved-live").set_value(5).run()
    page.number_input(key="concurrency-provisioned-live").set_value(2).run()
    assert "$0.0075 an hour" in text(page)
    page.button(key="concurrency-review").click().run()
    assert account.functions["dogs"]["provisioned"] == {}  # it is only shown yet
    assert "$0.0075/h" in page.button(key="confirm-do").label
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert (account.functions["dogs"]["reserved"], account.functions["dogs"]["provisioned"]) == (5, {"live": 2})


@pytest.mark.parametrize(("per_bin", "rate", "seconds"), [(0.0, 60.0, 0.2), (90.0, 6.0, 0.041)])
def test_how_many_would_do_begins_with_what_was_measured(
    visit: Open, account: WithFunctions, per_bin: float, rate: float, seconds: float
) -> None:
    account.asked_per_bin = per_bin  # 90 in the last 15 minutes
    page = visit(account, "function", function="dogs", part="Concurrency")
    assert not page.exception
    assert page.number_input(key="little-rate-dogs").value == rate
    assert page.number_input(key="little-seconds-dogs").value == seconds
    account.asked_per_bin = 0.0
    page.number_input(key="little-rate-dogs").set_value(7.0).run()
    assert page.number_input(key="little-seconds-dogs").value == seconds  # what was not touched stays
    assert "$LATEST is not among them" in text(page)


def test_a_part_and_a_span_that_are_not_known_are_said(visit: Open, account: WithFunctions) -> None:
    page = visit(account, "function", function="dogs", part="garbage", span="forever")
    assert not page.exception
    assert "the part garbage" in text(page)
    assert "the span forever" in text(page)


def test_what_lambda_would_refuse_is_explained_before(visit: Open, account: WithFunctions) -> None:
    account.limit = 10
    page = visit(account, "function", function="dogs", part="Concurrency")
    page.toggle(key="concurrency-has-live").set_value(True).run()
    assert "100 must stay unreserved" in text(page)
    assert page.button(key="concurrency-review").disabled


def test_an_update_shows_what_changes_publishes_and_moves_the_alias(visit: Open, account: WithFunctions) -> None:
    page = visit(account, "function", function="dogs")
    page.button(key="update-function").click().run()
    page.selectbox(key="function-memory").set_value(512).run()
    assert "256 MB → 512 MB" in text(page)
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert account.functions["dogs"]["told"]["MemorySize"] == 512
    assert account.functions["dogs"]["aliases"]["live"]["FunctionVersion"] == "2"


def test_a_test_call_shows_breed_cold_start_and_lambdas_log(visit: Open, account: WithFunctions) -> None:
    page = visit(account, "function", function="dogs", part="Test")
    page.button(key="function-test-draw").click().run()
    assert not page.exception
    said = text(page)
    assert "Looks like a Beagle" in said
    assert "cold" in said and "started cold in 100 ms" in said
    assert "REPORT RequestId" in said
    page.run()
    assert "CloudWatch has not counted all yet" in text(page)  # the figures above it say nothing else than the answer


def test_an_answer_of_400_is_shown_with_its_sentence(visit: Open, account: WithFunctions) -> None:
    account.payload = {"statusCode": 400, "body": "This is no photo."}
    page = visit(account, "function", function="dogs", part="Test")
    page.button(key="function-test-draw").click().run()
    assert not page.exception
    assert "photo" in text(page) and "status 400" in text(page) and "This is no photo." in text(page)


@pytest.mark.parametrize(("place", "member"), [("https://example.org/a.jpg", "url"), ("s3://photos/a.jpg", "s3")])
def test_an_address_is_handed_to_the_function_and_not_fetched_here(
    visit: Open, account: WithFunctions, place: str, member: str
) -> None:
    page = visit(account, "function", function="dogs", part="Test")
    page.text_input(key="function-test-url").set_value(place).run()
    page.button(key="function-test-call").click().run()
    assert not page.exception
    (asked,) = account.asked("Invoke")
    assert json.loads(asked["Payload"]) == {member: place}
    assert asked["Qualifier"] == "live"


def test_a_statement_that_lets_anybody_in_stands_out_and_can_be_taken_away(visit: Open, account: WithFunctions) -> None:
    row = {"FunctionName": "dogs", "Qualifier": "live", "StatementId": "open", "Principal": "*"}
    account._AddPermission(row | {"Action": "lambda:InvokeFunction"})
    page = visit(account, "function", function="dogs", part="Who may invoke")
    assert "anybody may invoke it" in text(page)
    page.button(key="away-live-open").click().run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert account.functions["dogs"]["policy"]["live"] == {}


def test_a_subnet_without_a_way_out_is_said_before_it_is_chosen_for_good(visit: Open, account: WithFunctions) -> None:
    page = visit(account, "function", function="dogs", part="Network")
    page.multiselect(key="function-subnets").set_value(["subnet-1"]).run()
    page.multiselect(key="function-groups").set_value(["sg-1"]).run()
    assert not page.exception
    assert "does not reach its endpoint" in text(page) and "NAT gateway" in text(page)


def test_deleting_takes_its_name_and_goes_back_to_the_list(visit: Open, account: WithFunctions) -> None:
    page = visit(account, "function", function="dogs")
    page.button(key="delete-function").click().run()
    assert page.button(key="confirm-blocked").disabled
    page.text_input(key="confirm-name").set_value("dogs").run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert account.functions == {}


def test_what_kennel_did_not_make_is_shown_and_not_touched(visit: Open) -> None:
    account = WithFunctions()
    account.add("theirs", tags={})
    page = visit(account, "function", function="theirs", part="Concurrency")
    assert "Kennel did not make this function" in text(page)
    assert not [button for button in page.button if button.key in ("update-function", "delete-function")]


def test_pointing_live_at_what_it_points_at_is_nothing_to_review(visit: Open, account: WithFunctions) -> None:
    page = visit(account, "function", function="dogs", part="Versions")
    assert page.button(key="alias-review").disabled
    page.button(key="update-function").click().run()
    page.selectbox(key="function-memory").set_value(512).run()
    page.button(key="confirm-do").click().run()  # publishes version 2, and points live at it
    page.selectbox(key="alias-version").set_value("1").run()
    assert not page.button(key="alias-review").disabled
