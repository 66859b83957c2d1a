import ast
import pickle
from pathlib import Path

import pytest

from dashboard.core import errors, serving
from dashboard.core.errors import AccessDenied, InvalidInput, KennelError, NotFound, Throttled


def test_an_error_says_what_why_and_what_to_do():
    error = NotFound("there is no run named dogs", "it was deleted", "choose another")
    assert str(error) == "there is no run named dogs · it was deleted · choose another"
    assert (error.what, error.why, error.next_step) == (
        "there is no run named dogs",
        "it was deleted",
        "choose another",
    )


def test_parts_that_are_not_there_leave_no_dots():
    assert str(NotFound("gone")) == "gone"
    assert str(NotFound("gone", next_step="look again")) == "gone · look again"


def test_denied_carries_the_statement_to_ask_for():
    error = AccessDenied("no", action="sagemaker:CreateTrainingJob", resource="arn:aws:sagemaker:::x")
    assert error.statement == {
        "Effect": "Allow",
        "Action": "sagemaker:CreateTrainingJob",
        "Resource": "arn:aws:sagemaker:::x",
    }
    assert AccessDenied("no", action="s3:ListAllMyBuckets").statement["Resource"] == "*"


def test_only_what_may_pass_by_itself_is_temporary():
    assert Throttled("slow").is_temporary
    assert not InvalidInput("bad").is_temporary


@pytest.mark.parametrize(
    "error", [InvalidInput("a", "b", "c", field="epochs"), AccessDenied("a", "b", "c", action="s3:GetObject")]
)
def test_errors_survive_a_cache_that_copies_them(error: KennelError):
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own, a line above
    assert (str(copy), vars(copy)) == (str(error), vars(error))


def test_no_error_about_what_serves_begins_with_its_name():
    """Pages begin a sentence with a capital letter: the endpoint "rt" would be told as "Rt", which is another one."""
    found = []
    for file in Path(serving.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or not call.args:
                continue
            kind, what = getattr(errors, call.func.id, None), call.args[0]
            if isinstance(kind, type) and issubclass(kind, KennelError) and isinstance(what, ast.JoinedStr):
                first = what.values[0]
                if isinstance(first, ast.FormattedValue) and ast.unparse(first.value).endswith(("name", "endpoint")):
                    found.append(f"{file.name}:{what.lineno}")
    assert found == []
