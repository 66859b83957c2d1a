"""Photos of every kind: right pixels or a clear sentence, and never much memory."""

import io
import random
import struct
import subprocess
import sys
import textwrap
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.conftest import ROOT
from training.images import BadPhoto, check_photo, load_photo, shrink_to_jpeg

RED, GREEN, WHITE = (220, 30, 30), (30, 200, 30), (255, 255, 255)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def plain(colour: tuple[int, ...] = RED, size: tuple[int, int] = (80, 60), mode: str = "RGB") -> Image.Image:
    return Image.new(mode, size, colour)


def near(image: Image.Image, at: tuple[int, int], colour: tuple[int, ...], by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(image.getpixel(at), colour, strict=True))


def reason(source: bytes | Path, **options: int) -> str:
    with pytest.raises(BadPhoto) as caught:
        load_photo(source, **options)
    return caught.value.reason


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG written by hand, for what Pillow cannot write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_readable_format_gives_its_pixels(kind: str) -> None:
    photo = load_photo(encoded(plain(), kind))
    assert photo.mode == "RGB"
    assert photo.size == (80, 60)
    assert near(photo, (40, 30), RED)


def test_a_path_and_its_bytes_give_the_same_photo(tmp_path: Path) -> None:
    file = tmp_path / "dog.png"
    file.write_bytes(encoded(plain(), "PNG"))
    assert load_photo(file).tobytes() == load_photo(file.read_bytes()).tobytes()


def test_what_is_no_photo_is_refused_with_a_sentence(tmp_path: Path) -> None:
    assert "empty" in reason(b"")
    assert "not a photo" in reason(b"hello, I am a text file\n" * 50)
    assert "not a photo" in reason(b"%PDF-1.7 pretending to be a dog")
    assert "cannot be read" in reason(tmp_path / "missing.jpg")
    assert "not a file" in reason(tmp_path)
    assert "larger than 1 MiB" in reason(bytes(1024 * 1024 + 1), max_bytes=1024 * 1024)


def test_formats_outside_the_list_are_refused() -> None:
    assert "not a photo" in reason(encoded(plain(), "PPM"))
    assert "not a photo" in reason(encoded(plain(mode="L", colour=(7,)), "ICO"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF"])
def test_a_photo_cut_short_is_refused(kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (90, 120, 3), dtype=np.uint8))
    whole = encoded(noise, kind)
    assert "download it again" in reason(whole[: len(whole) // 2])


def test_a_truncated_jpeg_says_that_its_end_is_missing() -> None:
    whole = encoded(plain(size=(300, 300)), "JPEG")
    assert "cut short" in reason(whole[: len(whole) - 200])


def bombs() -> dict[str, bytes]:
    """Small files that announce very many pixels."""
    side = 40_000
    row = zlib.compressobj(9)
    body = row.compress(bytes(side + 1) * 50) + row.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    small_jpeg = bytearray(encoded(plain(), "JPEG"))
    frame = small_jpeg.index(b"\xff\xc0")
    small_jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 65_000, 65_000)
    gif = bytearray(encoded(plain(), "GIF"))
    gif[6:10] = struct.pack("<HH", 65_000, 65_000)
    webp = b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4)
    webp += (16_383).to_bytes(3, "little") * 2
    bmp = bytearray(encoded(plain(), "BMP"))
    bmp[18:26] = struct.pack("<ii", side, side)
    tiff = bytearray(encoded(plain(size=(64, 64)), "TIFF", compression="tiff_adobe_deflate"))
    return {
        "png": b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b""),
        "jpeg": bytes(small_jpeg),
        "gif": bytes(gif),
        "webp": webp + bytes(20),
        "bmp": bytes(bmp),
        "tiff": wide_tiff(bytes(tiff)),
    }


def wide_tiff(data: bytes) -> bytes:
    """The same TIFF announcing 40,000 × 40,000 pixels in its first directory."""
    changed = bytearray(data)
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    for entry in range(start + 2, start + 2 + count * 12, 12):
        tag, kind = struct.unpack_from("<HH", data, entry)
        if tag in (256, 257):
            struct.pack_into("<HHII", changed, entry, tag, 4 if kind == 4 else 3, 1, 40_000)
    return bytes(changed)


def test_bombs_are_refused_before_they_take_memory(tmp_path: Path) -> None:
    names = []
    for name, data in bombs().items():
        assert len(data) < 200_000
        (tmp_path / name).write_bytes(data)
        names.append(str(tmp_path / name))
    script = """
        import resource, sys, warnings
        from pathlib import Path
        from training.images import BadPhoto, load_photo
        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        before = peak()
        for name in sys.argv[1:]:
            try:
                load_photo(Path(name))
                print(name, "was opened")
            except BadPhoto as error:
                if "million pixels" not in error.reason:
                    print(name, error.reason)
        grown = peak() - before
        if grown > 40:
            print("memory grew by", grown, "MiB")
    """
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script), *names],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout == ""


def test_a_tiff_with_giant_tiles_is_refused() -> None:
    entries = [
        (256, 4, 64), (257, 4, 64), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1),
        (322, 4, 20_000), (323, 4, 20_000), (324, 4, 200), (325, 4, 20),
    ]  # fmt: skip
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in entries)
    data = b"II*\0" + struct.pack("<I", 8) + directory + bytes(4)
    assert "million pixels" in reason(data.ljust(200, b"\0") + zlib.compress(bytes(100)))


def test_the_pixel_limit_is_the_callers() -> None:
    photo = encoded(plain(size=(100, 100)), "PNG")
    assert load_photo(photo, max_pixels=10_000).size == (100, 100)
    assert "more than 0.009999 million pixels" in reason(photo, max_pixels=9_999)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    upright = plain(WHITE, (96, 64))
    upright.paste(RED, (0, 0, 32, 32))
    # How a camera held that way stores the picture: the inverse of what a viewer has to do.
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = load_photo(encoded(stored, kind, exif=exif))
    assert photo.size == (96, 64)
    assert near(photo, (10, 10), RED, 30)
    assert near(photo, (80, 10), WHITE, 30)
    assert near(photo, (10, 55), WHITE, 30)


def test_broken_exif_does_not_lose_the_photo() -> None:
    assert load_photo(encoded(plain(), "JPEG", exif=b"Exif\0\0not a TIFF header at all")).size == (80, 60)


def test_cmyk_keeps_its_colours() -> None:
    photo = load_photo(encoded(plain((0, 255, 255, 0), mode="CMYK"), "JPEG", quality=95))
    assert near(photo, (40, 30), (255, 0, 0), 10)
    assert near(load_photo(encoded(plain((0, 0, 0, 0), mode="CMYK"), "TIFF")), (5, 5), WHITE)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(16, 16)
    grey = np.asarray(load_photo(encoded(Image.fromarray(ramp), "PNG")))[..., 0]
    assert grey.min() == 0
    assert grey.max() == 255
    assert np.abs(grey.astype(int).reshape(-1) - np.arange(256)).max() <= 1
    rows = (b"\0" + struct.pack(">HHH", 0x8000, 0x4000, 0xFFFF) * 4) * 4
    assert near(load_photo(png(4, 4, 16, 2, rows)), (1, 1), (128, 64, 255), 1)


def test_deep_tiffs_are_scaled() -> None:
    shares = Image.fromarray(np.full((8, 8), 0.5, np.float32))
    assert near(load_photo(encoded(shares, "TIFF")), (3, 3), (127, 127, 127), 1)
    deep = Image.fromarray(np.full((8, 8), 32768, np.int32))
    assert near(load_photo(encoded(deep, "TIFF")), (3, 3), (127, 127, 127), 1)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    data = encoded(plain(RED), kind, save_all=True, append_images=[plain(GREEN)], duration=100)
    assert near(load_photo(data), (40, 30), RED, 20)


def test_transparency_is_laid_on_white() -> None:
    assert near(load_photo(encoded(plain((255, 0, 0, 0), mode="RGBA"), "PNG")), (5, 5), WHITE)
    assert near(load_photo(encoded(plain((0, 128), mode="LA"), "PNG")), (5, 5), (127, 127, 127), 3)
    palette = plain(RED).quantize(4)
    assert near(load_photo(encoded(palette, "PNG", transparency=palette.getpixel((5, 5)))), (5, 5), WHITE)
    assert near(load_photo(encoded(palette, "PNG")), (5, 5), RED)


def test_heic_is_decoded() -> None:
    import pillow_heif

    target = io.BytesIO()
    pillow_heif.from_pillow(plain(size=(128, 96))).save(target, quality=90)
    photo = load_photo(target.getvalue())
    assert photo.mode == "RGB"
    assert photo.size == (128, 96)
    assert near(photo, (64, 48), RED, 16)
    assert "million pixels" in reason(target.getvalue(), max_pixels=1000)


def test_heic_without_a_decoder_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert "save it as JPEG" in reason(b"\0\0\0\x18ftypheic" + bytes(40))


def with_more_scans(data: bytes, more: int) -> bytes:
    """A progressive JPEG whose last scan (with its table) comes `more` times again."""
    table = data.rindex(b"\xff\xc4", 0, data.rindex(b"\xff\xda"))
    return data[:-2] + data[table:-2] * more + data[-2:]


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    small = encoded(plain(), "JPEG", progressive=True)
    assert load_photo(with_more_scans(small, 20)).size == (80, 60)
    assert "passes" in reason(with_more_scans(small, 300))


def test_the_larger_the_jpeg_the_fewer_scans_it_may_have() -> None:
    large = encoded(plain(size=(7000, 7000)), "JPEG", progressive=True, quality=10)
    assert "passes" in reason(with_more_scans(large, 100))


def test_what_a_phone_appends_to_a_jpeg_does_not_count_as_scans() -> None:
    film = b"\xff\xda\x00\x08film" * 1000
    comment = b"\xff\xfe" + struct.pack(">H", 2 + 4000) + b"\xff\xda" * 2000
    photo = encoded(plain(), "JPEG")
    assert load_photo(photo[:2] + comment + photo[2:] + film).size == (80, 60)


@pytest.mark.parametrize("kind", ["TIFF", "JPEG", "PNG", "WEBP"])
def test_odd_metadata_makes_no_noise(kind: str, recwarn: pytest.WarningsRecorder) -> None:
    tags = b"".join(struct.pack("<HHII", 1000 + tag, 7, 2000, 8) for tag in range(50))
    exif = b"II*\0\x08\0\0\0" + struct.pack("<H", 50) + tags + bytes(2000)
    if kind == "TIFF":
        photo = encoded(plain(), "TIFF")
        (start,) = struct.unpack_from("<I", photo, 4)
        (count,) = struct.unpack_from("<H", photo, start)
        ours = photo[start + 2 : start + 2 + 12 * count]
        directory = struct.pack("<H", count + 50) + ours + tags
        data = photo[:4] + struct.pack("<I", len(photo)) + photo[8:] + directory + bytes(4)
    else:
        data = encoded(plain(), kind, exif=b"Exif\0\0" + exif)
    with warnings.catch_warnings():
        warnings.resetwarnings()
        warnings.simplefilter("always")
        assert load_photo(data).size == (80, 60)
    assert not recwarn.list


def test_a_fax_tiff_is_refused() -> None:
    fax = Image.new("1", (64, 64), 1)
    assert "fax" in reason(encoded(fax, "TIFF", compression="group4"))


def test_a_large_jpeg_may_be_decoded_smaller_but_not_below_the_target() -> None:
    data = encoded(plain(size=(1200, 900)), "JPEG")
    assert load_photo(data).size == (1200, 900)
    assert load_photo(data, target_short_side=256).size == (600, 450)
    assert load_photo(data, target_short_side=100).size == (150, 113)
    assert load_photo(data, target_short_side=500).size == (1200, 900)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "I;16"])
def test_a_large_picture_of_another_format_may_come_smaller_too(mode: str) -> None:
    ramp = Image.linear_gradient("L").resize((1600, 1200))
    picture = Image.fromarray(np.asarray(ramp, np.uint16) * 257) if mode == "I;16" else ramp.convert(mode)
    small = load_photo(encoded(picture, "PNG"), target_short_side=200)
    # Palettes and 16 bits stay as large as they are: their numbers cannot be averaged.
    assert small.height == (1200 if mode in ("P", "I;16") else 400)
    assert small.width / small.height == pytest.approx(4 / 3, rel=0.01)
    expected = np.asarray(ramp.resize((40, 30), Image.Resampling.BOX), float)
    found = np.asarray(small.resize((40, 30), Image.Resampling.BOX), float)[..., 1]
    assert np.abs(found - expected).max() < 3


def test_damaged_files_never_escape_as_another_error() -> None:
    noise = Image.fromarray(np.random.default_rng(2).integers(0, 255, (40, 50, 3), dtype=np.uint8))
    samples = [encoded(noise, kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")]
    samples.append(encoded(noise, "TIFF", compression="tiff_lzw"))
    chance = random.Random(4)
    refused = 0
    for _ in range(600):
        data = bytearray(chance.choice(samples))
        for _ in range(chance.randrange(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            assert load_photo(bytes(data[: chance.randrange(1, 2 * len(data))])).mode == "RGB"
        except BadPhoto as bad:
            refused += 1
            assert bad.reason.endswith(".")
    assert refused > 100


def test_a_shrunk_jpeg_carries_nothing_but_pixels() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[2] = (50.0, 6.0, 30.0)
    data = encoded(plain(size=(300, 200)), "JPEG", exif=exif, icc_profile=b"p" * 200, comment=b"SecretComment")
    photo = load_photo(data)
    assert photo.info == {}
    assert not photo.getexif()
    small = shrink_to_jpeg(photo)
    for marker in (b"Exif", b"Secret", b"ICC_PROFILE", b"pppp"):
        assert marker in data
        assert marker not in small
    # A picture that did not come from load_photo is cleaned too.
    assert b"SecretComment" not in shrink_to_jpeg(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize(
    ("size", "expected"), [((3000, 1500), (1024, 512)), ((500, 400), (500, 400)), ((9000, 2), (1024, 1))]
)
def test_a_shrunk_jpeg_keeps_its_shape(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert load_photo(shrink_to_jpeg(plain(size=size))).size == expected


def test_opening_photos_needs_neither_torch_nor_onnx() -> None:
    heavy = ("torch", "onnx", "onnxruntime", "pillow_heif")
    check = f"import sys, training.images; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_header_alone_tells_the_size_or_why_it_is_no_photo() -> None:
    out = io.BytesIO()
    Image.new("RGB", (40, 30)).save(out, "JPEG")
    assert check_photo(out.getvalue()) == (40, 30)
    assert check_photo(out.getvalue()[:-20]) == (40, 30), "what is behind the header is not looked at"
    for data, limits in (
        (b"", {}),
        (b"this is text", {}),
        (out.getvalue(), {"max_pixels": 1000}),
        (out.getvalue(), {"max_bytes": 100}),
    ):
        with pytest.raises(BadPhoto):
            check_photo(data, **limits)
