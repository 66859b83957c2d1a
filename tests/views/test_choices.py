"""Choices: which way of training is best, as the page says it; its address holds all of what is asked."""

from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from dashboard import state
from dashboard.core.costs.receipt import GRAIN
from dashboard.core.errors import AccessDenied, Unreachable
from tests.views.conftest import Open, links, text
from tests.views.scripted import ScriptedAws


@pytest.fixture
def ways(empty: ScriptedAws) -> ScriptedAws:
    """The same work done in several ways, a search, a failure, and a sample."""
    empty.add_job("single", seconds=300)
    empty.add_job("again", seconds=320)
    empty.add_job("two", seconds=200, count=2)
    empty.add_job("spot", seconds=330, spot=True)
    empty.add_ec2("ec2", seconds=310, accuracy=0.95)
    empty.add_tuning("search", [0.9, 0.2])
    empty.add_job("broken", "Failed", failure="AlgorithmError: no photos")
    empty.add_job("example", seconds=100, sample=True)
    return empty


def test_the_page_answers_which_choice_is_best(ways: ScriptedAws, visit: Open) -> None:
    page = visit(ways, "choices")
    assert not page.exception
    said = text(page)
    assert "6 completed runs of drawn-dogs, 5 choices by way of training" in said
    assert "Cheapest: SageMaker ml.m5.large spot" in said
    assert "simulated" in said
    choices = page.dataframe[0].value
    assert next(iter(choices["Choice"])) == "SageMaker ml.m5.large spot"
    assert dict(zip(choices["Choice"], choices["Runs"], strict=True))["SageMaker ml.m5.large"] == 2
    assert "example" not in str([frame.value.to_dict() for frame in page.dataframe])


def test_a_sheet_of_paper_has_every_column_and_says_whose_money_and_from_where(ways: ScriptedAws, visit: Open) -> None:
    page = visit(ways, "choices")
    printed = text(page)
    for column in ("Beaten by", "Took", "Trained", "On EC2", "Saved", "Efficiency", "Work"):
        assert f">{column}</th>" in printed
    foot = printed.partition("kn-foot")[2]
    assert "Account " in foot
    assert "of=simulated" in foot


def test_samples_are_another_view_and_are_never_mixed_in(ways: ScriptedAws, visit: Open) -> None:
    page = visit(ways, "choices", of="sample")
    assert "1 completed run of drawn-dogs, 1 choice" in text(page)
    assert list(page.dataframe[1].value["Run"]) == ["example"]


def test_a_deadline_and_an_accuracy_are_answered_in_one_sentence(ways: ScriptedAws, visit: Open) -> None:
    page = visit(ways, "choices", within="4")
    assert "Cheapest within 4 min: SageMaker" in text(page)
    page.number_input(key="right").set_value(94.0).run()
    assert "None of 5 choices ends within 4 min with 94 % right" in text(page)
    assert "the quickest with 94 % right is EC2 m5.large" in text(page)


def test_the_link_names_all_of_what_is_shown(ways: ScriptedAws, visit: Open) -> None:
    page = visit(ways, "choices", within="4", regions="eu-west-1")
    link = dict(parse_qsl(page.code[0].value.split("?")[1]))
    assert link == {
        "of": "simulated", "by": "way", "data": "drawn-dogs", "within": "4", "regions": "eu-west-1",
    }  # fmt: skip
    again = visit(ways, "choices", **link)
    assert "within 4 min" in text(again)
    assert again.dataframe[0].value.equals(page.dataframe[0].value)
    assert "runs" in dict(parse_qsl(visit(ways, "choices", runs="single").code[0].value.split("?")[1]))


def test_what_cannot_be_read_is_said_and_the_rest_stands(ways: ScriptedAws, visit: Open) -> None:
    ways.errors["ListObjectsV2"] = AccessDenied("listing the bucket is not allowed", "", "ask for it")
    page = visit(ways, "choices")
    assert not page.exception
    assert "EC2 trainings are not in it" in text(page)
    assert "5 completed runs" in text(page)


def test_pairs_efficiency_and_savings_are_said(ways: ScriptedAws, visit: Open) -> None:
    said = text(visit(ways, "choices"))
    assert "SageMaker ml.m5.large $0.0099 in 5 min 10 s, EC2 m5.large" in said
    assert "Spot saved" in said
    assert "2 × ml.m5.large took 3 min 20 s, one 5 min 10 s: 78 % efficient" in said


def test_groups_can_be_put_together_by_anything(ways: ScriptedAws, visit: Open) -> None:
    page = visit(ways, "choices", by="platform")
    assert sorted(page.dataframe[0].value["Choice"]) == ["EC2", "SageMaker"]
    page.selectbox(key="choices-by").select("run").run()
    assert not page.exception
    assert len(page.dataframe[0].value) == 6
    assert page.query_params["by"] in ("run", ["run"])


def test_another_kind_of_money_is_chosen_beside_what_is_asked(ways: ScriptedAws, visit: Open) -> None:
    page = visit(ways, "choices", within="4", right="50")
    page.segmented_control(key="choices-of").select("sample").run()
    assert not page.exception
    assert "1 completed run of drawn-dogs, 1 choice" in text(page)
    assert "within 4 min with 50 % right" in text(page)


def test_chosen_runs_stand_alone_and_those_that_do_not_count_are_said(ways: ScriptedAws, visit: Open) -> None:
    page = visit(ways, "choices", runs="single,spot,broken,example,gone")
    assert sorted(page.dataframe[0].value["Choice"]) == ["single", "spot"]
    assert "3 chosen runs left out" in text(page)
    page.button(key="choices-all").click().run()
    assert "6 completed runs" in text(page)


def test_the_runs_of_a_choice_are_listed_each_with_its_cost(ways: ScriptedAws, visit: Open) -> None:
    page = visit(ways, "choices", open="SageMaker ml.m5.large")
    runs = page.dataframe[1].value
    assert sorted(runs["Run"]) == ["again", "single"]
    assert all(cost.startswith("$") for cost in runs["Receipt"])


def test_every_cost_is_that_of_its_receipts(ways: ScriptedAws, visit: Open) -> None:
    visit(ways, "choices")
    ledger = state.ledger(ways).value
    outcomes = state.choices(ways).book.outcomes
    assert len(outcomes) == 7  # six of the account's own, and the sample
    for one in outcomes:
        made_of = [
            receipt for receipt in ledger.receipts
            if receipt.key == f"run:{one.run.key}" or (one.run.is_tuning and receipt.parent == one.run.name)
        ]  # fmt: skip
        assert made_of, one.run.key
        assert one.amount is not None
        off = one.amount - sum(receipt.amount or Decimal(0) for receipt in made_of)
        assert abs(off) <= GRAIN * len(made_of)  # to which a receipt's lines are rounded
        assert {receipt.nature for receipt in made_of} == {one.nature}


def test_what_if_says_what_it_rests_on(ways: ScriptedAws, visit: Open) -> None:
    page = visit(ways, "choices", regions="eu-west-1")
    options = page.dataframe[-1].value
    assert set(options["Region"]) == {"eu-west-1"}
    assert set(options["Rests on"]) <= {"measured time", "estimate"}
    assert options["How"].str.len().min() > 0
    known = options[options["Cost"] != "unknown"]
    assert known["Cost"].str.startswith("≈").all()


def test_the_answer_to_a_what_if_can_be_trained(ways: ScriptedAws, visit: Open) -> None:
    ways.add_dataset()
    page = visit(ways, "choices", instances="2")
    (link,) = [query for _, place, query in links(page) if place == "train"]
    asked = dict(parse_qsl(link))
    assert asked["count"] == "2"
    train = visit(ways, "train", **asked)
    assert not train.exception
    assert train.session_state["train-count"] == 2
    assert train.session_state["train-platform"] == asked["platform"]
    assert train.session_state["train-capacity"] == asked["capacity"]
    assert train.session_state["train-instance"] == asked["instance"].removeprefix("ml.")


def test_without_a_right_to_spot_prices_the_page_stands(ways: ScriptedAws, visit: Open) -> None:
    ways.errors["DescribeSpotPriceHistory"] = AccessDenied("ec2:DescribeSpotPriceHistory is not allowed", "", "ask")
    page = visit(ways, "choices")
    assert not page.exception
    assert page.dataframe[-1].value["How"].str.contains("spot prices could not be read").any()


def test_an_empty_account_is_taught_what_to_do(empty: ScriptedAws, visit: Open) -> None:
    page = visit(empty, "choices")
    assert not page.exception
    assert "No run has completed yet." in text(page)


@pytest.mark.parametrize(
    "query",
    [
        {"of": "gold"}, {"data": "all", "by": "project"},
        {"data": "gone"}, {"by": "nothing"}, {"open": "nobody"}, {"runs": ",,"}, {"runs": "gone"},
        {"within": "soon"}, {"right": "900"}, {"regions": "mars"}, {"work": "none"}, {"instances": "many"},
    ],
)  # fmt: skip
def test_a_link_that_does_not_fit_still_opens_the_page(ways: ScriptedAws, visit: Open, query: dict[str, str]) -> None:
    page = visit(ways, "choices", **query)
    assert not page.exception
    assert "fault in Kennel" not in text(page)


def test_an_account_that_does_not_answer_is_explained(ways: ScriptedAws, visit: Open) -> None:
    ways.errors["*"] = Unreachable("nothing answers", "connection refused", "start it with make run")
    assert "Nothing answers" in text(visit(ways, "choices"))


def test_an_address_of_unknown_data_or_grouping_says_so_in_a_line(ways: ScriptedAws, visit: Open) -> None:
    said = text(visit(ways, "choices", data="nope", by="zebra", of="real"))
    assert (
        "The address asks for the money real and the grouping zebra and the data nope, which is not known here" in said
    )
    assert "6 completed runs of drawn-dogs" in said
    assert "The address asks" not in text(visit(ways, "choices", data="drawn-dogs", by="way", of="simulated"))


def test_where_no_accuracy_is_known_the_page_says_so_at_once_and_where_it_is(empty: ScriptedAws, visit: Open) -> None:
    empty.add_job("known")
    cats = "s3://elsewhere/datasets/cats/"
    for name in ("blind", "blinder"):
        empty.add_job(name, accuracy=None, seconds=100)
        channel = empty.jobs[name]["InputDataConfig"][0]
        channel["DataSource"]["S3DataSource"]["S3Uri"] = cats
    said = text(visit(empty, "choices"))
    assert "None of the 2 runs has a known accuracy, so that cost and time alone are weighed." in said
    assert "It is known on drawn-dogs (1 run)." in said
    assert "has a known accuracy" not in text(visit(empty, "choices", data="drawn-dogs"))
    empty.add_job("known-too")
    assert "2 completed runs of drawn-dogs" in text(visit(empty, "choices"))


def test_runs_that_do_not_say_whether_they_used_a_cache_are_counted(empty: ScriptedAws, visit: Open) -> None:
    empty.add_job("old")
    empty.add_job("new")
    empty.jobs["new"]["FinalMetricDataList"].append(
        {"MetricName": "features:from-cache", "Value": 0.0, "Timestamp": empty.jobs["new"]["CreationTime"]}
    )
    said = text(visit(empty, "choices"))
    assert "1 of 2 runs do not say whether their features came from a cache" in said
    assert "do not say" not in text(visit(empty, "choices", runs="new"))


def test_one_choice_alone_shows_the_way_to_the_samples(empty: ScriptedAws, visit: Open) -> None:
    empty.add_job("own")
    empty.add_job("example", sample=True)
    empty.add_job("example-on-two", sample=True, count=2)
    page = visit(empty, "choices")
    assert page.button(key="choices-examples").label == "Look at the sample account's 2 choices"
    page.button(key="choices-examples").click().run()
    assert "2 completed runs of drawn-dogs, 2 choices" in text(page)
    assert not [one for one in page.button if one.key == "choices-examples"]


def test_where_all_runs_used_a_cache_the_page_says_what_its_judgement_is_worth(empty: ScriptedAws, visit: Open) -> None:
    empty.add_job("cached", seconds=75)
    job = empty.jobs["cached"]
    job["FinalMetricDataList"].append(
        {"MetricName": "features:from-cache", "Value": 1.0, "Timestamp": job["CreationTime"]}
    )
    page = visit(empty, "choices")
    said = text(page)
    assert "Cheapest: SageMaker ml.m5.large, features from a cache" in said
    assert "what is said of it holds where the next run finds them there too" in said
    assert "no other choice is judged by them" not in said
    empty.add_job("whole", seconds=90)
    said = text(visit(empty, "choices"))
    assert "1 run took the features from the cache" in said
    assert "such runs stand apart, and no other choice is judged by them" in said
