"""Thousands of damaged photos: `python -m tests.training.fuzz_photos SEED COUNT [MEMORY_MIB]`.

Takes whole photos of every format that is read, changes them the ways that files get damaged or are made hostile, and
opens each. Prints one JSON line with what was seen; any other error than BadPhoto ends it, as do a crash of a decoder,
a photo that takes longer than ten seconds and memory beyond the limit.
"""

import faulthandler
import io
import json
import random
import resource
import struct
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pillow_heif
from PIL import Image

from training.images import BadPhoto, is_animated, load_photo

SLOWEST = 10.0
"""Seconds."""
_EXTREMES = (b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\xff\xff",
             b"\x80\x00\x00\x00", b"\x00\x01\x00\x00", b"\x01\x00\x00\x00")  # fmt: skip
_LARGEST_SIDE = 260


def photos() -> dict[str, bytes]:
    """A whole photo of each format, in the variants whose decoders differ."""
    noise = np.random.default_rng(1).integers(0, 255, (90, _LARGEST_SIDE, 3), dtype=np.uint8)
    noise[:, :130] = np.linspace(0, 255, 130, dtype=np.uint8)[None, :, None]
    picture = Image.fromarray(noise)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A camera"
    exif.get_ifd(0x8825)[2] = (50.0, 6.0, 30.0)

    def saved(kind: str, image: Image.Image = picture, **options: object) -> bytes:
        target = io.BytesIO()
        image.save(target, kind, **options)
        return target.getvalue()

    moving = [picture.rotate(angle) for angle in (90, 180)]
    heic = io.BytesIO()
    pillow_heif.from_pillow(picture).save(heic, quality=60)
    return {
        "jpeg": saved("JPEG", exif=exif, icc_profile=b"p" * 100),
        "progressive jpeg": saved("JPEG", progressive=True, quality=95),
        "grey jpeg": saved("JPEG", picture.convert("L"), optimize=True),
        "cmyk jpeg": saved("JPEG", picture.convert("CMYK")),
        "png": saved("PNG", exif=exif),
        "palette png": saved("PNG", picture.quantize(16), transparency=3),
        "moving png": saved("PNG", save_all=True, append_images=moving),
        "16-bit png": saved("PNG", Image.fromarray(noise[..., 0].astype(np.uint16) * 257)),
        "webp": saved("WEBP", quality=60, exif=exif),
        "lossless webp": saved("WEBP", picture.convert("RGBA"), lossless=True),
        "moving webp": saved("WEBP", save_all=True, append_images=moving),
        "gif": saved("GIF"),
        "moving gif": saved("GIF", save_all=True, append_images=moving),
        "tiff": saved("TIFF", exif=exif),
        "lzw tiff": saved("TIFF", compression="tiff_lzw"),
        "deflate tiff": saved("TIFF", compression="tiff_adobe_deflate"),
        "jpeg tiff": saved("TIFF", compression="jpeg"),
        "float tiff": saved("TIFF", Image.fromarray(noise[..., 0].astype(np.float32))),
        "bmp": saved("BMP"),
        "heic": heic.getvalue(),
    }


def mutations(chance: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """`count` damaged photos with the name of what they were, the same for the same seed."""
    whole = photos()
    names = list(whole)
    for number in range(count):
        name = names[number % len(names)]
        data = bytearray(whole[name])
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            chance.choice(_WAYS)(data, chance)
        if chance.random() < 0.05:
            other = whole[chance.choice(names)]
            data[chance.randrange(len(data) + 1) :] = other[chance.randrange(len(other)) :]
        yield name, bytes(data)


def _somewhere(data: bytearray, chance: random.Random) -> int:
    """Half of the places lie in the first kilobyte, where the formats keep their numbers."""
    if not data:
        return 0
    return chance.randrange(min(len(data), 1024) if chance.random() < 0.5 else len(data))


def _bits(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randrange(1, 6)):
        if data:
            data[_somewhere(data, chance)] ^= 1 << chance.randrange(8)


def _bytes(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randrange(1, 9)):
        if data:
            data[_somewhere(data, chance)] = chance.randrange(256)


def _extreme(data: bytearray, chance: random.Random) -> None:
    at, value = _somewhere(data, chance), chance.choice(_EXTREMES)[: chance.choice((1, 2, 4))]
    data[at : at + len(value)] = value


def _number(data: bytearray, chance: random.Random) -> None:
    order = chance.choice("<>")
    at = _somewhere(data, chance)
    data[at : at + 4] = struct.pack(
        f"{order}I", chance.choice((1, 2**15, 2**16, 2**20, 2**31, chance.randrange(2**32)))
    )


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[_somewhere(data, chance) :]


def _drop(data: bytearray, chance: random.Random) -> None:
    at = _somewhere(data, chance)
    del data[at : at + chance.randrange(1, 200)]


def _repeat(data: bytearray, chance: random.Random) -> None:
    at = _somewhere(data, chance)
    piece = data[at : at + chance.randrange(1, 400)]
    data[at:at] = piece * chance.choice((1, 2, 50))


def _insert(data: bytearray, chance: random.Random) -> None:
    at = _somewhere(data, chance)
    data[at:at] = chance.randbytes(chance.randrange(1, 100))


def _move(data: bytearray, chance: random.Random) -> None:
    one, other, size = _somewhere(data, chance), _somewhere(data, chance), chance.randrange(1, 64)
    data[other : other + size] = bytes(data[one : one + size])


_WAYS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _bits, _bits, _bytes, _bytes, _extreme, _number, _cut, _drop, _repeat, _insert, _move,
)  # fmt: skip


def main() -> None:
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    limit = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    faulthandler.enable()
    load_photo(photos()["heic"])  # its library is loaded before memory is counted
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if limit:
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: SIM115, PTH123
        resource.setrlimit(resource.RLIMIT_AS, (used + limit * 2**20,) * 2)
    opened, refused, slowest = 0, 0, (0.0, "")
    for name, data in mutations(random.Random(seed), count):
        faulthandler.dump_traceback_later(SLOWEST, exit=True)
        started = time.perf_counter()
        try:
            image = load_photo(data, target_short_side=(None, 64, 224)[len(data) % 3])
        except BadPhoto as bad:
            if not bad.reason.endswith(".") or len(bad.reason) > 200:
                raise AssertionError(f"{name}: {bad.reason!r} is no sentence") from bad
            refused += 1
        else:
            if image.mode != "RGB" or image.info or 0 in image.size:
                raise AssertionError(f"{name}: not a plain picture ({image})")
            is_animated(data)
            opened += 1
        slowest = max(slowest, (time.perf_counter() - started, name))
        faulthandler.cancel_dump_traceback_later()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"opened": opened, "refused": refused, "slowest": slowest, "grown": grown}))


if __name__ == "__main__":
    main()
