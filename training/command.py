"""The command line of training.train, whose --help has to be enough to use it."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.settings import CHOICES, RANGES, TEXTS, Settings

_GROUPS = {
    "the head": (
        "epochs",
        "learning_rate",
        "batch_size",
        "weight_decay",
        "warm_start",
        "hidden",
        "label_smoothing",
        "class_weights",
        "patience",
        "seed",
    ),
    "the backbone, and the features it makes": ("backbone", "weights", "views", "engine", "precision", "cache"),
    "fine-tuning the backbone (needs --unfreeze; imports torch)": (
        "unfreeze",
        "fine_tune_epochs",
        "fine_tune_learning_rate",
        "accumulate",
        "clip",
        "amp",
    ),
    "the model that is written": ("name", "int8", "wheels"),
    "machines and interruption": ("processes", "num_workers", "checkpoint_seconds"),
}
_DESCRIPTION = """\
Train an image classifier: every photo goes once through a backbone that knows ImageNet, and a head learns on the
features. The result is a model that `python -m training.predict` and `python -m training.serve` use, and that AWS's
PyTorch inference image serves as it is."""
_EPILOG = """\
the photos (--data):
  DIR                         train/ valid/ test/ with one folder of photos for each class below each
                              (001.Affenpinscher/a.jpg …; the number is not shown). A missing valid/ or test/ is
                              split off train/, and a DIR of class folders alone is split as a whole.
  FILE.zip, https://….zip     the same, packed
  s3://BUCKET/PREFIX          the same, or s3://…/FILE.zip
  dogImages                   the 133-breed reference data set, downloaded once (1.1 GB)
  `python -m training.data report SOURCE` says beforehand what is wrong with them.

what is written:
  MODEL-DIR/                  model.onnx, model.int8.onnx (where it agrees), labels.json, preprocessing.json,
                              card.json (data, metrics, evaluation, calibration, versions), code/ for AWS's image
  MODEL-DIR/model.tar.gz      all that packed; in a container the platform packs it
  BASE/output/data/           metrics.json (every epoch) and report.json (the photos); only with a BASE
  BASE/output/failure         the reason, when the run fails in a container
  CHECKPOINT-DIR/             where the run stands; the same command goes on from there
  the feature cache           a second run on the same photos starts at the head

settings in other ways (a flag wins over a variable, which wins over the file):
  SM_HP_LEARNING_RATE=0.05 …  one variable for each setting
  BASE/input/config/hyperparameters.json   {"learning_rate": "0.05"} as SageMaker writes it; - and _ are the same
  SM_CHANNEL_TRAINING, SM_MODEL_DIR, SM_OUTPUT_DATA_DIR   the folders; KENNEL_BASE for --base;
  KENNEL_FEATURE_CACHE for --cache; KENNEL_HOME (default ~/.cache/kennel) holds the cache and downloads;
  MASTER_PORT (default 29500) when resourceconfig.json names several hosts, which then train together

exit codes:
  0    done; or stopped by SIGTERM or Ctrl-C once there was something to keep: the best so far is tested and written
  1    failed; one sentence on stderr says what happened and what to do
  143  stopped before there was a model; the same command goes on where it was
  2    the command line cannot be read

examples:
  python -m training.train --data dogs/ --model-dir model/
  python -m training.train --data dogs.zip --model-dir model/ --epochs 50 --views 4 --label-smoothing 0.1 --patience 5
  python -m training.train --data dogs/ --model-dir model/ --unfreeze 3 --fine-tune-epochs 4 --checkpoint-dir ckpt/
  python -m training.train --data dogs/ --model-dir model/ --backbone resnet50 --weights resnet50.pth --processes 2
  python -m training.train --base /opt/ml          (what SageMaker starts, without any flag)
"""


def parse(arguments: Sequence[str]) -> dict[str, Any]:
    """The options by name, None where one was not given. Ends the process after --help, or with 2 for a wrong one."""
    given = [_hyphenated(argument) for argument in arguments]
    return vars(parser(_backbones() if {"-h", "--help"} & set(given) else "").parse_args(given))


def _backbones() -> str:
    # Its import is not worth waiting for unless somebody reads it.
    from training.backbones import BACKBONES

    return ", ".join(BACKBONES)


def _hyphenated(argument: str) -> str:
    """`--batch_size=8`, as the reference scripts have it, is `--batch-size=8`."""
    if not argument.startswith("--"):
        return argument
    flag, equals, value = argument.partition("=")
    return flag.replace("_", "-") + equals + value


def parser(backbones: str) -> argparse.ArgumentParser:
    """Every setting is a flag; values are checked later, with those from elsewhere. `backbones`: their names."""
    made = argparse.ArgumentParser(
        prog="python -m training.train",
        usage="python -m training.train --data SOURCE --model-dir DIR [option …]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=32, width=118),
        allow_abbrev=False,
    )
    places = made.add_argument_group("where things are")
    places.add_argument("--data", metavar="SOURCE", help="the photos, see below; wins over SM_CHANNEL_TRAINING")
    places.add_argument("--model-dir", type=Path, metavar="DIR", help="where the model goes; wins over SM_MODEL_DIR")
    places.add_argument(
        "--checkpoint-dir",
        type=Path,
        metavar="DIR",
        help="where to note how far it is, so that the same command goes on (default: BASE/checkpoints if it exists)",
    )
    places.add_argument(
        "--base", type=Path, metavar="DIR", help="the container contract's folder (default: /opt/ml where that exists)"
    )
    for title, names in _GROUPS.items():
        group = made.add_argument_group(title)
        for name in names:
            _add(group, name, backbones)
    return made


def _add(group: "argparse._ArgumentGroup", name: str, backbones: str) -> None:
    usual = getattr(Settings, name)
    if name in RANGES:
        allowed = RANGES[name]
        words, shown = f"{allowed.help}; {allowed.low:g} to {allowed.high:,.10g} (default: {usual:g})", "N"
    elif name in CHOICES:
        given = str(usual).lower()
        words, shown = f"{CHOICES[name].help} (default: {given})", "|".join(CHOICES[name].words)
    else:
        shown = TEXTS[name].shown
        words = TEXTS[name].help.format(backbones=backbones) + (f" (default: {usual})" if usual else "")
    group.add_argument(f"--{name.replace('_', '-')}", metavar=shown, help=words.replace("%", "%%"))
