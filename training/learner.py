"""The steps of fine-tuning: gradients of small batches added up, over processes too, then one step of AdamW."""

import contextlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from training.checkpoint import State
from training.distributed import Group
from training.errors import HostLost
from training.preprocessing import Array
from training.settings import Settings
from training.trainable import Precision, Trainable

Targets = NDArray[np.int64]
_EPSILON = 1e-6
"""Of AdamW. With its usual 1e-8 a gradient that is nothing but rounding takes a whole step, in a direction that depends
on how many threads and processes there are: measured, parameters then differed by 2e-3, now by 1e-6; losses are alike.
"""


class Learner:
    """A model, its optimiser, and the precision it computes in."""

    def __init__(
        self, model: Trainable, settings: Settings, class_weights: Array | None, group: Group, device: torch.device
    ) -> None:
        """`class_weights` [C] say what a photo of each class counts, None where each counts 1."""
        self._model, self._group, self._device = model, group, device
        self._smoothing, self._clip = settings.label_smoothing, settings.clip or math.inf
        self._class_weights = None if class_weights is None else torch.from_numpy(class_weights).to(device)
        self._parameters = model.learning()
        # Norms and biases are not pulled towards zero: that only weakens what they balance.
        decaying = [parameter for parameter in self._parameters.values() if parameter.dim() > 1]
        others = [parameter for parameter in self._parameters.values() if parameter.dim() <= 1]
        self._optimiser = torch.optim.AdamW(
            [{"params": decaying, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}],
            eps=_EPSILON,
        )
        self._together: nn.Module = model
        if group.size > 1:
            ids = [torch.cuda.current_device()] if device.type == "cuda" else None
            self._together = DistributedDataParallel(model, ids, broadcast_buffers=False)
        self.use(Precision.FP32)

    def use(self, precision: Precision) -> None:
        """Compute in this precision from now on."""
        self.precision = precision
        self._scaler = torch.amp.GradScaler("cuda", enabled=precision is Precision.FP16)

    def begin_step(self) -> None:
        self._optimiser.zero_grad(set_to_none=True)

    def add(self, pixels: Array, targets: Targets, photos: int, is_last: bool) -> NDArray[np.float64]:
        """Add the gradient of a small batch [B, 3, s, s]; returns (sum of cross-entropies, how many right).

        The step has `photos` photos in all processes together. Fewer `targets` than pixels: the others do not count.
        Gradients are exchanged once a step, with its last small batch. Raises HostLost.
        """
        waits = self._group.size > 1 and not is_last
        with self._together.no_sync() if waits else contextlib.nullcontext():  # type: ignore[operator]
            try:
                return self._gradient(self._placed(pixels), torch.from_numpy(targets).to(self._device), photos)
            except RuntimeError as error:
                if self._group.size > 1 and any(word in str(error) for word in ("gloo", "NCCL")):
                    raise HostLost(
                        "Another process of this run is gone: see its own log for why, then start the run again, "
                        "which goes on from the last checkpoint."
                    ) from error
                raise

    def _gradient(self, pixels: Tensor, targets: Tensor, photos: int) -> NDArray[np.float64]:
        reduced = self.precision is not Precision.FP32
        with torch.autocast(self._device.type, dtype=self.precision.dtype, enabled=reduced):
            all_scores = self._together(pixels)
        scores = all_scores[: len(targets)]
        losses = functional.cross_entropy(scores, targets, reduction="none", label_smoothing=self._smoothing)
        if self._class_weights is not None:
            losses = losses * self._class_weights[targets]
        # DistributedDataParallel takes the mean over the processes; what is wanted is the mean over the photos.
        loss = (losses.sum() + 0.0 * all_scores.sum()) * (self._group.size / photos)
        self._scaler.scale(loss).backward()
        with torch.no_grad():
            plain = functional.cross_entropy(scores, targets, reduction="sum")
            right = (scores.argmax(dim=1) == targets).sum()
        return np.array([plain.item(), right.item()])

    def end_step(self, learning_rate: float) -> bool:
        """Clip what was added up and take the step; False, and no step, when the gradient is no number."""
        for group in self._optimiser.param_groups:
            group["lr"] = learning_rate
        self._scaler.unscale_(self._optimiser)
        norm = nn.utils.clip_grad_norm_(self._parameters.values(), self._clip)
        # In fp16 a gradient may overflow: the scaler leaves that step out and scales less from then on.
        if self.precision is not Precision.FP16 and not math.isfinite(norm.item()):
            return False
        self._scaler.step(self._optimiser)
        self._scaler.update()
        return True

    def scores(self, pixels: Array) -> Array:
        """[B, 3, s, s] → scores [B, C], in float32."""
        with torch.inference_mode():
            return np.asarray(self._model(self._placed(pixels)).cpu().numpy())

    def state(self) -> State:
        """What the next step depends on."""
        arrays = {f"now/{name}": value for name, value in self._model.arrays().items()}
        for name, parameter in self._parameters.items():
            if found := self._optimiser.state.get(parameter):
                arrays[f"first/{name}"] = found["exp_avg"].cpu().numpy().copy()
                arrays[f"second/{name}"] = found["exp_avg_sq"].cpu().numpy().copy()
                arrays[f"taken/{name}"] = found["step"].cpu().numpy().copy()
        return State(arrays, {"precision": str(self.precision), "scaler": self._scaler.state_dict()})

    def restore(self, state: State) -> None:
        self.use(Precision(state.facts["precision"]))
        if self._scaler.is_enabled():
            self._scaler.load_state_dict(dict(state.facts["scaler"]))
        self._model.put(named("now/", state.arrays))
        firsts, seconds, taken = (named(f"{kind}/", state.arrays) for kind in ("first", "second", "taken"))
        for name, parameter in self._parameters.items():
            if name in firsts:
                self._optimiser.state[parameter] = {
                    "step": torch.from_numpy(np.array(taken[name])),
                    "exp_avg": _like(parameter, firsts[name]),
                    "exp_avg_sq": _like(parameter, seconds[name]),
                }

    def _placed(self, pixels: Array) -> Tensor:
        return torch.from_numpy(pixels).to(self._device, memory_format=torch.channels_last)


def named(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin so, without that beginning."""
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}


def _like(parameter: nn.Parameter, value: NDArray[Any]) -> Tensor:
    """The values in the parameter's place and order of memory, as the optimiser itself would have made them."""
    return torch.empty_like(parameter, requires_grad=False).copy_(torch.from_numpy(np.array(value)))
