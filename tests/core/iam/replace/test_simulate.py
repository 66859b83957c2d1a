"""IAM's simulator is asked in few requests, and each right gets its own answer."""

import pytest

from dashboard.core.iam.replace import simulate
from dashboard.core.iam.rights import Right
from tests.core.iam.role_world import BUCKET, LEAST, Faulty, document, statement

READ = f"arn:aws:s3:::{BUCKET}/dogs/"


@pytest.fixture(scope="module")
def aws(embedded):
    return Faulty(embedded)


def test_rights_come_back_in_their_order_each_with_its_own_answer(aws):
    asked = (
        Right("s3:GetObject", f"{READ}1.jpg"),
        Right("s3:PutObject", f"{READ}1.jpg"),
        Right("s3:GetObject", f"arn:aws:s3:::{BUCKET}/cats/1.jpg"),
        Right("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", {"s3:prefix": ("dogs/a",)}),
        Right("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", {"s3:prefix": ("cats",)}),
        Right("s3:ListBucket", f"arn:aws:s3:::{BUCKET}"),
        Right("sns:Publish"),
        Right("s3:GetObject", f"{READ}1.jpg"),
    )
    found = simulate.of_documents(aws, [LEAST], asked)
    assert [one.right for one in found] == list(asked)
    assert [one.is_allowed for one in found] == [True, False, False, True, False, False, False, True]
    assert found[5].missing == ("s3:prefix",) and "not known without s3:prefix" in found[5].sentence


def test_hundreds_of_objects_are_asked_about_in_a_handful_of_requests(aws):
    watching = aws.failing(lambda *_: "")
    found = simulate.of_documents(watching, [LEAST], [Right("s3:GetObject", f"{READ}{n}.jpg") for n in range(240)])
    assert len(found) == 240 and all(one.is_allowed for one in found)
    assert len(watching.sent) == 5


def test_a_boundary_and_a_deny_take_rights_away(aws):
    wide = document(statement("s3:*"))
    deny = document(statement("s3:*"), {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"})
    (within,) = simulate.of_documents(aws, [wide], [Right("s3:PutObject", f"{READ}1")], LEAST)
    (denied,) = simulate.of_documents(aws, [deny], [Right("s3:PutObject", f"{READ}1")])
    assert not within.is_allowed and not within.is_explicit and denied.is_explicit
    assert denied.sentence.endswith("denied by a Deny")
