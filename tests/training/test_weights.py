"""Reading the packaged weights without torch, with torch as the oracle."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from training.weights import packaged_weights, weights_file


def test_the_weights_are_those_that_torch_reads() -> None:
    expected = torch.load(weights_file(), map_location="cpu", weights_only=True)
    found = packaged_weights()
    assert found.keys() == expected.keys()
    for name, value in found.items():
        assert value.dtype == expected[name].numpy().dtype
        assert np.array_equal(value, expected[name].numpy())


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    whole = weights_file().read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="ends early"):
        packaged_weights(tmp_path / "cut.pth")


def test_a_file_that_would_run_something_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ValueError, match="it holds"):
        packaged_weights(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.pth").write_bytes(pickle.dumps(1) + pickle.dumps(2) + pickle.dumps({}))
    with pytest.raises(ValueError, match="magic number"):
        packaged_weights(tmp_path / "other.pth")
