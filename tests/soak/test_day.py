"""A short day of use under kill -9, with one seed; `python -m tests.soak` lives longer ones with many."""

from pathlib import Path

from tests.soak.day import live


def test_nothing_that_was_acknowledged_is_lost_when_the_embedded_aws_is_killed(tmp_path: Path) -> None:
    told = live(tmp_path / "aws", 8, kills=3, longest=1.0)
    assert told.kills == 3
    assert told.acknowledged >= 3
    assert told.looked_up >= told.acknowledged
