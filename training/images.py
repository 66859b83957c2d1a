"""Opening photos that come from anywhere: the only place in Kennel that decodes pictures.

Every photo is treated as hostile until its header says otherwise. Size in bytes, format and dimensions are checked
before one pixel is decoded, so that a bomb costs no memory; what comes back is always an upright RGB picture without
any metadata. This file needs Pillow and numpy only (pillow-heif when a HEIC photo arrives) and imports nothing else
of Kennel, because it also travels inside model archives.
"""

import contextlib
import io
import re
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
READABLE = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""Formats that Pillow may open here; HEIF is opened by pillow-heif."""

_READABLE_WORDS = "JPEG, PNG, WebP, GIF, BMP, TIFF or HEIC"
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}
_MAX_JPEG_SCANS = 200
_MAX_SCANNED_PIXELS = 1_000_000_000
"""Scans × pixels of a JPEG: 20 scans of the largest photo, about a second's work."""
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
_PILLOW = re.compile(r"PIL\.")
_START_OF_IMAGE, _END_OF_IMAGE, _START_OF_SCAN = 0xD8, 0xD9, 0xDA
_TIFF_COMPRESSIONS = ("raw", "packbits", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "jpeg", "tiff_jpeg")
_ORIENTATION = 0x0112
_TILE_WIDTH, _TILE_LENGTH = 322, 323
# What Pillow's readers raise on damaged files; warnings among them because a program may turn them into errors.
_DAMAGE = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OverflowError,
    MemoryError, RuntimeError, struct.error, zlib.error, Warning,
)  # fmt: skip


class BadPhoto(Exception):  # noqa: N818 - the name says what it is to the person who sent it
    """A photo that cannot be used. `reason` is a whole sentence that says why, and what to send instead."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def load_photo(
    source: bytes | Path,
    *,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    target_short_side: int | None = None,
) -> Image.Image:
    """Decode a photo into an upright RGB picture without metadata.

    Animations give their first frame, transparency is laid on white, CMYK and 16-bit pictures are scaled to 8-bit RGB.
    With `target_short_side` (pixels) a large photo may come smaller, which is faster and takes less memory: its short
    side stays at least that long.

    Raises BadPhoto when the source is missing, empty, larger than `max_bytes`, not one of the readable formats, larger
    than `max_pixels`, damaged or cut short.
    """
    data = _read(source, max_bytes)
    _silence_pillow()
    if _is_heif(data):
        return _load_heif(data, max_pixels)
    with _explained(max_pixels):
        _check_webp(data, max_pixels)
        with Image.open(io.BytesIO(data), formats=READABLE) as image:
            _check_header(image, data, max_pixels)
            if target_short_side is not None and image.format in ("JPEG", "MPO"):
                image.draft(None, (target_short_side, target_short_side))
            image.load()
            _check_size(image.size, max_pixels)
            return _upright(_as_rgb(_reduced(image, target_short_side)), _orientation(image))


def check_photo(data: bytes, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Width and height of a photo by its header, without decoding a pixel. Raises BadPhoto as `load_photo` does, but
    knows nothing of what is damaged behind the header."""
    data = _read(data, max_bytes)
    _silence_pillow()
    if _is_heif(data):
        return _load_heif(data, max_pixels).size
    with _explained(max_pixels):
        _check_webp(data, max_pixels)
        with Image.open(io.BytesIO(data), formats=READABLE) as image:
            _check_header(image, data, max_pixels)
            return image.size


@contextlib.contextmanager
def _explained(max_pixels: int) -> Iterator[None]:
    """Inside, what Pillow raises becomes a sentence."""
    try:
        yield
    except UnidentifiedImageError as error:
        raise BadPhoto(f"This file is not a photo that can be read: use {_READABLE_WORDS}.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadPhoto(_too_many_pixels(max_pixels)) from error
    except _DAMAGE as error:
        raise BadPhoto(_damaged(error)) from error


def is_animated(data: bytes) -> bool:
    """Whether a picture that `load_photo` has read holds further frames, of which it gave the first."""
    if _is_heif(data):
        return False
    with Image.open(io.BytesIO(data), formats=READABLE) as image:
        try:
            # A phone's JPEG may carry a second picture, and a TIFF further pages: neither of them moves.
            return image.format in ("GIF", "PNG", "WEBP") and bool(getattr(image, "is_animated", False))
        except _DAMAGE:  # the first frame was read; what comes after it is broken
            return True


def shrink_to_jpeg(image: Image.Image, long_side: int = 1024, quality: int = 90) -> bytes:
    """The picture as JPEG bytes, its long side at most `long_side` pixels, without EXIF, GPS, ICC profile, comment."""
    picture = image if image.mode == "RGB" else image.convert("RGB")
    scale = long_side / max(picture.size)
    if scale < 1:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if picture.info:
        picture = picture.copy()
        picture.info = {}
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=quality)
    return target.getvalue()


def _read(source: bytes | Path, max_bytes: int) -> bytes:
    if isinstance(source, Path):
        try:
            found = source.stat()
            if not stat.S_ISREG(found.st_mode):
                raise BadPhoto("This is not a file: give the path of one photo.")
            _check_bytes(found.st_size, max_bytes)
            with source.open("rb") as file:
                source = file.read(max_bytes + 1)
        except OSError as error:
            raise BadPhoto(f"This file cannot be read ({error.strerror or error}): check its path.") from error
    _check_bytes(len(source), max_bytes)
    return source


def _check_bytes(count: int, max_bytes: int) -> None:
    if count == 0:
        raise BadPhoto("This file is empty (0 bytes): choose the photo again.")
    if count > max_bytes:
        raise BadPhoto(f"This file is larger than {max_bytes / 2**20:.0f} MiB: send a smaller version of the photo.")


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise BadPhoto(f"{_too_many_pixels(max_pixels)[:-1]} (it is {size[0]:,} × {size[1]:,}).")


def _too_many_pixels(max_pixels: int) -> str:
    return f"This photo has more than {max_pixels / 1e6:g} million pixels: send a smaller version of it."


def _damaged(error: BaseException) -> str:
    if "truncated" in str(error) or isinstance(error, EOFError):
        return "This photo is cut short, its end is missing: copy or download it again."
    return "This photo is damaged and cannot be decoded: export or download it again."


def _check_header(image: Image.Image, data: bytes, max_pixels: int) -> None:
    """Refuse, before decoding, what would cost far more than its pixels."""
    _check_size(image.size, max_pixels)
    # Every scan of a progressive JPEG passes over the whole picture again; cameras write about ten.
    most = min(_MAX_JPEG_SCANS, _MAX_SCANNED_PIXELS // (image.width * image.height))
    if image.format in ("JPEG", "MPO") and _jpeg_scans(data) > most:
        raise BadPhoto("This photo is coded in far too many passes: export it again as an ordinary JPEG.")
    if image.format == "TIFF":
        if image.info.get("compression") not in _TIFF_COMPRESSIONS:
            raise BadPhoto("This TIFF is coded like a fax or a map, not like a photo: save it as JPEG or PNG.")
        tags = getattr(image, "tag_v2", {})
        # libtiff takes memory for a whole tile, however small the picture is.
        _check_size((int(tags.get(_TILE_WIDTH, 0)), int(tags.get(_TILE_LENGTH, 0))), max_pixels)


def _jpeg_scans(data: bytes) -> int:
    """How many scans the picture has. What phones append after its end (a film, a second picture) does not count."""
    scans = at = 0
    while found := _JPEG_MARKER.search(data, at):
        kind, at = data[found.end() - 1], found.end()
        if kind == _END_OF_IMAGE:
            break
        if kind != _START_OF_IMAGE:
            scans += kind == _START_OF_SCAN
            at += int.from_bytes(data[at : at + 2], "big")
    return scans


def _silence_pillow() -> None:
    """Pillow warns of every odd tag in a photo's metadata: thousands of lines in a log, if a sender wants it so.

    Its deprecations are still heard. Filters belong to the whole process: unlike `catch_warnings` this suits threads.
    """
    for category in (UserWarning, Image.DecompressionBombWarning):
        if ("ignore", None, category, _PILLOW, 0) not in warnings.filters:
            warnings.filterwarnings("ignore", category=category, module=_PILLOW.pattern)


def _check_webp(data: bytes, max_pixels: int) -> None:
    """Pillow takes memory for a WebP canvas as soon as it opens the file, so its size is read here first."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return
    kind = data[12:16]
    if kind == b"VP8X":
        size = (1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little"))
    elif kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        size = (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    else:
        size = (
            int.from_bytes(data[26:28], "little") & 0x3FFF,
            int.from_bytes(data[28:30], "little") & 0x3FFF,
        )
    _check_size(size, max_pixels)


def _is_heif(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS and b"avif" not in data[8:64]


def _load_heif(data: bytes, max_pixels: int) -> Image.Image:
    try:
        import pillow_heif
    except ImportError as error:
        raise BadPhoto("This is a HEIC photo and this machine has no decoder for it: save it as JPEG.") from error
    try:
        file = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
        _check_size(file.size, max_pixels)
        # libheif has already turned the picture upright, so its EXIF orientation must not be applied again.
        return _upright(_as_rgb(file.to_pillow()), 1)
    except _DAMAGE as error:
        raise BadPhoto(_damaged(error)) from error


def _reduced(image: Image.Image, target_short_side: int | None) -> Image.Image:
    """A very large picture averaged down to no less than twice the target, before it is copied for anything else."""
    factor = min(image.size) // (2 * target_short_side) if target_short_side else 1
    if factor < 2 or image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK") or "transparency" in image.info:
        return image
    return image.reduce(factor)


def _as_rgb(image: Image.Image) -> Image.Image:
    """A plain RGB picture of the same size; never the object that came from the file."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_to_eight_bits(np.asarray(image))).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGB", layer.size, "white")
        white.paste(layer, mask=layer.getchannel("A"))
        return white
    return image.convert("RGB")


def _to_eight_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey values of a deeper picture scaled to 0..255 (uint8) instead of clipped."""
    if pixels.dtype == np.uint16:
        return np.asarray(pixels >> 8, dtype=np.uint8)
    values = np.nan_to_num(pixels.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    top = float(values.max(initial=0.0))
    # Integers deeper than 8 bits are 16-bit in practice; floats are 0..1 by custom.
    full = 1.0 if pixels.dtype.kind == "f" and top <= 1.0 else 255.0 if top <= 255 else max(top, 65535.0)
    return np.asarray(np.clip(values * (255.0 / full), 0, 255), dtype=np.uint8)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1..8; damaged EXIF says nothing about the pixels and counts as upright."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _DAMAGE:
        return 1


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turn = _TURNS.get(orientation)
    upright = image if turn is None else image.transpose(turn)
    upright.info = {}
    return upright
