"""The verification against an account: here an embedded AWS behind a profile, which Kennel takes for a real one."""

import signal
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dashboard.core.aws import Aws, connect_profile
from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import Refused, ServiceFault
from dashboard.verify import budget, command
from dashboard.verify.made import Kind, Made, Thing
from dashboard.verify.record import Record, Recorder
from dashboard.verify.steps import Verification
from tests.conftest import Embedded, start_embedded, stop_embedded

BOOK = PriceBook.load()
ID = "123456789012"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    running = start_embedded(tmp_path_factory.mktemp("account"))
    yield running
    stop_embedded(running)


@pytest.fixture
def aws(server: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """The account, by a profile whose configuration says where it is."""
    (tmp_path / "config").write_text(f"[profile work]\nregion = us-east-1\nendpoint_url = {server.endpoint_url}\n")
    (tmp_path / "credentials").write_text(
        f"[work]\naws_access_key_id = {server.access_key_id}\naws_secret_access_key = {server.secret_access_key}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("KENNEL_HOME", str(tmp_path / "home"))
    found = connect_profile("work", writable=True)
    assert not found.account.is_embedded
    return found


def standing(server: Embedded) -> dict[str, list[str]]:
    """Everything of the account that a verification could have made."""

    def names(service: str, operation: str, listed: str, name: str, **asked: Any) -> list[str]:
        return sorted(one[name] for one in getattr(server.client(service), operation)(**asked)[listed])

    live = ["CREATE_COMPLETE", "CREATE_IN_PROGRESS", "DELETE_FAILED", "DELETE_IN_PROGRESS", "ROLLBACK_COMPLETE"]
    return {
        "buckets": names("s3", "list_buckets", "Buckets", "Name"),
        "roles": names("iam", "list_roles", "Roles", "RoleName"),
        "profiles": names("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
        "endpoints": names("sagemaker", "list_endpoints", "Endpoints", "EndpointName"),
        "configs": names("sagemaker", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
        "models": names("sagemaker", "list_models", "Models", "ModelName"),
        "trainings": names("sagemaker", "list_training_jobs", "TrainingJobSummaries", "TrainingJobName"),
        "functions": names("lambda", "list_functions", "Functions", "FunctionName"),
        "groups": names("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "schedules": names("scheduler", "list_schedules", "Schedules", "Name"),
        "stacks": names("cloudformation", "list_stacks", "StackSummaries", "StackName", StackStatusFilter=live),
    }


def test_everything_is_tried_what_differs_is_written_and_nothing_is_left(
    server: Embedded, aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = standing(server)
    planted = Record(
        errors={"iam get_role": "Planted (418)"}, states={"training": ["Starting", "Planted"]}, steps={"training": 9e9}
    )
    planted.save(tmp_path / "embedded.json")
    asked: list[str] = []
    made_unlisted = watched(aws, tmp_path / "home" / "verify")
    status = command.verify(aws, tmp_path / "embedded.json", ask=lambda words: asked.append(words) or ID, pause=0.1)
    said = capsys.readouterr().out
    assert status == command.OK, said
    assert asked == [f"Type the account's id ({ID}) to begin: "]
    assert standing(server) == before
    assert made_unlisted == [], "Ctrl-C after that call would leave it behind"
    (folder,) = (tmp_path / "home" / "verify").iterdir()
    told = (folder / "differences.md").read_text()
    assert "| iam get_role | NoSuchEntity (404) | Planted (418) |" in told
    assert "Starting → Downloading → Training → Uploading → Completed | Starting → Planted" in told
    assert "CREATE_IN_PROGRESS → CREATE_COMPLETE | none seen" in told
    kept = Record.load(folder / "account.json")
    assert {"sagemaker CreateTrainingJob", "sagemaker-runtime InvokeEndpoint", "lambda Invoke", "iam CreateRole",
            "cloudformation ExecuteChangeSet"} <= set(kept.calls)  # fmt: skip
    assert set(kept.steps) == {"set-up", "data", "training", "endpoint", "endpoint call", "function", "function call",
                               "audit", "error codes"}  # fmt: skip
    assert not [one for one in kept.errors if one.startswith("audit of")], "what was made is without a finding"
    assert Made.load(folder / "made.jsonl").things == []


def watched(aws: Aws, folder: Path) -> list[str]:
    """What is made before it stands on the list, of all that this connection makes from now on."""
    call, found = aws.call, list[str]()

    def does(service: str, operation: str, **asked: Any) -> dict[str, Any]:
        if operation in LISTED:
            (file,) = folder.glob("*/made.jsonl")
            listed = {(one.kind, one.name) for one in Made.load(file).things}
            kind, name = LISTED[operation](asked)
            if not any(kind is each and name.startswith(of) for each, of in listed):
                found.append(f"{operation} {name}")
        return call(service, operation, **asked)

    aws.call = does  # type: ignore[method-assign]
    return found


LISTED: dict[str, Callable[[dict[str, Any]], tuple[Kind, str]]] = {
    "ExecuteChangeSet": lambda asked: (Kind.STACK, asked["StackName"].rpartition(":stack/")[2]),
    "PutObject": lambda asked: (Kind.OBJECTS, f"s3://{asked['Bucket']}/{asked['Key']}"),
    "CreateTrainingJob": lambda asked: (Kind.TRAINING, asked["TrainingJobName"]),
    "CreateModel": lambda asked: (Kind.ENDPOINT, asked["ModelName"]),
    "CreateEndpointConfig": lambda asked: (Kind.ENDPOINT, asked["EndpointConfigName"]),
    "CreateEndpoint": lambda asked: (Kind.ENDPOINT, asked["EndpointName"]),
    "CreateRole": lambda asked: (Kind.FUNCTION, asked["RoleName"].removeprefix("kennel-lambda-")),
    "CreateLogGroup": lambda asked: (Kind.LOG_GROUP, asked["logGroupName"]),
    "CreateFunction": lambda asked: (Kind.FUNCTION, asked["FunctionName"]),
}
"""What each call makes, as the list names it."""


@pytest.mark.parametrize("operation", ["ExecuteChangeSet", "CreateTrainingJob"])
def test_ctrl_c_while_something_is_half_made_leaves_nothing(
    server: Embedded, aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str], operation: str
) -> None:
    before, call = standing(server), aws.call

    def does(service: str, name: str, **asked: Any) -> dict[str, Any]:
        answer = call(service, name, **asked)
        if name == operation:
            signal.raise_signal(signal.SIGINT)
        return answer

    aws.call = does  # type: ignore[method-assign]
    Record().save(tmp_path / "embedded.json")
    status = command.verify(aws, tmp_path / "embedded.json", ask=lambda words: ID, pause=0.1)
    said = capsys.readouterr().out
    assert "Not finished: it was stopped." in said
    assert "trying again" not in said
    assert (status, standing(server)) == (command.FAILED, before), said


def test_another_answer_than_the_accounts_id_begins_nothing(
    server: Embedded, aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = standing(server)
    assert command.verify(aws, tmp_path / "absent", ask=lambda words: "yes") == command.REFUSED
    said = capsys.readouterr().out
    assert f"This works in the account {ID}, us-east-1, as arn:aws:iam::{ID}:root, and costs money" in said
    assert "at most" in said and "Nothing was begun." in said
    assert standing(server) == before
    assert not (tmp_path / "home" / "verify").exists()


def test_a_profile_that_does_not_work_is_said(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--profile", "absent"]) == command.REFUSED
    assert "absent" in capsys.readouterr().out


def test_what_a_killed_one_left_is_deleted_by_its_list_in_that_account_only(
    server: Embedded, aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.client("s3").create_bucket(Bucket="left-behind")
    server.client("s3").put_object(Bucket="left-behind", Key="a", Body=b"a")
    made = Made.begin(tmp_path / "made.jsonl", ID, "us-east-1")
    made.add(Kind.BUCKET, "left-behind")
    made.add(Kind.ENDPOINT, "never-made")
    made.add(Kind.FUNCTION, "never-made")
    made.add(Kind.TRAINING, "never-made")
    other = Made.begin(tmp_path / "other.jsonl", "999999999999", "us-east-1")
    assert command.main(["--profile", "work", "--clean", str(other.file)]) == command.REFUSED
    assert "is of the account 999999999999" in capsys.readouterr().out
    assert command.main(["--profile", "work", "--clean", str(made.file)]) == command.OK
    assert "left-behind" not in standing(server)["buckets"]


class Steps(Verification):
    """A verification whose steps are a test's."""

    def __init__(self, aws: Aws, made: Made, does: Callable[[], None]) -> None:
        super().__init__(aws, "test", made, Recorder(), BOOK, lambda line: None)
        self.does = does

    def run(self) -> None:
        self.made.add(Kind.ENDPOINT, "e")
        self.does()


def interrupted() -> None:
    raise KeyboardInterrupt


def failing() -> None:
    raise ServiceFault("the endpoint does not serve", "no capacity", "try again")


def at_fault() -> None:
    raise LookupError("x")


def terminated() -> None:
    signal.raise_signal(signal.SIGTERM)
    threading.Event().wait(20)


def hung_up() -> None:
    signal.raise_signal(signal.SIGHUP)
    threading.Event().wait(20)


def waiting() -> None:
    threading.Event().wait(20)


@pytest.mark.parametrize(
    ("does", "longest", "words"),
    [
        (interrupted, 60, "Not finished: it was stopped."),
        (terminated, 60, "Not finished: it was stopped."),
        (hung_up, 60, "Not finished: it was stopped."),
        (waiting, 0.1, "Not finished: the time limit was reached."),
        (failing, 60, "Not finished: the endpoint does not serve"),
        (at_fault, 60, "Not finished: a fault in Kennel (LookupError: x)."),
    ],
)
def test_however_it_ends_what_was_made_is_deleted(
    aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str], does: Callable[[], None], longest: float, words: str
) -> None:
    made = Made.begin(tmp_path / "made.jsonl", ID, "us-east-1")
    gone: list[Thing] = []
    status = command.carried_out(Steps(aws, made, does), gone.append, tmp_path, Record(), longest)
    assert status == command.FAILED
    assert words in capsys.readouterr().out
    assert gone == [Thing(Kind.ENDPOINT, "e")]


def test_ctrl_c_while_deleting_is_answered_and_keeps_nothing(
    aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Made.begin(tmp_path / "made.jsonl", ID, "us-east-1")
    gone: list[Thing] = []

    def deleting(thing: Thing) -> None:
        signal.raise_signal(signal.SIGINT)
        gone.append(thing)

    assert command.carried_out(Steps(aws, made, lambda: None), deleting, tmp_path, Record()) == command.OK
    assert "Still deleting" in capsys.readouterr().out
    assert len(gone) == 1


@pytest.mark.parametrize("does", [interrupted, lambda: None])
def test_a_second_request_to_end_keeps_nothing_from_being_deleted_and_told(
    aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: Callable[[], None]
) -> None:
    """Also one that comes between the last step and the deletion."""
    made = Made.begin(tmp_path / "made.jsonl", ID, "us-east-1")
    gone: list[Thing] = []
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line.startswith(("Not finished", "deleting")):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(command, "_say", say)
    command.carried_out(Steps(aws, made, does), gone.append, tmp_path, Record())
    assert gone == [Thing(Kind.ENDPOINT, "e")]
    assert any("Still deleting" in line for line in said) and any("Written to" in line for line in said)


@pytest.mark.parametrize("nobody", [EOFError, KeyboardInterrupt])
def test_nothing_begins_where_nobody_types_the_id(
    aws: Aws, nobody: type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(words: str) -> str:
        raise nobody

    assert command.verify(aws, ask=ask) == command.REFUSED
    assert "Nothing was begun in the account." in capsys.readouterr().out


def test_what_could_not_be_deleted_is_listed_with_its_command(
    aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.verify.made.ATTEMPTS", 1)
    made = Made.begin(tmp_path / "made.jsonl", ID, "us-east-1")

    def deleting(thing: Thing) -> None:
        raise ServiceFault("it is in use", "", "")

    assert command.carried_out(Steps(aws, made, lambda: None), deleting, tmp_path, Record()) == command.LEFT
    said = capsys.readouterr().out
    assert "1 could not be deleted" in said
    assert "aws sagemaker delete-endpoint --endpoint-name e --profile work --region us-east-1" in said


def test_the_estimate_is_a_worst_case_below_the_cap() -> None:
    found = budget.estimate(BOOK, "us-east-1")
    assert Decimal("0.2") < found.amount < budget.CAP
    assert found.amount == sum(one.amount for one in found.parts)


@pytest.mark.parametrize("region", ["ap-east-9", "us-gov-nowhere-1"])
def test_a_region_without_prices_is_refused_before_anything_begins(region: str) -> None:
    with pytest.raises(Refused, match="is not known"):
        budget.estimate(BOOK, region)


def test_what_could_cost_more_than_the_cap_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "CAP", Decimal("0.10"))
    with pytest.raises(Refused, match=r"above the cap of \$0\.10"):
        budget.estimate(BOOK, "us-east-1")
