"""Where the model looked: a class-activation map laid over the crop that the network saw, as a small JPEG.

The map is an output of the same run as the scores (Zhou et al. 2016, "Learning Deep Features for Discriminative
Localization": the head's weights applied to every place of the last feature maps), so it costs no second run.
This file also travels inside model archives; it needs Pillow and numpy.
"""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_QUALITY = 82
_STRONGEST = 0.62
"""Opacity where the score comes from most."""
# From nothing over amber to a dark red: seen on any fur and any page, and still readable in grey.
_STOPS = np.array([(255, 214, 92), (247, 148, 30), (214, 58, 28), (122, 4, 28)], np.float32)


def overlay(crop: Image.Image, heat: NDArray[np.float32]) -> Image.Image:
    """The crop with the heat [h, w] blended over it; same size, RGB.

    Places below the map's mean speak against the breed or not at all and stay as they are; above it, colour and
    opacity grow with the heat.
    """
    grown = np.asarray(Image.fromarray(relative(heat)).resize(crop.size, Image.Resampling.BICUBIC), np.float32)
    share = np.clip(grown, 0.0, 1.0)
    steps = np.linspace(0.0, 1.0, len(_STOPS))
    colours = np.stack([np.interp(share, steps, _STOPS[:, channel]) for channel in range(3)], axis=-1)
    opacity = (_STRONGEST * np.sqrt(share))[..., None]
    blended = np.asarray(crop, np.float32) * (1 - opacity) + colours * opacity
    return Image.fromarray(np.asarray(np.round(blended), np.uint8))


def relative(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Heat as 0 (the mean of all places, or less) to 1 (the hottest place); all 0 where no place stands out."""
    above = heat - heat.mean()
    top = float(above.max())
    if not np.isfinite(top) or top <= 1e-6 * max(1.0, float(np.abs(heat).max())):
        return np.zeros_like(heat, dtype=np.float32)
    return np.asarray(np.clip(above / top, 0.0, 1.0), np.float32)


def data_url(picture: Image.Image) -> str:
    """A picture as the text of a data: URL that holds a JPEG."""
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(target.getvalue()).decode()
