"""The choices of one account, looked at in many ways."""

from dashboard.core.costs.choices.book import KEPT, ChoiceBook, Question
from dashboard.core.costs.choices.groups import Grouping
from dashboard.core.costs.receipt import Nature
from tests.core.costs.chosen import GUESSED, outcome

CATS = "s3://elsewhere/cats/"
BOOK = ChoiceBook(
    [
        outcome("a", "0.10"),
        outcome("b", "0.30", 900, count=2),
        outcome("c", dataset_uri=CATS),
        outcome("s", nature=Nature.SAMPLE, **GUESSED),
    ]
)
DOGS = BOOK.outcomes[0].run.dataset_uri.rstrip("/")


def names(question):
    return [one.run.name for one in BOOK.view(question).outcomes]


def test_a_view_is_of_one_nature_and_of_one_data_or_of_chosen_runs():
    assert names(Question(Nature.SIMULATED)) == ["a", "b", "c"]
    assert names(Question(Nature.SIMULATED, data=DOGS)) == ["a", "b"]
    assert names(Question(Nature.SIMULATED, data=DOGS, chosen=("b", "c", "s"))) == ["b", "c"]
    assert names(Question(Nature.SAMPLE)) == ["s"]
    assert names(Question(Nature.LISTED)) == []


def test_groups_what_beats_them_and_works_belong_together():
    seen = BOOK.view(Question(Nature.SIMULATED, data=DOGS))
    assert [one.n for one in seen.groups] == [1, 1]
    assert seen.beaten == {"SageMaker 2 × ml.c5.2xlarge": "SageMaker ml.c5.2xlarge"}
    assert len(seen.works) == 1


def test_natures_and_data_are_known_without_a_question():
    assert BOOK.natures == (Nature.SIMULATED, Nature.SAMPLE)
    assert BOOK.data(Nature.SIMULATED) == [DOGS, CATS.rstrip("/")]
    assert BOOK.data(Nature.LISTED) == []
    assert BOOK.nature_of(("gone", "s")) is Nature.SAMPLE
    assert BOOK.nature_of(("gone",)) is None
    assert BOOK.nature_of(()) is None


def test_a_question_that_was_asked_is_answered_from_what_is_kept_and_not_without_bound():
    book = ChoiceBook(BOOK.outcomes)
    first = book.view(Question(Nature.SIMULATED))
    assert book.view(Question(Nature.SIMULATED)) is first
    for number in range(KEPT):
        book.view(Question(Nature.SIMULATED, Grouping.RUN, chosen=(str(number),)))
    assert book.view(Question(Nature.SIMULATED)) is not first


def test_advice_is_of_one_nature():
    assert [one.query["of"] for one in BOOK.advice(Nature.SIMULATED)] == ["simulated"]
    assert BOOK.advice(Nature.SAMPLE) == ()


def test_a_first_look_is_at_data_on_which_accuracies_can_be_weighed():
    many = [outcome(f"m{n}", accuracy=None, dataset_uri=CATS) for n in range(3)]
    one, other = outcome("one"), outcome("other")
    assert ChoiceBook([*many, one]).opens_on(Nature.SIMULATED) == CATS.rstrip("/"), "one accuracy is weighed with none"
    book = ChoiceBook([*many, one, other])
    assert book.opens_on(Nature.SIMULATED) == DOGS
    assert book.with_accuracy(Nature.SIMULATED) == {DOGS: 2}
    assert ChoiceBook([]).opens_on(Nature.SAMPLE) == ""
