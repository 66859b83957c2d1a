"""A deed on a real connection: what is written down before, with and after its calls, whatever becomes of it."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboard.core import noting
from dashboard.core.aws import Aws, connect
from dashboard.core.errors import InvalidInput, NotFound, ReadOnly, ServiceFault
from dashboard.core.noting import Sent
from dashboard.core.parallel import gather
from dashboard.core.trail import recent, scribe, undo
from dashboard.core.trail.book import Book
from dashboard.core.trail.model import Deed, Result
from dashboard.core.trail.read import deed, deeds
from tests.conftest import ROOT, Embedded

ACCOUNT = "123456789012"
LIMIT = {"Amount": "10", "Unit": "USD"}


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "activity.sqlite")


@pytest.fixture(scope="module")
def aws(embedded: Embedded) -> Aws:
    return connect({"KENNEL_HOME": str(embedded.state.parent)} | home(embedded))


def home(embedded: Embedded) -> dict[str, str]:
    """A home that points at the running embedded AWS, wherever its own state lies."""
    place = embedded.state.parent / "home-of-trail"
    (place / "aws").mkdir(parents=True, exist_ok=True)
    client = place / "aws" / "client.json"
    if not client.exists():
        client.write_bytes((embedded.state / "client.json").read_bytes())
    return {"KENNEL_HOME": str(place)}


def begun(book: Book, aws: Aws | None, what: str = "Set budget", **more: object) -> scribe.Scribe:
    return scribe.begin(book, what, "ann@example.com", aws.account if aws else None, **more)


def only(book: Book) -> Deed:
    (found,) = deeds(book)
    return found


def do(book: Book, aws: Aws, what: str, *calls: tuple[str, str, dict[str, object]]) -> Deed:
    """Carry calls out as one deed; the deed as it is read again."""
    one = begun(book, aws, what)
    with noting.under(one):
        for service, operation, asked in calls:
            aws.call(service, operation, **asked)
    one.said("done")
    one.release()
    found = deed(book, one.deed)
    assert found is not None
    return found


def budget(name: str, amount: str = "10") -> dict[str, object]:
    limit = {"Amount": amount, "Unit": "USD"}
    return {"BudgetName": name, "BudgetLimit": limit, "TimeUnit": "MONTHLY", "BudgetType": "COST"}


def create(name: str, amount: str = "10") -> tuple[str, str, dict[str, object]]:
    return "budgets", "CreateBudget", {"AccountId": ACCOUNT, "Budget": budget(name, amount)}


def change(name: str, amount: str) -> tuple[str, str, dict[str, object]]:
    return "budgets", "UpdateBudget", {"AccountId": ACCOUNT, "NewBudget": budget(name, amount)}


def amount(aws: Aws, name: str) -> float:
    told = aws.call("budgets", "DescribeBudget", AccountId=ACCOUNT, BudgetName=name)["Budget"]
    return float(told["BudgetLimit"]["Amount"])


# --- what is written ---------------------------------------------------------------------------------------------


def test_a_deed_says_who_did_what_where_with_which_calls(book: Book, aws: Aws) -> None:
    one = begun(book, aws, plan=["Goes: nothing", "Costs: $0"])
    with noting.under(one):
        aws.call("budgets", "DescribeBudgets", AccountId=ACCOUNT)  # changes nothing: not of the deed
        service, operation, asked = create("written")
        aws.call(service, operation, **asked)
    one.said("written is set")
    one.release()
    found = only(book)
    assert (found.what, found.who, found.plan) == ("Set budget", "ann@example.com", ("Goes: nothing", "Costs: $0"))
    assert found.place is not None and found.place.words == f"{ACCOUNT} in us-east-1 (embedded)"
    assert (found.result, found.said) == (Result.DONE, "written is set")
    (call,) = found.calls
    assert (call.service, call.operation, call.outcome) == ("budgets", "CreateBudget", "200")
    assert call.parameters == asked
    assert len(call.request_id) > 8
    assert "budgets.create_budget(" in found.code
    assert book.check().broken == ""


def test_what_aws_refused_is_told_with_its_code(book: Book, aws: Aws) -> None:
    one = begun(book, aws)
    with pytest.raises(NotFound) as refused, noting.under(one):
        aws.call("budgets", "DeleteBudget", AccountId=ACCOUNT, BudgetName="absent")
    one.release(refused.value)
    found = only(book)
    assert found.result is Result.FAILED
    assert found.calls[0].code == "NotFoundException"
    assert found.said == refused.value.what


def test_what_never_reached_aws_is_told_too(book: Book, aws: Aws) -> None:
    from dataclasses import replace

    gone = Aws(replace(aws.account, endpoint_url="http://127.0.0.1:1"), aws._session)
    one = begun(book, aws)
    with pytest.raises(Exception, match="answer"), noting.under(one):
        gone.trying_once().call("budgets", "DeleteBudget", AccountId=ACCOUNT, BudgetName="absent")
    one.release(ServiceFault("x"))
    (call,) = only(book).calls
    assert (call.status, call.is_accepted) == (None, False)
    assert call.outcome == "no answer (EndpointConnectionError)"


def test_a_call_that_nobody_lived_to_hear_the_answer_of(book: Book, aws: Aws) -> None:
    one = begun(book, aws)
    one.sending(aws, Sent("sagemaker", "DeleteEndpoint", {"EndpointName": "demo"}))
    (call,) = only(book).calls
    assert (call.is_accepted, call.outcome) == (False, "no answer was written down")
    one.release()


def test_reads_that_are_paid_for_are_noted(book: Book, aws: Aws) -> None:
    one = begun(book, aws, "Ask for the bill")
    period = {"Start": "2026-11-01", "End": "2026-11-20"}
    with noting.under(one):
        aws.call("ce", "GetCostAndUsage", TimePeriod=period, Granularity="MONTHLY", Metrics=["UnblendedCost"])
    one.release()
    assert [call.operation for call in only(book).calls] == ["GetCostAndUsage"]


def test_what_happened_and_could_not_be_written_down_is_told(
    book: Book, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = begun(book, aws)
    add = book.add

    def no_end(deed: str, kind: str, *more: object) -> None:
        if kind == "ended":
            raise ServiceFault("the disk is full")
        add(deed, kind, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(book, "add", no_end)
    one.release()
    assert one.is_lost
    assert only(book).result is Result.UNKNOWN


def test_a_read_only_account_is_sent_nothing_and_nothing_is_noted(book: Book, aws: Aws) -> None:
    from dataclasses import replace

    reading = Aws(replace(aws.account, writable=False), aws._session)
    one = begun(book, aws)
    with pytest.raises(ReadOnly), noting.under(one):
        reading.call("budgets", "DeleteBudget", AccountId=ACCOUNT, BudgetName="x")
    one.release()
    assert only(book).calls == ()


def test_what_cannot_be_written_down_is_not_sent(book: Book, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    one = begun(book, aws)

    def full(*_: object) -> None:
        raise ServiceFault("nothing was done", "the disk is full")

    monkeypatch.setattr(book, "add", full)
    with pytest.raises(ServiceFault, match="disk is full"), noting.under(one):
        aws.call("budgets", "CreateBudget", AccountId=ACCOUNT, Budget=budget("unwritten"))
    with pytest.raises(ServiceFault):
        begun(book, aws, "another")
    with pytest.raises(NotFound):
        amount(aws, "unwritten")


def test_calls_of_other_threads_belong_to_the_deed_that_they_are_of(book: Book, aws: Aws) -> None:
    one = begun(book, aws)
    with noting.under(one):
        gather(lambda name: aws.call("budgets", "CreateBudget", AccountId=ACCOUNT, Budget=budget(name)), ["ga", "gb"])
    aws.call("budgets", "CreateBudget", AccountId=ACCOUNT, Budget=budget("of-nobody"))
    one.release()
    told = sorted(call.parameters["Budget"]["BudgetName"] for call in only(book).calls)
    assert told == ["ga", "gb"]


def test_a_deed_that_goes_on_in_the_background_is_over_when_that_is(book: Book, aws: Aws) -> None:
    one, may_go_on = begun(book, aws), threading.Event()

    def work() -> None:
        may_go_on.wait(30)
        aws.call("budgets", "CreateBudget", AccountId=ACCOUNT, Budget=budget("later"))
        noting.failed(InvalidInput("half of it was wrong"))

    with noting.under(one):
        thread = threading.Thread(target=noting.going_on(work))
        thread.start()
    one.release()
    assert only(book).result is Result.UNDER_WAY
    one.said("Begun: look at its page")
    may_go_on.set()
    thread.join(30)
    found = only(book)
    assert (found.result, found.said, len(found.calls)) == (Result.FAILED, "half of it was wrong", 1)


def test_what_came_of_it_in_the_background_is_what_is_told(book: Book, aws: Aws) -> None:
    one = begun(book, aws)
    with noting.under(one):
        work = noting.going_on(lambda: noting.came("3 photos were sent"))
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    one.said("Begun: look at its page")  # said after it, though it is older
    one.release()
    assert only(book).said == "3 photos were sent"


def test_many_calls_are_counted_beyond_the_first_ones(book: Book, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribe, "MOST_CALLS", 2)
    found = do(book, aws, "Send many", *[create(f"many-{number}") for number in range(4)])
    assert len(found.calls) == 2
    assert found.more == {"budgets CreateBudget": 2}
    assert "more calls" in undo.why_not(found)


def test_of_calls_that_are_alike_the_first_ones_are_enough_and_refusals_are_counted(
    book: Book, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe, "MOST_ALIKE", 1)
    one = begun(book, aws)
    with noting.under(one):
        for name in ("a", "b", "c"):
            with pytest.raises(NotFound):
                aws.call("budgets", "DeleteBudget", AccountId=ACCOUNT, BudgetName=f"alike-{name}")
        service, operation, asked = create("alike")
        aws.call(service, operation, **asked)
    one.release()
    found = only(book)
    assert [call.operation for call in found.calls] == ["DeleteBudget", "CreateBudget"]
    assert found.more == {"budgets DeleteBudget": 2, "budgets DeleteBudget answered NotFoundException": 2}


def test_after_kill_9_a_deed_says_that_its_end_is_unknown(book: Book, tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom dashboard.core.trail import scribe\n"
        "from dashboard.core.trail.book import Book\n"
        f"scribe.begin(Book(Path({str(book.file)!r})), 'Delete endpoint', 'ann', None)\n"
        "print('begun', flush=True)\ntime.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "begun"
    assert only(book).result is Result.UNDER_WAY
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    found = only(book)
    assert (found.result, found.what, found.ended) == (Result.UNKNOWN, "Delete endpoint", None)
    assert "nobody knows how it ended" in undo.why_not(found)
    assert book.check().broken == ""


def test_recent_tells_of_one_account_and_of_this_machine(book: Book, aws: Aws) -> None:
    from dataclasses import replace

    begun(book, aws, "here").release()
    begun(book, None, "on this machine").release()
    scribe.begin(book, "elsewhere", "bob", replace(aws.account, account_id="210987654321")).release()
    assert [one.what for one in recent(ACCOUNT, 5, book)] == ["on this machine", "here"]
    assert [one.what for one in recent(ACCOUNT, 1, book)] == ["on this machine"]


def test_what_is_over_is_read_once(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(book, None, "over").release()
    scribe.begin(book, "goes on", "ann", None)
    known: dict[str, Deed] = {}
    assert [one.what for one in deeds(book, known=known)] == ["goes on", "over"]
    asked: list[list[str]] = []
    of = book.of
    monkeypatch.setattr(book, "of", lambda names: of(asked.append(list(names)) or asked[-1]))
    begun(book, None, "new").release()
    assert [one.what for one in deeds(book, known=known)] == ["new", "goes on", "over"]
    assert [len(names) for names in asked] == [2]


def test_no_secret_reaches_the_file(book: Book, aws: Aws) -> None:
    one = begun(book, aws, "Set password=hunter2-hunter2", plan=["Address: https://u:hunter2-hunter2@example.com"])
    with pytest.raises(NotFound), noting.under(one):
        asked = {"FunctionName": "absent", "Environment": {"Variables": {"KEY": "hunter2-hunter2"}}}
        aws.call("lambda", "UpdateFunctionConfiguration", **asked)
    one.said("token=hunter2-hunter2")
    one.release(InvalidInput("secret: hunter2-hunter2"))
    everything = json.dumps([row.told for row in book.of([one.deed])])
    assert "hunter2" not in everything
    assert "UpdateFunctionConfiguration" in everything


# --- undo --------------------------------------------------------------------------------------------------------


def test_a_change_is_taken_back_and_that_is_a_deed_too(book: Book, aws: Aws) -> None:
    aws.call("budgets", "CreateBudget", AccountId=ACCOUNT, Budget=budget("undone", "10"))
    done = do(book, aws, "Set undone to $25", change("undone", "25"))
    planned = undo.plan(aws, done)
    assert [call.operation for call in planned.calls] == ["UpdateBudget"]
    assert "10" in planned.calls[0].does
    one = begun(book, aws, "Undo: Set undone to $25", undoes=done.id)
    with noting.under(one):
        undo.apply(aws, planned)
    one.release()
    assert amount(aws, "undone") == 10
    back, first = deeds(book)
    assert (first.undone_by, back.undoes) == ((back.id,), first.id)
    again = undo.plan(aws, back)  # an undo is taken back as anything else
    redo = begun(book, aws, "Undo: Undo", undoes=back.id)
    undo.apply(aws, again)
    undo.apply(aws, again)
    redo.release()
    assert amount(aws, "undone") == 25
    assert [one.is_undone for one in deeds(book)] == [False, True, False]
    assert [deed(book, one.id) for one in deeds(book)] == list(deeds(book))


def test_what_was_made_is_removed_again(book: Book, aws: Aws) -> None:
    done = do(book, aws, "Set budget", create("made"))
    assert undo.apply(aws, undo.plan(aws, done)) == "Undone: Set budget"
    with pytest.raises(NotFound):
        amount(aws, "made")


def test_several_changes_of_one_thing_go_back_to_the_first(book: Book, aws: Aws) -> None:
    aws.call("budgets", "CreateBudget", AccountId=ACCOUNT, Budget=budget("steps", "1"))
    done = do(book, aws, "Raise it twice", change("steps", "2"), change("steps", "3"))
    planned = undo.plan(aws, done)
    undo.apply(aws, planned)
    undo.apply(aws, planned)
    assert amount(aws, "steps") == 1


def test_nothing_is_offered_once_somebody_changed_it(book: Book, aws: Aws) -> None:
    done = do(book, aws, "Set budget", create("touched"))
    planned = undo.plan(aws, done)
    aws.call("budgets", "UpdateBudget", AccountId=ACCOUNT, NewBudget=budget("touched", "99"))
    offered, why = undo.offered(aws, done)
    assert offered is None
    assert "somebody changed it since" in why
    with pytest.raises(Exception, match="is another by now"):
        undo.apply(aws, planned)  # confirmed a moment too late
    assert amount(aws, "touched") == 99


def test_it_is_undone_where_it_was_done(book: Book, aws: Aws) -> None:
    done = do(book, aws, "Set budget", create("placed"))
    offered, why = undo.offered(aws.in_region("eu-west-1"), done)
    assert offered is None
    assert f"it was done in {ACCOUNT} in us-east-1" in why


def test_a_mark_that_was_set_is_taken_off(book: Book, aws: Aws) -> None:
    name = aws.call("sagemaker", "CreateModelPackageGroup", ModelPackageGroupName="marked")
    arn = name["ModelPackageGroupArn"]
    aws.call("sagemaker", "AddTags", ResourceArn=arn, Tags=[{"Key": "owner", "Value": "ann"}])
    marks = [{"Key": "owner", "Value": "bob"}, {"Key": "project", "Value": "dogs"}]
    done = do(book, aws, "Keep it", ("sagemaker", "AddTags", {"ResourceArn": arn, "Tags": marks}))
    undo.apply(aws, undo.plan(aws, done))
    told = aws.call("sagemaker", "ListTags", ResourceArn=arn)["Tags"]
    assert told == [{"Key": "owner", "Value": "ann"}]


def test_what_has_no_way_back_says_so(book: Book, aws: Aws) -> None:
    aws.call("sagemaker", "CreateModelPackageGroup", ModelPackageGroupName="gone")
    gone = ("sagemaker", "DeleteModelPackageGroup", {"ModelPackageGroupName": "gone"})
    done = do(book, aws, "Delete it", gone)
    assert undo.why_not(done) == "what sagemaker DeleteModelPackageGroup did cannot be taken back"
    assert undo.why_not(do(book, aws, "Nothing")) == "it changed nothing in an account"


def test_moments_are_utc(book: Book, aws: Aws) -> None:
    before = datetime.now(UTC)
    found = do(book, aws, "Now")
    assert abs((found.at - before).total_seconds()) < 60
    assert found.seconds is not None and found.seconds >= 0
