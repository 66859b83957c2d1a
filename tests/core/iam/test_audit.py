"""The audit's command line and the files it reads."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dashboard.core.errors import InvalidInput
from dashboard.core.iam.audit import main
from dashboard.core.iam.findings import audit
from dashboard.core.iam.judge import export
from dashboard.core.iam.judge.audited import subject
from tests.core.iam.accounts import NOW, allow, attached, details, document, managed, role

GOOD = document(allow("s3:GetObject", "arn:aws:s3:::a/*"))
RISKY = details(
    [
        role(document(allow("s3:*")), name="risky"),
        role(GOOD, name="good"),
        role(GOOD, AttachedManagedPolicies=attached("m")),
    ],
    [managed("m", document(allow("iam:PassRole")))],
)


@pytest.fixture
def account(tmp_path: Path) -> Path:
    file = tmp_path / "account.json"
    file.write_text(json.dumps(RISKY))
    return file


def told(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(arguments, now=NOW)
    out, err = capsys.readouterr()
    return code, out, err


def test_for_a_program_it_prints_a_list_of_findings(account: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dashboard.core.iam.audit", str(account), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert {"role", "kind", "severity", "policy", "statement", "reason", "attack", "fix"} <= set(found[0])
    assert {(one["role"], one["kind"], one["policy"]) for one in found} == {
        ("risky", "full-access", "p0"),
        ("subject", "pass-role", "m"),
    }
    assert found[0]["statement"] == allow("s3:*")


def test_an_audit_that_takes_long_says_how_far_it_is(account: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seconds = iter(range(0, 1000, 3))
    assert main([str(account), "--json"], now=NOW, clock=lambda: float(next(seconds))) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)
    assert err == "2 of 3 roles are judged.\n"


def test_for_a_person_it_says_where_why_and_what_to_do(account: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(str(account), capsys=capsys)
    assert (code, err) == (0, "")
    assert "risky\n  HIGH      full-access · p0, statement 1" in out
    assert "risk: whoever works as this role" in out and "fix: " in out
    assert "3 roles, 1 without a finding. Found: 2 high." in out and "Score: 71 of 100 (the findings" in out
    assert max(map(len, out.splitlines())) <= 118


def test_nothing_found_is_said_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.json").write_text(json.dumps(details([role(GOOD)])))
    code, out, _ = told(str(tmp_path / "good.json"), "--fail-on", "low", capsys=capsys)
    assert code == 0 and out.startswith("1 role, 1 without a finding. Found: nothing.")
    assert told(str(tmp_path / "good.json"), "--json", capsys=capsys)[1].strip() == "[]"


def test_it_fails_on_what_it_is_asked_to_fail_on(account: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(str(account), "--fail-on", "high", capsys=capsys)[0] == 1
    assert told(str(account), "--fail-on", "critical", capsys=capsys)[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing.json"],
        [],
        ["--fail-on", "bad", "x"],
        ["x", "--unused-days", "many"],
        ["x", "--unused-days", "0"],
        ["."],
    ],
)
def test_a_command_that_makes_no_sense_says_why(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(*arguments, capsys=capsys)
    assert (code, out) == (2, "") and err and "Traceback" not in err


@pytest.mark.parametrize(
    "content",
    [b"", b"  \n", b"{", b"not json", b"\xff\xfe\x00", b"\x89PNG\r\n", b"[]", b"[1]", b'"text"', b'{"Roles": []}',
     b'{"UserDetailList": []}', b'{"RoleDetailList": "x"}', b"[" * 50_000, b'{"a":' * 50_000],
)  # fmt: skip
def test_a_file_that_is_no_such_answer_is_refused_with_its_reason(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        export.read(content, "account.json")


@pytest.mark.parametrize(
    "written",
    [
        lambda pages: json.dumps(pages),
        lambda pages: "\n".join(json.dumps(page) for page in pages),
        lambda pages: "".join(json.dumps(page, indent=4) for page in pages),
        lambda pages: "\ufeff" + json.dumps(pages),
    ],
    ids=["a list", "a line each", "one after the other", "with a byte order mark"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_pages_are_read_in_the_forms_in_which_people_have_them(written: Any, encoding: str) -> None:
    first = {**details(RISKY["RoleDetailList"]), "IsTruncated": True, "Marker": "m"}
    second = {**details([], RISKY["Policies"]), "IsTruncated": False}
    found = export.read(written([first, second]).encode(encoding))
    assert len(found.details["RoleDetailList"]) == 3 and len(found.details["Policies"]) == 1
    assert found.partial == ()


def test_several_files_are_one_account(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "1.json").write_text(json.dumps({**details(RISKY["RoleDetailList"]), "IsTruncated": True}))
    (tmp_path / "2.json").write_text(json.dumps(details([], RISKY["Policies"])))
    code, out, err = told(str(tmp_path / "1.json"), str(tmp_path / "2.json"), "--json", capsys=capsys)
    assert code == 0 and err == ""
    assert "pass-role" in {one["kind"] for one in json.loads(out)}


def test_what_makes_an_audit_partial_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "1.json").write_text(json.dumps({**details(RISKY["RoleDetailList"]), "NextToken": "more"}))
    code, out, err = told(str(tmp_path / "1.json"), "--json", capsys=capsys)
    assert code == 0
    assert "more follow" in err and "no policy is in it" not in err  # they may be on the pages that follow
    assert [one["reason"] for one in json.loads(out) if one["kind"] == "unknown" and not one["role"]]
    unfinished = audit({**details([]), "IsTruncated": True}, now=NOW)
    assert [subject(one) for one in unfinished] == ["the account"]


def test_an_export_without_its_policies_is_partial(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "roles.json").write_text(json.dumps(details(RISKY["RoleDetailList"])))
    assert "no policy is in it" in told(str(tmp_path / "roles.json"), capsys=capsys)[2]


def test_a_file_without_anything_to_judge_has_no_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.json").write_text(json.dumps(details([])))
    out = told(str(tmp_path / "empty.json"), capsys=capsys)[1]
    assert "There is no score" in out and "100 of 100" not in out


def test_documents_in_an_export_may_be_url_encoded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    encoded = quote(json.dumps(document(allow("s3:*"))))
    (tmp_path / "1.json").write_text(json.dumps(details([role(encoded)])))
    _, out, _ = told(str(tmp_path / "1.json"), "--json", capsys=capsys)
    assert [one["kind"] for one in json.loads(out)] == ["full-access"]
