"""Name the breed on photos: `python -m training.predict PHOTO… [--model DIR|model.tar.gz] [--json] [--top 5]`."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training import archive, inference
from training.images import BadPhoto
from training.inference import Model, Prediction
from training.terminal import tolerate_few_characters, write_line

_BAR = 30


@dataclass(frozen=True)
class Result:
    """One file's answer, or the sentence that says why there is none."""

    file: str
    prediction: Prediction | None
    error: str | None

    def as_dict(self) -> dict[str, Any]:
        found = self.prediction
        return {
            "file": self.file,
            "is_dog": found.is_dog if found else None,
            "dog_probability": found.dog_probability if found else None,
            "predictions": [{"breed": breed, "probability": share} for breed, share in found.breeds] if found else [],
            "error": self.error,
        }


def predict_files(
    model: Model, files: Sequence[str], top: int = inference.TOP, threads: int | None = None
) -> Iterator[Result]:
    """One result for each file, in order, worked on in `threads` threads. A bad file does not stop the others."""

    def predict(file: str) -> Result:
        try:
            return Result(file, model.predict(model.preprocessing.load(Path(file))[None], top)[0], None)
        except BadPhoto as error:
            return Result(file, None, error.reason)

    with ThreadPoolExecutor(max_workers=threads or os.cpu_count() or 1) as pool:
        yield from pool.map(predict, files)


def as_text(result: Result) -> str:
    """A result for people: what it is, then a bar for each breed."""
    if result.prediction is None:
        return f"{result.file}\n  not classified: {result.error}"
    found = result.prediction
    share = "" if found.dog_probability is None else f" (dog probability {found.dog_probability:.0%})"
    verdict = {True: "a dog", False: "not a dog", None: "dog or not: this model cannot tell"}[found.is_dog]
    lines = [result.file, f"  {verdict}{share}"]
    if found.is_dog is False:
        lines.append("  if it were one, it would look most like:")
    wide = max(len(breed) for breed, _ in found.breeds)
    for breed, probability in found.breeds:
        bar = "█" * round(probability * _BAR)
        lines.append(f"  {breed:<{wide}}  {probability:>6.1%}  {bar}".rstrip())
    return "\n".join(lines)


def open_model(
    path: Path | None, engine: str, into: ExitStack, threads: int | None = None, precision: str | None = None
) -> Model:
    """Load a model folder or archive (default: the starter model), run by `engine` ("onnx" or "torch").

    `threads` is how many cores one photo gets, `precision` fp32 or int8 (ONNX only; defaults: all, the card's choice).

    An archive is unpacked into a folder that goes when `into` closes. Raises BadModel, BadArchive, OSError.
    """
    if path is None:
        from training.model import cached_starter

        path = cached_starter()
    elif path.is_file():
        folder = into.enter_context(tempfile.TemporaryDirectory(prefix="kennel-model-"))
        archive.unpack(path, Path(folder) / "model")
        path = Path(folder) / "model"
    if engine == "torch":
        from training.torch_engine import load_torch_model

        return load_torch_model(path)
    return inference.load_model(path, threads, precision=precision)


def main(arguments: Sequence[str] | None = None) -> int:
    tolerate_few_characters()
    parser = argparse.ArgumentParser(
        prog="python -m training.predict",
        description="Name the breed on photos, and say whether they show a dog at all.",
        epilog="Exit code: 0 when at least one photo was classified, 1 when none was, 2 for a wrong command line.",
    )
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="JPEG, PNG, WebP, GIF, BMP, TIFF or HEIC files")
    parser.add_argument(
        "--model", type=Path, metavar="DIR|TAR.GZ", help="a model folder or model.tar.gz (default: the starter model)"
    )
    parser.add_argument("--engine", choices=["onnx", "torch"], default="onnx", help="what runs it (default: onnx)")
    parser.add_argument(
        "--precision",
        choices=["fp32", "int8"],
        help="which of the model's networks onnx runs (default: KENNEL_PRECISION, else what its card says)",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of text")
    parser.add_argument("--top", type=int, default=inference.TOP, help="breeds to name (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.top < 1:
        parser.error("--top is a whole number from 1")
    with ExitStack() as stack:
        try:
            # One photo gets all cores; several photos get one core each, which is faster for all of them together.
            threads = 1 if len(options.photos) > 1 else None
            model = open_model(options.model, options.engine, stack, threads, options.precision)
        except (inference.BadModel, archive.BadArchive, OSError) as error:
            print(f"The model cannot be used: {error}", file=sys.stderr)
            return 1
        results = []
        for result in predict_files(model, options.photos, options.top):
            results.append(result)
            if not options.json:
                write_line(as_text(result))
    if options.json:
        write_line(json.dumps([result.as_dict() for result in results], indent=2, ensure_ascii=False))
    return 0 if any(result.error is None for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
