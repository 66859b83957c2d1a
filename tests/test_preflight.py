import socket
from pathlib import Path

import pytest

from dashboard.__main__ import too_old
from dashboard.core.errors import Refused
from dashboard.preflight import check_disk, check_home, check_port, read_port


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (4, 0)])
def test_a_python_that_is_new_enough(version):
    assert too_old(version) == ""


@pytest.mark.parametrize("version", [(2, 7), (3, 8), (3, 10)])
def test_an_old_python_is_told_what_to_do(version):
    sentence = too_old(version)
    assert "3.11 or newer" in sentence
    assert "{}.{}".format(*version) in sentence
    assert "make run PYTHON=python3.11" in sentence


@pytest.mark.parametrize(
    ("arguments", "environ", "port"),
    [
        ([], {}, 8501),
        ([], {"KENNEL_PORT": "9000"}, 9000),
        (["--port", "9001"], {"KENNEL_PORT": "9000"}, 9001),
        ([], {"KENNEL_PORT": ""}, 8501),
    ],
)
def test_the_port(arguments, environ, port):
    assert read_port(arguments, environ) == port


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "80.5", "٣", ""])
def test_what_is_no_port_is_refused(text):
    with pytest.raises(Refused, match="is not a port"):
        read_port([f"--port={text}"], {})


def test_the_state_folder_is_made(tmp_path):
    home = tmp_path / "deep" / "home"
    check_home(home)
    assert home.is_dir()
    assert list(home.iterdir()) == []
    assert home.stat().st_mode & 0o077 == 0  # it will hold keys


def test_a_state_folder_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="KENNEL_HOME"):
        check_home(tmp_path / "file" / "home")


def test_a_state_folder_that_is_there_and_read_only_is_refused():
    with pytest.raises(Refused, match="cannot be written to"):
        check_home(Path("/proc"))


def test_a_disk_that_is_nearly_full_is_refused(tmp_path):
    check_disk(tmp_path, least=1)
    with pytest.raises(Refused, match="nearly full") as caught:
        check_disk(tmp_path, least=2**62)
    assert "GiB free" in caught.value.what


def test_a_port_in_use_is_named_with_another():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=f"port {port} on 127.0.0.1 is in use") as caught:
            check_port(port)
    other = port + 1 if port < 65535 else 8501
    assert f"make run PORT={other}" in caught.value.next_step
    assert f"KENNEL_PORT={other}" in caught.value.next_step
    check_port(port)
