"""The head's matrix products stay in one thread, and other people's threads stay as they were."""

import numpy as np
import pytest

from tests.training.test_head import FULL, blobs, run, same_bits
from training import blas
from training.blas import one_thread, threads


@pytest.fixture(autouse=True)
def _needs_openblas() -> None:
    if threads() is None:
        pytest.skip("numpy stands on another library than OpenBLAS here")


def test_inside_there_is_one_thread_and_outside_as_many_as_before() -> None:
    before = threads()
    with one_thread():
        assert threads() == 1
        with one_thread():
            assert threads() == 1
        assert threads() == 1
    assert threads() == before
    with pytest.raises(ZeroDivisionError), one_thread():
        raise ZeroDivisionError
    assert threads() == before


def test_the_head_learns_in_one_thread_and_so_gives_the_same_bits_on_any_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = blas._openblas()
    assert found is not None
    get, set_ = found
    before, seen, heads = get(), [], []
    try:
        for several in (1, 2, 3):
            set_(several)
            heads.append(run(FULL, blobs(100, 1), on_epoch=lambda epoch, state: seen.append(get())).head)
            assert get() == several
    finally:
        set_(before)
    assert set(seen) == {1}
    assert all(same_bits(head, heads[0]) for head in heads)


def test_without_openblas_everything_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "_openblas", lambda: None)
    with one_thread():
        assert np.array_equal(np.eye(3) @ np.eye(3), np.eye(3))
    assert threads() is None
