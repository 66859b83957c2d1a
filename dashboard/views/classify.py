"""What breed is it? The visitors' page."""

import streamlit as st

from dashboard import state
from dashboard.core.serving.classify import MAX_PHOTOS
from dashboard.ui import classify, classify_result, classify_ways, page, problem, starter, visiting, words
from dashboard.ui.markup import note
from dashboard.ui.tones import Tone

aws = state.connection()


@st.fragment(run_every=2, key="waiting")
def wait() -> None:
    """Until an endpoint serves: look again, and open the page by itself."""
    with problem.shown("waiting"):
        endpoints = classify_ways.offered(state.endpoints(aws).value)
        if any(endpoint.status.is_serving for endpoint in endpoints):
            st.rerun()
        if any(endpoint.status.is_changing for endpoint in endpoints):
            st.html(note("A model is starting: this page opens by itself in a moment."))
            st.skeleton(height=180)
            return
        starter.absent(aws)


offered = classify_ways.offered(state.endpoints(aws).value)
serving = [endpoint.name for endpoint in offered if endpoint.status.is_serving]
page.title("Classify", words.classify_sentence(classify_result.answered()))
looked = False
if not serving:
    wait()
else:
    with st.container(key="ask"):
        uploads = st.file_uploader(
            "Photos of a dog",
            accept_multiple_files=True,
            key=f"photos-{classify_result.generation()}",
            max_upload_size=20,
            help=f"Up to {MAX_PHOTOS} at a time, 20 MB each: JPEG, PNG, WebP, HEIC and more",
        )
        st.html(note(classify.kept_sentence()))
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="ask-more"):
            asking = classify_ways.asking(aws, serving)
            with_camera = st.toggle("Use the camera", key="with-camera")
            if classify_result.answered():
                looked = st.toggle("Where the model looked", key="looked", help=classify.LOOKED_HELP)
            drawn = st.button("Try a drawn example", key="drawn", icon=":material/draw:")
            if classify_result.results():
                st.button("Clear", key="clear", type="tertiary", on_click=classify.clear)
        named = classify.ask_address()
        again = []
        if said := classify_ways.not_serving(serving, asking.endpoint):
            st.html(note(said, Tone.WAITING))
        else:
            again = classify_ways.ask_again(asking)
        shot = st.camera_input("Take a photo", key=f"camera-{classify_result.generation()}") if with_camera else None
        slot = st.empty()
        with problem.shown():
            if arrived := [*uploads, *([shot] if shot else [])]:
                classify.take(aws, asking, arrived, slot, looked)
            example = classify.draw_example(len(classify_result.results()), asking.endpoint) if drawn else None
            if wanted := again or [one for one in (example or named,) if one]:
                classify.answer(aws, asking, wanted, slot, looked)
                st.rerun()
            if looked:
                classify.look_again(aws, serving, slot)
    for said in filter(None, (classify.left_out(), visiting.sentence())):
        st.html(note(said, Tone.WAITING))
for key, result in classify_result.shown():
    classify.card(aws, key, result, looked)
