"""An instance gets this machine's settings, and none of its secrets."""

import os
import sys
from pathlib import Path

from local_aws.engine import instance_folders


def test_settings_are_copied_without_what_only_this_machine_may_know(tmp_path: Path) -> None:
    source, target = tmp_path / "etc", tmp_path / "copy"
    (source / "ssh").mkdir(parents=True)
    (source / "ssl/private").mkdir(parents=True)
    (tmp_path / "elsewhere").write_text("nameserver 10.0.0.2\n")
    (source / "resolv.conf").symlink_to(tmp_path / "elsewhere")
    (source / "dangling").symlink_to("/nowhere/at/all")
    (source / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (source / "hosts").write_text("127.0.0.1 localhost\n")
    for secret in ("shadow", "ssh/ssh_host_key", "ssl/private/key.pem", "machine-id"):
        (source / secret).write_text("secret")
    os.mkfifo(source / "pipe")
    instance_folders.copy_etc(target, "ip-10-0-0-1", source)
    assert (target / "passwd").read_text() == (source / "passwd").read_text()
    assert (target / "resolv.conf").read_text() == "nameserver 10.0.0.2\n"
    assert not (target / "resolv.conf").is_symlink()  # what it points to is not there inside
    assert (target / "dangling").is_symlink()
    assert "127.0.0.1 ip-10-0-0-1" in (target / "hosts").read_text()
    assert "secret" not in "".join(path.read_text() for path in target.rglob("*") if path.is_file())
    assert not (target / "pipe").exists()


def test_what_python_needs_is_named_once_and_nothing_inside_another() -> None:
    found = [Path(path) for path in instance_folders.needed()]
    assert any(Path(sys.prefix).absolute().is_relative_to(path) for path in found)
    assert any(Path(sys.base_prefix).absolute().is_relative_to(path) for path in found)
    assert not [one for one in found for other in found if one != other and one.is_relative_to(other)]


def test_what_an_instance_locked_away_is_removed_and_its_console_stays(tmp_path: Path) -> None:
    (tmp_path / "root/var/locked").mkdir(parents=True)
    (tmp_path / "root/var/locked/file").write_text("x")
    (tmp_path / "root/var/locked").chmod(0)
    (tmp_path / "console").write_text("printed")
    instance_folders.remove(tmp_path, keep_console=True)
    assert [path.name for path in tmp_path.iterdir()] == ["console"]
    instance_folders.remove(tmp_path, keep_console=False)
    assert not tmp_path.exists()
