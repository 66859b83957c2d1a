"""Photos to features, once: decoded and run in threads, into one table whose rows are those of the data set's files.

Every row is written where it belongs by whichever thread worked on it, so the result depends on the photos alone, and
nothing is copied: the table is the only thing here that grows with the number of photos.
"""

import hashlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

from training.cache import FeatureCache, key_of
from training.data import Unreadable as Unreadable
from training.feature_table import FeatureTable as FeatureTable
from training.feature_table import empty_table
from training.images import MAX_BYTES, READABLE, BadPhoto, load_photo
from training.inference import dog_probability
from training.perceptual import perceptual_hash
from training.preprocessing import Array, Preprocessing

SAMPLE = 4
"""Photos whose pixels are kept, to check the exported model on."""


@dataclass(frozen=True)
class View:
    """One way to look at a photo: where the crop lies (0..1 from the left and the top), and whether it is mirrored."""

    left: float = 0.5
    top: float = 0.5
    mirrored: bool = False


VIEWS = (
    View(),
    View(mirrored=True),
    View(0.0, 0.0),
    View(1.0, 1.0, mirrored=True),
    View(1.0, 0.0),
    View(0.0, 1.0, mirrored=True),
)
"""The first is what a model is served with; the others are augmentation, the most useful first."""


@dataclass(frozen=True)
class Engine:
    """What runs the frozen backbone, and how it likes its work cut."""

    extract: Callable[[Array], tuple[Array, Array | None]]
    """Pixels [N, 3, h, w] → (features [N, D], ImageNet logits [N, 1000] or None); called from several threads."""
    batch: int
    """Pictures in one call."""
    features: int
    """D"""
    key: str
    """Names everything that decides the features of given pixels: backbone, its weights, precision, what runs it."""


def extract_features(
    root: Path,
    files: Sequence[str],
    engine: Engine,
    preprocessing: Preprocessing,
    *,
    views: int = 1,
    augmented: int | None = None,
    threads: int = 1,
    on_photos: Callable[[int], None] = lambda done: None,
    cache: FeatureCache | None = None,
    shard: tuple[int, int] = (0, 1),
) -> FeatureTable:
    """Decode every photo and run the backbone on its first `views` views, in `threads` threads.

    `files` are relative to `root`. Only the first `augmented` of them (None: all) are looked at in all views, the
    others in the one that models are served with. Each thread decodes and runs its own photos: on CPU cores that is
    faster than one network on all of them, and only a few photos are in memory. `on_photos` hears, in this thread, how
    many are done; what it raises ends the work. Photos that `cache` knows are not decoded. With `shard` (rank, size)
    only every size-th photo is worked on, beginning with the rank-th.
    """
    table = empty_table(len(files), views, engine.features)
    rows = range(shard[0], len(files), shard[1])
    augmented = len(files) if augmented is None else augmented
    work = _Work(root, files, engine, preprocessing, VIEWS[:views], augmented, cache, table)
    photos_in_a_call = max(1, engine.batch // views)
    batches = iter([rows[start : start + photos_in_a_call] for start in range(0, len(rows), photos_in_a_call)])
    try:
        _in_threads(work.run, batches, threads, on_photos)
    finally:
        if cache is not None:
            cache.flush()
    table.unreadable = tuple(Unreadable(files[row], work.unreadable[row]) for row in sorted(work.unreadable))
    table.from_cache = work.known
    take_sample(table, root, files, rows, preprocessing)
    return table


def cache_key(engine: Engine, preprocessing: Preprocessing, views: int) -> str:
    """The feature cache's key: whatever decides the features of a photo besides its bytes."""
    return key_of(engine.key, repr((preprocessing, preprocessing.decoded_side, VIEWS[:views])), PIL.__version__)


@dataclass
class _Work:
    """Photos → rows of the table; `run` is called from several threads, each with rows of its own."""

    root: Path
    files: Sequence[str]
    engine: Engine
    preprocessing: Preprocessing
    views: tuple[View, ...]
    augmented: int
    cache: FeatureCache | None
    table: FeatureTable
    unreadable: dict[int, str] = field(default_factory=dict)
    known: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, rows: Sequence[int]) -> int:
        """Fill in some rows; returns how many photos that were, readable or not."""
        table = self.table
        decoded: list[int] = []
        pixels: list[Array] = []
        for row in rows:
            try:
                body = _read(self.root / self.files[row])
                digest = hashlib.sha256(body).digest()
                table.digests[row] = np.frombuffer(digest, np.uint8)
                if self._from_cache(row, digest):
                    continue
                photo = load_photo(body, target_short_side=self.preprocessing.decoded_side)
            except BadPhoto as bad:
                self.unreadable[row] = bad.reason
                continue
            table.sizes[row] = _size(body, photo)
            del body  # the bytes of a whole batch of photos would be a lot
            pixels += self._views(row, photo)
            decoded.append(row)
        if decoded:
            features, imagenet = self.engine.extract(np.stack(pixels))
            ends = np.cumsum([self._views_of(row) for row in decoded])
            for row, own in zip(decoded, np.split(features, ends[:-1]), strict=True):
                table.values[row, : len(own)] = own
            firsts = np.concatenate(([0], ends[:-1]))
            table.dog[decoded] = np.nan if imagenet is None else dog_probability(imagenet[firsts])
            table.readable[decoded] = True
            if self.cache is not None:
                for row in decoded:
                    facts = (float(table.dog[row]), table.hashes[row], table.sizes[row])
                    values = table.values[row, : self._views_of(row)]
                    self.cache.add(table.digests[row].tobytes(), values, *facts)
        return len(rows)

    def _views_of(self, row: int) -> int:
        return len(self.views) if row < self.augmented else 1

    def _views(self, row: int, photo: Image.Image) -> Iterator[Array]:
        places: dict[tuple[float, float], Image.Image] = {}
        for number, view in enumerate(self.views[: self._views_of(row)]):
            place = (view.left, view.top)
            if place not in places:
                places[place] = self.preprocessing.cropped(photo, view.left, view.top)
            if number == 0:
                self.table.hashes[row] = perceptual_hash(places[place])
            yield self.preprocessing.values(places[place], view.mirrored)

    def _from_cache(self, row: int, digest: bytes) -> bool:
        table = self.table
        views = self._views_of(row)
        found = self.cache.get(digest, views, table.values.shape[2]) if self.cache is not None else None
        if found is None:
            return False
        table.values[row, :views], table.dog[row], table.hashes[row] = found.values, found.dog, found.perceptual
        table.sizes[row], table.readable[row] = found.size, True
        with self._lock:
            self.known += 1
        return True


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadPhoto(f"This file cannot be read ({error.strerror or error}): check its path.") from error


def _size(body: bytes, photo: Image.Image) -> tuple[int, int]:
    """The size that the file says: a large photo may have been decoded smaller than it is."""
    try:
        with Image.open(BytesIO(body), formats=READABLE) as header:
            return header.size
    except OSError:  # HEIF, which is never decoded smaller
        return photo.size


def _in_threads(
    run: Callable[[Sequence[int]], int],
    batches: Iterator[Sequence[int]],
    threads: int,
    on_photos: Callable[[int], None],
) -> None:
    """Work on the batches in threads; they end, at the latest after the batches in hand, when anything is raised."""
    done: queue.SimpleQueue[int | BaseException | None] = queue.SimpleQueue()
    taking = threading.Lock()
    ended = threading.Event()

    def work() -> None:
        try:
            while not ended.is_set():
                with taking:
                    batch = next(batches, None)
                if batch is None:
                    break
                done.put(run(batch))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            done.put(error)
        finally:
            done.put(None)

    workers = [threading.Thread(target=work, name=f"features-{number}") for number in range(threads)]
    for worker in workers:
        worker.start()
    photos, working = 0, threads
    try:
        while working:
            news = done.get()
            if isinstance(news, BaseException):
                raise news
            if news is None:
                working -= 1
            else:
                photos += news
                on_photos(photos)
    finally:
        ended.set()
        for worker in workers:
            worker.join()


def take_sample(
    table: FeatureTable, root: Path, files: Sequence[str], rows: Sequence[int], preprocessing: Preprocessing
) -> None:
    """The first readable photos once more: known photos were not decoded, and holding on to pixels costs memory."""
    pixels: list[Array] = []
    kept: list[int] = []
    for row in rows:
        if len(kept) == SAMPLE:
            break
        if table.readable[row]:
            try:
                pixels.append(preprocessing.load(root / files[row]))
            except BadPhoto:  # changed since; any other one will do
                continue
            kept.append(row)
    if kept:
        table.sample, table.sample_rows = np.stack(pixels), np.array(kept, np.int64)
