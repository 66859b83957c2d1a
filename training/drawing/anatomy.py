"""The bodies of the drawn breeds: their proportions, and the outlines of each part in one pose."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from training.drawing.shapes import SHARPER, Frame, Outline, Point


class Ears(StrEnum):
    ERECT = "erect"
    BAT = "bat"
    FOLDED = "folded"
    HANGING = "hanging"
    LONG = "long"
    PUFF = "puff"

    @property
    def is_upright(self) -> bool:
        return self in (Ears.ERECT, Ears.BAT)


@dataclass(frozen=True)
class Build:
    """Proportions of a breed in units of its shoulder height."""

    length: float
    chest: float
    waist: float
    leg: float
    leg_width: float
    neck: float
    neck_width: float
    skull: float
    muzzle: float
    muzzle_depth: float
    ears: Ears
    tail: tuple[Point, ...]
    tail_width: tuple[float, ...]
    fringe: float = 0.0


BREEDS: dict[str, Build] = {
    "056.Dachshund": Build(
        2.35, 0.52, 0.44, 0.34, 0.15, 0.42, 0.30, 0.21, 0.44, 0.15, Ears.LONG,
        ((-0.2, 0.02), (-0.55, 0.05), (-0.85, 0.22)), (0.13, 0.09, 0.03),
    ),
    "057.Dalmatian": Build(
        1.18, 0.47, 0.31, 0.58, 0.125, 0.42, 0.26, 0.19, 0.30, 0.155, Ears.FOLDED,
        ((-0.12, 0.0), (-0.38, 0.0), (-0.62, 0.18)), (0.10, 0.07, 0.02),
    ),
    "071.German_shepherd_dog": Build(
        1.32, 0.46, 0.32, 0.56, 0.13, 0.36, 0.31, 0.19, 0.33, 0.15, Ears.ERECT,
        ((-0.10, -0.06), (-0.30, -0.30), (-0.42, -0.58)), (0.14, 0.19, 0.05), 0.04,
    ),
    "076.Golden_retriever": Build(
        1.22, 0.49, 0.38, 0.54, 0.145, 0.34, 0.32, 0.21, 0.28, 0.175, Ears.HANGING,
        ((-0.12, 0.0), (-0.45, 0.02), (-0.75, 0.20)), (0.14, 0.24, 0.06), 0.09,
    ),
    "118.Pembroke_welsh_corgi": Build(
        1.62, 0.55, 0.47, 0.36, 0.16, 0.34, 0.36, 0.24, 0.30, 0.15, Ears.BAT,
        ((-0.03, 0.02), (-0.10, 0.06)), (0.20, 0.12), 0.03,
    ),
    "124.Poodle": Build(
        1.02, 0.40, 0.27, 0.60, 0.10, 0.44, 0.20, 0.165, 0.34, 0.105, Ears.PUFF,
        ((-0.02, 0.05), (-0.10, 0.26), (-0.14, 0.44)), (0.08, 0.06, 0.05),
    ),
}  # fmt: skip
"""The drawn breeds by their folder in the reference data set."""


class Dog:
    """One dog in one pose, chosen by `random`, standing in a picture of width × height pixels."""

    def __init__(self, build: Build, breed: str, random: np.random.Generator, width: int, height: int) -> None:
        self.build, self.breed, self.random = build, breed, random
        reach = build.length + build.neck + build.muzzle + 0.60
        tall = 1.0 + build.neck + build.skull + 0.25
        scale = min(width / reach, height / tall) * float(random.uniform(0.82, 1.06))
        left = width * float(random.uniform(0.47, 0.53)) - scale * (build.length / 2 + 0.10)
        ground = height * float(random.uniform(0.87, 0.94))
        self.frame = Frame((width, height), scale, left, ground, float(random.uniform(-0.03, 0.03)), random)
        self.back = build.leg + build.chest * 0.88
        self.nod = float(random.uniform(-0.28, 0.22))
        self.stride = float(random.uniform(-1.0, 1.0))

    def legs(self, far: bool) -> list[Outline]:
        b = self.build
        swing = 0.16 * self.stride * (-1 if far else 1)
        shift = 0.07 if far else 0.0
        front, rear = b.length * 0.90 + shift, b.length * 0.12 + shift
        w = b.leg_width
        top = b.leg + b.chest * 0.45
        front_foot, rear_foot = front + swing * b.leg * 1.4, rear - swing * b.leg * 1.4
        knee = (front + swing * 0.5 * b.leg, b.leg * 0.52)
        hock = (rear - 0.12 * b.leg - swing * b.leg, b.leg * 0.42)
        return [
            self.frame.tube(
                [(front, top), knee, (front_foot, 0.06)],
                [w * 1.9, w * 1.05, w * 0.85],
            ),
            self.frame.blob((front_foot + 0.045, 0.045), w * 1.45, 0.10),
            self.frame.tube(
                [(rear + 0.02, top), (rear + 0.06 * b.leg, b.leg * 0.85), hock, (rear_foot, 0.06)],
                [w * 2.9, w * 2.1, w * 0.95, w * 0.80],
            ),
            self.frame.blob((rear_foot + 0.045, 0.045), w * 1.45, 0.10),
        ]

    def trunk(self) -> Outline:
        b = self.build
        middle = self.back - b.chest / 2
        return self.frame.tube(
            [
                (0.06, self.back - b.waist * 0.58),
                (b.length * 0.28, self.back - b.waist / 2 - 0.01),
                (b.length * 0.66, middle + 0.01),
                (b.length * 0.95, middle + 0.03),
            ],
            [b.waist * 0.86, b.waist, b.chest, b.chest * 0.82],
        )

    def head_at(self) -> tuple[Point, Callable[[float, float], Point]]:
        """The centre of the skull, and a function from head coordinates (towards the nose, upwards) to the dog's."""
        b = self.build
        centre = (b.length * 0.97 + b.neck * 0.52, self.back + b.neck * 0.62)
        cos, sin = math.cos(self.nod - 0.12), math.sin(self.nod - 0.12)

        def place(x: float, y: float) -> Point:
            return (centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos)

        return centre, place

    def neck(self) -> Outline:
        b = self.build
        (x, y), _ = self.head_at()
        start = (b.length * 0.86, self.back - b.chest * 0.36)
        return self.frame.tube(
            [start, ((start[0] + x) / 2 + 0.02, (start[1] + y) / 2), (x - 0.02, y - 0.02)],
            [b.neck_width * 1.65, b.neck_width * 1.1, b.skull * 1.45],
        )

    def tail(self) -> list[Outline]:
        b = self.build
        wag = float(self.random.uniform(-0.18, 0.25))
        root = (0.06, self.back - 0.10)
        points = [root]
        for k, (x, y) in enumerate(b.tail):
            points.append((root[0] + x, root[1] + y + wag * k * 0.35))
        shapes = [self.frame.tube(points, [b.tail_width[0], *b.tail_width])]
        if b.fringe > 0.05:
            shapes += self.frame.fringe(points[1:], b.fringe * 1.8)
        return shapes

    def puffs(self) -> list[Outline]:
        if self.build.ears is not Ears.PUFF:
            return []
        b = self.build
        puffs: list[Outline] = []
        for leg in self.legs(far=False)[1::2]:
            x = (sum(p[0] for p in leg) / len(leg) / SHARPER - self.frame.left) / self.frame.scale
            puffs += self.frame.curls((x - 0.05, 0.20), 0.24)
        puffs += self.frame.curls((b.length * 0.80, self.back - b.chest * 0.45), 0.62)
        puffs += self.frame.curls((0.14, self.back - 0.16), 0.34)
        tip = b.tail[-1]
        puffs += self.frame.curls((0.06 + tip[0], self.back - 0.05 + tip[1]), 0.25)
        (x, y), _ = self.head_at()
        puffs += self.frame.curls((x - 0.06, y + 0.16), 0.34)
        return puffs

    def head_shapes(self) -> list[Outline]:
        b = self.build
        _, at = self.head_at()
        muzzle_end = b.skull * 0.75 + b.muzzle * 0.62
        return [
            self.frame.blob(at(0, 0), b.skull * 2.05, b.skull * 1.8, self.nod),
            self.frame.tube(
                [at(b.skull * 0.35, -0.035), at(b.skull * 0.9, -0.055), at(muzzle_end, -0.06)],
                [b.skull * 1.35, b.muzzle_depth * 1.15, b.muzzle_depth * 0.88],
            ),
        ]

    def ear(self) -> list[Outline]:
        b = self.build
        _, at = self.head_at()
        s = b.skull
        match b.ears:
            case Ears.ERECT | Ears.BAT:
                tall = 1.45 if b.ears is Ears.ERECT else 1.75
                base = 0.85 if b.ears is Ears.ERECT else 1.05
                return [
                    self.frame.tube(
                        [
                            at(-s * 0.30, s * 0.45),
                            at(-s * 0.34, s * (0.45 + tall * 0.5)),
                            at(-s * 0.22, s * (0.5 + tall)),
                        ],
                        [s * base, s * base * 0.74, s * 0.10],
                    )
                ]
            case Ears.PUFF:
                points = [at(-s * 0.45, s * 0.25), at(-s * 0.62, -s * 0.5), at(-s * 0.60, -s * 1.3)]
                return [
                    curl for p, w in zip(points, (0.18, 0.24, 0.26), strict=True) for curl in self.frame.curls(p, w)
                ]
            case Ears.LONG:
                points = [at(-s * 0.25, s * 0.55), at(-s * 0.62, -s * 0.15), at(-s * 0.42, -s * 1.25)]
                return [self.frame.tube(points, [s * 0.5, s * 1.0, s * 0.55])]
            case Ears.FOLDED:
                points = [at(-s * 0.10, s * 0.65), at(-s * 0.62, s * 0.20), at(-s * 0.48, -s * 0.80)]
                return [self.frame.tube(points, [s * 0.55, s * 0.85, s * 0.22])]
            case Ears.HANGING:
                points = [at(-s * 0.20, s * 0.60), at(-s * 0.62, s * 0.05), at(-s * 0.45, -s * 0.80)]
                return [self.frame.tube(points, [s * 0.55, s * 0.95, s * 0.55])]

    def ear_inside(self) -> Outline | None:
        b = self.build
        if not b.ears.is_upright:
            return None
        _, at = self.head_at()
        s, tall = b.skull, 1.45 if b.ears is Ears.ERECT else 1.75
        return self.frame.tube(
            [at(-s * 0.22, s * 0.62), at(-s * 0.26, s * (0.45 + tall * 0.5)), at(-s * 0.22, s * (0.3 + tall))],
            [s * 0.34, s * 0.30, s * 0.05],
        )
