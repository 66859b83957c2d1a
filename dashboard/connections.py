"""The accounts that tabs have chosen, connected: one connection a choice, shared by all who made it."""

import streamlit as st

from dashboard import embedded, sample_account, tab
from dashboard.core.accounts.attempt import Attempt
from dashboard.core.accounts.choice import Choice, fingerprint
from dashboard.core.accounts.connecting import connect
from dashboard.core.accounts.connection import Connected, Connection
from dashboard.core.aws import Account, Aws
from dashboard.core.home import home
from dashboard.embedded import Embedded
from dashboard.readings import where

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
        open_clients(aws)
        return aws.account

    return Attempt(choice, connected)


def open_clients(aws: Aws) -> None:
    """Make the clients that pages ask with, which takes botocore a while for each."""
    for service in WARM_CLIENTS:
        aws.client(service)


def ping() -> Account:
    """The account in use, after it has answered within the last second. Raises the errors of `Aws.call`."""
    aws = connection()
    _ping(where(aws), aws)
    return aws.account


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


@st.cache_data(show_spinner=False, ttl=1, max_entries=8)
def _ping(where: str, _aws: Aws) -> None:
    _aws.call("sts", "GetCallerIdentity")
