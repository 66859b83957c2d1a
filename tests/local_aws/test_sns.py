"""SNS: topics, subscriptions that wait to be confirmed, and messages that are kept or really posted on this machine."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.sns import Sns
from local_aws.services.sns_delivery import Delivery
from local_aws.services.sns_topics import default_policy, may_publish
from local_aws.store import Store

ACCOUNT = "123456789012"
CALLER = Caller(ACCOUNT, "us-east-1", "AKIA", f"arn:aws:iam::{ACCOUNT}:root")
ARN = f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"
BUDGETS = "budgets.amazonaws.com"
BUDGET = f"arn:aws:budgets::{ACCOUNT}:budget/month"


class World:
    def __init__(self, folder: Path) -> None:
        self.now = 1_800_000_000.0
        self.kept: list[dict[str, str]] = []
        self.delivery = Delivery(self._append, now=lambda: self.now, apart=0.01)
        self.sns = Sns(Store(folder), self.delivery, now=lambda: self.now)
        self.arn: str = self.ask("create_topic", Name="alerts")["TopicArn"]

    def _append(self, group: str, stream: str, events: Any) -> None:
        self.kept += [json.loads(text) | {"stream": stream} for _, text in events]

    def ask(self, operation: str, **params: Any) -> dict[str, Any]:
        found: Callable[..., dict[str, Any]] = getattr(self.sns, operation)
        return found(params, CALLER)

    def subscribe(self, endpoint: str = "ada@example.com", protocol: str = "email", **more: Any) -> str:
        told = self.ask("subscribe", TopicArn=self.arn, Protocol=protocol, Endpoint=endpoint, **more)
        return str(told["SubscriptionArn"])

    def token(self) -> str:
        return self.kept[-1]["message"].split("Token: ")[1]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.delivery.start()
    yield made
    made.delivery.stop()


def code_of(call: Callable[..., Any], *args: Any, **params: Any) -> str:
    with pytest.raises(ServiceError) as caught:
        call(*args, **params)
    return caught.value.code


def test_a_topic_is_made_once(world: World) -> None:
    assert world.arn == ARN
    assert world.ask("create_topic", Name="alerts")["TopicArn"] == ARN
    assert world.ask("list_topics")["Topics"] == [{"TopicArn": ARN}]
    for more in ({"Attributes": {"DisplayName": "Alerts"}}, {"Tags": [{"Key": "a", "Value": "b"}]}):
        assert code_of(world.ask, "create_topic", Name="alerts", **more) == "InvalidParameter"


def test_topics_are_those_of_their_region(world: World) -> None:
    elsewhere = Caller(ACCOUNT, "eu-west-1", "AKIA", CALLER.arn)
    assert world.sns.list_topics({}, elsewhere) == {"Topics": []}
    for call in (world.sns.get_topic_attributes, world.sns.publish, world.sns.delete_topic):
        assert code_of(call, {"TopicArn": ARN, "Message": "x"}, elsewhere) == "InvalidParameter"
    assert code_of(world.ask, "delete_topic", TopicArn="alerts") == "InvalidParameter"
    assert world.ask("list_topics")["Topics"] == [{"TopicArn": ARN}]
    for token in ("nonsense", "LTU="):  # the second says -5
        assert code_of(world.ask, "list_topics", NextToken=token) == "InvalidParameter"


def test_a_mail_subscriber_hears_nothing_before_it_has_confirmed(world: World) -> None:
    assert world.subscribe() == "pending confirmation"
    world.ask("publish", TopicArn=ARN, Subject="Early", Message="nobody hears this")
    (asked,) = world.kept
    assert (asked["to"], asked["stream"]) == ("ada@example.com", "ada@example.com")
    told = world.ask("list_subscriptions_by_topic", TopicArn=ARN)["Subscriptions"]
    assert [one["SubscriptionArn"] for one in told] == ["PendingConfirmation"]

    confirmed = world.ask("confirm_subscription", TopicArn=ARN, Token=world.token())["SubscriptionArn"]
    world.ask("publish", TopicArn=ARN, Subject="Now", Message="hear this")
    assert (world.kept[-1]["subject"], world.kept[-1]["message"]) == ("Now", "hear this")
    assert world.subscribe() == confirmed
    attributes = world.ask("get_topic_attributes", TopicArn=ARN)["Attributes"]
    assert (attributes["SubscriptionsConfirmed"], attributes["SubscriptionsPending"]) == ("1", "0")

    world.ask("unsubscribe", SubscriptionArn=confirmed)
    kept = len(world.kept)
    world.ask("publish", TopicArn=ARN, Message="nobody is left")
    assert len(world.kept) == kept
    assert world.ask("get_topic_attributes", TopicArn=ARN)["Attributes"]["SubscriptionsDeleted"] == "1"


def test_a_token_is_good_for_two_days_and_for_its_own_subscription(world: World) -> None:
    world.subscribe()
    token = world.token()
    assert code_of(world.ask, "confirm_subscription", TopicArn=ARN, Token="x") == "InvalidParameter"
    world.now += 2 * 86_400 + 1
    assert code_of(world.ask, "confirm_subscription", TopicArn=ARN, Token=token) == "InvalidParameter"


class Listener(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.held:  # type: ignore[attr-defined]
            pass
        status = self.server.answers.pop(0) if self.server.answers else 200  # type: ignore[attr-defined]
        self.server.heard.append((dict(self.headers), body, status))  # type: ignore[attr-defined]
        self.send_response(status)
        self.end_headers()
        self.server.news.release()  # type: ignore[attr-defined]

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[Any]:
    server = HTTPServer(("127.0.0.1", 0), Listener)
    server.heard, server.answers, server.news = [], [], threading.Semaphore(0)  # type: ignore[attr-defined]
    server.held = threading.Lock()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_program_of_this_machine_confirms_and_gets_messages(world: World, listener: Any) -> None:
    world.subscribe(f"http://127.0.0.1:{listener.server_port}/hook?a=b", "http")
    assert listener.news.acquire(timeout=10)
    headers, asked, _ = listener.heard[0]
    assert headers["x-amz-sns-message-type"] == "SubscriptionConfirmation"
    world.ask("confirm_subscription", TopicArn=ARN, Token=asked["Token"])
    listener.answers += [500, 200]
    world.ask("publish", TopicArn=ARN, Subject="Alert", Message="over")
    assert listener.news.acquire(timeout=10)
    assert listener.news.acquire(timeout=10)
    assert [status for _, _, status in listener.heard[1:]] == [500, 200]
    _, told, _ = listener.heard[-1]
    assert (told["Type"], told["Subject"], told["Message"], told["TopicArn"]) == ("Notification", "Alert", "over", ARN)


def test_what_a_program_refuses_is_kept_with_the_reason(world: World, listener: Any) -> None:
    listener.answers += [403]
    world.subscribe(f"http://127.0.0.1:{listener.server_port}/", "http")
    assert listener.news.acquire(timeout=10)
    world.delivery.stop()
    assert [one["problem"] for one in world.kept] == ["HTTP 403"]


def test_a_program_that_takes_nothing_does_not_fill_the_memory(listener: Any) -> None:
    kept: list[dict[str, str]] = []
    delivery = Delivery(lambda _group, _stream, lines: kept.extend(json.loads(text) for _, text in lines), waiting=2)
    delivery.start()
    with listener.held:
        for number in range(3):
            delivery.post(f"http://127.0.0.1:{listener.server_port}/", {}, {"Message": str(number)})
        assert [(one["message"], one["problem"]) for one in kept] == [("2", "too many messages wait to be delivered")]
    assert all(listener.news.acquire(timeout=10) for _ in range(2))
    delivery.stop()
    assert len(kept) == 1


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [
        ("http", "http://example.com/hook"),
        ("http", "http://10.0.0.1/hook"),
        ("http", "https://127.0.0.1/"),
        ("http", "http://127.0.0.1:70000/"),
        ("http", "http://127.0.0.1@example.com/"),
        ("http", "http://127.0.0.1/a b"),
        ("http", "http://127.0.0.1/\r\nX-Other: y"),
        ("http", "http://127.0.0.1/hündchen"),  # a request's line holds ASCII only
        ("http", "http://[::1%25lo]/"),
        ("https", "https://127.0.0.1/"),
        ("lambda", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"),
        ("email", "ada"),
        ("pigeon", "ada"),
    ],
)
def test_nothing_leaves_this_machine(world: World, protocol: str, endpoint: str) -> None:
    assert code_of(world.subscribe, endpoint, protocol) == "InvalidParameter"
    assert world.ask("list_subscriptions")["Subscriptions"] == []


def test_a_message_may_differ_by_protocol(world: World) -> None:
    world.subscribe()
    world.ask("confirm_subscription", TopicArn=ARN, Token=world.token())
    both = json.dumps({"default": "for all", "email": "for mail"})
    world.ask("publish", TopicArn=ARN, Message=both, MessageStructure="json")
    assert world.kept[-1]["message"] == "for mail"


@pytest.mark.parametrize(
    "wrong",
    [
        {"Message": ""},
        {"Message": "x" * 262_145},
        {"Message": "x", "Subject": "two\nlines"},
        {"Message": "x", "Subject": "x" * 101},
        {"Message": "x", "MessageStructure": "json"},
        {"Message": "[" * 100_000, "MessageStructure": "json"},
        {"Message": "x", "MessageAttributes": {"a": {"DataType": "String", "StringValue": "b"}}},
        {"Message": "x", "TopicArn": None},
        {"Message": "x", "PhoneNumber": "+491234"},
    ],
)
def test_messages_that_aws_refuses(world: World, wrong: dict[str, Any]) -> None:
    asked = {name: value for name, value in ({"TopicArn": ARN} | wrong).items() if value is not None}
    assert code_of(world.ask, "publish", **asked) == "InvalidParameter"


def test_topics_that_are_not_there(world: World) -> None:
    for operation in ("publish", "subscribe", "get_topic_attributes", "list_subscriptions_by_topic"):
        asked = {"TopicArn": ARN + "-x", "Message": "x", "Protocol": "email", "Endpoint": "a@b"}
        assert code_of(world.ask, operation, **asked) == "NotFound"
    assert world.ask("delete_topic", TopicArn=ARN + "-x") == {}


def test_a_deleted_topic_takes_its_subscriptions_with_it(world: World) -> None:
    world.subscribe()
    world.ask("delete_topic", TopicArn=ARN)
    assert world.ask("list_subscriptions")["Subscriptions"] == []


def test_attributes_and_tags_of_a_topic(world: World) -> None:
    of = {"TopicArn": ARN}
    world.ask("set_topic_attributes", **of, AttributeName="DisplayName", AttributeValue="Kennel")
    assert world.ask("get_topic_attributes", **of)["Attributes"]["DisplayName"] == "Kennel"
    foreign = json.dumps({"Version": "2012-10-17", "Statement": [statement(Action="s3:GetObject")]})
    for name, value in (("FifoTopic", "true"), ("Policy", "{"), ("Policy", "[" * 100_000), ("Policy", foreign)):
        asked = {"AttributeName": name, "AttributeValue": value}
        assert code_of(world.ask, "set_topic_attributes", **of, **asked) == "InvalidParameter"
    world.ask("tag_resource", ResourceArn=ARN, Tags=[{"Key": "a", "Value": "b"}])
    assert world.ask("list_tags_for_resource", ResourceArn=ARN)["Tags"] == [{"Key": "a", "Value": "b"}]
    world.ask("untag_resource", ResourceArn=ARN, TagKeys=["a"])
    assert world.ask("list_tags_for_resource", ResourceArn=ARN)["Tags"] == []


def statement(**more: Any) -> dict[str, Any]:
    usual = {"Effect": "Allow", "Principal": {"Service": BUDGETS}, "Action": "SNS:Publish", "Resource": ARN}
    return usual | more


@pytest.mark.parametrize(
    ("statements", "may"),
    [
        ([statement()], True),
        ([statement(Principal="*")], True),
        ([statement(Principal={"Service": [BUDGETS, "events.amazonaws.com"]})], True),
        ([statement(Principal={"AWS": "*"})], False),
        ([statement(Principal={"Service": 5})], False),
        ([statement(Principal={"Service": "events.amazonaws.com"})], False),
        ([statement(Action="SNS:Subscribe")], False),
        ([statement(Resource=ARN + "-x")], False),
        ([statement(Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}})], True),
        ([statement(Condition={"StringEquals": {"aws:SourceAccount": "210987654321"}})], False),
        ([statement(Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:budgets::{ACCOUNT}:*"}})], True),
        ([statement(), statement(Effect="Deny")], False),
        ([statement(), {"Effect": "Deny", "NotPrincipal": {"AWS": ACCOUNT}, "Action": "*", "Resource": ARN}], False),
    ],
)
def test_a_service_publishes_where_the_policy_lets_it(statements: list[dict[str, Any]], may: bool) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    assert may_publish(policy, ARN, BUDGETS, BUDGET) is may


def test_a_topic_as_it_is_made_lets_no_service_publish() -> None:
    assert not may_publish(default_policy(ARN, ACCOUNT), ARN, BUDGETS, BUDGET)


def test_the_accounts_own_alarms_publish_by_the_policy_that_every_topic_has() -> None:
    alarm = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:load"
    policy = default_policy(ARN, ACCOUNT)
    assert may_publish(policy, ARN, "cloudwatch.amazonaws.com", alarm)
    assert not may_publish(policy, ARN, "cloudwatch.amazonaws.com", alarm.replace(ACCOUNT, "999999999999"))
    assert not may_publish(policy, ARN, BUDGETS, BUDGET), "other services need a statement of their own"
