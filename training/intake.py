"""From where the photos are to what the backbone says about them: the first half of a run.

With several processes on one machine the first of them fetches the photos, and every process computes its share.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.cache import FeatureCache
from training.data import Dataset, Split, displayed, scan
from training.errors import BadDataset, Stopped
from training.feature_table import FeatureTable
from training.features import Engine, cache_key, extract_features
from training.metrics import Stage, from_cache_line
from training.preprocessing import Preprocessing
from training.surroundings import Surroundings

_POLL_SECONDS = 0.5
"""How often a process asks whether another one was told to stop."""
_FLUSH_SECONDS = 1.0
"""How often features are put on the disk at most."""
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Shares:
    """How fast each process of the run computed its share of the features."""

    photos: NDArray[np.float64]
    """[P] photos of each process, those from the cache included"""
    seconds: NDArray[np.float64]
    """[P]"""
    hosts: int

    def as_dict(self) -> dict[str, object]:
        """For the card. `efficiency` is the share of the time in which the processes worked instead of waiting."""
        rates = self.photos / np.maximum(self.seconds, 1e-9)
        efficiency = float(self.seconds.mean() / max(float(self.seconds.max()), 1e-9))
        return {
            "processes": len(rates),
            "hosts": self.hosts,
            "photos_per_second": [round(float(rate), 1) for rate in rates],
            "efficiency": round(efficiency, 3),
        }


def find_photos(here: Surroundings) -> Dataset:
    """Get hold of the photos and see which there are. Raises BadSource, BadDataset (also where hosts see others)."""
    here.reporter.begin(Stage.SCAN, 1, "folders")
    dataset = scan(_fetched(here), here.chosen.seed)
    _require_same(dataset, here)
    counts = ", ".join(f"{split} {dataset.count(split)}" for split in Split)
    here.reporter.say(
        f"{len(dataset.classes)} classes, {len(dataset.files)} photos in {displayed(here.paths.source)}: {counts}"
    )
    return dataset


def _fetched(here: Surroundings) -> Path:
    from training.sources import resolve

    def on_progress(done: int, total: int, unit: str) -> None:
        if unit == "bytes":
            done, total, unit = done // _MEGABYTE, total // _MEGABYTE, "megabytes"
        here.reporter.reached(Stage.SCAN, done, total, unit)
        here.stop.check()

    # Once for each machine: the others of it find what the first one has unpacked.
    if here.group.local_rank == 0:
        found = resolve(here.paths.source, here.paths.downloads, on_progress)
    here.group.barrier()
    return found if here.group.local_rank == 0 else resolve(here.paths.source, here.paths.downloads, on_progress)


def _require_same(dataset: Dataset, here: Surroundings) -> None:
    """Every process has to see the same photos, since each takes its rows by number."""
    names = hashlib.sha256("\n".join(dataset.files).encode("utf-8", "surrogateescape")).digest()
    mine = np.frombuffer(names, np.uint8).astype(np.int64)
    total = mine.copy()
    here.group.sum(total)
    if here.group.any(bool((total != mine * here.group.size).any())):
        raise BadDataset(
            "The hosts of this run hold different photos: give each of them all photos "
            "(S3DataDistributionType FullyReplicated), the work is shared out here."
        )


def compute_features(
    dataset: Dataset, engine: Engine, preprocessing: Preprocessing, here: Surroundings
) -> tuple[FeatureTable, Shares]:
    """Every photo's features, in every process. Raises Stopped; what was computed until then is in the cache."""
    chosen, group, reporter = here.chosen, here.group, here.reporter
    total = len(dataset.files)
    reporter.begin(Stage.FEATURES, total, "photos")
    began = polled = here.clock()

    def on_photos(done: int) -> None:
        nonlocal polled
        reporter.reached(Stage.FEATURES, min(done * group.size, total), total, "photos")
        if here.stop.requested:
            group.tell_stop()
        elif here.clock() - polled >= _POLL_SECONDS:
            polled = here.clock()
            if group.heard_stop():
                here.stop.request()
        here.stop.check()

    # Checkpoints after every epoch are no reason for a file, and a wait for the disk, for every photo.
    seconds = max(chosen.checkpoint_seconds, _FLUSH_SECONDS)
    with FeatureCache(
        here.paths.caches, cache_key(engine, preprocessing, chosen.views), flush_seconds=seconds
    ) as cache:
        try:
            table = extract_features(
                dataset.root,
                dataset.files,
                engine,
                preprocessing,
                views=chosen.views,
                augmented=dataset.count(Split.TRAIN),
                threads=here.threads,
                on_photos=on_photos,
                cache=cache,
                shard=(group.rank, group.size),
            )
        except Stopped:
            here.agreed_to_stop()
            raise
    if here.agreed_to_stop():
        here.stop.check()
    for note in cache.notes:
        reporter.say(f"note: {note}")
    shares = _shares(len(range(group.rank, total, group.size)), here.clock() - began, here)
    table.gather(group)
    reporter.say(from_cache_line(table.from_cache, total))
    if table.from_cache:
        reporter.say(f"{table.from_cache} of {total} photos' features came from the cache of an earlier run")
    return table, shares


def _shares(photos: int, seconds: float, here: Surroundings) -> Shares:
    figures = np.zeros((2, here.group.size))
    figures[:, here.group.rank] = photos, seconds
    here.group.sum(figures)
    return Shares(figures[0], figures[1], here.group.hosts)
