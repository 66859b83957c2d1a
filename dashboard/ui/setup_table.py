"""The pieces that Kennel needs, and what would be made of them, as tables that are read whole. Pure markup."""

from collections.abc import Mapping, Sequence
from html import escape

from dashboard.core.setup.missing import Found
from dashboard.core.setup.stack import Stack
from dashboard.ui import setup_words
from dashboard.ui.markup import Markup, badge


def table(found: Sequence[Found], stack: Stack) -> Markup:
    """A row for each piece: what it is, how it stands and what that means, what it is for, and who made it."""
    whose = bool(stack.pieces)  # before there is a stack nothing can be of it
    body = "".join(_row(one, row, whose=whose) for one, row in zip(found, setup_words.rows(found, stack), strict=True))
    made_by = "<th>Made by</th>" if whose else ""
    return Markup(
        '<table class="kn-lines kn-stacks" aria-label="The pieces that Kennel needs in this account, and how each '
        'stands"><thead><tr><th>Piece</th><th>State</th><th>What it is for</th>'
        f"{made_by}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def changes(rows: Sequence[Mapping[str, str]]) -> Markup:
    """What CloudFormation would do, resource by resource, as `setup_words.change_rows` says it."""
    body = "".join(
        f"<tr><td>{escape(row['CloudFormation'])}</td><td>{_named(row['Resource'], row['Kind'])}</td>"
        f"<td>{escape(row['What it is for'])}</td></tr>"
        for row in rows
    )
    return Markup(
        '<table class="kn-lines kn-stacks" aria-label="What CloudFormation would do, resource by resource"><thead><tr>'
        "<th>CloudFormation</th><th>Resource</th><th>What it is for</th></tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _named(name: str, kind: str) -> str:
    return f'<strong>{escape(name)}</strong> <span class="kn-note">{escape(kind)}</span>'


def _row(one: Found, row: dict[str, str], *, whose: bool) -> str:
    means = f'<p class="kn-note">{escape(row["Told"])}</p>' if row["Told"] else ""
    made_by = f'<td data-of="Made by">{escape(row["Made by"])}</td>' if whose else ""
    return (
        f"<tr><td>{_named(row['Piece'], row['Kind'])}</td>"
        f"<td>{badge(setup_words.tone(one), row['State'])}{means}</td><td>{escape(row['What it is for'])}</td>"
        f"{made_by}</tr>"
    )
