"""Draw a small labelled data set: `python -m training.sample_data DIR`.

The folders are those of the reference data set (train/ valid/ test/, class folders such as 057.Dalmatian), every
picture is drawn here (see training.drawing), and the same seed always writes the same files.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from training.drawing.anatomy import BREEDS
from training.drawing.dogs import draw_dog
from training.terminal import tolerate_few_characters

__all__ = ["BREEDS", "Written", "draw_dog", "main", "write_dataset"]

PHOTOS_PER_BREED = 40
SIZE = 360


@dataclass(frozen=True)
class Written:
    """How many pictures went into each split, and of how many breeds."""

    train: int
    valid: int
    test: int
    breeds: int

    @property
    def total(self) -> int:
        return self.train + self.valid + self.test


def split_of(index: int, count: int) -> str:
    """The split of picture `index` of `count`: about 70 % train, 15 % valid, 15 % test, and never an empty train."""
    held_out = min(max(1, round(count * 0.15)), (count - 1) // 2) if count > 2 else 0
    if index < held_out:
        return "test"
    return "valid" if index < 2 * held_out else "train"


def write_dataset(
    directory: Path,
    photos_per_breed: int = PHOTOS_PER_BREED,
    seed: int = 0,
    size: int = SIZE,
    breeds: Sequence[str] = tuple(BREEDS),
) -> Written:
    """Draw `photos_per_breed` pictures of each breed (JPEG, long side `size` pixels) below `directory`.

    Files of the same name are replaced. Raises OSError when the directory cannot be written.
    """
    pictures = list(_pictures(photos_per_breed, breeds))
    counts = Counter(path.parts[0] for path, _, _ in pictures)
    for folder in {path.parent for path, _, _ in pictures}:
        (directory / folder).mkdir(parents=True, exist_ok=True)

    def draw(picture: tuple[Path, str, int]) -> None:
        path, breed, index = picture
        draw_dog(breed, seed * 100_000 + index, size).save(directory / path, "JPEG", quality=90)

    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        for _ in pool.map(draw, pictures):
            pass
    return Written(counts["train"], counts["valid"], counts["test"], len(breeds))


def _pictures(photos_per_breed: int, breeds: Sequence[str]) -> Iterator[tuple[Path, str, int]]:
    """Each picture's path below the data set's folder, its breed, and its number in that."""
    for breed in breeds:
        for index in range(photos_per_breed):
            name = breed.partition(".")[2] or breed
            yield Path(split_of(index, photos_per_breed), breed, f"{name}_{index + 1:05d}.jpg"), breed, index


def _holds_something_else(directory: Path, photos_per_breed: int) -> bool:
    """Whether there are files that this command with these options would not write again."""
    if not directory.is_dir():
        return False
    there = {path.relative_to(directory) for path in directory.rglob("*") if not path.is_dir()}
    return bool(there) and there != {path for path, _, _ in _pictures(photos_per_breed, tuple(BREEDS))}


def main(arguments: Sequence[str] | None = None) -> int:
    tolerate_few_characters()
    parser = argparse.ArgumentParser(prog="python -m training.sample_data", description="Draw a labelled set of dogs.")
    parser.add_argument("directory", type=Path, metavar="DIR", help="where train/ valid/ test/ are written")
    parser.add_argument("--photos-per-breed", type=_count, default=PHOTOS_PER_BREED, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="the same seed draws the same pictures (default: 0)")
    parser.add_argument("--size", type=_size, default=SIZE, help="long side in pixels (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.seed < 0:
        parser.error("--seed is a whole number from 0")
    try:
        if _holds_something_else(options.directory, options.photos_per_breed):
            print(f"{options.directory} holds other files: choose an empty or a new folder.", file=sys.stderr)
            return 1
        written = write_dataset(options.directory, options.photos_per_breed, options.seed, options.size)
    except OSError as error:
        print(
            f"{options.directory} cannot be written ({error.strerror or error}): choose another folder.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(f"\nStopped: {options.directory} holds only some of the pictures; delete it.", file=sys.stderr)
        return 130
    print(
        f"{written.total} pictures of {written.breeds} breeds in {options.directory} "
        f"(train {written.train}, valid {written.valid}, test {written.test})"
    )
    return 0


def _count(text: str) -> int:
    return _whole(text, 1, 10_000)


def _size(text: str) -> int:
    return _whole(text, 64, 4096)


def _whole(text: str, low: int, high: int) -> int:
    if not text.isdecimal() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low:,} to {high:,}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
