"""The sample account's roles on a running embedded AWS: every planted risk is found, and no good role is flagged."""

from collections.abc import Iterator, Mapping, Sequence

import pytest

from dashboard.core.aws import Aws, connect
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge.audited import by_subject, of_account
from dashboard.core.iam.seen import account
from dashboard.core.iam.usage import Duty
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.views.role_account import client, fill

FUNCTION = "dog-infer"


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    running = start_embedded(tmp_path_factory.mktemp("home") / "aws", "--time-scale", "60")
    fill(running)
    asked = client(running, "lambda")
    asked.add_permission(FunctionName=FUNCTION, StatementId="all", Action="lambda:InvokeFunction", Principal="*")
    asked.create_function_url_config(FunctionName=FUNCTION, AuthType="NONE")
    yield running
    stop_embedded(running)


@pytest.fixture(scope="module")
def aws(embedded: Embedded) -> Aws:
    return connect({"KENNEL_HOME": str(embedded.state.parent)})


@pytest.fixture(scope="module")
def read(aws: Aws) -> account.AccountIam:
    return account.read(aws)


@pytest.fixture(scope="module")
def found(read: account.AccountIam) -> Mapping[str, Sequence[Finding]]:
    return by_subject(read.findings())


def kinds(findings: Sequence[Finding]) -> set[Kind]:
    return {one.kind for one in findings}


def test_the_shared_role_is_broad_open_and_shared(found: Mapping[str, Sequence[Finding]]) -> None:
    assert {Kind.FULL_ACCESS, Kind.PRIVILEGE_ESCALATION, Kind.TRUST, Kind.SHARED_ROLE} <= kinds(found["DogProject"])


def test_the_function_that_may_do_everything_with_sagemaker(found: Mapping[str, Sequence[Finding]]) -> None:
    assert Kind.FULL_ACCESS in kinds(found["DogInferLambda"])
    assert Kind.TRUST not in kinds(found["DogInferLambda"])  # a bare Lambda trust is as narrow as AWS lets it be


def test_the_administrator_that_nobody_has_used(found: Mapping[str, Sequence[Finding]]) -> None:
    assert {Kind.FULL_ACCESS, Kind.UNUSED_ROLE} <= kinds(found["DogNotebookOld"])
    assert found["DogNotebookOld"][0].severity is Severity.CRITICAL


def test_the_partner_without_an_external_id_and_the_loose_policy(found: Mapping[str, Sequence[Finding]]) -> None:
    assert kinds(found["DogPartner"]) == {Kind.TRUST}
    assert kinds(found["DogOldS3"]) == {Kind.UNUSED_POLICY}


def test_the_function_that_anybody_may_call(found: Mapping[str, Sequence[Finding]]) -> None:
    assert kinds(found[FUNCTION]) == {Kind.RESOURCE_POLICY, Kind.FUNCTION_URL}


def test_no_good_role_is_flagged(read: account.AccountIam, found: Mapping[str, Sequence[Finding]]) -> None:
    good = {"DogInferOneEndpoint", "KennelTraining", "KennelEndpoint", "KennelInstance"}
    there = {role.name for role in of_account(read).roles}
    assert "DogInferOneEndpoint" in there
    assert not good & set(found)


def test_it_is_known_what_works_as_which_role(aws: Aws, read: account.AccountIam) -> None:
    usage = read.usage
    assert set(usage.duties(aws.account.role_arn("DogProject"))) >= {Duty.ENDPOINT, Duty.INSTANCE}
    assert usage.duties(aws.account.role_arn("DogInferOneEndpoint")) == (Duty.FUNCTION,)
    assert read.unread == ()
