"""What is wrong with the training's settings that a person asks for, in the words of the training code."""

from collections.abc import Iterator, Mapping

from dashboard.core.errors import InvalidInput
from training.errors import BadSettings
from training.settings import BACKBONES, CHOICES, read_settings

PACKAGED = ("efficientnet_lite0", "efficientnet_lite2")
"""Backbones whose weights come with a package (training.weights); they have int8 too (training.quantise)."""
BLOCKS = {"efficientnet_lite0": 16, "efficientnet_lite2": 21, "resnet50": 16}
"""How many blocks of each can learn too (training.trainable)."""
HUB, S3 = "hub", "s3://"


def choices(name: str) -> tuple[str, ...]:
    """The words that a setting may be; none for numbers and free text."""
    if name == "backbone":
        return BACKBONES
    return CHOICES[name].words if name in CHOICES else ()


def setting_problem(name: str, value: str, field: str) -> InvalidInput | None:
    """What is wrong with one hyperparameter's value by itself."""
    called = name.replace("_", " ")
    if name == "backbone" and value not in BACKBONES:
        why = f"there are {', '.join(BACKBONES[:-1])} and {BACKBONES[-1]}"
        return InvalidInput(f"the backbone cannot be {value or 'empty'}", why, "choose one of them", field=field)
    if name == "weights" and value and value != HUB and not value.startswith((S3, "/")):
        return InvalidInput(
            f"the weights cannot be {value}",
            "the training runs elsewhere and does not see the files of this machine",
            "give s3://bucket/key, or hub, or leave it empty for the backbone's own",
            field=field,
        )
    try:
        read_settings(None, {}, {name: value})
    except BadSettings as error:
        why = str(error).removeprefix(f"{name} is {value!r}: ").rstrip(".")
        return InvalidInput(f"{called} cannot be {value or 'empty'}", why, "change it", field=field)
    return None


def settings_problems(given: Mapping[str, str]) -> Iterator[InvalidInput]:
    """What does not fit together among settings that each would do; `given` are those that are not left alone."""
    backbone = given.get("backbone", PACKAGED[0])
    unfreeze = given.get("unfreeze", "0")
    if unfreeze.isdecimal() and int(unfreeze) > BLOCKS.get(backbone, int(unfreeze)):
        yield _wrong(
            f"unfreeze cannot be {unfreeze}", f"{backbone} has {BLOCKS[backbone]} blocks", "give fewer, or all"
        )
    if backbone in BACKBONES and backbone not in PACKAGED and not given.get("weights"):
        yield _wrong(
            f"{backbone} brings no weights with it",
            "its features would be noise",
            "add the setting weights: s3://bucket/key of a .pth file, or hub for torchvision's own",
        )
    if given.get("precision") != "int8":
        return
    if given.get("engine") == "torch":
        yield _wrong("int8 runs in ONNX Runtime only", "the engine is torch", "choose onnx, or the precision fp32")
    elif backbone in BACKBONES and backbone not in PACKAGED:
        yield _wrong(f"there is no int8 for {backbone}", "it was never measured", "choose the precision fp32")


def _wrong(what: str, why: str, next_step: str) -> InvalidInput:
    return InvalidInput(what, why, next_step, field="advanced")
