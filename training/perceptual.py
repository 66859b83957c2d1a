"""Photos that look the same: a small hash of a picture, and the search for hashes that lie close together.

The hash is Neal Krawetz's difference hash ("Kind of Like That", 2013) in 256 bits: of the picture in 17 × 16 grey
values, each bit says whether it gets brighter to the right. Encoding again, resizing and brightening hardly change it.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BITS = 256
BYTES = BITS // 8
NEAR = 20
"""Two hashes that differ in at most this many of their 256 bits show the same picture."""
_SIDE = 16
_BLOCK = 1024
MOST_PAIRS = 200_000

Hashes = NDArray[np.uint8]


def perceptual_hash(crop: Image.Image) -> Hashes:
    """[32] bytes of a picture (RGB or grey, any size). 0.06 ms for 224 × 224 pixels."""
    small = crop.resize((_SIDE + 1, _SIDE), Image.Resampling.BOX).convert("L")
    grey = np.asarray(small)
    return np.packbits(grey[:, 1:] > grey[:, :-1])


def near(hashes: Hashes, limit: int = NEAR, most: int = MOST_PAIRS) -> NDArray[np.int64]:
    """The pairs [P, 2] of rows of `hashes` [N, 32] that differ in at most `limit` bits, each with its lower row first.

    Stops after `most` pairs: a set where nearly everything looks alike has millions.
    """
    found: list[NDArray[np.int64]] = []
    count = 0
    for top in range(0, len(hashes), _BLOCK):
        rows = _signs(hashes[top : top + _BLOCK])
        for left in range(top, len(hashes), _BLOCK):
            # Each product is 256 less twice the number of bits that differ.
            alike = rows @ _signs(hashes[left : left + _BLOCK]).T >= BITS - 2 * limit
            pairs = np.argwhere(np.triu(alike, k=1) if left == top else alike).astype(np.int64)
            if len(pairs):
                found.append(pairs[: most - count] + np.array([top, left]))
                count += len(found[-1])
            if count >= most:
                return np.concatenate(found)
    return np.concatenate(found) if found else np.zeros((0, 2), np.int64)


def _signs(hashes: Hashes) -> NDArray[np.float32]:
    """Bits as ±1 [N, 256]: a product of matrices counts the bits that differ, faster than counting them."""
    return np.unpackbits(hashes, axis=1).astype(np.float32) * 2 - 1
