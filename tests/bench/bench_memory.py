"""How the memory of a training run grows with the photos: by the feature table, and hardly anything else."""

import io
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from PIL import Image

from tests.bench.rows import Row

ROOT = Path(__file__).resolve().parents[2]
FEW, MANY = 1_000, 8_000
FEATURES = 1280
ALLOWED = 1.1
"""Growth, in feature tables."""
SIDE = 280
ROUNDS = 3
"""Where two threads happen to be when the peak is reached moves it by ten MiB."""
_MIB = 2**20


def rows() -> list[Row]:
    """Peak resident memory of whole runs on 1,000 and on 8,000 photos, every photo a different one; medians."""
    with tempfile.TemporaryDirectory(prefix="kennel-bench-") as name:
        folder = Path(name)
        write_photos(folder / "data", 0, FEW)
        small = median(peak_bytes(folder / "data", folder / "model") for _ in range(ROUNDS))
        write_photos(folder / "data", FEW, MANY)
        large = median(peak_bytes(folder / "data", folder / "model") for _ in range(ROUNDS))
    table = (MANY - FEW) * FEATURES * 4
    note = (
        f"peak {small / _MIB:.0f} MiB with {FEW:,} photos, {large / _MIB:.0f} MiB with {MANY:,}; the baseline is the "
        f"growth of the feature table ({table / _MIB:.1f} MiB) and a tenth, so a ratio of 1 or more keeps to it"
    )
    name = f"memory of training, growth from {FEW:,} to {MANY:,} photos"
    return [Row.of_times(name, (large - small) / _MIB, ALLOWED * table / _MIB, "MiB", note)]


def write_photos(root: Path, first: int, last: int) -> None:
    """Small JPEG files numbered first … last − 1 below train/, valid/ and test/: cuts of a few drawn pictures."""
    for number, photo in enumerate(_cuts(first, last), start=first):
        breed, split = number % 10, ("test", "valid", *["train"] * 6)[number // 10 % 8]
        folder = root / split / f"{breed:03d}.Breed_{breed}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:05d}.jpg").write_bytes(photo)


def _cuts(first: int, last: int) -> Iterator[bytes]:
    from training.sample_data import BREEDS, draw_dog

    drawn = [draw_dog(breed, seed, 560) for breed in BREEDS for seed in range(4)]
    for number in range(first, last):
        chooser = random.Random(number)  # the same number always cuts the same piece
        picture = chooser.choice(drawn)
        side = chooser.randint(SIDE // 2, min(picture.size))
        left, top = chooser.randint(0, picture.width - side), chooser.randint(0, picture.height - side)
        cut = picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
        target = io.BytesIO()
        cut.rotate(chooser.choice((0, 90, 180, 270))).save(target, "JPEG", quality=85)
        yield target.getvalue()


def peak_bytes(data: Path, model: Path) -> int:
    """The largest resident size of a training process over these photos."""
    command = [sys.executable, "-m", "training.train", "--data", str(data), "--model-dir", str(model)]
    command += ["--precision", "int8", "--epochs", "2", "--cache", "off"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SM_", "KENNEL_"))}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the training ended with code {process.returncode}")
    # Linux counts in KiB, macOS in bytes.
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
