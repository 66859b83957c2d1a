"""What colour each place of a drawn dog has, before light falls on it: one function a breed."""

import math
from collections.abc import Callable

from PIL import Image, ImageChops

from training.drawing.anatomy import Dog
from training.drawing.shapes import Colour, lighter, soft, vary


def _plain(dog: Dog, colour: Colour) -> Image.Image:
    return Image.new("RGB", dog.frame.size, vary(colour, dog.random))


def _dachshund(dog: Dog) -> Image.Image:
    b = dog.build
    colours: list[tuple[Colour, Colour]] = [
        ((150, 76, 36), (178, 102, 54)),
        ((42, 32, 30), (160, 92, 46)),
        ((112, 62, 38), (166, 108, 66)),
    ]
    main, points = colours[int(dog.random.integers(len(colours)))]
    coat = _plain(dog, main)
    _, at = dog.head_at()
    end = b.skull * 0.75 + b.muzzle * 0.7
    tan = dog.frame.mask(
        dog.frame.tube([at(b.skull * 0.5, -0.13), at(end, -0.10)], [0.12, 0.12]),
        dog.frame.tube([(-0.2, 0.0), (b.length + 0.4, 0.0)], [0.36, 0.36]),
        dog.frame.blob((b.length * 1.0, b.leg + 0.10), 0.30, 0.26),
        dog.frame.blob(at(b.skull * 0.50, b.skull * 0.62), 0.07),
    )
    coat.paste(vary(points, dog.random), mask=soft(tan, dog.frame.scale * 0.02))
    return coat


def _dalmatian(dog: Dog) -> Image.Image:
    b = dog.build
    coat = _plain(dog, (240, 238, 232))
    _, at = dog.head_at()
    spots = []
    for _ in range(int(dog.random.integers(75, 115))):
        x = float(dog.random.uniform(-0.5, b.length * 1.25))
        y = float(dog.random.uniform(0.0, dog.back + 0.45))
        wide = float(dog.random.uniform(0.03, 0.085)) * (0.7 if y < b.leg else 1.0)
        turn = float(dog.random.uniform(0, math.pi))
        spots.append(dog.frame.blob((x, y), wide * float(dog.random.uniform(0.8, 1.5)), wide, turn))
    dark = (34, 32, 36) if dog.random.random() < 0.8 else (86, 52, 36)
    ear = dog.frame.mask(*spots, *dog.ear())
    face = dog.frame.mask(
        dog.frame.blob(at(b.skull * 0.48, b.skull * 0.22), 0.17), dog.frame.blob(at(0.30, -0.07), 0.24)
    )
    coat.paste(dark, mask=ImageChops.subtract(ear, face))
    coat.paste(dark, mask=dog.frame.mask(*dog.ear()))
    return coat


def _german_shepherd_dog(dog: Dog) -> Image.Image:
    b = dog.build
    coat = _plain(dog, (192, 134, 74))
    black = (36, 30, 28)
    _, at = dog.head_at()
    low = float(dog.random.uniform(-0.06, 0.06))
    saddle = dog.frame.mask(
        dog.frame.tube(
            [
                (-0.30, dog.back - 0.36),
                (0.10, dog.back - 0.03),
                (b.length * 0.55, dog.back - 0.02 + low),
                (b.length * 0.98, dog.back + 0.14),
                at(-b.skull * 0.8, -0.05),
            ],
            [0.24, 0.34, 0.46, 0.40, 0.20],
        )
    )
    end = b.skull * 0.75 + b.muzzle * 0.8
    face = dog.frame.mask(
        dog.frame.tube([at(b.skull * 0.75, -0.04), at(end, -0.05)], [b.muzzle_depth * 1.0, b.muzzle_depth * 1.4]),
        *dog.ear(),
    )
    coat.paste(black, mask=soft(saddle, dog.frame.scale * 0.035))
    coat.paste((52, 42, 38), mask=soft(face, dog.frame.scale * 0.025))
    return coat


def _golden_retriever(dog: Dog) -> Image.Image:
    shades: list[Colour] = [(214, 160, 88), (226, 184, 120), (196, 132, 62)]
    shade = shades[int(dog.random.integers(len(shades)))]
    coat = _plain(dog, shade)
    pale = dog.frame.mask(
        dog.frame.blob((dog.build.length * 1.0, dog.back - 0.28), 0.42, 0.55),
        dog.frame.tube([(-0.9, dog.back - 0.18), (0.0, dog.back - 0.32)], [0.22, 0.22]),
        dog.frame.tube([(0.1, dog.build.leg), (dog.build.length, dog.build.leg)], [0.14, 0.14]),
    )
    coat.paste(lighter(shade, 0.35), mask=soft(pale, dog.frame.scale * 0.05))
    return coat


def _pembroke_welsh_corgi(dog: Dog) -> Image.Image:
    b = dog.build
    shades: list[Colour] = [(206, 126, 58), (190, 108, 50), (218, 148, 82)]
    coat = _plain(dog, shades[int(dog.random.integers(len(shades)))])
    _, at = dog.head_at()
    end = b.skull * 0.75 + b.muzzle
    white = dog.frame.mask(
        dog.frame.tube([(-0.3, 0.0), (b.length + 0.5, 0.0)], [0.48, 0.48]),
        dog.frame.blob((b.length * 1.02, b.leg + 0.22), 0.50, 0.74, 0.35),
        dog.frame.tube([at(b.skull * 0.55, -0.09), at(end, -0.06)], [0.16, 0.24]),
        dog.frame.tube([at(b.skull * 0.86, 0.0), at(b.skull * 0.62, b.skull * 0.75)], [0.10, 0.05]),
    )
    coat.paste((246, 242, 234), mask=soft(white, dog.frame.scale * 0.015))
    return coat


def _poodle(dog: Dog) -> Image.Image:
    shades: list[Colour] = [(238, 234, 226), (222, 178, 134), (66, 60, 64), (150, 108, 84), (196, 196, 202)]
    return _plain(dog, shades[int(dog.random.integers(len(shades)))])


COATS: dict[str, Callable[[Dog], Image.Image]] = {
    "056.Dachshund": _dachshund,
    "057.Dalmatian": _dalmatian,
    "071.German_shepherd_dog": _german_shepherd_dog,
    "076.Golden_retriever": _golden_retriever,
    "118.Pembroke_welsh_corgi": _pembroke_welsh_corgi,
    "124.Poodle": _poodle,
}
