"""The caches of the dashboard as pages use them, and the one warm-up; those of runs are in run_readings.

Every key holds the account, region and address, so that two accounts never see each other's readings. A reading
carries the moment it was taken: while a newer one is fetched in the background the page shows the old one and can
say how old. Whoever changes something calls `forget`.
"""

import contextlib
import gc
import importlib
import secrets
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard import embedded, price_readings, sample_account, tab
from dashboard.bill_readings import activate_tags, ask_bill, bill
from dashboard.budget_readings import Budgets, budget_messages, budgets, forget_budgets
from dashboard.choice_readings import advice, choices, spot_prices
from dashboard.core.accounts.attempt import Attempt
from dashboard.core.accounts.choice import Choice, fingerprint
from dashboard.core.accounts.connecting import connect
from dashboard.core.accounts.connection import Connected, Connection
from dashboard.core.aws import Account, Aws
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import CredentialsProblem, KennelError, Unreachable
from dashboard.core.home import home
from dashboard.core.overview import ENDPOINTS, Overview, assemble, is_recent
from dashboard.core.runs.code import bundle
from dashboard.core.runs.look import look
from dashboard.core.runs.model import RunStatus
from dashboard.core.runs.quota import Limits, sagemaker_limits
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.surroundings import Surroundings, about
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
from dashboard.embedded import Embedded
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
from dashboard.ui import access
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
WARM_CLIENTS = (
    "sagemaker",
    "logs",
    "s3",
    "sagemaker-runtime",
    "sts",
    "cloudwatch",
    "iam",
    "service-quotas",
    "ec2",
    "lambda",
)
CONNECTING, SIGNING_IN = 5.0, 120.0
"""Seconds: how long a page waits for an account to answer who asks, and the chooser for a sign-in."""


def connection() -> Aws:
    """The account that this tab has chosen, as it may use it; a new one after the embedded AWS restarted or the
    configuration changed.

    Where no launcher does, the embedded AWS is started here first. A page waits no longer than CONNECTING seconds.
    Raises Unreachable, CredentialsProblem and the other errors of `connect`.
    """
    choice = tab.chosen()
    if choice.is_embedded:
        _own_embedded_aws()
    connected = _connected(choice, CONNECTING)
    return connected.changing if tab.switch(connected.reading.account) else connected.reading


def connecting(choice: Choice) -> Attempt[Account]:
    """Begin to connect to a choice, so that a tab which then chooses it need not wait; returns at once."""

    def connected() -> Account:
        if choice.is_embedded:
            _own_embedded_aws()
        aws = _connected(choice, SIGNING_IN).reading
        for service in WARM_CLIENTS:
            aws.client(service)
        return aws.account

    return Attempt(choice, connected)


def prices() -> PriceBook:
    """The price book of the account that this tab has chosen. The same object until a refresh."""
    return price_readings.prices(tab.chosen().unasked)


def warm_up() -> None:
    """Import and open what every page needs, then take all of it out of the garbage collector's reach. Once.

    Streamlit collects garbage after every script run: frozen, a rerun is several times faster.
    """
    _warm_up()


def ping() -> Account:
    """The account in use, after it has answered within the last second. Raises the errors of `Aws.call`."""
    aws = connection()
    _ping(where(aws), aws)
    return aws.account


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


def surroundings(aws: Aws, spec: TrainingSpec) -> Reading[Surroundings]:
    """What a launch of this training would find in the account. Raises Unreachable or CredentialsProblem."""
    return _surroundings(where(aws), about(spec), aws)


def intent(aws: Aws, spec: TrainingSpec) -> str:
    """Identifies one intent to launch: the same in every tab that describes this training, until it was `launched`.

    A double click, a rerun or a second tab so confirm the same plan, and the same plan makes one run. Two people who
    describe the same training mean two.
    """
    launches = _launches(where(aws), access.key())
    return f"{launches.seed}-{launches.done[replace(spec, max_cost=None)]}"


def launched(aws: Aws, spec: TrainingSpec) -> None:
    """The intent was carried out: describing the same training again from now on is another one."""
    _launches(where(aws), access.key()).done[replace(spec, max_cost=None)] += 1


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
    for cached in (_ping, _surroundings):
        cached.clear()


def let_go(upload: object) -> None:
    """Drop an uploaded file from the server's memory; Streamlit keeps it until the tab closes otherwise."""
    context = get_script_run_ctx()
    if context is not None and isinstance(upload, UploadedFile):
        context.uploaded_file_mgr.remove_file(session_id=context.session_id, file_id=upload.file_id)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class _Launches:
    """How often each training was launched since this server started; the seed tells its launches from another's."""

    seed: str = field(default_factory=partial(secrets.token_hex, 8))
    done: Counter[TrainingSpec] = field(default_factory=Counter)


def _is_alive(started: Embedded | None) -> bool:
    return started is None or started.child is None or started.child.code is None


@st.cache_resource(show_spinner=False, validate=_is_alive)
def _own_embedded_aws() -> Embedded | None:
    started = embedded.ensure()
    if started is not None:
        sample_account.fill(home())
    return started


def _connected(choice: Choice, patience: float) -> Connected:
    stamp = fingerprint(choice)
    connection = _connection(stamp, choice)
    try:
        return connection.wait(patience)
    finally:
        if connection.has_failed:
            _connection.clear(stamp, choice)  # whoever asks next tries again


@st.cache_resource(show_spinner=False, max_entries=64)
def _connection(fingerprint: str, _choice: Choice) -> Connection:
    return Connection(_choice, connect)


@st.cache_resource(show_spinner=False)
def _warm_up() -> None:
    for name in HEAVY_IMPORTS:
        importlib.import_module(name)
    prices()
    bundle()
    with contextlib.suppress(KennelError):  # the page says what is wrong with the connection; warm is warm without it
        aws = connection()
        for service in WARM_CLIENTS:
            aws.client(service)
    gc.collect()
    gc.freeze()


@st.cache_data(show_spinner=False, ttl=10, refresh_mode="background", max_entries=200)
def _surroundings(where: str, spec: TrainingSpec, _aws: Aws) -> Reading[Surroundings]:
    limits = None if spec.is_on_ec2 else _limits(where, _aws)
    return Reading(look(_aws, spec, limits=limits), now())


@st.cache_data(show_spinner=False, ttl=300, refresh_mode="background", max_entries=8)
def _limits(where: str, _aws: Aws) -> Limits:
    return sagemaker_limits(_aws)


@st.cache_resource(show_spinner=False, max_entries=200)
def _launches(where: str, person: str) -> _Launches:
    return _Launches()


@st.cache_data(show_spinner=False, ttl=1, max_entries=8)
def _ping(where: str, _aws: Aws) -> None:
    _aws.call("sts", "GetCallerIdentity")
