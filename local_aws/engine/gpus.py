"""How busy this machine's NVIDIA GPUs are, asked of the driver's own library; none where there is none."""

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import Any

LIBRARY = "libnvidia-ml.so.1"


@dataclass(frozen=True)
class Gpu:
    """In percent of one card: how much of the time it computed, and its memory in use."""

    busy: float
    memory: float


class _Rates(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


def gpus() -> list[Gpu]:
    """Every card as it is now, whatever uses it; a card that cannot say how busy it is (a MIG slice) is left out."""
    library = _library()
    if library is None:
        return []
    count = ctypes.c_uint()
    if library.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
        return []
    found = []
    for index in range(count.value):
        card, rates, memory = ctypes.c_void_p(), _Rates(), _Memory()
        if (
            library.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(card)) == 0
            and library.nvmlDeviceGetUtilizationRates(card, ctypes.byref(rates)) == 0
            and library.nvmlDeviceGetMemoryInfo(card, ctypes.byref(memory)) == 0
            and memory.total
        ):
            found.append(Gpu(float(rates.gpu), 100 * memory.used / memory.total))
    return found


@cache
def _library() -> Any:
    """The driver's library, ready to be asked; None where there is no driver or it has no card."""
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        return None
    return library if library.nvmlInit_v2() == 0 else None
