import ast
import json

from dashboard.core.aws import Account
from dashboard.core.showcode import WIDTH, connection, literal
from tests.core.conftest import SECRET, write_client


def test_for_the_embedded_account_the_code_reads_its_keys_from_the_file(tmp_path):
    write_client(tmp_path, "http://127.0.0.1:9")
    account = Account(
        "embedded", "us-east-1", "1", True, True, "http://127.0.0.1:9", str(tmp_path / "aws" / "client.json")
    )
    code = connection(account, "sagemaker", "sagemaker-runtime")
    assert SECRET not in code
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102 - it is meant to be run
    assert names["sagemaker"].meta.endpoint_url == "http://127.0.0.1:9"
    assert names["sagemaker_runtime"].meta.region_name == "us-east-1"


def test_a_service_that_is_a_word_of_python_gets_another_name():
    account = Account("work", "eu-west-1", "2", is_embedded=False, writable=True)
    code = connection(account, "lambda", "application-autoscaling")
    ast.parse(code)
    assert 'lambda_ = session.client("lambda")' in code
    assert "application_autoscaling = " in code


def test_for_a_real_account_the_code_names_the_profile():
    code = connection(Account("o'brien", "eu-west-1", "2", False, False), "s3")
    ast.parse(code)
    assert json.dumps("o'brien") in code
    assert "endpoint_url" not in code


VALUE = {
    "InstanceType": "ml.m5.large",
    "Count": 2,
    "Spot": True,
    "Nothing": None,
    "Channels": [{"Name": "training", "Uri": "s3://bucket/with 'both' \"quotes\" and \\ and ü"}],
    "Long": {"first": "x" * 60, "second": "y" * 60},
    "Empty": {},
}


def test_values_are_shown_as_python_that_gives_them_back():
    shown = literal(VALUE)
    assert ast.literal_eval(shown) == VALUE
    assert "{'" not in shown


def test_values_are_laid_out_within_the_width():
    shown = literal(VALUE, 4)
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert literal({"a": [1, 2]}) == '{"a": [1, 2]}'  # what fits stays on one line
    assert shown.splitlines()[-1] == "    }"


def test_one_long_text_stays_in_one_piece():
    assert literal({"a": "word " * 40}).count("\n") == 2
