"""The table of breeds, against what is known of ImageNet and of the reference data set."""

import re
from collections import Counter

import pytest

from training.breeds import display_name, imagenet_classes, is_breed, same_breed, starter_labels, table, written


def test_every_dog_class_of_imagenet_has_one_row() -> None:
    assert [b.imagenet_index for b in table() if b.imagenet_index is not None] == list(range(151, 269))


def test_the_reference_names_are_133_in_alphabetical_order() -> None:
    references = sorted({b.reference for b in table() if b.reference})
    assert len(references) == 133
    assert [int(name[:3]) for name in references] == list(range(1, 134))
    names = [name[4:].lower() for name in references]
    assert names == sorted(names)
    assert {references[0], references[56], references[132]} == {
        "001.Affenpinscher", "057.Dalmatian", "133.Yorkshire_terrier",
    }  # fmt: skip


def test_a_breed_with_a_reference_is_shown_under_the_references_name() -> None:
    for breed in table():
        if breed.reference:
            assert re.fullmatch(r"\d{3}\.[A-Z][A-Za-z_-]+", breed.reference)
            assert breed.name == display_name(breed.reference)


def test_only_the_poodles_share_a_name() -> None:
    counts = Counter(b.name for b in table())
    assert {name for name, count in counts.items() if count > 1} == {"Poodle"}
    assert counts["Poodle"] == 3


def test_no_name_or_alias_means_two_breeds() -> None:
    meanings: dict[str, set[str]] = {}
    for breed in table():
        for name in (breed.name, *breed.aliases):
            meanings.setdefault(name.casefold(), set()).add(breed.name)
    assert {name: breeds for name, breeds in meanings.items() if len(breeds) > 1} == {}


def test_the_starter_answers_with_116_names() -> None:
    labels, groups = starter_labels()
    assert len(labels) == len(set(labels)) == 116
    assert len(groups) == 118
    assert set(groups) == set(range(116))
    assert [labels[groups[index - 151]] for index in (195, 251, 265, 266, 267)] == [
        "Boston terrier", "Dalmatian", "Poodle", "Poodle", "Poodle",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Boston bull", "boston terrier"),
        ("032.Boston_terrier", "Boston terrier"),
        ("curly coated retriever", "Curly-coated retriever"),
        ("toy poodle", "Poodle"),
        ("German Shepherd", "German shepherd dog"),
        ("Lo\u0308wchen", "Lowchen"),
        ("L\u00f6wchen", "100.Lowchen"),
    ],
)
def test_two_names_of_one_breed_are_the_same(one: str, other: str) -> None:
    assert same_breed(one, other)


@pytest.mark.parametrize(("one", "other"), [("Collie", "Border collie"), ("Poodle", "cat"), ("cat", "dog")])
def test_two_breeds_are_not_the_same(one: str, other: str) -> None:
    assert not same_breed(one, other)


def test_folder_names_become_names_for_people() -> None:
    assert display_name("001.Affenpinscher") == "Affenpinscher"
    assert display_name("118.Pembroke_welsh_corgi") == "Pembroke welsh corgi"
    assert display_name("my_dogs") == "my dogs"
    assert display_name("two\nlines") == "two lines"
    assert display_name("007.") == "007."
    assert display_name("n02085620-Chihuahua") == "Chihuahua"


def test_labels_find_their_imagenet_classes() -> None:
    labels = ["032.Boston_terrier", "boston bull", "Poodle", "Toy poodle", "miniature-poodle", "Akita", "cat", ""]
    assert imagenet_classes(labels) == [[195], [195], [265, 266, 267], [265], [266], [], [], []]


def test_every_reference_breed_that_imagenet_knows_is_found_under_its_folder_name() -> None:
    references = sorted({b.reference for b in table() if b.reference})
    found = imagenet_classes(references)
    known = {b.reference: [c.imagenet_index for c in table() if c.reference == b.reference] for b in table()}
    for reference, classes in zip(references, found, strict=True):
        assert classes == [index for index in known[reference] if index is not None]
    assert sum(bool(classes) for classes in found) == 85


def test_the_folders_of_stanford_dogs_are_found() -> None:
    """A few of its 120, which are ImageNet's own names; dhole and dingo are no breeds."""
    folders = {
        "n02085782-Japanese_spaniel": 152, "n02086079-Pekinese": 154, "n02089078-black-and-tan_coonhound": 165,
        "n02093256-Staffordshire_bullterrier": 179, "n02095314-wire-haired_fox_terrier": 188,
        "n02098105-soft-coated_wheaten_terrier": 202, "n02100236-German_short-haired_pointer": 210,
        "n02106382-Bouvier_des_Flandres": 233, "n02108000-EntleBucher": 241, "n02112706-Brabancon_griffon": 262,
        "n02113624-toy_poodle": 265, "n02113978-Mexican_hairless": 268,
    }  # fmt: skip
    assert imagenet_classes(list(folders)) == [[index] for index in folders.values()]
    assert imagenet_classes(["n02115913-dhole"]) == [[]]


def test_a_breed_need_not_be_known_to_imagenet() -> None:
    assert [is_breed(label) for label in ("Akita", "004.Akita", "toy poodle", "cat", "Rabbit")] == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_breeds_are_written_as_kennel_clubs_write_them_and_other_labels_as_they_are() -> None:
    assert written("Pembroke welsh corgi") == "Pembroke Welsh Corgi"
    assert written("118.Pembroke_welsh_corgi") == "Pembroke Welsh Corgi"
    assert written("Great dane") == "Great Dane"
    assert written("Black and tan coonhound") == "Black and Tan Coonhound"
    assert written("Bouvier des flandres") == "Bouvier des Flandres"
    assert written("Soft-coated wheaten terrier") == "Soft-Coated Wheaten Terrier"
    assert written("my dog_7 at home") == "my dog_7 at home"
