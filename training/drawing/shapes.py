"""Shapes in dog coordinates: tubes, ellipses, curls and tufts, and the masks and the light made from them.

Dog coordinates count in shoulder heights: the ground is y = 0, the shoulder y = 1, x grows towards the head. Outlines
are in pixels at SHARPER times the picture's size; masks are reduced from that, which smooths their edges.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

Point = tuple[float, float]
Outline = list[Point]
Colour = tuple[int, int, int]
SHARPER = 2


@dataclass(frozen=True)
class Frame:
    """Where a dog stands in its picture: `scale` pixels a shoulder height, `left` and `ground` in pixels."""

    size: tuple[int, int]
    scale: float
    left: float
    ground: float
    slope: float
    random: np.random.Generator

    def pixels(self, point: Point) -> Point:
        x, y = point
        return (self.left + x * self.scale, self.ground - (y + x * self.slope) * self.scale)

    def tube(self, points: Sequence[Point], widths: Sequence[float]) -> Outline:
        """The outline, in pixels at SHARPER, of a curve through `points` whose full width there is `widths`."""
        steps = 10
        path, wide = spline(points, steps), spline([(w, 0.0) for w in widths], steps)
        outline_left: Outline = []
        outline_right: Outline = []
        for i, (x, y) in enumerate(path):
            before, after = path[max(i - 1, 0)], path[min(i + 1, len(path) - 1)]
            dx, dy = after[0] - before[0], after[1] - before[1]
            long = math.hypot(dx, dy) or 1.0
            half = wide[i][0] / 2
            outline_left.append((x - dy / long * half, y + dx / long * half))
            outline_right.append((x + dy / long * half, y - dx / long * half))
        start = _cap(path[0], path[1], wide[0][0] / 2)
        end = _cap(path[-1], path[-2], wide[-1][0] / 2)
        outline = outline_left + end + outline_right[::-1] + start
        return [(x * SHARPER, y * SHARPER) for x, y in map(self.pixels, outline)]

    def mask(self, *shapes: Sequence[Point]) -> Image.Image:
        mask = Image.new("L", (self.size[0] * SHARPER, self.size[1] * SHARPER))
        draw = ImageDraw.Draw(mask)
        for shape in shapes:
            draw.polygon(shape, fill=255)
        return mask.reduce(SHARPER)

    def blob(self, centre: Point, across: float, tall: float | None = None, turn: float = 0.0) -> Outline:
        """An ellipse as an outline; `across` and `tall` are full axes in shoulder heights, `turn` in radians."""
        tall = across if tall is None else tall
        cos, sin = math.cos(turn), math.sin(turn)
        outline = []
        for k in range(28):
            a, b = math.cos(k * math.tau / 28) * across / 2, math.sin(k * math.tau / 28) * tall / 2
            outline.append((centre[0] + a * cos - b * sin, centre[1] + a * sin + b * cos))
        return [(x * SHARPER, y * SHARPER) for x, y in map(self.pixels, outline)]

    def curls(self, centre: Point, across: float) -> list[Outline]:
        """A pom-pom: overlapping curls around a ball."""
        curls = [self.blob(centre, across)]
        count = 11
        for k in range(count):
            angle = k * math.tau / count + float(self.random.uniform(-0.15, 0.15))
            reach = across * 0.44
            at = (centre[0] + math.cos(angle) * reach, centre[1] + math.sin(angle) * reach)
            curls.append(self.blob(at, across * float(self.random.uniform(0.26, 0.36))))
        return curls

    def fringe(self, points: Sequence[Point], long: float) -> list[Outline]:
        """Tufts of feathered fur hanging along a curve."""
        tufts = []
        for x, y in spline(points, 6):
            drop = long * float(self.random.uniform(0.7, 1.3))
            tufts.append(self.tube([(x, y), (x - 0.03, y - drop / 2), (x - 0.08, y - drop)], [0.09, 0.06, 0.01]))
        return tufts


def spline(points: Sequence[Point], steps: int) -> list[Point]:
    """A Catmull-Rom curve through the points, `steps` points a section."""
    padded = [points[0], *points, points[-1]]
    curve: list[Point] = []
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        for k in range(steps):
            t = k / steps
            curve.append((_catmull(p0[0], p1[0], p2[0], p3[0], t), _catmull(p0[1], p1[1], p2[1], p3[1], t)))
    curve.append(points[-1])
    return curve


def _catmull(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)


def _cap(end: Point, inner: Point, radius: float) -> list[Point]:
    """A round end for a tube, from its one side to the other."""
    angle = math.atan2(end[1] - inner[1], end[0] - inner[0])
    turns = (angle + math.pi / 2 - math.pi * k / 6 for k in range(1, 6))
    return [(end[0] + math.cos(a) * radius, end[1] + math.sin(a) * radius) for a in turns]


def soft(mask: Image.Image, radius: float) -> Image.Image:
    return mask.filter(ImageFilter.GaussianBlur(radius))


def vary(colour: Colour, random: np.random.Generator) -> Colour:
    red, green, blue = (int(np.clip(c * random.uniform(0.93, 1.05), 0, 255)) for c in colour)
    return (red, green, blue)


def lighter(colour: Colour, share: float) -> Colour:
    red, green, blue = (int(c + (255 - c) * share) for c in colour)
    return (red, green, blue)


def tint(image: Image.Image, factor: float) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(factor)


def lit(coat: Image.Image, mask: Image.Image, scale: float) -> Image.Image:
    """The coat as a rounded form under light from above: the silhouette's blurred copy, moved, gives the shading."""
    form = mask.filter(ImageFilter.GaussianBlur(scale * 0.055))
    reach = max(1, round(scale * 0.05))
    above = ImageChops.offset(form, 0, reach)
    below = ImageChops.offset(form, 0, -reach)
    # 128 is neutral; above it lightens, below it darkens.
    shading = ImageChops.subtract(above, below, scale=2.4, offset=122)
    return Image.merge("RGB", [ImageChops.overlay(channel, shading) for channel in coat.split()])
