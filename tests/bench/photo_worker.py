"""One way from photo bytes to scores in a process of its own: `python -m tests.bench.photo_worker WAY MODEL PHOTO…`.

WAY is ours, resnet50 or lite0. For every line on standard input (a photo's number) it prints the seconds that photo
took. Each way has its own process because torch's threads keep the cores busy for a moment after their work is done,
which would count against whoever comes next in the same process.
"""

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path


def ours(model: Path) -> Callable[[bytes], object]:
    from training.inference import load_model

    loaded = load_model(model)
    return lambda body: loaded.run(loaded.preprocessing.load(body)[None])


def plain(backbone: str) -> Callable[[bytes], object]:
    """Decoded at full size, torchvision's transforms, eager torch; the weights of ResNet-50 are random."""
    import torch
    from PIL import Image

    from tests.bench.plain_training import plain_network, plain_transform

    network = plain_network(backbone, 133).eval()
    transform = plain_transform(backbone == "lite0")

    def run(body: bytes) -> object:
        with torch.no_grad():
            return network(transform(Image.open(io.BytesIO(body)).convert("RGB"))[None])

    return run


def main() -> None:
    way, model, *files = sys.argv[1:]
    photos = [Path(file).read_bytes() for file in files]
    run = ours(Path(model)) if way == "ours" else plain(way)
    run(photos[0])
    print("ready", flush=True)
    for line in sys.stdin:
        body = photos[int(line)]
        started = time.perf_counter()
        run(body)
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
