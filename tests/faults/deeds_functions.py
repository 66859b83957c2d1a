"""What a person does with Lambda functions."""

import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.serving.functions.concurrency import Concurrency
from dashboard.core.serving.functions.concurrency_plan import plan as plan_concurrency
from dashboard.core.serving.functions.invokers import Caller, Invitation
from dashboard.core.serving.functions.invokers_plan import plan_invite
from dashboard.core.serving.functions.model import LATEST
from dashboard.core.serving.functions.plan import About
from dashboard.core.trail.read import recent
from dashboard.ui import activity_deed, function_deploy, function_page, function_plan, function_test
from dashboard.ui.confirm import Question
from dashboard.ui.page import Place
from tests.faults import stage
from tests.faults.conftest import Open, forget
from tests.faults.deed import DIALOGS, Deed, dialog, missing, part, whole
from tests.faults.world import ACCOUNT, ENDPOINT, FUNCTION, World

DEPLOYED = f"{ENDPOINT}-photos"
FRIEND = "210987654321"


def _functions(world: World) -> int:
    names = [one["FunctionName"] for one in world.client("lambda").list_functions()["Functions"]]
    return sum(name.endswith("-photos") for name in names)


def _memory(world: World) -> int:
    return int(world.client("lambda").get_function_configuration(FunctionName=DEPLOYED)["MemorySize"])


def _more_memory(page: AppTest) -> None:
    page.selectbox(key="function-memory").set_value(1024).run()


def _reserved(world: World) -> int:
    found = world.client("lambda").get_function_concurrency(FunctionName=FUNCTION)
    return int(found.get("ReservedConcurrentExecutions") == 3)


def _reserve(page: AppTest) -> None:
    key = next(one.key for one in page.toggle if str(one.key).startswith("concurrency-has-"))
    page.toggle(key=key).set_value(True).run()
    reserved = next(one for one in page.number_input if str(one.key).startswith("concurrency-reserved-"))
    reserved.set_value(3).run()


def _invite(aws: Aws, world: World) -> Question:
    wanted = Invitation(Caller.URL_SIGNED, FRIEND)
    return function_plan.question(aws, plan_invite(state.function(aws, DEPLOYED).value, wanted, account=aws.account))


def _policy(world: World) -> int:
    found = missing(lambda: world.client("lambda").get_policy(FunctionName=DEPLOYED, Qualifier="live"))
    return 1 - found


def _gone(world: World, name: str) -> int:
    return missing(lambda: world.client("lambda").get_function(FunctionName=name))


def _call(aws: Aws, world: World) -> None:
    """What the part "Test" does with a photo's address."""
    if st.button("Call", key="stage-call"):
        function_test._send(aws, state.function(aws, FUNCTION).value, LATEST, "a photo", place="s3://photos/dog.jpg")


def _other_ceiling(aws: Aws) -> Question:
    details = state.function(aws, FUNCTION).value
    wanted = Concurrency(LATEST, reserved=4)
    return function_plan.question(aws, plan_concurrency(details, wanted, account=aws.account, prices=state.prices()))


def _take_back(world: World, visit: Open) -> AppTest:
    """An action that was just done, and the dialog that takes it back."""
    stage.opened(_other_ceiling, lambda aws: None).button(key=DIALOGS).click().run()
    forget()
    return stage.opened(lambda aws: activity_deed.question(aws, recent(ACCOUNT, 1)[0]), lambda aws: None)


DEEDS = [
    Deed("deploy a function", "function_plan.draw",
         dialog(lambda aws, world: function_deploy.deploy_question(aws, ENDPOINT)), _functions, kind=About.NEW),
    Deed("update a function", "function_plan.draw",
         dialog(lambda aws, world: function_deploy.update_question(aws, DEPLOYED), _more_memory),
         lambda world: int(_memory(world) == 1024), kind=About.SETTINGS),
    Deed("let somebody call a function", "function_plan.draw", dialog(_invite), _policy, kind=About.INVOKERS),
    Deed("reserve concurrency", "function_plan.draw",
         whole(Place.FUNCTION, "concurrency-review", fill=_reserve, function=FUNCTION, part="Concurrency"), _reserved,
         kind=About.CONCURRENCY),
    Deed("take an action back", "activity_deed._draw", _take_back, _reserved),
    Deed("call a function", "function_test._send", part(_call), None, button="stage-call", reads=True),
    Deed("delete a function", "function_plan.draw",
         dialog(lambda aws, world: function_page._delete_question(aws, FUNCTION)),
         lambda world: _gone(world, FUNCTION), kind=About.ALL),
]  # fmt: skip
