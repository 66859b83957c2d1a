"""The caches of the dashboard as pages use them, each kept in a module of readings of its own, and the one warm-up.

Every key holds the account, region and address, so that two accounts never see each other's readings. A reading
carries the moment it was taken: while a newer one is fetched in the background the page shows the old one and can
say how old. Whoever changes something calls `forget`.
"""

import contextlib
import gc
import importlib
from dataclasses import replace

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard import price_readings, tab
from dashboard.bill_readings import activate_tags, ask_bill, bill
from dashboard.budget_readings import Budgets, budget_messages, budgets, forget_budgets
from dashboard.choice_readings import advice, choices, spot_prices
from dashboard.connections import connecting, connection, open_clients, ping
from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import CredentialsProblem, KennelError, Unreachable
from dashboard.core.overview import ENDPOINTS, Overview, assemble, is_recent
from dashboard.core.runs.code import bundle
from dashboard.core.runs.model import RunStatus
from dashboard.core.runs.window import Window
from dashboard.core.serving.model import Endpoint
from dashboard.cost_readings import forget_costs, ledger
from dashboard.data_readings import (
    buckets,
    contents,
    corrections,
    data_jobs,
    data_report_of,
    datasets,
    forget_data,
    of_photos,
    pictures,
)
from dashboard.endpoint_readings import (
    brief_traffic,
    endpoint,
    endpoints,
    find_in_serving_log,
    forget_endpoints,
    serving_log,
    traffic,
)
from dashboard.function_readings import (
    forget_functions,
    function,
    function_networks,
    function_rights,
    function_usage,
    functions,
    functions_usage,
    lambda_limits,
)
from dashboard.launch_readings import forget_surroundings, intent, launched, surroundings
from dashboard.measure_readings import measure, measurements, measuring, stop_measuring
from dashboard.model_readings import forget_models, fronts, groups, imports, versions, visitors
from dashboard.morning_readings import first_steps, forget_morning, morning, posture_so_far
from dashboard.notebook_readings import forget_notebooks, idle_notebooks, notebook, notebooks
from dashboard.price_readings import refresh_prices, spot_days, told_prices
from dashboard.readings import Reading, is_filling, now, where
from dashboard.replay_readings import forget_replays, recorded_traffic, replay_facts, replayed
from dashboard.run_readings import (
    TAIL_LINES,
    Tail,
    card,
    comparison,
    cost,
    costs,
    deleted,
    explanation,
    find_in_log,
    forget_runs,
    listing,
    log,
    loss_curves,
    run,
    runs,
    trials,
    usage,
    whole_log,
    with_checkpoint,
)
from dashboard.scaling_readings import forget_scaling, scaling, scaling_around, scaling_history, scaling_latency
from dashboard.security_readings import (
    accepted_risks,
    account_iam,
    forget_risks,
    forget_security,
    posture,
    risks,
    score_trend,
    security,
)
from dashboard.setup_readings import forget_setup, pieces, setup_stack, zero_quotas
from dashboard.waste_readings import forget_waste, waste, waste_so_far

__all__ = [
    "TAIL_LINES",
    "Budgets",
    "Reading",
    "Tail",
    "accepted_risks",
    "account_iam",
    "activate_tags",
    "advice",
    "ask_bill",
    "bill",
    "brief_traffic",
    "buckets",
    "budget_messages",
    "budgets",
    "card",
    "choices",
    "comparison",
    "connecting",
    "connection",
    "contents",
    "corrections",
    "cost",
    "costs",
    "data_jobs",
    "data_report_of",
    "datasets",
    "deleted",
    "endpoint",
    "endpoints",
    "explanation",
    "find_in_log",
    "find_in_serving_log",
    "first_steps",
    "forget",
    "forget_risks",
    "forget_security",
    "forget_setup",
    "forget_waste",
    "fronts",
    "function",
    "function_networks",
    "function_rights",
    "function_usage",
    "functions",
    "functions_usage",
    "groups",
    "idle_notebooks",
    "imports",
    "intent",
    "is_filling",
    "lambda_limits",
    "launched",
    "ledger",
    "let_go",
    "listing",
    "log",
    "loss_curves",
    "measure",
    "measurements",
    "measuring",
    "morning",
    "notebook",
    "notebooks",
    "now",
    "of_photos",
    "overview",
    "pictures",
    "pieces",
    "ping",
    "posture",
    "posture_so_far",
    "prices",
    "recorded_traffic",
    "refresh_prices",
    "replay_facts",
    "replayed",
    "risks",
    "run",
    "runs",
    "scaling",
    "scaling_around",
    "scaling_history",
    "scaling_latency",
    "score_trend",
    "security",
    "serving_log",
    "setup_stack",
    "spot_days",
    "spot_prices",
    "stop_measuring",
    "surroundings",
    "told_prices",
    "traffic",
    "trials",
    "usage",
    "versions",
    "visitors",
    "warm_up",
    "waste",
    "waste_so_far",
    "where",
    "whole_log",
    "with_checkpoint",
    "zero_quotas",
]

HEAVY_IMPORTS = (
    "pandas",
    "plotly.graph_objects",
    "PIL.Image",
    "dashboard.ui.figures",
    "dashboard.core.serving.classify",
)


def prices() -> PriceBook:
    """The price book of the account that this tab has chosen. The same object until a refresh."""
    return price_readings.prices(tab.chosen().unasked)


def warm_up() -> None:
    """Import and open what every page needs, then take all of it out of the garbage collector's reach. Once.

    Streamlit collects garbage after every script run: frozen, a rerun is several times faster.
    """
    _warm_up()


def overview(aws: Aws) -> Reading[Overview]:
    """The account at one glance, put together from runs and endpoints; as old as the older of the two.

    What of it may not be read is in its `unread`. Raises the errors of `Aws.call` when there is no run to be read.
    """
    listed = listing(aws, Window.MONTH)
    unread = [Unread(what, problem) for what, problem in listed.problems.items()]
    serving: Reading[tuple[Endpoint, ...]] = Reading((), listed.at)
    try:
        serving = endpoints(aws)
    except (Unreachable, CredentialsProblem):
        raise
    except KennelError as problem:
        unread.append(Unread(ENDPOINTS, problem))
    known = tuple(
        with_checkpoint(aws, one) if one.status is RunStatus.RECLAIMED and is_recent(one, now()) else one
        for one in listed.runs
    )
    listed_prices, region = price_readings.prices(aws.account), aws.account.region
    seen = assemble(known, serving.value, prices=listed_prices, region=region, now=now())
    return Reading(replace(seen, unread=tuple(unread)), min(listed.at, serving.at))


def forget() -> None:
    """Something was changed: read runs, endpoints, budgets and waste again at the next look."""
    forget_runs()
    forget_costs()
    forget_budgets()
    forget_waste()
    forget_functions()
    forget_notebooks()
    forget_setup()
    forget_endpoints()
    forget_scaling()
    forget_replays()
    forget_models()
    forget_security()
    forget_morning()
    forget_data()
    forget_surroundings()


def let_go(upload: object) -> None:
    """Drop an uploaded file from the server's memory; Streamlit keeps it until the tab closes otherwise."""
    context = get_script_run_ctx()
    if context is not None and isinstance(upload, UploadedFile):
        context.uploaded_file_mgr.remove_file(session_id=context.session_id, file_id=upload.file_id)  # type: ignore[attr-defined]


@st.cache_resource(show_spinner=False)
def _warm_up() -> None:
    for name in HEAVY_IMPORTS:
        importlib.import_module(name)
    prices()
    bundle()
    with contextlib.suppress(KennelError):  # the page says what is wrong with the connection; warm is warm without it
        open_clients(connection())
    gc.collect()
    gc.freeze()
