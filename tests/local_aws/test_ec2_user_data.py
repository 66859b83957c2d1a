"""Where a system allows no namespaces, an instance runs Kennel's own user data and no other."""

import threading
from pathlib import Path

import pytest

from dashboard.core.runs import user_data as kennels
from local_aws.engine.instance import Boot, End, InstanceProcess, Sandbox
from local_aws.errors import ServiceError
from local_aws.services import ec2_user_data


def rendered(name: str = "a-run") -> str:
    return kennels.render("a-bucket", name, "s3://a-bucket/code/training-1/", region="us-east-1", max_seconds=60)


def test_the_digest_is_that_of_kennels_own_user_data() -> None:
    """When user_data.sh changes, DIGEST changes with it."""
    assert ec2_user_data.digest(kennels.TEMPLATE.read_bytes()) == ec2_user_data.DIGEST


def test_every_run_of_kennels_is_recognised_and_nothing_else() -> None:
    for name in ("a-run", "another"):
        ec2_user_data.check_is_ours(rendered(name).encode())
    for other in (
        "#!/bin/sh\necho mine",
        rendered() + "\necho more",
        rendered().replace("RUN='", "RUN='x'; echo mine; : '", 1),
        rendered().replace("RUN='", "RUN='$(echo mine)'\nRUN='", 1),
    ):
        with pytest.raises(ServiceError, match=r"allows no namespaces.*runs Kennel's own user data only") as caught:
            ec2_user_data.check_is_ours(other.encode())
        assert caught.value.code == "UnsupportedOperation"


def test_without_namespaces_it_stays_in_its_folder_and_ends_by_shutdown(tmp_path: Path) -> None:
    script = b"""#!/bin/bash
mkdir -p /opt/ml/code && echo code > /opt/ml/code/file
echo "base $KENNEL_BASE home $HOME temp $TMPDIR"
sleep 300 &
trap 'shutdown -h now' EXIT
"""
    ended, ends = threading.Event(), []

    def end(how: End) -> None:
        ends.append(how)
        ended.set()

    boot = Boot("i-1", tmp_path, script, first=True, environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    process = InstanceProcess(boot, Sandbox(private=False, grace=3.0), end)
    assert ended.wait(15), process.console.read()
    assert ends == [End.SHUT_DOWN]
    root = tmp_path / "root"
    assert (root / "opt/ml/code/file").read_text() == "code\n"
    assert f"base {root}/opt/ml home {root}/root temp {root / 'tmp'}" in process.console.read().decode()
    assert not Path("/opt/ml/code/file").exists()
