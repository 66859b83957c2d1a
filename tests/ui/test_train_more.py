"""What stands on the fields that most people leave alone."""

from dashboard.core.runs.surroundings import Choice, Seen, Surroundings
from dashboard.ui.train_more import Choices, _labelled, title

OFFERED = {"subnet-1": "subnet-1 · us-east-1a", "subnet-2": "private · us-east-1b"}


def test_what_is_chosen_or_typed_is_named_by_its_id_once() -> None:
    assert _labelled(OFFERED, "subnet-1") == "subnet-1 · us-east-1a"
    assert _labelled(OFFERED, "subnet-2") == "private · us-east-1b · subnet-2"
    assert _labelled(OFFERED, "subnet-9") == "subnet-9"


def test_the_line_names_what_is_behind_it_where_interruptions_are_simulated_too() -> None:
    assert "network" in title(simulates=False)
    assert "interruptions" not in title(simulates=False)
    assert title(simulates=True).endswith("simulated interruptions")


def test_a_list_that_could_not_be_read_has_a_reason_and_one_that_was_not_looked_for_has_none() -> None:
    around = Surroundings(
        subnets=Seen(why="ec2 is throttling Kennel"), security_groups=Seen((Choice("sg-1", "default"),))
    )
    choices = Choices.of(around)
    assert choices.unread == {"subnets": "ec2 is throttling Kennel"}
    assert list(choices.security_groups) == ["sg-1"]
