"""Whether a trust policy lets in anybody whom another does not. What cannot be told counts as wider."""

import pytest

from dashboard.core.iam.replace.trust_scope import wider

ACCOUNT = "111122223333"


def one(principal, action="sts:AssumeRole", effect="Allow", **more):
    return {"Effect": effect, "Principal": principal, "Action": action, **more}


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def of_account(value=ACCOUNT, operator="StringEquals", key="aws:SourceAccount"):
    return {"Condition": {operator: {key: value}}}


SAGEMAKER, LAMBDA = {"Service": "sagemaker.amazonaws.com"}, {"Service": "lambda.amazonaws.com"}
BOTH = {"Service": ["sagemaker.amazonaws.com", "lambda.amazonaws.com"]}
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
USER = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (policy(one(SAGEMAKER)), policy(one(SAGEMAKER))),
        (policy(one(BOTH)), policy(one(SAGEMAKER))),
        (policy(one(SAGEMAKER)), policy(one(SAGEMAKER, **of_account()))),
        (policy(one(SAGEMAKER, **of_account([ACCOUNT, "2"]))), policy(one(SAGEMAKER, **of_account()))),
        (policy(one(ROOT)), policy(one(USER))),
        (policy(one({"AWS": "*"})), policy(one(USER))),
        (policy(one("*")), policy(one(LAMBDA))),
        (policy(one(SAGEMAKER, "sts:*")), policy(one(SAGEMAKER, "sts:AssumeRole"))),
        (policy(one(SAGEMAKER, Sid="a")), policy(one(SAGEMAKER, Sid="b"))),
        (
            policy(one(ROOT), one("*", effect="Deny", **of_account("2", "StringNotEquals"))),
            policy(one(ROOT), one("*", effect="Deny", **of_account("2", "StringNotEquals"))),
        ),
    ],
)
def test_the_same_and_the_narrower_are_not_wider(before, after):
    assert wider(before, after) == ()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (policy(one(SAGEMAKER)), policy(one(BOTH)), "lambda.amazonaws.com"),
        (policy(one(SAGEMAKER, **of_account())), policy(one(SAGEMAKER)), "conditions"),
        (policy(one(SAGEMAKER, **of_account())), policy(one(SAGEMAKER, **of_account([ACCOUNT, "2"]))), "conditions"),
        (policy(one(USER)), policy(one(ROOT)), "root"),
        (policy(one(USER)), policy(one({"AWS": "*"})), "*"),
        (policy(one({"AWS": "*"})), policy(one(LAMBDA)), "lambda"),
        (policy(one(SAGEMAKER)), policy(one(SAGEMAKER, "sts:*")), "sts:*"),
        (policy(one(ROOT), one("*", effect="Deny")), policy(one(ROOT)), "Deny"),
        (
            policy(one(ROOT)),
            policy({"Effect": "Allow", "NotPrincipal": USER, "Action": "sts:AssumeRole"}),
            "NotPrincipal",
        ),
        (policy(one(ROOT)), policy({"Effect": "Allow", "Principal": USER, "NotAction": "sts:TagSession"}), "NotAction"),
        (policy(one(ROOT)), policy({"Effect": "Perhaps", "Principal": USER, "Action": "sts:AssumeRole"}), "judged"),
    ],
)
def test_whoever_is_let_in_besides_is_told(before, after, told):
    assert told in " ".join(wider(before, after))
