import pytest

from dashboard.core.errors import InvalidInput, Refused
from dashboard.core.people import Role
from dashboard.core.sign_in import read, secrets_file

SECRET = "0123456789abcdef0123456789abcdef"
AUTH = {
    "redirect_uri": '"https://kennel.example.com/oauth2callback"',
    "cookie_secret": f'"{SECRET}"',
    "client_id": '"kennel"',
    "client_secret": '"hush"',
    "server_metadata_url": '"https://id.example.com/.well-known/openid-configuration"',
}
PEOPLE = '[kennel.people]\nengineer = ["ann@example.com"]\n'


def written(folder, people=PEOPLE, **auth):
    file = folder / "secrets.toml"
    lines = [f"{name} = {value}" for name, value in (AUTH | auth).items() if value]
    file.write_text("[auth]\n" + "\n".join(lines) + f"\n{people}")
    return file


def test_without_a_file_or_its_table_nobody_signs_in(tmp_path):
    assert read(tmp_path / "secrets.toml") is None
    (tmp_path / "secrets.toml").write_text('other = "x"\n')
    assert read(tmp_path / "secrets.toml") is None


def test_the_settings(tmp_path):
    people = '[kennel]\nask = "ops@example.com"\nhours = 1.5\n' + PEOPLE + 'visitor = "@example.com"\n'
    found = read(written(tmp_path, people))
    assert (found.ask, found.hours, found.origin) == ("ops@example.com", 1.5, "https://kennel.example.com")
    assert [role for role, _ in found.rules] == [Role.ENGINEER, Role.VISITOR]
    assert found.providers == ()


def test_several_providers_have_their_names(tmp_path):
    one = '[auth.google]\nclient_id = "a"\nclient_secret = "b"\nserver_metadata_url = "https://g.example/x"\n'
    file = written(tmp_path, one + one.replace("google", "okta") + PEOPLE, client_id="", client_secret="")
    assert read(file).providers == ("google", "okta")
    assert read(written(tmp_path, one + PEOPLE)).providers == ("", "google")  # and the one without a name


def test_what_is_not_there_is_installed_first(tmp_path):
    with pytest.raises(Refused, match="authlib are not installed"):
        read(written(tmp_path), is_there=lambda name: name != "authlib")


@pytest.mark.parametrize(
    ("people", "auth", "said"),
    [
        (PEOPLE, {"cookie_secret": '"short"'}, "no good cookie_secret"),
        (PEOPLE, {"cookie_secret": f'"{"x" * 40}"'}, "no good cookie_secret"),
        (PEOPLE, {"cookie_secret": ""}, "no good cookie_secret"),
        (PEOPLE, {"client_secret": ""}, "lacks client_secret"),
        (PEOPLE, {"client_id": "7"}, "client_id is no text"),
        (PEOPLE, {"redirect_uri": '"https://kennel.example.com/"'}, "redirect_uri is this server's address"),
        (PEOPLE, {"redirect_uri": '"http://kennel.example.com/oauth2callback"'}, "can be overheard"),
        (PEOPLE, {"server_metadata_url": '"http://id.example.com/x"'}, "must begin with https"),
        ("", {}, "gives nobody a role"),
        ('[kennel.people]\nboss = ["a@b.de"]\n', {}, "the roles are visitor, manager, engineer"),
        ("[kennel.people]\nengineer = [7]\n", {}, "is a list of texts"),
        ('[kennel.people]\nengineer = ["everybody"]\n', {}, "says of nobody who they are"),
        (f"[kennel]\nhours = 0\n{PEOPLE}", {}, "hours is a number"),
        (f"[kennel]\nhours = true\n{PEOPLE}", {}, "hours is a number"),
        ("[kennel]\npeople = 3\n", {}, "people is no table"),
        ("[[", {}, "cannot be read"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, people, auth, said):
    with pytest.raises(InvalidInput, match=said):
        read(written(tmp_path, people, **auth))


def test_people_without_a_way_to_sign_in_are_a_mistake(tmp_path):
    (tmp_path / "secrets.toml").write_text(PEOPLE)
    with pytest.raises(InvalidInput, match="not how they sign in"):
        read(tmp_path / "secrets.toml")


def test_a_word_that_it_does_not_know_is_said(tmp_path):
    with pytest.raises(InvalidInput, match="has aks, and what it may have is ask, hours, people"):
        read(written(tmp_path, '[kennel]\naks = "ops@example.com"\n' + PEOPLE))


def test_this_machine_may_do_without_https(tmp_path):
    file = written(tmp_path, redirect_uri='"http://127.0.0.1:8501/oauth2callback"')
    assert read(file).origin == "http://127.0.0.1:8501"


def test_where_the_file_is(tmp_path):
    with pytest.raises(InvalidInput, match=r"there is no .*x\.toml"):
        secrets_file({"KENNEL_SECRETS": str(tmp_path / "x.toml")})
    (tmp_path / "x.toml").touch()
    assert secrets_file({"KENNEL_SECRETS": str(tmp_path / "x.toml")}) == tmp_path / "x.toml"
    assert secrets_file({}).parts[-2:] == (".streamlit", "secrets.toml")
