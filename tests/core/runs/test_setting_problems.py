"""Settings that the training would refuse are refused before it is paid for."""

import importlib.util

import pytest

from dashboard.core.runs.setting_problems import BLOCKS, PACKAGED, choices, setting_problem
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.spec_problems import problems
from tests.core.runs.made import DOGS
from training import quantise
from training.backbones import BACKBONES, LITE
from training.settings import BACKBONES as NAMES


@pytest.mark.parametrize(
    ("advanced", "says", "why"),
    [
        ((("backbone", "resnet51"),), "the backbone cannot be resnet51", "efficientnet_lite2 and resnet50"),
        ((("backbone", "resnet50"),), "resnet50 brings no weights with it", ""),
        ((("weights", "mine.pth"),), "the weights cannot be mine.pth", "does not see the files of this machine"),
        ((("precision", "int8"), ("engine", "torch")), "int8 runs in ONNX Runtime only", "torch"),
        ((("precision", "int8"), ("backbone", "resnet50"), ("weights", "hub")), "no int8 for resnet50", ""),
        ((("unfreeze", "17"),), "unfreeze cannot be 17", "efficientnet_lite0 has 16 blocks"),
        ((("unfreeze", "some"),), "unfreeze cannot be some", "give how many of the last blocks"),
        ((("weight_decay", "2"),), "weight decay cannot be 2", "it has to be a number from 0 to 1"),
        ((("fine_tune_learning_rate", "2"),), "fine tune learning rate cannot be 2", "from 0.00000001 to 1"),
        ((("class_weights", "fair"),), "class weights cannot be fair", "choose none or balanced"),
    ],
)
def test_what_the_training_would_refuse_is_a_problem_before_it_starts(advanced, says, why):
    (problem,) = problems(TrainingSpec(DOGS, advanced=advanced))
    assert says in problem.what
    assert why in problem.why
    assert problem.field == "advanced"
    assert problem.next_step


@pytest.mark.parametrize(
    "advanced",
    [
        (("backbone", "resnet50"), ("weights", "hub")),
        (("backbone", "resnet50"), ("weights", "s3://b/resnet50.pth")),
        (("backbone", "efficientnet_lite2"), ("precision", "int8")),
        (("unfreeze", "21"), ("backbone", "efficientnet_lite2")),
        (("unfreeze", "all"),),
        (("weights", ""),),
    ],
)
def test_what_the_training_takes_is_no_problem(advanced):
    assert problems(TrainingSpec(DOGS, advanced=advanced)) == ()


def test_what_is_known_of_the_backbones_is_what_the_training_has():
    assert tuple(BACKBONES) == NAMES == choices("backbone") == tuple(BLOCKS)
    assert {name for name, one in BACKBONES.items() if one.family == LITE} == set(PACKAGED)
    assert {name for name in BACKBONES if quantise.supports(name)} == set(PACKAGED)
    assert choices("class_weights") == ("none", "balanced")
    assert choices("epochs") == ()


@pytest.mark.skipif(not importlib.util.find_spec("torchvision"), reason="the blocks are counted by torch")
def test_the_blocks_are_counted_as_the_training_does():
    from training.trainable import _block_prefixes

    assert {name: len(_block_prefixes(one)) for name, one in BACKBONES.items()} == BLOCKS


def test_a_limit_is_written_without_an_exponent():
    (problem,) = problems(TrainingSpec(DOGS, learning_rate=0.0))
    assert problem.what == "the learning rate must be between 0.000001 and 1"
    found = setting_problem("learning_rate", "5", "tuning.learning_rate")
    assert found is not None
    assert "from 0.000001 to 1" in found.why
