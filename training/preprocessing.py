"""How a photo becomes a model's input: resized, cropped, scaled. What a model was trained on it must be served with.

This file also travels inside model archives; it needs Pillow, numpy and images.py, which lies beside it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if __package__:
    from training.images import load_photo
else:  # in a model archive, where images.py lies beside this file
    from images import load_photo  # type: ignore[import-not-found,no-redef,unused-ignore]

Array = NDArray[np.float32]
Channels = float | tuple[float, float, float]
"""One number for all colours, or one each for red, green and blue."""
LARGEST_SIDE = 4096
"""Pixels that a model's preprocessing may ask for."""
_RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@dataclass(frozen=True)
class Preprocessing:
    """Resize, crop, (value − mean) / scale; values are 0..255.

    `resize` "short_side" keeps the photo's shape and makes its short side `short_side` pixels long; "squash" makes the
    whole photo a square of that side. `crop` is the side of the square cut out of the result.
    """

    short_side: int = 256
    crop: int = 224
    mean: Channels = 127.0
    scale: Channels = 128.0
    resize: str = "short_side"
    resample: str = "bicubic"

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "Preprocessing":
        """From what a model's preprocessing.json holds. Raises TypeError or ValueError for what makes no sense."""
        if unknown := set(facts) - {field.name for field in fields(cls)}:
            raise TypeError(f"{', '.join(sorted(unknown))} is not known")
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in facts.items()}
        made = cls(**values)
        made.check()
        return made

    def check(self) -> None:
        """Raises TypeError or ValueError when no photo could be prepared like this."""
        if not (type(self.crop) is int and type(self.short_side) is int):
            raise TypeError("pixels come in whole numbers")
        if not 1 <= self.crop <= self.short_side <= LARGEST_SIDE:
            raise ValueError(f"crop {self.crop} and short side {self.short_side} do not fit")
        for value in (self.mean, self.scale):
            if isinstance(value, tuple) and len(value) != 3:
                raise ValueError("mean and scale are one number, or three for red, green and blue")
        if not all(map(math.isfinite, (*_three(self.mean), *_three(self.scale)))) or 0 in _three(self.scale):
            raise ValueError(f"mean {self.mean} and scale {self.scale} are of no use")
        if self.resize not in ("short_side", "squash") or self.resample not in _RESAMPLING:
            raise ValueError(f"resize {self.resize!r} or resample {self.resample!r} is not known")

    @property
    def decoded_side(self) -> int | None:
        """The short side, in pixels, that a photo has to keep while it is decoded; None: all of it is decoded.

        A JPEG is decoded at half its size where that is at most a sixteenth too small, as with 640 × 480 pixels: half
        the work, and logits that move less than INT8 moves them. Photos are squashed for models that were trained
        elsewhere, whose scores are to be their own: those see every pixel.
        """
        return None if self.resize == "squash" else self.short_side * 15 // 16

    def cropped(self, photo: Image.Image, left: float = 0.5, top: float = 0.5) -> Image.Image:
        """The square of an RGB photo that the model looks at, `crop` pixels wide and high.

        `left` and `top` (0..1) say where it lies: 0 at the left or upper edge, 1 at the right or lower, 0.5 centred.
        Only the crop is resampled, so the photo's shape costs nothing.
        """
        width, height = photo.size
        if self.resize == "squash":
            wide = tall = self.short_side
        else:
            factor = self.short_side / min(width, height)
            wide, tall = max(round(width * factor), self.crop), max(round(height * factor), self.crop)
        x, y = int((wide - self.crop) * left), int((tall - self.crop) * top)
        across, down = width / wide, height / tall
        box = (x * across, y * down, (x + self.crop) * across, (y + self.crop) * down)
        # Rounding may put the box's edge a hair outside the photo, which Pillow refuses.
        box = (box[0], box[1], min(box[2], width), min(box[3], height))
        return photo.resize((self.crop, self.crop), _RESAMPLING[self.resample], box=box)

    def values(self, image: Image.Image, mirrored: bool = False) -> Array:
        """An RGB crop as the model's input: [3, height, width], contiguous."""
        pixels = np.asarray(image, dtype=np.uint8)
        if mirrored:
            pixels = pixels[:, ::-1]
        # Bytes are turned into planes before they are made floats: a quarter of the memory to move.
        values = np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.float32)
        values -= _planes(self.mean)
        values *= _planes(_inverse(self.scale))
        return values

    def pixels(self, photo: Image.Image) -> Array:
        """An RGB photo as [3, crop, crop], its middle cropped."""
        return self.values(self.cropped(photo))

    def load(self, source: bytes | Path) -> Array:
        """Photo bytes or a file as [3, crop, crop]. Raises BadPhoto."""
        return self.pixels(load_photo(source, target_short_side=self.decoded_side))


def _three(value: Channels) -> Sequence[float]:
    return value if isinstance(value, tuple) else (value, value, value)


def _inverse(value: Channels) -> Channels:
    return tuple(1 / v for v in value) if isinstance(value, tuple) else 1 / value  # type: ignore[return-value]


def _planes(value: Channels) -> Any:
    """One number, or three in the shape that meets [3, height, width]."""
    return np.array(value, np.float32).reshape(3, 1, 1) if isinstance(value, tuple) else np.float32(value)
