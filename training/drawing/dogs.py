"""Pictures of dogs: six breeds that a person recognises, each picture different, none from outside.

Pose, size, light, colour, background and camera noise come from one seed, so the same (breed, seed, size) always
gives the same picture.
"""

import math

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from training.drawing.anatomy import BREEDS, Dog, Ears
from training.drawing.coats import COATS
from training.drawing.scenes import draw_scene
from training.drawing.shapes import Colour, lit, tint

_COLLARS: tuple[Colour, ...] = ((196, 52, 52), (44, 98, 168), (46, 132, 88), (120, 70, 150), (226, 120, 40))


def draw_dog(breed: str, seed: int, size: int = 400) -> Image.Image:
    """One picture of `breed` (a key of BREEDS); `size` is its long side in pixels. Raises KeyError for other breeds."""
    build = BREEDS[breed]
    random = np.random.default_rng([seed, list(BREEDS).index(breed)])
    width = size
    height = round(size * random.uniform(0.76, 0.94))
    scene = draw_scene(random, width, height)
    picture = _paint(Dog(build, breed, random, width, height), scene)
    if random.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return _photograph(picture, random)


def _paint(dog: Dog, scene: Image.Image) -> Image.Image:
    b = dog.build
    coat = COATS[dog.breed](dog)
    scene = _shadow(dog, scene)
    far = dog.frame.mask(*dog.legs(far=True))
    scene.paste(lit(tint(coat, 0.72), far, dog.frame.scale), mask=far)
    shapes = [*dog.tail(), *dog.legs(far=False), dog.trunk(), dog.neck(), *dog.head_shapes()]
    if b.fringe:
        chest = [(b.length * 1.02, dog.back - 0.05), (b.length * 0.98, b.leg + 0.02)]
        belly = [(b.length * 0.75, b.leg + 0.04), (b.length * 0.30, dog.back - b.waist)]
        shapes += dog.frame.fringe(chest, b.fringe) + dog.frame.fringe(belly, b.fringe)
    shapes += dog.puffs()
    body = dog.frame.mask(*shapes)
    scene.paste(lit(coat, body, dog.frame.scale), mask=body)
    _collar(dog, scene)
    _face(dog, scene, coat)
    return scene


def _shadow(dog: Dog, scene: Image.Image) -> Image.Image:
    b = dog.build
    shade = dog.frame.mask(dog.frame.blob((b.length * 0.5, -0.01), b.length * 1.25, 0.16))
    shade = shade.filter(ImageFilter.GaussianBlur(dog.frame.scale * 0.05)).point(lambda v: v * 0.5)
    scene.paste((22, 22, 30), mask=shade)
    return scene


def _collar(dog: Dog, scene: Image.Image) -> None:
    if dog.build.ears is Ears.PUFF or dog.random.random() < 0.25:
        return
    b = dog.build
    colour = _COLLARS[int(dog.random.integers(len(_COLLARS)))]
    (x, y), _ = dog.head_at()
    middle = (b.length * 0.86 * 0.42 + x * 0.58 + 0.01, (dog.back - b.chest * 0.36) * 0.42 + y * 0.58)
    across = (-(y - middle[1]), x - middle[0])
    long = math.hypot(*across)
    half = b.neck_width * 0.62
    ux, uy = across[0] / long * half, across[1] / long * half
    band = dog.frame.tube([(middle[0] - ux, middle[1] - uy), (middle[0] + ux, middle[1] + uy)], [0.07, 0.07])
    clip = ImageChops.multiply(dog.frame.mask(band), dog.frame.mask(dog.neck(), dog.trunk()))
    scene.paste(colour, mask=clip)
    tag = dog.frame.mask(dog.frame.blob((middle[0] - ux * 0.9 + 0.04, middle[1] - uy * 0.9 - 0.05), 0.07))
    scene.paste((236, 196, 92), mask=tag)


def _face(dog: Dog, scene: Image.Image, coat: Image.Image) -> None:
    b = dog.build
    _, at = dog.head_at()
    tip = b.skull * 0.75 + b.muzzle * 0.62 + b.muzzle_depth * 0.36
    if dog.random.random() < 0.55:
        tongue = dog.frame.tube(
            [at(tip - 0.14, -0.06 - b.muzzle_depth * 0.3), at(tip - 0.10, -0.11 - b.muzzle_depth * 0.5)],
            [0.07, 0.06],
        )
        scene.paste((226, 118, 128), mask=dog.frame.mask(tongue))
    mouth = dog.frame.tube(
        [at(tip - 0.02, -0.09), at(tip - 0.12, -0.075 - b.muzzle_depth * 0.26), at(b.skull * 0.55, -0.10)],
        [0.012, 0.016, 0.008],
    )
    scene.paste((58, 40, 38), mask=dog.frame.mask(mouth))
    scene.paste((26, 22, 24), mask=dog.frame.mask(dog.frame.blob(at(tip - 0.01, -0.03), 0.10, 0.085)))
    scene.paste((150, 146, 150), mask=dog.frame.mask(dog.frame.blob(at(tip - 0.015, -0.010), 0.03, 0.018)))
    eye = at(b.skull * 0.48, b.skull * 0.22)
    scene.paste((24, 16, 14), mask=dog.frame.mask(dog.frame.blob(eye, 0.085, 0.09)))
    scene.paste((92, 56, 30), mask=dog.frame.mask(dog.frame.blob(eye, 0.052, 0.056)))
    scene.paste((12, 8, 8), mask=dog.frame.mask(dog.frame.blob(eye, 0.036)))
    glint = (eye[0] + 0.014, eye[1] + 0.018)
    scene.paste((250, 250, 250), mask=dog.frame.mask(dog.frame.blob(glint, 0.024)))
    ear = dog.frame.mask(*dog.ear())
    scene.paste(lit(tint(coat, 0.86), ear, dog.frame.scale), mask=ear)
    inner = dog.ear_inside()
    if inner:
        scene.paste((206, 150, 140), mask=dog.frame.mask(inner))


def _photograph(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """What a camera adds: exposure, colour cast, a little blur or grain."""
    pixels = np.asarray(picture, dtype=np.float32)
    cast = random.uniform(0.94, 1.06, size=3).astype(np.float32) * np.float32(random.uniform(0.88, 1.1))
    grain = random.standard_normal(pixels.shape[:2], dtype=np.float32)[..., None] * np.float32(random.uniform(2, 7))
    picture = Image.fromarray(np.clip(pixels * cast + grain, 0, 255).astype(np.uint8))
    if random.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(float(random.uniform(0.3, 0.9))))
    return picture
