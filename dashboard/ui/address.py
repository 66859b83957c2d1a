"""What an address asks for and a page does not know: said in a line, while the page shows what it shows without."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import streamlit as st

from dashboard.ui.markup import Markup, escape, note

LONGEST = 40


def misread(unknown: Sequence[str]) -> None:
    """One line of what is not known, such as "the period garbage"; nothing where all is."""
    if unknown:
        st.html(note(sentence(unknown)))


def known(name: str, word: str, values: Collection[str]) -> str:
    """What the address asks for by this name. "" for nothing, and for what a page does not know: that is said in a
    line, and taken out of the address. word: what it is, such as "the bucket".
    """
    asked = st.query_params.get(name, "")
    if asked in ("", *values):
        return asked
    misread(unknown_of({name: asked}, {name: (word, values)}))
    del st.query_params[name]
    return ""


def sentence(unknown: Sequence[str]) -> Markup:
    """ "The address asks for the period garbage, which is not known here: shown is …"."""
    told = " and ".join(escape(one if len(one) <= LONGEST else f"{one[:LONGEST]}…") for one in unknown)
    return Markup(f"The address asks for {told}, which is not known here: shown is what it would show without that.")


def unknown_of(query: Mapping[str, str], known: Mapping[str, tuple[str, Iterable[str]]]) -> tuple[str, ...]:
    """The values of an address that are not among those that a page knows. `known`: by name, its word and they."""
    return tuple(
        f"{word} {query[name]}" for name, (word, values) in known.items() if query.get(name, "") not in ("", *values)
    )
