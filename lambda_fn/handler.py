"""AWS Lambda's entry point: `lambda_fn.handler.lambda_handler`, thin over question → ask → answer.

ENDPOINT_NAME names the endpoint. In Lambda the clients are made while the environment starts, so that one which is kept
ready (provisioned concurrency) has them; elsewhere with the first question.
"""

import logging
import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from lambda_fn import answer, question
from lambda_fn.answer import Told
from lambda_fn.ask import Endpoint
from lambda_fn.question import BadQuestion

log = logging.getLogger(__name__)

ANSWER_SECONDS = 60
"""SageMaker's own limit for one answer; what is left of the function's time is waited for at most."""
NO_CONTEXT_SECONDS = 30.0
UNSET = "This function does not know which endpoint to ask: set its environment variable ENDPOINT_NAME."


@cache
def client(service: str) -> Any:
    """One client a service for the life of the environment. A throttled endpoint is asked once more, not for long."""
    patience = Config(
        connect_timeout=3, read_timeout=ANSWER_SECONDS, retries={"total_max_attempts": 2, "mode": "standard"}
    )
    return boto3.client(service, config=patience)


@cache
def endpoint(name: str) -> Endpoint:
    return Endpoint(name, client)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """The answer to one event, of the forms that `question` and `answer` describe. Raises nothing."""
    through_http = question.is_proxied(event)
    if through_http and question.method_of(event) == "OPTIONS":
        return answer.preflight()
    try:
        told = _told(event, context)
    except Exception:  # whatever it is: the caller gets a sentence, the log the rest
        log.exception("the question could not be answered")
        told = answer.refused(500, "This function failed on the question; its log has the details.")
    return answer.proxied(told) if through_http else answer.direct(told, context)


def _told(event: Any, context: Any) -> Told:
    name = os.environ.get("ENDPOINT_NAME", "")
    try:
        asked = question.read(event)
    except BadQuestion as bad:
        return answer.refused(400, str(bad))
    if not name:
        return answer.refused(500, UNSET)
    left = getattr(context, "get_remaining_time_in_millis", None)
    return endpoint(name).ask(asked, left() / 1000 if left else NO_CONTEXT_SECONDS)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ and os.environ.get("ENDPOINT_NAME"):
    endpoint(os.environ["ENDPOINT_NAME"])
