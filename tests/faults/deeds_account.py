"""What a person does with money, with what is wasted, with the account's set-up and with notebooks."""

from datetime import UTC, datetime, timedelta
from typing import Any

from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.bill.activate_tags import ActivationPlan
from dashboard.core.costs.bill.billed import Question as Billed
from dashboard.core.costs.receipt import Nature
from dashboard.core.costs.selection import By, Period, Selection
from dashboard.core.costs.waste.waste import Act, Evidence, Finding, Kind, Thing
from dashboard.core.notebooks.plan import Deed as NotebookDeed
from dashboard.core.setup import change
from dashboard.core.setup.change import Wish
from dashboard.core.setup.missing import Found, Standing
from dashboard.core.setup.pieces import Piece
from dashboard.ui import (
    billed,
    budget_dialog,
    notebook_change,
    notebook_create,
    notebook_panel,
    prices_refresh,
    setup_dialogs,
    setup_stack,
    waste_dialogs,
)
from dashboard.ui.confirm import Question
from tests.faults.deed import Deed, dialog, part, unopened
from tests.faults.stage import OPEN
from tests.faults.world import ACCOUNT, SPARE, TAGS, World, until

NOTEBOOK, LOGS = "kennel-notes", "/kennel/endless"


def _budgets(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.client("budgets").describe_budgets(AccountId=ACCOUNT).get("Budgets", [])
    return found


def _set_budget(aws: Aws, world: World) -> Question:
    selection = Selection(Nature.SIMULATED, _days())
    return budget_dialog.question(aws, state.ledger(aws).value, selection, state.budgets(aws).value.all)


def _delete_budget(aws: Aws, world: World) -> Question:
    return budget_dialog.delete_question(aws, state.budgets(aws).value.all[0])


def _bill(aws: Aws, world: World) -> Question:
    return billed._asking(aws, Billed(_days(), By.SERVICE), None)


def _days() -> Period:
    today = datetime.now(UTC).date()
    return Period(today - timedelta(days=5), today)


def _finding(thing: Thing, name: str, *acts: Act, wanted: int = 0) -> Finding:
    evidence = (Evidence("nobody asks it", "CloudWatch"),)
    return Finding(Kind.IDLE_ENDPOINT, thing, name, Nature.SIMULATED, evidence, acts=acts, wanted=wanted)


def waste(thing: Thing, act: Act, name: str, wanted: int = 0) -> Any:
    """The dialog of what can be done about a thing that is wasted."""
    return dialog(lambda aws, world: waste_dialogs.question(aws, _finding(thing, name, act, wanted=wanted), act))


def _addresses(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.client("ec2").describe_addresses()["Addresses"]
    return found


def _allocate(world: World) -> None:
    marks = [{"ResourceType": "elastic-ip", "Tags": TAGS[:1]}]
    world.client("ec2").allocate_address(Domain="vpc", TagSpecifications=marks)


def _release(aws: Aws, world: World) -> Question:
    found = _finding(Thing.ADDRESS, _addresses(world)[0]["AllocationId"], Act.DELETE)
    return waste_dialogs.question(aws, found, Act.DELETE)


def _schedules(world: World) -> int:
    return len(world.client("scheduler").list_schedules()["Schedules"])


def _expiry(world: World) -> int:
    arn = world.client("sagemaker").describe_endpoint(EndpointName=SPARE)["EndpointArn"]
    return sum(one["Key"] == "kennel:expires" for one in world.client("sagemaker").list_tags(ResourceArn=arn)["Tags"])


def _notebook(world: World) -> str:
    try:
        found = world.client("sagemaker").describe_notebook_instance(NotebookInstanceName=NOTEBOOK)
    except world.client("sagemaker").exceptions.ClientError:
        return ""
    return str(found["NotebookInstanceStatus"])


def _becomes(status: str) -> Any:
    return lambda world: until(lambda: _notebook(world) == status, f"the notebook is {status}")


def _larger(page: AppTest) -> None:
    page.number_input(key="change-volume").set_value(20).run()


def _volume(world: World) -> int:
    found = world.client("sagemaker").describe_notebook_instance(NotebookInstanceName=NOTEBOOK)
    return int(found["VolumeSizeInGB"] == 20)


def _at_rest(world: World) -> None:
    if _notebook(world) != "Stopped":
        _becomes("InService")(world)
        world.client("sagemaker").stop_notebook_instance(NotebookInstanceName=NOTEBOOK)
    _becomes("Stopped")(world)


def _stack(world: World) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = world.client("cloudformation").describe_stacks(StackName="kennel")["Stacks"]
    except world.client("cloudformation").exceptions.ClientError:
        return []
    return found


def _prepared(aws: Aws, world: World) -> Question:
    stack = state.setup_stack(aws).value
    made = change.designed(aws.account, stack, {Piece.READER_ROLE}, Wish((Piece.READER_ROLE,)))
    return setup_dialogs.prepared(aws, stack, made, 30)


def _endless(world: World) -> None:
    world.client("logs").create_log_group(logGroupName=LOGS)


def _ends(world: World) -> int:
    found = world.client("logs").describe_log_groups(logGroupNamePrefix=LOGS)["logGroups"]
    return sum("retentionInDays" in one for one in found)


def _settled(world: World) -> None:
    until(lambda: all(not one["StackStatus"].endswith("IN_PROGRESS") for one in _stack(world)), "the stack is made")


DEEDS = [
    Deed("set a budget", "budget_dialog._draw", dialog(_set_budget), lambda world: len(_budgets(world))),
    Deed("delete a budget", "budget_dialog._draw_delete", dialog(_delete_budget), lambda world: -len(_budgets(world))),
    Deed("ask AWS for the bill", "billed._asking", dialog(_bill), None, reads=True),
    Deed("activate cost allocation tags", "billed._activating",
         dialog(lambda aws, world: billed._activating(aws, ActivationPlan(("kennel:made-by",)))), None),
    Deed("refresh prices", "prices_refresh._draw",
         dialog(lambda aws, world: prices_refresh.question(aws, aws.account.region)), None,
         reads=True),
    Deed("keep an endpoint longer", "waste_dialogs._draw", waste(Thing.ENDPOINT, Act.KEEP, SPARE), _expiry,
         kind=Act.KEEP),
    Deed("delete an endpoint later", "waste_dialogs._draw", waste(Thing.ENDPOINT, Act.SCHEDULE, SPARE), _schedules,
         kind=Act.SCHEDULE),
    Deed("take back that it is deleted later", "waste_dialogs._draw", waste(Thing.ENDPOINT, Act.UNSCHEDULE, SPARE),
         lambda world: -_schedules(world), kind=Act.UNSCHEDULE),
    Deed("make a notebook", "notebook_plan.draw", dialog(lambda aws, world: notebook_create.question(aws)),
         lambda world: int(bool(_notebook(world))), kind=NotebookDeed.CREATE),
    Deed("open a notebook", "notebook_panel._sign",
         part(lambda aws, world: notebook_panel._actions(aws, state.notebook(aws, NOTEBOOK))), None,
         ready=_becomes("InService"), button="notebook-open"),
    Deed("stop a notebook", "notebook_plan.draw", dialog(lambda aws, world: notebook_panel._stop(aws, NOTEBOOK)),
         lambda world: int(_notebook(world) in ("Stopping", "Stopped")), ready=_becomes("InService"),
         kind=NotebookDeed.STOP),
    Deed("change a notebook", "notebook_plan.draw",
         dialog(lambda aws, world: notebook_change.question(aws, NOTEBOOK), _larger), _volume,
         ready=_becomes("Stopped"), kind=NotebookDeed.CHANGE),
    Deed("start a notebook", "notebook_plan.draw", dialog(lambda aws, world: notebook_panel._start(aws, NOTEBOOK)),
         lambda world: int(_notebook(world) in ("Pending", "InService")), ready=_becomes("Stopped"),
         kind=NotebookDeed.START),
    Deed("stop a notebook that idles", "waste_dialogs._draw", waste(Thing.NOTEBOOK, Act.STOP, NOTEBOOK),
         lambda world: int(_notebook(world) in ("Stopping", "Stopped")), ready=_becomes("InService"), kind=Act.STOP),
    Deed("release an address", "waste_dialogs._draw", dialog(_release), lambda world: -len(_addresses(world)),
         ready=_allocate, kind=Act.DELETE),
    Deed("delete a notebook", "notebook_plan.draw", dialog(lambda aws, world: notebook_panel._delete(aws, NOTEBOOK)),
         lambda world: int(_notebook(world) in ("Deleting", "")), ready=_at_rest, kind=NotebookDeed.DELETE),
    Deed("prepare the set-up", "setup_dialogs.prepared", unopened(_prepared), lambda world: len(_stack(world)),
         button=OPEN),
    Deed("throw the prepared set-up away", "setup_stack._actions",
         part(lambda aws, world: setup_stack._actions(aws, state.setup_stack(aws).value)),
         lambda world: -len(_stack(world)), button="setup-discard"),
    Deed("make what is missing", "setup_dialogs._draw", dialog(_prepared),
         lambda world: sum(one["StackStatus"].startswith("CREATE_") for one in _stack(world))),
    Deed("delete the stack", "setup_dialogs._draw_deletion",
         dialog(lambda aws, world: setup_dialogs.deletion(aws, state.setup_stack(aws).value)),
         lambda world: -sum(one["StackStatus"].startswith("CREATE_") for one in _stack(world)), ready=_settled),
    Deed("give logs an end", "setup_dialogs._draw_ending",
         dialog(lambda aws, world: setup_dialogs.ending(aws, [Found(Piece.TRAINING_LOG, LOGS, Standing.LACKING)])),
         _ends, ready=_endless),
]  # fmt: skip
