import ast
import json

from dashboard.core.aws import Account
from dashboard.core.showcode import connection
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


def test_for_a_real_account_the_code_names_the_profile():
    code = connection(Account("o'brien", "eu-west-1", "2", False, False), "s3")
    ast.parse(code)
    assert json.dumps("o'brien") in code
    assert "endpoint_url" not in code
