"""A reference project's model.pth becomes a Kennel model that gives the same scores, or one sentence says why not."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.training.conftest import Run
from training.errors import BadDataset
from training.import_reference import main, read_labels
from training.inference import load_model
from training.sample_data import BREEDS, draw_dog
from training.vision import import_torchvision

State = dict[str, torch.Tensor]


def reference_network(classes: int = 133, hidden: int = 64) -> nn.Module:
    """As the reference projects' training scripts make it."""
    import_torchvision()
    from torchvision import models

    torch.manual_seed(1)
    network: nn.Module = models.resnet50(weights=None)
    features = network.fc.in_features
    network.fc = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, classes))
    return network.eval()


@pytest.fixture(scope="module")
def network() -> nn.Module:
    return reference_network()


@pytest.fixture(scope="module")
def model_pth(network: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reference") / "model.pth"
    torch.save(network.state_dict(), path)
    return path


def test_it_serves_the_scores_of_the_reference(network: nn.Module, model_pth: Path, tmp_path: Path) -> None:
    """From photo files on, prepared by torchvision as the reference's inference script does."""
    from torchvision import transforms

    theirs = transforms.Compose([transforms.Resize((224, 224)), transforms.ToTensor()])
    assert main([str(model_pth), "--out", str(tmp_path / "model"), "--name", "old"]) == 0
    model = load_model(tmp_path / "model")
    assert len(model.labels) == 133
    assert (model.labels[0], model.labels[132]) == ("Affenpinscher", "Yorkshire terrier")
    assert model.dog_threshold is None
    # Of the last two, JPEGs of ordinary and of large size, a decoder could leave pixels out.
    for number, (kind, side) in enumerate([("png", 300), ("jpg", 600), ("jpg", 2000)]):
        photo = tmp_path / f"{number}.{kind}"
        draw_dog(list(BREEDS)[number], number, side).crop((0, 0, side, side * 4 // 5)).save(photo)
        with torch.inference_mode():
            expected = network(theirs(Image.open(photo).convert("RGB"))[None]).numpy()
        found = model.predict(model.preprocessing.load(photo)[None])[0]
        assert np.abs(found.scores - expected[0]).max() <= 1e-4
        assert found.is_dog is None
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    assert card["name"] == "old"
    assert card["backbone"]["name"] == "resnet50"
    assert "no ImageNet classifier" in card["is_dog"]["reason"]


def test_normalised_values_and_a_single_layer(tmp_path: Path) -> None:
    from torchvision import transforms

    network = reference_network()
    network.fc = nn.Linear(2048, 3)
    # DataParallel writes every name with this before it.
    torch.save({f"module.{name}": value for name, value in network.state_dict().items()}, tmp_path / "model.pth")
    (tmp_path / "labels.json").write_text('["a", "b", "c d"]')
    arguments = ["--labels", str(tmp_path / "labels.json"), "--normalised", "--tar", str(tmp_path / "model.tar.gz")]
    assert main([str(tmp_path / "model.pth"), "--out", str(tmp_path / "model"), *arguments]) == 0
    assert (tmp_path / "model.tar.gz").stat().st_size > 1_000_000
    model = load_model(tmp_path / "model")
    assert model.labels == ("a", "b", "c d")
    photo = draw_dog(next(iter(BREEDS)), 1, 250)
    normal = transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    theirs = transforms.Compose([transforms.Resize((224, 224)), transforms.ToTensor(), normal])
    with torch.inference_mode():
        expected = network(theirs(photo)[None]).numpy()
    found = model.run(model.preprocessing.pixels(photo)[None])
    assert np.abs(found.scores - expected).max() <= 1e-4 * max(1.0, float(np.abs(expected).max()))


def changed(state: State, **values: torch.Tensor | None) -> State:
    merged = {name: values.get(name.replace(".", "_"), value) for name, value in state.items()}
    return {name: value for name, value in merged.items() if value is not None}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda state: changed(state, conv1_weight=None), "not ResNet-50's: conv1.weight is missing"),
        (lambda state: changed(state, conv1_weight=torch.zeros(64, 3, 3, 3)), "conv1.weight is [64, 3, 3, 3] instead"),
        (lambda state: changed(state, fc_0_weight=torch.zeros(64, 5)), "fc.0.weight is [64, 5] behind 2048 numbers"),
        (lambda state: changed(state, fc_2_bias=None), "has a head that is not understood: fc.2.weight"),
        (lambda state: changed(state, fc_2_bias=torch.full((133,), float("nan"))), "values that are no numbers"),
        (lambda state: {k: v for k, v in state.items() if not k.startswith("fc.")}, "has 0 layers named fc.*"),
        (lambda state: state | {"fc.4.weight": torch.zeros(133, 133), "fc.4.bias": torch.zeros(133)}, "has 3 layers"),
        (lambda state: changed(state, fc_2_weight=torch.ones(5, 64), fc_2_bias=torch.ones(5)), "with --labels"),
        (lambda state: nn.Linear(2, 2), "is a pickled module, which could run anything"),
    ],
)  # fmt: skip
def test_what_is_no_reference_model_is_refused(
    change: Callable[[State], object],
    sentence: str,
    network: nn.Module,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    torch.save(change(dict(network.state_dict())), tmp_path / "model.pth")
    assert main([str(tmp_path / "model.pth"), "--out", str(tmp_path / "model")]) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not (tmp_path / "model").exists(), "nothing half-written"


def test_labels_come_from_lists_texts_and_folders(tmp_path: Path) -> None:
    for folder in ("train/002.Beagle", "train/001.Great_dane", "valid/003.Pug", "train/.hidden"):
        (tmp_path / "dogs" / folder).mkdir(parents=True)
    (tmp_path / "lines.txt").write_text("Great dane\n\nBeagle\n")
    (tmp_path / "list.json").write_text('{"labels": ["Great dane", "Beagle"]}')
    for source in ("dogs", "dogs/train", "lines.txt", "list.json"):
        assert read_labels(tmp_path / source) == ["Great dane", "Beagle"]
    (tmp_path / "bad.json").write_text("[1, 2]")
    (tmp_path / "worse.json").write_text("{")
    for source, sentence in {
        "bad.json": "no list of labels",
        "worse.json": "not JSON",
        "none.txt": "cannot be read",
    }.items():
        with pytest.raises(BadDataset, match=sentence):
            read_labels(tmp_path / source)


def test_the_command_explains_itself_and_counts_the_labels(run_module: Run, model_pth: Path, tmp_path: Path) -> None:
    assert "--labels" in run_module("training.import_reference", "--help").stdout
    (tmp_path / "few.txt").write_text("a\nb\n")
    done = run_module("training.import_reference", model_pth, "--out", tmp_path / "m", "--labels", tmp_path / "few.txt")
    assert done.returncode == 1
    assert "133 scores, but there are 2 labels" in done.stderr
