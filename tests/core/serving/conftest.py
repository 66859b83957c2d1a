import pytest

from tests.core.serving.account import Serving


@pytest.fixture
def serving(fake):
    return Serving(fake)
