"""One question, asked of the endpoint within the time that is left; every failure becomes a sentence.

400: the photo or the address cannot be used. 503: the endpoint is throttled, starting, not there, or too slow: the same
question may be answered later. 500: the function is not set up (a right or its setting is missing); 502: the model
failed, or answered what is no answer.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambda_fn import answer
from lambda_fn.answer import Told
from lambda_fn.question import LARGEST_PHOTO, BadQuestion, Question, photo

ACCEPT = "application/json; profile=breeds"
MARGIN = 0.25
"""Seconds of the function's own time that are kept for the answer."""
AGAIN = "ask again in a moment"

_LATER = frozenset(
    (
        "ThrottlingException",
        "TooManyRequestsException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "InternalFailure",
        "InternalDependencyException",
        "ModelNotReadyException",
        "RequestTimeout",
    )
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "403", "UnrecognizedClientException"})
_ABSENT = frozenset({"NoSuchKey", "NoSuchBucket", "404", "NotFound"})
_UNSAID = "the model gave no reason"


class _NotRead(Exception):  # noqa: N818 (it says what is so)
    """S3 fails; the same object may be read later."""


class Endpoint:
    """The endpoint and the clients it is asked with, made once. clients(service): a boto3 client."""

    def __init__(self, name: str, clients: Callable[[str], Any]) -> None:
        self.name = name
        self._clients = clients
        self._runtime = clients("sagemaker-runtime")
        self._asking = _threads()

    def ask(self, question: Question, seconds: float) -> Told:
        """The answer, or why there is none, before `seconds` have passed."""
        budget = seconds - MARGIN
        if budget <= 0:
            return answer.refused(503, f"There was no time left to ask the endpoint: {AGAIN}.")
        waiting = self._asking.submit(self._ask, question)
        try:
            return waiting.result(budget)
        except TimeoutError:
            # that thread goes on waiting for its answer: the next question gets another, and not its turn after it
            self._asking.shutdown(wait=False, cancel_futures=True)
            self._asking = _threads()
            return answer.refused(
                503, f"Endpoint {self.name} did not answer within {budget:.1f} s, the time that was left: {AGAIN}."
            )

    def _ask(self, question: Question) -> Told:
        try:
            body, kind = question.body, question.content_type
            if question.stored:
                brought = Question(photo=self._stored(*question.stored))
                body, kind = brought.body, brought.content_type
            accept = f"{ACCEPT}; overlay=true" if question.overlay else ACCEPT
            told = self._runtime.invoke_endpoint(EndpointName=self.name, ContentType=kind, Accept=accept, Body=body)
            return answer.scores(told["Body"].read())
        except BadQuestion as bad:
            return answer.refused(400, str(bad))
        except _NotRead as later:
            return answer.refused(503, f"{later}: {AGAIN}.")
        except ClientError as refused:
            return self._refused(refused.response)
        except BotoCoreError as unreachable:
            return answer.refused(
                503, f"Endpoint {self.name} could not be reached ({type(unreachable).__name__}): {AGAIN}."
            )
        except ValueError:
            return answer.refused(502, f"Endpoint {self.name} answered something that is no JSON.")

    def _stored(self, bucket: str, key: str) -> bytes:
        """An object's bytes. Raises BadQuestion when there is none to read, _NotRead when S3 does not give it."""
        where = f"s3://{bucket}/{key}"
        try:
            found = self._clients("s3").get_object(Bucket=bucket, Key=key)
            if found["ContentLength"] > LARGEST_PHOTO:
                found["Body"].close()
                raise BadQuestion(
                    f"{where} has {found['ContentLength'] / 2**20:.1f} MiB, and {LARGEST_PHOTO // 2**20} MiB is the "
                    "most."
                )
            return photo(found["Body"].read())
        except ClientError as refused:
            code = refused.response["Error"]["Code"]
            if code in _ABSENT:
                raise BadQuestion(f"There is no {where}.") from None
            if code in _DENIED:
                raise BadQuestion(
                    f"This function may not read {where}: its role needs s3:GetObject on it, or it is not there."
                ) from None
            raise _NotRead(f"S3 does not give {where} ({code[:80]})") from None
        except BotoCoreError as unreachable:
            raise _NotRead(f"S3 could not be reached ({type(unreachable).__name__})") from None

    def _refused(self, response: Any) -> Told:
        code = str(response["Error"]["Code"])
        said = str(response["Error"].get("Message", ""))
        if code == "ModelError":
            return self._model(int(response.get("OriginalStatusCode") or 0), str(response.get("OriginalMessage") or ""))
        if code in _LATER or int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) == 429:
            return answer.refused(503, f"Endpoint {self.name} takes no more requests at this moment: {AGAIN}.")
        if code in _DENIED:
            return answer.refused(
                500, f"This function may not ask {self.name}: its role needs sagemaker:InvokeEndpoint on that endpoint."
            )
        if "not found" in said.lower():
            return answer.refused(503, f"There is no endpoint {self.name} in service: deploy it, or set ENDPOINT_NAME.")
        if code in ("ValidationError", "ValidationException"):
            return answer.refused(400, f"The endpoint does not take this request: {said[:300]}")
        return answer.refused(503, f"Endpoint {self.name} failed ({code[:80]}): {AGAIN}.")

    def _model(self, status: int, said: str) -> Told:
        """The model's own refusal, in its words."""
        if 400 <= status < 500 and status != 429:
            return answer.refused(400, _sentence(said))
        if status == 0:  # SageMaker's own, for a container that takes too long or answers too much
            return answer.refused(503, f"The model of {self.name} gave no answer in time: {AGAIN}.")
        if status in (429, 503, 504):
            return answer.refused(503, f"The model of {self.name} is busy or still starting: {AGAIN}.")
        return answer.refused(502, f"The model of {self.name} failed on this photo: {_sentence(said)}")


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="ask")


def _sentence(said: str) -> str:
    """The words of a model's error: {"error": "…"} or plain text, one line of it."""
    try:
        told = json.loads(said)
        said = str(told["error"]) if isinstance(told, dict) and "error" in told else said
    except (ValueError, RecursionError):
        pass
    return (said.strip().partition("\n")[0] or _UNSAID)[:500]
