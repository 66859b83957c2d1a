"""The photos of one class of a data set, as small pictures."""

import base64

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.data.contents import Contents, Photo
from dashboard.core.data.datasets import SPLITS
from dashboard.core.format import count, short, size
from dashboard.ui import page
from dashboard.ui.markup import Markup, escape, note
from training.breeds import display_name

A_PAGE = 24
LONGEST = 16
"""Characters of a file's name below its picture."""


def show(aws: Aws, content: Contents) -> None:
    """Which class and split, and a page of their photos; nothing for a data set without photos."""
    if not content.photos:
        return
    page.section("Photos")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="photos-pick"):
        label = st.selectbox(
            "Class",
            list(content.classes),
            format_func=display_name,
            key=f"photos-class-{content.name}",
            width=280,
        )
        of = content.classes[label]
        splits = [split for split in SPLITS if of.get(split)]
        split = st.segmented_control(
            "Split",
            splits,
            default=splits[0],
            required=True,
            format_func=lambda one: f"{one} {of[one]:,}",
            key=f"photos-split-{content.name}-{label}",
        )
    photos = content.of(split or splits[0], label)
    pages = -(-len(photos) // A_PAGE)
    place = f"photos-page-{content.name}-{label}-{split}"
    number = min(pages, int(st.session_state.get(place) or 1))
    shown = photos[(number - 1) * A_PAGE : number * A_PAGE]
    pictures = state.of_photos(aws, content.bucket, shown)
    st.html(grid(shown, pictures, f"{display_name(label)}, {split}"))
    if pages > 1:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="photos-pages"):
            st.pagination(pages, key=place)
            st.html(note(f"{count(len(photos), 'photo')}, {A_PAGE} a page"))


def grid(photos: tuple[Photo, ...], pictures: list[bytes | str], name: str) -> str:
    """Photos with their names, in rows as wide as there is room; a sentence stands for what cannot be shown."""
    cells = []
    for photo, picture in zip(photos, pictures, strict=True):
        shown = image(picture, f"{name}: {photo.file}")
        file = escape(short(photo.file, LONGEST))
        told = f'<figcaption title="{escape(photo.key)}">{file}<br>{size(photo.size)}</figcaption>'
        cells.append(f"<li><figure>{shown}{told}</figure></li>")
    return f'<ul class="kn-thumbs" aria-label="{escape(name)}">{"".join(cells)}</ul>'


def image(picture: bytes | str, alt: str) -> Markup:
    """A picture in the page itself, or the reason why there is none."""
    if isinstance(picture, str):
        return Markup(f'<p class="kn-thumb-none">{escape(picture)}</p>')
    data = base64.b64encode(picture).decode()
    return Markup(f'<img src="data:image/jpeg;base64,{data}" alt="{escape(alt)}" loading="lazy">')
