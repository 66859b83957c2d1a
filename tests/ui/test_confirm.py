"""What the trail calls a deed that a dialog's button carried out."""

from dashboard.ui.confirm import named


def test_the_button_names_the_deed_with_its_title_unless_one_says_all_of_the_other() -> None:
    assert named("Stop run", "Stop dogs-1") == "Stop dogs-1 · Stop run"
    assert named("Delete dogs", "Delete dogs") == "Delete dogs"
    assert named("Prove it", "Prove the proposal for DogTraining") == "Prove the proposal for DogTraining"
    assert named("Look through them", "Look through mydogs") == "Look through mydogs"
    assert named("Dismiss", "Dismiss: send 14 photos to mydogs") == "Dismiss: send 14 photos to mydogs"
    assert named("Undo: Stop run, paid as before it", "Undo: Stop run") == "Undo: Stop run, paid as before it"


def test_what_neither_names_is_added() -> None:
    assert named("Deploy for $0.115/h", "Deploy a model", "dogs") == "Deploy a model: dogs · Deploy for $0.115/h"
    assert named("Stop run", "Stop dogs-1", "dogs-1") == "Stop dogs-1 · Stop run"
    assert named("Change budget", "Budget", "") == "Budget · Change budget"
