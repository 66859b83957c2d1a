"""Rollback records are there before anything is changed, and nobody changes one role twice at once."""

import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.core.errors import Refused, ServiceFault
from dashboard.core.iam.replace.records import STALE, Outcome, Record, Records, What
from dashboard.core.iam.replace.standing import Attached, Standing
from tests.core.iam.role_world import LEAST, trust

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
ARN = "arn:aws:iam::1:role/dögs"
LIMIT = Attached("Limit", "arn:aws:iam::1:policy/Limit", "v3", LEAST)
ROLE = Standing("dögs", ARN, "/", "ID", trust("ec2.amazonaws.com"), (LIMIT,), {"In": LEAST}, LIMIT, {"a": "b"},
                "said", 7200, AT, ("p",))  # fmt: skip


def record(**changes):
    made = {"id": "", "account": "1", "target": ARN, "what": What.CHANGE, "outcome": Outcome.UNDER_WAY, "at": AT}
    return Record(**(made | {"before": ROLE, "after": replace(ROLE, boundary=None)} | changes))


@pytest.fixture
def records(tmp_path):
    return Records(tmp_path / "home" / "changes.sqlite")


def test_a_record_comes_back_as_it_was_written(records):
    kept = records.begin(record(made=("arn:p",), mark="m", more={"moves": [{"function": "f"}]}))
    assert records.get("1", kept.id) == kept and kept.before.digest == ROLE.digest
    assert records.get("2", kept.id) is None, "accounts are apart"
    assert Record.of_export(kept.as_export()) == kept


def test_one_change_of_a_role_at_a_time(records):
    kept = records.begin(record())
    with pytest.raises(Refused, match="being changed already"):
        records.begin(record(at=AT + timedelta(minutes=1)))
    records.begin(record(target=ARN + "-other"))
    with pytest.raises(Refused, match="being changed already"):
        records.begin(record(at=AT + timedelta(hours=1)))
    ended = subprocess.Popen(["true"])
    ended.wait()
    records.save(replace(kept, process=f"{ended.pid}-0badbeef"), AT)
    with pytest.raises(Refused, match="was cut off"):
        records.begin(record(at=AT + timedelta(minutes=1)))
    records.save(replace(kept, outcome=Outcome.UNDONE), AT)
    assert records.begin(record(at=AT + timedelta(hours=1))).id != kept.id


def test_the_newest_change_comes_first(records):
    for minute in (0, 2, 1):
        kept = records.begin(record(at=AT + timedelta(minutes=minute)))
        records.save(replace(kept, outcome=Outcome.DONE))
    assert [one.at.minute for one in records.of("1", ARN)] == [2, 1, 0] == [one.at.minute for one in records.all("1")]


def test_a_file_that_is_no_database_stops_every_change_and_is_named(tmp_path):
    broken = tmp_path / "changes.sqlite"
    broken.write_text("this is no database, and long enough to be taken for none")
    with pytest.raises(ServiceFault, match="without a record nothing is changed"):
        Records(broken).begin(record())
    folder = tmp_path / "file"
    folder.write_text("")
    with pytest.raises(ServiceFault):
        Records(folder / "changes.sqlite").begin(record())


def test_a_change_is_cut_off_when_its_process_ended_and_not_because_it_takes_long(records):
    kept = records.begin(record())
    later = AT + timedelta(days=1)
    assert not kept.is_cut_off(later), "an endpoint takes its time"
    assert not records.save(replace(kept, outcome=Outcome.DONE), AT).is_cut_off(later)
    assert replace(kept, process=f"{os.getpid()}-0badbeef").is_cut_off(AT), "an earlier process of the same number"
    unknown = replace(kept, process="")
    assert not unknown.is_cut_off(AT + STALE) and unknown.is_cut_off(AT + STALE + timedelta(seconds=1))
