"""SNS: topics, subscriptions and messages, as far as alerts need them.

Subscribers by e-mail and by HTTP on this machine; every subscription waits for its confirmation, as on AWS: see
sns_subscriptions. Mails are kept, not sent: see sns_delivery.
"""

import base64
import json
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from local_aws.errors import ServiceError
from local_aws.protocol import Caller, Service
from local_aws.services import sns_topics as topics
from local_aws.services.sns_delivery import Delivery
from local_aws.services.sns_subscriptions import Subscriptions, check_endpoint, listed
from local_aws.services.sns_topics import invalid
from local_aws.store import Documents, Store

PAGE = 100
LARGEST_MESSAGE = 262_144  # bytes
_SUBJECT = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,99}")

Params = dict[str, Any]


class Sns(Service):
    """now: epoch seconds."""

    name = "sns"
    invalid_code = "InvalidParameter"

    def __init__(self, store: Store, delivery: Delivery, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._topics = Documents(store, "sns-topic")
        self._subscriptions = Subscriptions(store, delivery, now)
        self._delivery = delivery

    async def start(self) -> None:
        self._delivery.start()

    async def stop(self) -> None:
        self._delivery.stop()

    # topics

    def create_topic(self, params: Params, caller: Caller) -> Params:
        if params.get("DataProtectionPolicy"):
            raise invalid("DataProtectionPolicy", "The embedded AWS has no data protection yet. Leave it out.")
        arn = topics.topic_arn(params["Name"], caller.account, caller.region)
        given = topics.attributes(params.get("Attributes") or {})
        marks = topics.tags(params.get("Tags") or [])
        with self._store.transaction():
            there = self._topics.get(arn)
            if there is None:
                self._topics.put(arn, {"arn": arn, "attributes": given, "tags": marks, "deleted": 0})
            elif any(there["attributes"].get(name) != value for name, value in given.items()):
                raise invalid("Attributes", "Topic already exists with different attributes")
            elif any(there["tags"].get(key) != value for key, value in marks.items()):
                raise invalid("Tags", "Topic already exists with different tags")
        return {"TopicArn": arn}

    def delete_topic(self, params: Params, caller: Caller) -> Params:
        topics.check_arn(params["TopicArn"], caller.region, caller.account)
        with self._store.transaction():
            for one in self._subscriptions.of(params["TopicArn"]):
                self._subscriptions.delete(one["arn"])
            self._topics.delete(params["TopicArn"])
        return {}

    def list_topics(self, params: Params, caller: Caller) -> Params:
        found = [one for one in self._topics.all() if one["arn"].split(":")[3] == caller.region]
        page, token = _page(found, params)
        return {"Topics": [{"TopicArn": one["arn"]} for one in page], **token}

    def get_topic_attributes(self, params: Params, caller: Caller) -> Params:
        topic = self._topic(params["TopicArn"], caller)
        subscribed = self._subscriptions.of(topic["arn"])
        pending = sum(not one["confirmed"] for one in subscribed)
        return {
            "Attributes": {
                "TopicArn": topic["arn"],
                "Owner": caller.account,
                "DisplayName": topic["attributes"].get("DisplayName", ""),
                "Policy": self._policy(topic),
                "SubscriptionsConfirmed": str(len(subscribed) - pending),
                "SubscriptionsPending": str(pending),
                "SubscriptionsDeleted": str(topic["deleted"]),
            }
        }

    def set_topic_attributes(self, params: Params, caller: Caller) -> Params:
        given = topics.attributes({params["AttributeName"]: params.get("AttributeValue") or ""})
        with self._store.transaction():
            topic = self._topic(params["TopicArn"], caller)
            topic["attributes"] |= given
            self._topics.put(topic["arn"], topic)
        return {}

    def tag_resource(self, params: Params, caller: Caller) -> Params:
        with self._store.transaction():
            topic = self._topic(params["ResourceArn"], caller, "ResourceNotFound")
            marks = topic["tags"] | topics.tags(params["Tags"])
            topics.tags([{"Key": key, "Value": value} for key, value in marks.items()])
            self._topics.put(topic["arn"], topic | {"tags": marks})
        return {}

    def untag_resource(self, params: Params, caller: Caller) -> Params:
        with self._store.transaction():
            topic = self._topic(params["ResourceArn"], caller, "ResourceNotFound")
            left = {key: value for key, value in topic["tags"].items() if key not in params["TagKeys"]}
            self._topics.put(topic["arn"], topic | {"tags": left})
        return {}

    def list_tags_for_resource(self, params: Params, caller: Caller) -> Params:
        topic = self._topic(params["ResourceArn"], caller, "ResourceNotFound")
        return {"Tags": [{"Key": key, "Value": value} for key, value in topic["tags"].items()]}

    # subscriptions

    def subscribe(self, params: Params, caller: Caller) -> Params:
        if params.get("Attributes"):
            raise invalid("Attributes", f"The embedded AWS has no {min(params['Attributes'])} of subscriptions yet.")
        protocol, endpoint = params["Protocol"], params.get("Endpoint") or ""
        check_endpoint(protocol, endpoint)
        with self._store.transaction():
            topic = self._topic(params["TopicArn"], caller)
            one = self._subscriptions.add(topic["arn"], protocol, endpoint, caller.account)
        if not one["confirmed"]:
            self._subscriptions.ask(one)
        is_told = one["confirmed"] or params.get("ReturnSubscriptionArn")
        return {"SubscriptionArn": one["arn"] if is_told else "pending confirmation"}

    def confirm_subscription(self, params: Params, caller: Caller) -> Params:
        signed = params.get("AuthenticateOnUnsubscribe") == "true"
        with self._store.transaction():
            topic = self._topic(params["TopicArn"], caller)
            return {"SubscriptionArn": self._subscriptions.confirm(topic["arn"], params["Token"], signed=signed)}

    def unsubscribe(self, params: Params, caller: Caller) -> Params:
        arn = params["SubscriptionArn"]
        if arn.count(":") != 6:
            raise invalid("SubscriptionArn", "An ARN must have at least 6 elements, not 1" if ":" not in arn else "")
        with self._store.transaction():
            one = self._subscriptions.get(arn)
            topic = self._topics.get(one["topic"]) if one else None
            if one is not None and topic is not None:
                self._subscriptions.delete(arn)
                self._topics.put(topic["arn"], topic | {"deleted": topic["deleted"] + 1})
        return {}

    def list_subscriptions(self, params: Params, caller: Caller) -> Params:
        found = [one for one in self._subscriptions.all() if one["topic"].split(":")[3] == caller.region]
        page, token = _page(found, params)
        return {"Subscriptions": [listed(one) for one in page], **token}

    def list_subscriptions_by_topic(self, params: Params, caller: Caller) -> Params:
        page, token = _page(self._subscriptions.of(self._topic(params["TopicArn"], caller)["arn"]), params)
        return {"Subscriptions": [listed(one) for one in page], **token}

    def get_subscription_attributes(self, params: Params, caller: Caller) -> Params:
        one = self._subscriptions.get(params["SubscriptionArn"])
        if one is None:
            raise ServiceError("NotFound", "Subscription does not exist", 404)
        return {
            "Attributes": {
                "SubscriptionArn": one["arn"],
                "TopicArn": one["topic"],
                "Owner": one["owner"],
                "Protocol": one["protocol"],
                "Endpoint": one["endpoint"],
                "RawMessageDelivery": "false",
                "PendingConfirmation": str(not one["confirmed"]).lower(),
                "ConfirmationWasAuthenticated": str(one["confirmed"] and one["signed"]).lower(),
            }
        }

    # messages

    def publish(self, params: Params, caller: Caller) -> Params:
        if params.get("PhoneNumber"):
            raise invalid("PhoneNumber", "The embedded AWS sends no text messages.")
        for name in ("MessageAttributes", "MessageDeduplicationId", "MessageGroupId"):
            if params.get(name):
                raise invalid(name, f"The embedded AWS has no {name} yet. Leave it out.")
        arn = params.get("TopicArn") or params.get("TargetArn")
        if not arn:
            raise invalid("TopicArn or TargetArn", "no value for required parameter")
        self._topic(arn, caller)
        message, subject = params["Message"], params.get("Subject") or ""
        by_protocol = _by_protocol(message, params.get("MessageStructure"))
        if not message:
            raise invalid("Empty message")
        if len(message.encode()) > LARGEST_MESSAGE:
            raise invalid("Message too long")
        if subject and not _SUBJECT.fullmatch(subject):
            raise invalid("Subject")
        return {"MessageId": self._subscriptions.send(arn, subject, message, by_protocol)}

    def publish_as(self, service: str, source: str, topic_arn: str, subject: str, message: str) -> str:
        """Publish for an AWS service ("budgets.amazonaws.com") on behalf of `source`; the message's id.

        Raises ServiceError NotFound without the topic, AuthorizationError when its policy does not let the service.
        """
        topic = self._topic(topic_arn)
        if not topics.may_publish(self._policy(topic), topic_arn, service, source):
            raise ServiceError(
                "AuthorizationError", f"The policy of {topic_arn} does not let {service} publish to it.", 403
            )
        return self._subscriptions.send(topic_arn, subject, message, {})

    def exists(self, topic_arn: str) -> bool:
        return self._topics.get(topic_arn) is not None

    # within

    def _topic(self, arn: str, caller: Caller | None = None, missing: str = "NotFound") -> Params:
        """A topic: the caller's, in the region that was called; without one, any that is here."""
        topics.check_arn(arn, caller.region if caller else "", caller.account if caller else "")
        found = self._topics.get(arn)
        if found is None:
            raise ServiceError(missing, "Topic does not exist", 404)
        return found

    def _policy(self, topic: Params) -> str:
        arn: str = topic["arn"]
        return topic["attributes"].get("Policy") or topics.default_policy(arn, arn.split(":")[4])


def _by_protocol(message: str, structure: str | None) -> dict[str, str]:
    """A message's text for each protocol, where it has several. Raises ServiceError InvalidParameter."""
    if structure is None:
        return {}
    if structure != "json":
        raise invalid("MessageStructure")
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        raise invalid("Message Structure - JSON message body failed to parse") from None
    if not isinstance(found, dict) or not isinstance(found.get("default"), str):
        raise invalid("Message Structure - No default entry in JSON message body")
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _page(found: Sequence[Params], params: Params) -> tuple[Sequence[Params], Params]:
    first = 0
    if params.get("NextToken"):
        try:
            first = int(base64.b64decode(params["NextToken"], validate=True))
        except ValueError:
            first = -1
        if first < 0:
            raise invalid("NextToken")
    rest = first + PAGE
    more = {"NextToken": base64.b64encode(str(rest).encode()).decode()} if rest < len(found) else {}
    return found[first:rest], more
