"""Who hears what is published to a topic: subscriptions that wait to be confirmed, and the messages that they get.

A mail's token is in the mail that is kept, and ConfirmSubscription takes it. HTTP messages carry no signature, and no
SubscribeURL: this server takes signed requests only.
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from local_aws.services.sns_delivery import Delivery, check_is_local
from local_aws.services.sns_topics import invalid
from local_aws.store import Documents, Store

PENDING = "PendingConfirmation"
BY_MAIL, BY_HTTP = ("email", "email-json"), ("http",)
TOKEN_SECONDS = 2 * 86_400
_NOT_YET = ("https", "sms", "sqs", "application", "lambda", "firehose")
_SENDER = "sns.amazonaws.com"
_MAIL = re.compile(r"[^\s@]+@[^\s@]+")

Params = dict[str, Any]


class Subscriptions:
    """The subscriptions of the account, as documents. now: epoch seconds."""

    def __init__(self, store: Store, delivery: Delivery, now: Callable[[], float]) -> None:
        self._kept = Documents(store, "sns-subscription")
        self._delivery = delivery
        self._now = now

    def get(self, arn: str) -> Params | None:
        return self._kept.get(arn)

    def all(self) -> list[Params]:
        return self._kept.all()

    def of(self, topic: str) -> list[Params]:
        return [one for one in self._kept.all() if one["topic"] == topic]

    def delete(self, arn: str) -> None:
        self._kept.delete(arn)

    def add(self, topic: str, protocol: str, endpoint: str, owner: str) -> Params:
        """The subscription of an endpoint, the one that is there or a new one; one that waits gets another token."""
        there = [one for one in self.of(topic) if (one["protocol"], one["endpoint"]) == (protocol, endpoint)]
        one: Params = (
            there[0]
            if there
            else {
                "arn": f"{topic}:{uuid.uuid4()}",
                "topic": topic,
                "protocol": protocol,
                "endpoint": endpoint,
                "owner": owner,
                "confirmed": False,
                "signed": False,
            }
        )
        if not one["confirmed"]:
            one |= {"token": uuid.uuid4().hex * 4, "asked": self._now()}
            self._kept.put(one["arn"], one)
        return one

    def ask(self, one: Params) -> None:
        """Ask the subscriber whether it wants to be one."""
        message = (
            f"You have chosen to subscribe to the topic {one['topic']}. "
            "To confirm the subscription, call ConfirmSubscription with this token."
        )
        if one["protocol"] in BY_MAIL:
            text = f"{message}\n\nToken: {one['token']}"
            self._delivery.keep(one["endpoint"], "AWS Notification - Subscription Confirmation", text, _SENDER)
        else:
            told = self._told(one["topic"], "SubscriptionConfirmation", str(uuid.uuid4()), message)
            self._delivery.post(one["endpoint"], _headers(told, one), told | {"Token": one["token"]})

    def confirm(self, topic: str, token: str, *, signed: bool) -> str:
        """The ARN of the subscription that a token is of. Raises ServiceError InvalidParameter."""
        found = [one for one in self.of(topic) if one.get("token") == token]
        if not found or self._now() - found[0]["asked"] > TOKEN_SECONDS:
            raise invalid("Token")
        one = found[0] | {"confirmed": True, "signed": signed}
        self._kept.put(one["arn"], one)
        arn: str = one["arn"]
        return arn

    def send(self, topic: str, subject: str, message: str, by_protocol: Mapping[str, str]) -> str:
        """Give a message to all who have confirmed; its id. by_protocol: texts that differ from `message`."""
        number = str(uuid.uuid4())
        for one in self.of(topic):
            if not one["confirmed"]:
                continue
            text = by_protocol.get(one["protocol"]) or by_protocol.get("default") or message
            told = self._told(topic, "Notification", number, text) | ({"Subject": subject} if subject else {})
            if one["protocol"] in BY_HTTP:
                self._delivery.post(one["endpoint"], _headers(told, one), told)
            else:
                body = text if one["protocol"] == "email" else json.dumps(told)
                self._delivery.keep(one["endpoint"], subject or "AWS Notification Message", body, _SENDER)
        return number

    def _told(self, topic: str, kind: str, number: str, message: str) -> Params:
        at = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"Type": kind, "MessageId": number, "TopicArn": topic, "Message": message, "Timestamp": at}


def check_endpoint(protocol: str, endpoint: str) -> None:
    """Raises ServiceError InvalidParameter for a protocol or an address that messages cannot be delivered to."""
    if protocol in BY_HTTP:
        check_is_local(endpoint)
    elif protocol in BY_MAIL:
        if not _MAIL.fullmatch(endpoint):
            raise invalid("Email address")
    elif protocol in _NOT_YET:
        raise invalid("Protocol", f"The embedded AWS does not deliver by {protocol} yet. Use e-mail or http.")
    else:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")


def listed(one: Params) -> Params:
    """A subscription as SNS lists it."""
    return {
        "SubscriptionArn": one["arn"] if one["confirmed"] else PENDING,
        "Owner": one["owner"],
        "Protocol": one["protocol"],
        "Endpoint": one["endpoint"],
        "TopicArn": one["topic"],
    }


def _headers(told: Params, one: Params) -> dict[str, str]:
    headers = {
        "x-amz-sns-message-type": told["Type"],
        "x-amz-sns-message-id": told["MessageId"],
        "x-amz-sns-topic-arn": told["TopicArn"],
        "User-Agent": "Amazon Simple Notification Service Agent",
    }
    return headers | ({"x-amz-sns-subscription-arn": one["arn"]} if one["confirmed"] else {})
