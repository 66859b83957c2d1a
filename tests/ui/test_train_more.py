"""What stands on the fields that most people leave alone."""

from dashboard.core.runs.spec import Platform, TrainingSpec
from dashboard.ui.train_more import _labelled, title

OFFERED = {"subnet-1": "subnet-1 · us-east-1a", "subnet-2": "private · us-east-1b"}


def test_what_is_chosen_or_typed_is_named_by_its_id_once() -> None:
    assert _labelled(OFFERED, "subnet-1") == "subnet-1 · us-east-1a"
    assert _labelled(OFFERED, "subnet-2") == "private · us-east-1b · subnet-2"
    assert _labelled(OFFERED, "subnet-9") == "subnet-9"


def test_the_line_names_what_is_behind_it() -> None:
    plain = title(TrainingSpec(""), has_interruptions=False)
    assert "interruptions" not in plain
    assert "SSH" not in plain
    there = title(TrainingSpec("", platform=Platform.EC2), has_interruptions=True)
    assert "SSH" in there
    assert there.endswith("simulated interruptions")
