"""One way from photo bytes to scores, in a process of its own.

`python -m tests.bench.photo_worker WAY THREADS MODEL PHOTO…`

WAY is fp32, int8, resnet50 or lite0. For every line on standard input (photos' numbers) it prints a line of JSON: the
seconds that those photos took together, and the breed it saw on the last one (null where it cannot tell).
Each way has its own process because torch's threads keep the cores busy for a moment after their work is done, which
would count against whoever comes next in the same process.
"""

import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

Way = Callable[[Sequence[bytes]], str | None]
"""Some photos' bytes → the breed on the last of them."""
BATCH = 4
"""Photos that ours runs in one call when it has several."""


def ours(precision: str, threads: int, model: Path) -> Way:
    from training.inference import load_model

    loaded = load_model(model, threads, precision=precision)

    def run(bodies: Sequence[bytes]) -> str | None:
        for start in range(0, len(bodies), BATCH):
            pixels = np.stack([loaded.preprocessing.load(body) for body in bodies[start : start + BATCH]])
            scores = loaded.run(pixels).scores
        return loaded.labels[int(scores[-1].argmax())]

    return run


def plain(backbone: str, threads: int) -> Way:
    """Decoded at full size, torchvision's transforms, eager torch; the weights of ResNet-50 are random."""
    import torch
    from PIL import Image

    from tests.bench.plain_training import plain_network, plain_transform
    from training.breeds import starter_labels

    torch.set_num_threads(threads)
    transform = plain_transform(backbone == "lite0")
    labels, groups = starter_labels()
    network = plain_network(backbone, 133).eval()
    classifier = getattr(getattr(network[0], "backbone", None), "_fc", None)
    if classifier is not None:
        # ImageNet's own head instead of one that was never trained, so that it has an answer.
        network[1] = classifier

    def run(bodies: Sequence[bytes]) -> str | None:
        for body in bodies:
            with torch.no_grad():
                scores = network(transform(Image.open(io.BytesIO(body)).convert("RGB"))[None])[0]
        return labels[groups[int(scores[151:269].argmax())]] if classifier is not None else None

    return run


def main() -> None:
    way, threads, model, *files = sys.argv[1:]
    photos = [Path(file).read_bytes() for file in files]
    run = ours(way, int(threads), Path(model)) if way in ("fp32", "int8") else plain(way, int(threads))
    run(photos[:BATCH])
    print("ready", flush=True)
    for line in sys.stdin:
        bodies = [photos[int(number)] for number in line.split()]
        began = time.perf_counter()
        breed = run(bodies)
        print(json.dumps({"seconds": time.perf_counter() - began, "breed": breed}), flush=True)


if __name__ == "__main__":
    main()
