"""Whatever runs there are, Choices can be said and drawn: zero seconds, no price, no accuracy, one run or many."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.core.costs.choices.advice import advise
from dashboard.core.costs.choices.frontier import Wish, beaten, cheapest
from dashboard.core.costs.choices.groups import Grouping, group
from dashboard.core.costs.choices.outcomes import by_work
from dashboard.core.costs.choices.scaling import scalings
from dashboard.core.costs.choices.versus import platforms, spot_savings
from dashboard.core.costs.choices.what_if import Question, what_if
from dashboard.core.costs.prices import PriceBook
from dashboard.core.runs.model import Capacity, Platform
from dashboard.ui import choices_tables as tables
from dashboard.ui import choices_words as words
from dashboard.ui import figures_choice_bars as bars
from dashboard.ui import figures_choices as figures
from tests.core.costs.chosen import GUESSED, outcome

BOOK = PriceBook.load()
TYPES = ("c5.large", "m5.xlarge", "t2.micro", "g4dn.xlarge", "unheard.of")


@st.composite
def runs(draw):
    platform = draw(st.sampled_from(Platform))
    kind = draw(st.sampled_from(TYPES))
    more = draw(st.sampled_from(({}, GUESSED, {"hyperparameters": {}}, {"hyperparameters": {"epochs": "none"}})))
    seconds = draw(st.sampled_from((0.0, 0.4, 60.0, 86_400.0 * 40)))
    return outcome(
        draw(st.text("abc", min_size=1, max_size=3)),
        draw(st.sampled_from((None, "0", "0.0000001", "0.2", "12345"))),
        seconds,
        draw(st.sampled_from((None, 0.0, 0.5, 1.0))),
        instance=kind if platform is Platform.EC2 else f"ml.{kind}",
        count=draw(st.sampled_from((1, 2, 8))),
        platform=platform,
        capacity=draw(st.sampled_from(Capacity)),
        billable_seconds=draw(st.sampled_from((seconds, seconds / 3))),
        **more,
    )


@settings(max_examples=25, deadline=None)
@given(
    st.lists(runs(), min_size=1, max_size=6),
    st.sampled_from(Grouping),
    st.sampled_from((Wish(), Wish(60), Wish(None, 0.5), Wish(0.1, 1.0))),
    st.sampled_from((1, 4)),
)
def test_any_runs_can_be_said_and_drawn(found, by, wish, count):
    groups = group(found, by)
    lost, answer = beaten(groups), cheapest(groups, wish)
    assert answer.sentence.endswith(".")
    dots = words.dots(groups, lost, answer)
    figures.frontier(dots, "simulated", deadline=wish.seconds, wanted=wish.accuracy)
    assert words.finding(groups, lost)
    assert "nan" not in words.title_sentence(groups, by.word)
    words.legend(dots, wish)
    assert words.places(groups) <= 5
    assert len(words.choice_rows(groups, lost)) == len(groups)
    for rows, is_money in ((words.cost_bars(groups, lost), True), (words.time_bars(groups, lost, 60.0), False)):
        assert words.ends(rows)
        bars.bars(rows, "s", is_money=is_money)
    works = by_work(found)
    assert sum(len(part) for part in works.values()) == len(found)
    tables.pair_rows(platforms(works))
    tables.scaling_rows(scalings(works))
    if savings := spot_savings(works):
        assert tables.spot_sentence(savings).endswith(".")
        tables.spot_rows(savings)
    for work, members in works.items():
        options = what_if(work, members, BOOK, Question("us-east-1", ("us-east-1", "eu-west-1"), count))
        assert all(row["How"] for row in tables.option_rows(options, wish.seconds))
        assert tables.what_if_sentence(options, wish.seconds, "us-east-1")
        bars.spans(tables.option_spans(options, wish.seconds, several=True), "simulated")
    assert all(one.sentence.endswith(".") and one.spent >= Decimal(0) for one in advise(found))
