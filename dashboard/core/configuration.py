"""Every setting that Kennel reads from its environment, in the order of the README's table.

    python -m dashboard.core.configuration

prints that table. Nothing is read here: each setting is read where it acts, and a test finds those that are not listed.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """One environment variable: its default in words ("" for none), and what it does."""

    name: str
    default: str
    meaning: str


SETTINGS = (
    Setting(
        "KENNEL_HOME",
        "`.kennel` in this folder",
        "where the embedded AWS keeps its state, and Kennel its logs and what it remembers: `activity.sqlite` (who did "
        "what), `risks.sqlite` (accepted risks, the score's way), `role_changes.sqlite` (what roles were before Kennel "
        "changed them), `signed-out.sqlite` (sign-ins that were ended), `data_work/` (uploads not finished yet), "
        "`data_reports/`, `verify/`, `prices/` (what AWS told of prices), `costs/` (what endpoints were over time) and "
        "`steps/` (which first steps were taken)",
    ),
    Setting("KENNEL_PORT", "`8501`", "the dashboard's port (`make run PORT=…` wins)"),
    Setting(
        "KENNEL_AWS_PROFILE",
        "–",
        "begin on this profile of your AWS configuration, read-only; the embedded AWS starts once somebody chooses it",
    ),
    Setting("KENNEL_ACCOUNTS", "all", "the profiles that may be chosen under Settings, with commas between them"),
    Setting(
        "KENNEL_ADDRESS",
        "`127.0.0.1`",
        "where the dashboard listens. One that others reach needs sign-in, `KENNEL_SHARE`, or `KENNEL_PUBLIC`",
    ),
    Setting(
        "KENNEL_HOSTS",
        "–",
        "the names by which people reach it through a proxy (`kennel.example.com`), with commas between them; any "
        "other name is answered 403. A name here needs sign-in, `KENNEL_SHARE` or `KENNEL_PUBLIC`, wherever the server "
        "listens",
    ),
    Setting("KENNEL_SECRETS", "`.streamlit/secrets.toml`", "the file that says how people sign in, and who they are"),
    Setting(
        "KENNEL_SHARE",
        "–",
        "`1`, or an endpoint's name: Classify alone, without sign-in (`make run SHARE=1`); nothing else exists there",
    ),
    Setting(
        "KENNEL_PUBLIC",
        "–",
        "`everybody`: listen on an address that others reach without sign-in; whoever reaches it may do everything",
    ),
    Setting(
        "KENNEL_BASE",
        "`/opt/ml` in a container",
        "the base folder of SageMaker's container contract, for `training.train`",
    ),
    Setting("KENNEL_PYTHON", "`python`", "the Python that a launched training's `start.sh` uses"),
    Setting("KENNEL_CODE", "`/opt/ml/code`", "where that script unpacks the package"),
    Setting(
        "KENNEL_FEATURE_CACHE",
        "`~/.cache/kennel/features`",
        "where `training.train` keeps features for the next run (`--cache` wins)",
    ),
    Setting("KENNEL_PRECISION", "the card's", "`fp32` or `int8`: the numbers in which a model is served"),
    Setting("KENNEL_ALLOW_HTTP", "–", "`1`: an endpoint also fetches `http://` addresses, not only `https://`"),
    Setting(
        "KENNEL_TIME_SCALE",
        "`1`",
        "the embedded AWS divides by it what AWS makes you wait for: alarms' periods, cooldowns, baking of updates, "
        "starts of instances. The header says so",
    ),
    Setting(
        "KENNEL_INSTANCE_START",
        "`0`",
        "seconds that a new endpoint instance waits for its machine there, before the division: in AWS these are "
        "minutes",
    ),
    Setting(
        "KENNEL_VISITOR_PHOTOS",
        "`60`",
        "photos that one visitor, by tab and by address, may ask about in a minute on Classify; `0` is without a limit",
    ),
    Setting(
        "KENNEL_FEEDBACK",
        "–",
        "`1`: visitors may correct an answer on Classify; photo and correction are kept in the account's bucket",
    ),
    Setting(
        "KENNEL_PHOTOS", "`../shared/photos`", "a folder of real photos with `labels.csv`, for the tests that want them"
    ),
    Setting("KENNEL_CHROMIUM", "–", "the browser for the tests, when it is not on PATH"),
)


def table() -> str:
    """The settings as the README shows them, in Markdown."""
    rows = (f"| `{one.name}` | {one.default} | {one.meaning} |" for one in SETTINGS)
    return "\n".join(("| variable | default | meaning |", "|---|---|---|", *rows))


if __name__ == "__main__":
    print(table())  # noqa: T201 - a command's answer
