from pathlib import Path

from dashboard.core.home import aws_state, home


def test_the_state_folder_is_in_the_repository_unless_named(tmp_path):
    repository = Path(__file__).resolve().parents[2]
    assert home({}) == repository / ".kennel"
    assert home({"KENNEL_HOME": ""}) == repository / ".kennel"
    assert home({"KENNEL_HOME": str(tmp_path)}) == tmp_path
    assert aws_state({"KENNEL_HOME": str(tmp_path)}) == tmp_path / "aws"


def test_a_tilde_is_the_persons_own_folder():
    assert home({"KENNEL_HOME": "~/kennel"}) == Path.home() / "kennel"
