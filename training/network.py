"""The head's arithmetic: what it answers, how wrong that is, and the gradient, all in numpy.

A head is small: importing torch takes longer than training it. All parameters lie in one flat array, so that one
optimiser step and one sum over processes are one call each.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.graph import Head

Array = NDArray[np.float32]
_ROWS = 256
"""Photos at a time where a whole split is looked at, so that no second feature table is ever in memory."""


@dataclass(frozen=True)
class Scale:
    """What standardises features [D]: (f − mean) / spread."""

    mean: Array
    spread: Array

    def apply(self, features: Array) -> Array:
        """Standardise [B, D] in place."""
        features -= self.mean
        features *= self._factor
        return features

    @functools.cached_property
    def _factor(self) -> Array:
        return np.float32(1) / self.spread


@dataclass(frozen=True)
class Network:
    """The shape of a head: `classes` (C) scores of `features` (D) numbers, through `hidden` (U) units if there are any.

    The last layer sees standardised features, or hidden units divided by √U, so that a step of the optimiser means the
    same for any D and U.
    """

    classes: int
    features: int
    hidden: int

    @property
    def size(self) -> int:
        """How many parameters there are (P)."""
        inputs = self.hidden or self.features
        return self.classes * (inputs + 1) + self.hidden * (self.features + 1 if self.hidden else 0)

    def layers(self, parameters: Array) -> list[tuple[Array, Array]]:
        """(weight [outputs, inputs], bias [outputs]) of each layer, first layer first, as views of `parameters` [P]."""
        shapes = [(self.hidden, self.features)] if self.hidden else []
        shapes.append((self.classes, self.hidden or self.features))
        found, start = [], 0
        for outputs, inputs in shapes:
            weight = parameters[start : start + outputs * inputs].reshape(outputs, inputs)
            start += outputs * inputs
            found.append((weight, parameters[start : start + outputs]))
            start += outputs
        return found

    def fresh(self, seed: int) -> Array:
        """Parameters [P] of a cold start: zeros, and random hidden weights, which would otherwise all stay the same."""
        parameters = np.zeros(self.size, np.float32)
        if self.hidden:
            # A standardised photo is about 1 long, so the hidden units start about 1 large.
            weight, _ = self.layers(parameters)[0]
            weight[:] = np.random.default_rng((seed, 0)).standard_normal(weight.shape, np.float32)
        return parameters

    def gradient(
        self, parameters: Array, x: Array, y: NDArray[np.int64], loss: "Loss", out: Array
    ) -> tuple[float, int]:
        """Fill `out` [P] with the gradient of `loss` over standardised photos `x` [B, D] of classes `y` [B].

        Returns the sum of their cross-entropies (nats, neither smoothed nor weighted) and how many were right.
        """
        layers, slopes = self.layers(parameters), self.layers(out)
        units = x
        if self.hidden:
            weight, bias = layers[0]
            units = x @ weight.T
            units += bias
            np.maximum(units, 0, out=units)
            units /= np.float32(math.sqrt(self.hidden))
        weight, bias = layers[-1]
        scores = units @ weight.T
        scores += bias
        total, right = loss.slope(scores, y)
        np.matmul(scores.T, units, out=slopes[-1][0])
        np.sum(scores, axis=0, out=slopes[-1][1])
        if self.hidden:
            behind = scores @ weight
            behind *= units > 0
            behind /= np.float32(math.sqrt(self.hidden))
            np.matmul(behind.T, x, out=slopes[0][0])
            np.sum(behind, axis=0, out=slopes[0][1])
        return total, right

    def raw_head(self, parameters: Array, scale: Scale) -> Head:
        """The same head for features that are not standardised: W/s and b − (W/s)·μ."""
        layers = self.layers(parameters)
        weight = layers[0][0] / scale.spread.astype(np.float64)
        bias = (layers[0][1] - weight @ scale.mean).astype(np.float32)
        if not self.hidden:
            return Head(weight.astype(np.float32), bias)
        last, last_bias = layers[1]
        last = last / np.float32(math.sqrt(self.hidden))
        return Head(last, last_bias.copy(), hidden_weight=weight.astype(np.float32), hidden_bias=bias)

    @property
    def takes_linear(self) -> bool:
        """Whether a linear head fits in: a hidden layer needs two units for each class."""
        return not self.hidden or self.hidden >= 2 * self.classes

    def of_raw_head(self, head: Head, scale: Scale, seed: int) -> Array:
        """Parameters [P] that give the scores of a linear head for features that are not standardised.

        With a hidden layer two of its units carry each score z, because z = relu(z) − relu(−z); the others are random
        as in a cold start, and not listened to yet.
        """
        raw = head.weight.astype(np.float64)
        weight, bias = raw * scale.spread, head.bias + raw @ scale.mean
        parameters = self.fresh(seed)
        layers = self.layers(parameters)
        if not self.hidden:
            layers[0][0][:], layers[0][1][:] = weight, bias
            return parameters
        # relu(√√U·z)·√√U/√U = relu(z): both layers have weights of one size, so a step means the same to both.
        size = self.hidden**0.25
        (weight_in, bias_in), (weight_out, _) = layers
        for sign, units in ((1, slice(0, self.classes)), (-1, slice(self.classes, 2 * self.classes))):
            weight_in[units], bias_in[units] = sign * size * weight, sign * size * bias
            weight_out[:, units] = sign * size * np.eye(self.classes)
        return parameters


@dataclass(frozen=True)
class Loss:
    """Cross-entropy, its labels smoothed over all classes, each photo weighted by its class.

    `photos` is what the sum is divided by: all photos of the step, those of other processes too.
    """

    smoothing: float
    weights: Array | None
    """[C], or None where every class weighs 1"""
    photos: int

    def slope(self, scores: Array, y: NDArray[np.int64]) -> tuple[float, int]:
        """Turn `scores` [B, C] in place into their gradient; returns (sum of plain cross-entropies, how many right)."""
        rows = np.arange(len(y))
        right = int((scores.argmax(axis=1) == y).sum())
        scores -= scores.max(axis=1, keepdims=True)
        own = scores[rows, y]
        np.exp(scores, out=scores)
        odds = scores.sum(axis=1, keepdims=True)
        total = float(np.log(odds[:, 0]).sum(dtype=np.float64) - own.sum(dtype=np.float64))
        scores /= odds
        scores[rows, y] -= np.float32(1 - self.smoothing)
        if self.smoothing:
            scores -= np.float32(self.smoothing / scores.shape[1])
        scores *= np.float32(1 / self.photos)
        if self.weights is not None:
            scores *= self.weights[y][:, None]
        return total, right


def balanced(targets: NDArray[np.int64], classes: int) -> Array:
    """Weights [C] that let every class count the same: N / (C · photos of the class), so that the mean photo has 1."""
    counts = np.bincount(targets, minlength=classes)
    present = max(int((counts > 0).sum()), 1)
    return (len(targets) / (present * np.maximum(counts, 1))).astype(np.float32)


def head_scores(head: Head, features: Array) -> Array:
    """A head's scores [N, C] for raw features [N, D], a view or a table; heads with groups are the graph's own."""
    if head.groups is not None:
        raise ValueError("a head whose rows share labels can only be run by its graph")
    if head.hidden_weight is None or head.hidden_bias is None:
        scores = features @ head.weight.T
    else:
        scores = np.empty((len(features), head.labels), np.float32)
        for start in range(0, len(features), _ROWS):
            units = features[start : start + _ROWS] @ head.hidden_weight.T
            units += head.hidden_bias
            np.maximum(units, 0, out=units)
            np.matmul(units, head.weight.T, out=scores[start : start + _ROWS])
    scores += head.bias
    return np.asarray(scores, np.float32)
