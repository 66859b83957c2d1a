"""The price book's command line: the published figures, to the digit, and what it says of bad questions."""

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dashboard.core.costs import price_cache
from dashboard.core.costs.command import main
from dashboard.core.costs.price_cache import Refreshed
from dashboard.core.costs.prices import Kind, Price
from dashboard.core.home import REPOSITORY

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """Run one command in an empty home: the exit code, standard output, standard error."""

    def run(line: str, environ: Mapping[str, str] | None = None) -> tuple[int, str, str]:
        code = main(["quote", *line.split()], now=NOW, environ=environ or {"KENNEL_HOME": str(tmp_path)})
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("line", "amount", "unit_price"),
    [
        ("sagemaker-training --instance ml.c5.2xlarge --region us-east-1 --seconds 663 --count 1", "0.0751", "0.408"),
        ("ec2 --instance t2.micro --region us-east-1 --seconds 3600 --count 1", "0.0116", "0.0116"),
        (
            "sagemaker-training --instance ml.c5.2xlarge --region us-east-1 --seconds 1353 --count 2"
            " --spot-price 0.174",
            "0.1308",
            "0.174",
        ),
        (
            "sagemaker-training --instance ml.c5.2xlarge --region us-east-1 --seconds 1353 --count 1"
            " --spot-price 0.174",
            "0.0654",
            "0.174",
        ),
        (
            "lambda-provisioned --region ap-northeast-1 --count 3 --memory-mb 128 --month-hours 744",
            "5.41",
            "0.0000053835",
        ),
        ("lambda-provisioned --region us-east-1 --count 3 --memory-mb 128 --month-hours 744", "4.19", "0.0000041667"),
        ("lambda-provisioned --region us-east-1 --count 2 --memory-mb 128 --month-hours 744", "2.79", "0.0000041667"),
        ("lambda-provisioned --region us-east-1 --count 2 --memory-mb 128 --seconds 2678400", "2.79", "0.0000041667"),
        (
            "lambda-provisioned --region us-east-1 --count 2 --memory-mb 128 --seconds 2678400 --month-hours 744",
            "2.79",
            "0.0000041667",
        ),
        ("endpoint --instance ml.m5.large --region us-east-1 --month-hours 730", "83.95", "0.115"),
        ("notebook --instance ml.t3.medium --region us-east-1 --month-hours 744", "37.20", "0.050"),
        ("notebook --instance ml.t3.medium --region us-east-1 --seconds 7200 --count 3", "0.30", "0.050"),
        ("lambda-provisioned --region us-east-1 --count 1 --memory-mb 10240 --seconds 300", "0.0125", "0.0000041667"),
        ("ec2 --instance c5.large --region us-east-1 --seconds 5", "0.0014", "0.085"),
        ("endpoint --instance ml.p3.2xlarge --region us-east-1 --month-hours 744 --count 2", "5692", "3.825"),
        ("ec2 --instance t2.micro --region us-east-1 --seconds 0", "0.00", "0.0116"),
    ],
)
def test_published_figures(ask, line: str, amount: str, unit_price: str) -> None:
    code, out, err = ask(f"{line} --json")
    told = json.loads(out, parse_float=pytest.fail)
    assert (code, err) == (0, "")
    assert (told["amount"], told["unit_price"], told["currency"]) == (amount, unit_price, "USD")
    assert told["source"]
    assert date.fromisoformat(told["date"]) <= NOW.date()
    assert abs(Decimal(told["exact"]) - Decimal(amount)) <= Decimal("0.5")


def test_all_digits_are_told_beside_the_rounded_amount(ask) -> None:
    _, out, _ = ask("sagemaker-training --instance ml.c5.2xlarge --region us-east-1 --seconds 663 --json")
    told: dict[str, Any] = json.loads(out)
    assert told["exact"] == "0.07514"
    assert told["how"] == "663 s billable × 1 instance"


def test_several_instances_say_what_their_seconds_were_taken_for(ask) -> None:
    line = "sagemaker-training --instance ml.c5.2xlarge --region us-east-1 --seconds 1353 --count 2 --spot-price 0.174"
    _, text, _ = ask(line)
    assert "$0.1308: 1,353 s billable × 2 instances at $0.174/h" in text
    assert "wall time" in text
    assert "added up, it would be $0.0654" in text
    assert json.loads(ask(f"{line} --json")[1])["if_seconds_are_added_up"] == "0.0654"


def test_a_sentence_for_a_person_says_price_source_and_day(ask) -> None:
    code, text, _ = ask("lambda-provisioned --region ap-northeast-1 --count 3 --memory-mb 128 --month-hours 744")
    assert code == 0
    assert text.startswith("$5.41: 3 × 128 MB × 31 d, in whole 5 min at $0.0000053835/GB-s\n")
    assert "AWS list price, collected 2026-09 to 2026-11, 2026-09-01, listed" in text
    assert "tax" in text


def test_an_instance_with_its_volume_and_address(ask) -> None:
    _, out, _ = ask("ec2 --instance m5.large --region us-east-1 --seconds 3600 --volume-gb 73 --public-address --json")
    told = json.loads(out)
    assert told["exact"] == "0.109"
    assert [line["amount"] for line in told["lines"]] == ["0.096", "0.008", "0.005"]
    assert told["unit_price"] == "0.096"
    in_a_long_month = "ec2 --instance m5.large --region us-east-1 --month-hours 744 --volume-gb 100 --json"
    assert json.loads(ask(in_a_long_month)[1])["lines"][1]["amount"] == "8"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("endpoint --instance ml.inf1.xlarge --region us-east-1 --seconds 60", "the sources disagree"),
        ("ec2 --instance p3.2xlarge --region eu-west-1 --seconds 60", "eu-west-1"),
        ("lambda-provisioned --region sa-east-1 --memory-mb 128 --seconds 60", "sa-east-1"),
        ("ec2 --instance m5.large --region ap-south-1 --seconds 60 --volume-gb 8", "EBS volume, gp3 in ap-south-1"),
    ],
)
def test_an_unknown_price_is_null_with_why(ask, line: str, why: str) -> None:
    code, out, _ = ask(f"{line} --json")
    told = json.loads(out)
    assert code == 1
    assert told["amount"] is None
    assert told["exact"] is None
    assert why in told["why_unknown"]
    code, text, _ = ask(line)
    assert code == 1
    assert text.startswith("unknown: no price for ")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("", "KIND"),
        ("gpu --region us-east-1 --seconds 1", "gpu"),
        ("endpoint --instance ml.m5.large --seconds 1", "--region"),
        ("endpoint --instance ml.m5.large --region nowhere --seconds 1", "nowhere"),
        ("endpoint --region us-east-1 --seconds 1", "instance type"),
        ("endpoint --instance m5.large --region us-east-1 --seconds 1", "ml.m5.large"),
        ("ec2 --instance ml.m5.large --region us-east-1 --seconds 1", "m5.large"),
        ("endpoint --instance ml.m5.large --region us-east-1", "--seconds or --month-hours"),
        ("endpoint --instance ml.m5.large --region us-east-1 --seconds 1 --month-hours 730", "two different times"),
        ("endpoint --instance ml.m5.large --region us-east-1 --month-hours 0", "--month-hours is 0"),
        ("endpoint --instance ml.m5.large --region us-east-1 --seconds -1", "--seconds is -1"),
        ("endpoint --instance ml.m5.large --region us-east-1 --seconds nan", "NaN"),
        ("endpoint --instance ml.m5.large --region us-east-1 --seconds inf", "Infinity"),
        ("endpoint --instance ml.m5.large --region us-east-1 --seconds 1e30", "century"),
        ("endpoint --instance ml.m5.large --region us-east-1 --seconds ten", "'ten' is no number"),
        ("endpoint --instance ml.m5.large --region us-east-1 --seconds 1 --count -2", "--count is -2"),
        ("endpoint --instance ml.m5.large --region us-east-1 --seconds 1 --count 1.5", "1.5"),
        ("endpoint --instance ml.m5.large --region us-east-1 --seconds 1 --spot-price 0.1", "--spot-price"),
        ("ec2 --instance m5.large --region us-east-1 --seconds 1 --spot-price -0.1", "--spot-price is -0.1"),
        ("ec2 --instance m5.large --region us-east-1 --seconds 1 --memory-mb 128", "--memory-mb"),
        ("sagemaker-training --instance ml.m5.large --region us-east-1 --month-hours 730", "--month-hours"),
        ("lambda-provisioned --region us-east-1 --seconds 1", "--memory-mb, 128 to 10,240"),
        ("lambda-provisioned --region us-east-1 --seconds 1 --memory-mb 64", "--memory-mb is 64"),
        ("lambda-provisioned --region us-east-1 --seconds 1 --memory-mb 10241", "--memory-mb is 10241"),
        ("endpoint --instance ml.m5.large --region us-east-1 --seconds 1 --count 0", "--count is 0"),
        ("ec2 --instance m5.large --region us-east-1 --seconds 1 --spot-price 0", "--spot-price is 0"),
        ("lambda-provisioned --region us-east-1 --seconds 1 --memory-mb 128 --instance ml.m5.large", "--instance"),
        ("notebook --instance ml.t3.medium --region us-east-1 --seconds 1 --volume-gb 5", "--volume-gb"),
    ],
)
def test_what_makes_no_sense_is_one_sentence_and_exit_code_2(ask, line: str, what: str) -> None:
    code, out, err = ask(line)
    assert code == 2
    assert out == ""
    assert what in err
    assert err.count("\n") == 1


def test_prices_that_were_refreshed_are_used_and_named(ask, tmp_path: Path) -> None:
    newer = Price(Decimal("0.5"), "USD", "AWS Pricing API, published 2026-11-20", date(2026, 11, 20))
    kept = Refreshed("us-east-1", NOW, prices=(((Kind.EC2, "c5.large"), newer),))
    price_cache.write(price_cache.file(tmp_path, "us-east-1", is_embedded=False), kept)
    line = "ec2 --instance c5.large --region us-east-1 --seconds 3600 --json"
    told = json.loads(ask(line)[1])
    assert (told["amount"], told["source"], told["date"]) == ("0.50", newer.source, "2026-11-20")
    assert json.loads(ask(f"{line} --shipped")[1])["amount"] == "0.085"


def test_broken_prices_are_said_and_the_shipped_ones_answer(ask, tmp_path: Path) -> None:
    file = price_cache.file(tmp_path, "us-east-1", is_embedded=False)
    file.parent.mkdir()
    file.write_text("{")
    code, out, err = ask("ec2 --instance c5.large --region us-east-1 --seconds 3600 --json")
    assert code == 0
    assert json.loads(out)["amount"] == "0.085"
    assert "us-east-1.json made no sense" in err


def test_it_runs_as_a_module(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dashboard.core.costs", "quote", "ec2", "--instance", "t2.micro", "--region",
         "us-east-1", "--seconds", "3600", "--count", "1", "--json"],
        cwd=REPOSITORY, env={"KENNEL_HOME": str(tmp_path), "PYTHONIOENCODING": "utf-8"}, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["amount"] == "0.0116"


def test_with_a_volume_the_month_is_its_unit_and_the_seconds_are_the_time(ask) -> None:
    line = "ec2 --instance m5.large --region us-east-1 --seconds 3600 --month-hours 744 --volume-gb 100 --json"
    code, told, _ = ask(line)
    exact = Decimal(json.loads(told)["exact"])
    assert code == 0
    assert abs(exact - Decimal("0.096") - Decimal("0.08") * 100 / 744) < Decimal("1E-20")


@pytest.mark.parametrize(
    "line",
    [
        "sagemaker-training --instance ml.m5.large --region us-east-1 --seconds 10 --spot-price 1e30",
        "ec2 --instance m5.large --region us-east-1 --seconds 10 --spot-price 1e999999",
        "ec2 --instance m5.large --region us-east-1 --seconds 10 --volume-gb 1e999999",
        "ec2 --instance m5.large --region us-east-1 --seconds 1e400",
        "endpoint --instance ml.m5.large --region us-east-1 --month-hours 1e999999",
        f"lambda-provisioned --region us-east-1 --month-hours 744 --memory-mb {'9' * 40}",
    ],
)
def test_what_is_beyond_all_measure_is_refused_in_a_sentence(ask, line: str) -> None:
    code, told, wrong = ask(line)
    assert (code, told) == (2, "")
    assert len(wrong.splitlines()) == 1
