"""A job on several instances: as many process groups that find each other, share the data, and end together."""

import io
import json
import socket
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.engine import hosts
from local_aws.engine.errors import InternalFaultError
from local_aws.engine.hosts import Numbers, Seat
from local_aws.engine.job import Stage
from local_aws.engine.opt_ml import namespaces_allowed
from local_aws.engine.training import INTERRUPTED
from tests.local_aws.engine_world import World, channel, eventually, world

needs_namespaces = pytest.mark.skipif(not namespaces_allowed(), reason="this system allows no mount namespaces")
both = pytest.mark.parametrize("private", [pytest.param(True, marks=needs_namespaces), False])


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, places=4) as made:
        yield made


def lines(made: World, job: str, host: str) -> list[str]:
    """What a host printed."""
    found = [events for (_, stream), events in made.logs.events.items() if stream.startswith(f"{job}/{host}-")]
    return [line for events in found for _, line in events]


def archive(made: World, key: str) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(made.objects.get("bucket", key).path.read_bytes()), mode="r:gz") as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar if entry.isfile()}  # type: ignore[union-attr]


TALK = """
import json, os, socket, time
config = json.load(open("/opt/ml/input/config/resourceconfig.json"))
names, me, port = config["hosts"], config["current_host"], int(os.environ["MASTER_PORT"])
assert json.loads(os.environ["SM_HOSTS"]) == names and os.environ["SM_CURRENT_HOST"] == me
assert names.index(me) == int(os.environ["SM_CURRENT_HOST_RANK"])
if me == names[0]:
    server = socket.create_server((me, port))
    print(server.getsockname()[0], flush=True)
    for _ in names[1:]:
        with server.accept()[0] as other:
            print("heard", other.recv(100).decode(), flush=True)
else:
    for _ in range(200):
        try:
            other = socket.create_connection((os.environ["MASTER_ADDR"], port), 5)
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    other.sendall(me.encode())
"""


@both
def test_hosts_find_each_other_by_the_names_of_their_resource_config(tmp_path: Path, private: bool) -> None:
    with world(tmp_path, places=4, private=private) as made:
        made.objects.put("bucket", "code/talk.py", TALK.encode())
        told = made.run(
            "python /opt/ml/input/data/code/talk.py",
            instances=3,
            InputDataConfig=[channel("code", "s3://bucket/code/")],
        )
        assert told.names == [Stage.DOWNLOADING, Stage.TRAINING, Stage.UPLOADING, Stage.COMPLETED], told.failure
        address, *heard = lines(made, "job", "algo-1")
        assert address == "127.0.1.1"
        others = ("algo-2", "algo-3") if private else ("127.0.1.2", "127.0.1.3")
        assert sorted(heard) == [f"heard {name}" for name in others]


@needs_namespaces
def test_each_host_has_its_own_stream_and_folder_and_their_models_become_one(here: World) -> None:
    told = here.run(
        "echo I am $SM_CURRENT_HOST of $SM_HOST_COUNT; ls /opt/ml/model | wc -l; sleep 0.3;"
        "echo $SM_CURRENT_HOST > /opt/ml/model/$SM_CURRENT_HOST; echo $SM_CURRENT_HOST > /opt/ml/model/same;"
        "mkdir /opt/ml/model/code; echo $SM_CURRENT_HOST > /opt/ml/output/data/$SM_CURRENT_HOST",
        instances=2,
    )
    assert told.names[-1] is Stage.COMPLETED, told.failure
    for host in ("algo-1", "algo-2"):
        assert lines(here, "job", host) == [f"I am {host} of 2", "0"]
    model = archive(here, "runs/job/output/model.tar.gz")
    assert model == {"algo-1": b"algo-1\n", "algo-2": b"algo-2\n", "same": b"algo-1\n"}
    assert archive(here, "runs/job/output/output.tar.gz") == {"algo-1": b"algo-1\n", "algo-2": b"algo-2\n"}


@needs_namespaces
def test_uncompressed_models_of_all_hosts_are_stored_too(here: World) -> None:
    here.run(
        "echo $SM_CURRENT_HOST > /opt/ml/model/same; touch /opt/ml/model/$SM_CURRENT_HOST",
        instances=2,
        OutputDataConfig={"S3OutputPath": "s3://bucket/runs", "CompressionType": "NONE"},
    )
    stored = {one.key: one.path.read_bytes() for one in here.objects.find("bucket", "runs/job/output/model/")}
    assert stored == {
        "runs/job/output/model/algo-1": b"",
        "runs/job/output/model/algo-2": b"",
        "runs/job/output/model/same": b"algo-1\n",
    }


def test_data_is_whole_on_each_host_or_shared_out_by_key(here: World) -> None:
    for number in range(5):
        here.objects.put("bucket", f"d/{number}", b"x")
    shared = channel("shared", "s3://bucket/d/")
    shared["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    told = here.run(
        "ls /opt/ml/input/data/shared | tr '\\n' ' '; echo; ls /opt/ml/input/data/whole | wc -l;"
        "grep -o ShardedByS3Key /opt/ml/input/config/inputdataconfig.json",
        instances=2,
        InputDataConfig=[shared, channel("whole", "s3://bucket/d/")],
    )
    assert told.names[-1] is Stage.COMPLETED, told.failure
    assert [line.strip() for line in lines(here, "job", "algo-1")] == ["0 2 4", "5", "ShardedByS3Key"]
    assert [line.strip() for line in lines(here, "job", "algo-2")] == ["1 3", "5", "ShardedByS3Key"]


def test_one_host_that_fails_fails_the_job_and_ends_the_others(here: World) -> None:
    started = time.monotonic()
    told = here.run(
        "if [ $SM_CURRENT_HOST_RANK = 1 ]; then sleep 0.3; echo 'no such folder' > /opt/ml/output/failure; exit 3; fi;"
        "trap 'echo told; exit 143' TERM; sleep 60 & wait",
        instances=2,
    )
    assert time.monotonic() - started < 10
    assert told.failure == "AlgorithmError: algo-2: no such folder, exit code: 3"
    assert lines(here, "job", "algo-1") == ["told"]


def test_a_host_that_is_done_waits_for_the_others(here: World) -> None:
    told = here.run(
        "[ $SM_CURRENT_HOST_RANK = 0 ] && exit 0; sleep 0.5; touch /opt/ml/model/last",
        instances=2,
    )
    assert told.names[-1] is Stage.COMPLETED
    assert archive(here, "runs/job/output/model.tar.gz") == {"last": b""}


def test_stopping_tells_every_host(here: World) -> None:
    script = "trap 'echo bye > /opt/ml/model/$SM_CURRENT_HOST_RANK; exit 0' TERM; echo ready; sleep 60 & wait"
    arn = here.start(script, instances=2)
    assert eventually(lambda: here.logs.lines.count("ready") == 2)
    here.queue.stop(arn)
    assert here.finish().names[-1] is Stage.STOPPED
    assert sorted(archive(here, "runs/job/output/model.tar.gz")) == ["0", "1"]


def test_a_job_needs_a_place_for_each_host_and_those_behind_it_do_not_overtake(tmp_path: Path) -> None:
    with world(tmp_path, places=2) as made:
        hold = "while [ ! -e /opt/ml/go ]; do sleep 0.02; done"
        made.start(hold, "first")
        assert eventually(lambda: Stage.TRAINING in made.told["first"].names)
        made.start("sleep 0.2", "pair", instances=2)
        made.start("true", "small")
        why = made.told["pair"].stages[0][1]
        assert "runs 2 training instances at once, this job needs 2, 1 is free, and 0 jobs are ahead" in why
        assert made.told["small"].names == [Stage.STARTING]
        assert "1 job is ahead" in made.told["small"].stages[0][1]
        for folder in made.scratch.iterdir():
            (folder / "algo-1/go").touch()
        assert made.finish("pair").names[-1] is Stage.COMPLETED
        made.finish("small")
        begun = {
            name: next(at for stage, _, at in made.told[name].stages if stage is Stage.TRAINING) for name in made.told
        }
        ended = made.told["pair"].stages[-1][2]
        assert begun["first"] < begun["pair"] < ended <= begun["small"]


def test_a_job_of_more_hosts_than_this_machine_has_places_takes_them_all(tmp_path: Path) -> None:
    with world(tmp_path, places=1) as made:
        assert made.run("true", instances=3).names[-1] is Stage.COMPLETED


def test_two_jobs_at_once_have_other_addresses_and_ports(here: World) -> None:
    script = "echo $MASTER_PORT $(getent hosts $MASTER_ADDR | cut -d' ' -f1); sleep 0.5"
    for name in "ab":
        here.start(script, name, instances=2)
    for name in "ab":
        here.finish(name)
    (first, _), (second, _) = (lines(here, name, "algo-1")[0].split() for name in "ab")
    assert first != second
    assert lines(here, "a", "algo-1") == lines(here, "a", "algo-2")
    if namespaces_allowed():
        addresses = {lines(here, name, "algo-1")[0].split()[1] for name in "ab"}
        assert addresses == {"127.0.1.1", "127.0.2.1"}


def test_what_every_host_is_told_of_its_instance(here: World) -> None:
    here.run("cat /opt/ml/input/config/resourceconfig.json; echo; echo $SM_RESOURCE_CONFIG", instances=2)
    file, variable = lines(here, "job", "algo-2")
    found = json.loads(file)
    assert json.loads(variable) == found
    assert found["hosts"] == found["instance_groups"][0]["hosts"]
    assert found["current_host"] == found["hosts"][1]
    assert found["network_interface_name"] == "lo"


@needs_namespaces
def test_a_single_host_is_found_by_its_name_too_and_the_machines_own_names_stay(here: World) -> None:
    here.run("getent hosts algo-1 | cut -d' ' -f1; getent hosts localhost | wc -l; echo port $MASTER_PORT")
    assert here.logs.lines == ["127.0.1.1", "1", "port"]
    assert "algo-1" not in Path("/etc/hosts").read_text()


def test_numbers_are_given_out_again() -> None:
    numbers = Numbers()
    assert [numbers.take() for _ in range(3)] == [1, 2, 3]
    numbers.give_back(2)
    assert numbers.take() == 2


def test_a_free_port_is_one_that_can_be_listened_on() -> None:
    with socket.create_server(("127.0.0.1", hosts.free_port())) as server:
        assert server.getsockname()[1] > 1024


def test_the_sdks_drivers_meet_where_the_job_says(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    script = tmp_path / "scripts/environment.py"
    before = 'SM_MASTER_ADDR = "algo-1"\nSM_MASTER_PORT = 7777\nOTHER = 7777\n'
    script.write_text(before)
    hosts.meet_here(tmp_path, Seat())
    assert script.read_text() == before, "a single host meets nobody"
    hosts.meet_here(tmp_path, Seat(("127.0.1.1", "127.0.1.2"), 1, 4242))
    assert script.read_text() == 'SM_MASTER_ADDR = "127.0.1.1"\nSM_MASTER_PORT = 4242\nOTHER = 7777\n'


def test_the_sdk_still_says_it_in_the_words_that_are_looked_for() -> None:
    driver = pytest.importorskip("sagemaker.train.container_drivers").__path__[0]
    text = (Path(driver) / "scripts/environment.py").read_text()
    assert hosts._SDK_PORT.search(text)
    assert hosts._SDK_ADDRESS.search(text)


def test_a_system_without_such_addresses_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(address: str = "") -> int:
        raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr(hosts, "free_port", refuses)
    assert hosts.seats(1, 1, named=True) == (Seat(),)
    with pytest.raises(InternalFaultError, match=r"127\.0\.1\.2.*Train on one instance here"):
        hosts.seats(2, 1, named=True)


def test_closing_ends_every_host_at_once(here: World) -> None:
    here.start("trap '' TERM; echo ready; while true; do sleep 0.05; done", instances=2)
    assert eventually(lambda: here.logs.lines.count("ready") == 2)
    started = time.monotonic()
    here.queue.close()
    assert time.monotonic() - started < 5
    assert here.told["job"].failure == INTERRUPTED
    assert list(here.scratch.iterdir()) == []
