import socket
from pathlib import Path

import pytest

from dashboard.__main__ import too_old
from dashboard.core.errors import Refused
from dashboard.launcher import main
from dashboard.preflight import check_disk, check_home, check_people, check_port, read_address, read_port


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


@pytest.mark.parametrize(
    ("arguments", "environ", "address"),
    [
        ([], {}, "127.0.0.1"),
        ([], {"KENNEL_ADDRESS": "0.0.0.0"}, "0.0.0.0"),  # noqa: S104
        (["--address", "localhost"], {"KENNEL_ADDRESS": "10.0.0.7"}, "127.0.0.1"),
        (["--address", "[::1]"], {}, "::1"),
    ],
)
def test_the_address(arguments, environ, address):
    assert read_address(arguments, environ) == address


@pytest.mark.parametrize("text", ["kennel", "1.2.3", "127.0.0.1:80", "http://127.0.0.1", ""])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(Refused, match="is not an address"):
        read_address([f"--address={text}"], {})


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(Refused, match=r"192\.0\.2\.1 is no address of this machine"):
        check_port(8501, "192.0.2.1")  # RFC 5737: nobody's


def test_it_does_not_start_where_others_reach_it_and_nobody_signs_in(tmp_path, capsys):
    (tmp_path / "none.toml").touch()
    environ = {"KENNEL_HOME": str(tmp_path / "home"), "KENNEL_SECRETS": str(tmp_path / "none.toml")}
    assert main(["--address", "0.0.0.0", "--port", "8501"], environ) == 1  # noqa: S104
    said = capsys.readouterr().err
    assert "does not listen on 0.0.0.0 without sign-in" in said
    assert "KENNEL_PUBLIC=everybody" in said
    assert not (tmp_path / "home").exists()


def test_it_does_not_start_with_settings_of_sign_in_that_are_wrong(tmp_path, capsys):
    (tmp_path / "secrets.toml").write_text('[auth]\nclient_id = "x"\n')
    assert main(["--port", "8501"], {"KENNEL_SECRETS": str(tmp_path / "secrets.toml")}) == 1
    assert "no good cookie_secret" in capsys.readouterr().err


def test_where_classify_is_shared_the_secrets_are_not_asked(tmp_path):
    (tmp_path / "secrets.toml").write_text("[[")
    environ = {"KENNEL_SECRETS": str(tmp_path / "secrets.toml"), "KENNEL_SHARE": "dogs"}
    people, share = check_people("0.0.0.0", environ)  # noqa: S104
    assert people is None
    assert share.endpoint == "dogs"


def test_it_does_not_start_with_a_limit_of_visitors_that_is_no_number(capsys):
    assert main(["--port", "8501"], {"KENNEL_VISITOR_PHOTOS": "many"}) == 1
    assert 'it is "many"' in capsys.readouterr().err
