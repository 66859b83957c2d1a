"""A live account for what asks AWS about itself before it launches."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from dashboard.core.aws import Aws, connect
from local_aws.sample_account import Builder, _policies
from tests.conftest import Embedded, start_embedded, stop_embedded
from tests.core.conftest import write_client


@dataclass(frozen=True)
class LiveAccount:
    """An embedded AWS of its own with bucket, roles and one photo, and the dashboard's connection to it."""

    embedded: Embedded
    aws: Aws

    @property
    def bucket(self) -> str:
        return self.aws.account.bucket

    @property
    def data(self) -> str:
        return f"s3://{self.bucket}/datasets/dogs/"

    def make_roles(self) -> None:
        """The roles of a fresh account; those that are there keep their policies."""
        builder = Builder(self.embedded.client, self.aws.account.account_id, "us-east-1", say=lambda _: None)
        for name in ("KennelTraining", "KennelInstance"):
            builder._role(name, _policies(self.bucket)[name])
        builder._instance_profile("KennelInstance")


@pytest.fixture(scope="package")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveAccount]:
    embedded = start_embedded(tmp_path_factory.mktemp("account"))
    home = tmp_path_factory.mktemp("kennel-home")
    keys = {"access_key_id": embedded.access_key_id, "secret_access_key": embedded.secret_access_key}
    write_client(home, embedded.endpoint_url, **keys)
    account = LiveAccount(embedded, connect({"KENNEL_HOME": str(home)}))
    s3 = embedded.client("s3")
    s3.create_bucket(Bucket=account.bucket)
    s3.put_object(Bucket=account.bucket, Key="datasets/dogs/train/001.Affenpinscher/1.jpg", Body=b"no photo")
    account.make_roles()
    yield account
    stop_embedded(embedded)
