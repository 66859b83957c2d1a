"""Places for drawn dogs to stand in: a meadow, a beach, snow, a street, a room and a plain studio."""

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]


def draw_scene(random: np.random.Generator, width: int, height: int) -> Image.Image:
    """One background (RGB, width × height pixels), its kind and details chosen by `random`."""
    paint = _SCENES[int(random.integers(len(_SCENES)))]
    horizon = int(height * random.uniform(0.48, 0.66))
    return paint(random, width, height, horizon)


def _meadow(random: np.random.Generator, width: int, height: int, horizon: int) -> Image.Image:
    scene = _fade(width, height, (150, 196, 232), (222, 238, 246))
    draw = ImageDraw.Draw(scene)
    _hills(draw, random, width, horizon, (126, 168, 120))
    for _ in range(int(random.integers(1, 5))):
        _tree(draw, random, float(random.uniform(0, width)), horizon, height)
    scene.paste(_fade(width, height - horizon, (138, 178, 92), (84, 132, 58)), (0, horizon))
    scene = scene.filter(ImageFilter.GaussianBlur(width / 260))
    draw = ImageDraw.Draw(scene)
    for _ in range(140):
        x, y = float(random.uniform(0, width)), float(random.uniform(horizon + 6, height))
        long = (y - horizon) / height * 26 + 2
        green = (int(random.uniform(70, 140)), int(random.uniform(130, 190)), int(random.uniform(50, 90)))
        draw.line((x, y, x + float(random.uniform(-3, 3)), y - long), fill=green)
    return scene


def _beach(random: np.random.Generator, width: int, height: int, horizon: int) -> Image.Image:
    scene = _fade(width, height, (118, 182, 226), (232, 240, 240))
    shore = horizon + int(height * 0.07)
    scene.paste(_fade(width, shore - horizon, (48, 130, 166), (118, 188, 200)), (0, horizon))
    draw = ImageDraw.Draw(scene)
    for _ in range(14):
        x, y = float(random.uniform(0, width)), float(random.uniform(horizon, shore))
        draw.line((x, y, x + float(random.uniform(10, 40)), y), fill=(214, 234, 236))
    scene.paste(_fade(width, height - shore, (232, 214, 170), (206, 180, 130)), (0, shore))
    return scene.filter(ImageFilter.GaussianBlur(width / 300))


def _snow(random: np.random.Generator, width: int, height: int, horizon: int) -> Image.Image:
    scene = _fade(width, height, (164, 186, 210), (226, 232, 238))
    draw = ImageDraw.Draw(scene)
    for _ in range(int(random.integers(3, 9))):
        x, tall = float(random.uniform(0, width)), float(random.uniform(0.15, 0.38)) * height
        for part in range(3):
            half, base = tall * (0.28 - part * 0.06), horizon - tall * part * 0.24
            draw.polygon([(x - half, base), (x + half, base), (x, base - tall * 0.5)], fill=(62, 92, 86))
    scene.paste(_fade(width, height - horizon, (236, 240, 246), (200, 210, 226)), (0, horizon))
    scene = scene.filter(ImageFilter.GaussianBlur(width / 300))
    draw = ImageDraw.Draw(scene)
    for _ in range(40):
        x, y, r = float(random.uniform(0, width)), float(random.uniform(0, height)), float(random.uniform(0.8, 2.2))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(250, 252, 255))
    return scene


def _street(random: np.random.Generator, width: int, height: int, horizon: int) -> Image.Image:
    scene = _fade(width, height, (190, 206, 222), (224, 226, 226))
    draw = ImageDraw.Draw(scene)
    x = -float(random.uniform(0, 60))
    while x < width:
        wide, tall = float(random.uniform(0.16, 0.34)) * width, float(random.uniform(0.3, 0.55)) * height
        wall = _shade((196, 168, 146), random)
        draw.rectangle((x, horizon - tall, x + wide, horizon), fill=wall)
        pane = max(wide / 5, 6)
        for row in range(int(tall // (pane * 1.7))):
            for column in range(3):
                left = x + pane * (0.6 + column * 1.4)
                top = horizon - tall + pane * (0.5 + row * 1.6)
                draw.rectangle((left, top, left + pane * 0.8, top + pane), fill=(96, 116, 134))
        x += wide
    scene.paste(_fade(width, height - horizon, (150, 150, 154), (112, 112, 118)), (0, horizon))
    draw.line((0, horizon, width, horizon), fill=(210, 208, 204), width=max(2, height // 60))
    return scene.filter(ImageFilter.GaussianBlur(width / 200))


def _room(random: np.random.Generator, width: int, height: int, horizon: int) -> Image.Image:
    wall = _shade((206, 204, 190), random)
    scene = _fade(width, height, wall, _shade(wall, random, 0.04))
    draw = ImageDraw.Draw(scene)
    left, top = float(random.uniform(0.05, 0.6)) * width, float(random.uniform(0.04, 0.12)) * height
    wide, tall = width * 0.3, horizon * 0.62
    draw.rectangle((left, top, left + wide, top + tall), fill=(176, 208, 230), outline=(246, 246, 242), width=5)
    draw.line((left + wide / 2, top, left + wide / 2, top + tall), fill=(246, 246, 242), width=4)
    scene.paste(_fade(width, height - horizon, (176, 132, 92), (140, 98, 64)), (0, horizon))
    draw = ImageDraw.Draw(scene)
    for k in range(-6, 16):
        draw.line((width * k / 9, horizon, width * (k - 4.5) / 9 * 1.8 + width * 0.4, height), fill=(128, 90, 60))
    draw.rectangle((0, horizon - height * 0.025, width, horizon), fill=(240, 238, 232))
    rug = _shade((150, 84, 84), random, 0.3)
    draw.ellipse((width * 0.06, height * 0.80, width * 0.94, height * 1.04), fill=rug)
    return scene.filter(ImageFilter.GaussianBlur(width / 300))


def _studio(random: np.random.Generator, width: int, height: int, horizon: int) -> Image.Image:
    tone = _shade((176, 186, 196), random, 0.25)
    scene = _fade(width, height, tone, tuple(min(255, c + 40) for c in tone))
    ImageDraw.Draw(scene).rectangle((0, int(height * 0.8), width, height), fill=tuple(int(c * 0.9) for c in tone))
    return scene.filter(ImageFilter.GaussianBlur(width / 30))


_SCENES: tuple[Callable[[np.random.Generator, int, int, int], Image.Image], ...] = (
    _meadow, _meadow, _beach, _snow, _street, _room, _studio,
)  # fmt: skip


def _fade(width: int, height: int, top: tuple[int, ...], bottom: tuple[int, ...]) -> Image.Image:
    """A vertical gradient."""
    rows = np.linspace(top, bottom, max(height, 1), dtype=np.float32).astype(np.uint8)
    return Image.fromarray(np.repeat(rows[:, None, :], width, axis=1))


def _hills(draw: ImageDraw.ImageDraw, random: np.random.Generator, width: int, horizon: int, colour: Colour) -> None:
    phase, waves, tall = random.uniform(0, 6), random.uniform(1.5, 4), horizon * random.uniform(0.08, 0.24)
    ridge = [(x, horizon - tall * (1.1 + math.sin(phase + waves * x / width * 3))) for x in range(0, width + 9, 8)]
    draw.polygon([(0, horizon), *ridge, (width, horizon)], fill=colour)


def _tree(draw: ImageDraw.ImageDraw, random: np.random.Generator, x: float, horizon: int, height: int) -> None:
    tall = float(random.uniform(0.22, 0.42)) * height
    draw.rectangle((x - tall * 0.04, horizon - tall * 0.5, x + tall * 0.04, horizon), fill=(104, 82, 62))
    for _ in range(7):
        r = tall * float(random.uniform(0.14, 0.24))
        cx = x + tall * float(random.uniform(-0.22, 0.22))
        cy = horizon - tall * float(random.uniform(0.5, 0.9))
        green = int(random.uniform(104, 146))
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=(green - 50, green, green - 66))


def _shade(colour: Colour, random: np.random.Generator, spread: float = 0.12) -> Colour:
    red, green, blue = (int(np.clip(c * random.uniform(1 - spread, 1 + spread), 0, 255)) for c in colour)
    return (red, green, blue)
