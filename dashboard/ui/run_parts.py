"""Parts of a run's page: why it failed, what it cost, the model it made, and what it was given."""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from html import escape

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.prices import Kind
from dashboard.core.costs.receipt import Nature
from dashboard.core.format import duration, percent, rate, size
from dashboard.core.runs import artifact
from dashboard.core.runs.alike import CACHED_NOTE
from dashboard.core.runs.expectation import cost_against, expectation_of, seconds_taken, time_against
from dashboard.core.runs.model import Run
from dashboard.core.runs.model_card import ModelCard
from dashboard.ui import markup, page, problem, receipt, table
from dashboard.ui.markup import Markup, note, sentence
from dashboard.ui.page import Place
from dashboard.ui.run import steps

STEPS = 3
"""Of a run, the longest, that say where its time went."""
MUCH = 1.1
"""So many times what was expected is told of."""
SENTENCES = 6
"""Of a card's summary; the whole card can be downloaded."""


def failure(aws: Aws, one: Run) -> None:
    """What went wrong, why, and what to do, with the line of the log that matters."""
    told = state.explanation(aws, one)
    if told is None:
        return
    with st.container(border=True, key="panel-failure"):
        what = markup.sentence(told.what)
        st.html(markup.problem(one.status.word, what, told.why, told.next_step, one.status.tone))
        if told.line and told.line not in told.why:
            st.html(f'<p class="kn-line"><span>In its log</span> <code>{escape(markup.clean(told.line))}</code></p>')
        if told.statement:
            st.code(json.dumps(told.statement, indent=2), language="json")
        if one.failure.strip() and one.failure.strip() not in f"{told.why} {told.line}":
            st.html(note(f"AWS says: {one.failure.strip()}"))


def cost(aws: Aws, one: Run) -> None:
    """The receipt beside what was expected at the launch, what spot saved, and the way to its lines."""
    page.section("Cost")
    with st.container(border=True, key="panel-receipt"):
        quote = state.cost(aws, one)
        nature = Nature.of(one.tags, is_embedded=aws.account.is_embedded)
        st.html(receipt.receipt(quote, nature, against(one, quote.amount)))
        is_simulated = aws.account.is_embedded and not one.is_replayed
        said = saving_on_ec2(aws, one) if one.is_on_ec2 else saving(one, is_simulated=is_simulated)
        if said:
            st.html(said)
        if one.is_cached:
            st.html(note(f"{sentence(CACHED_NOTE)}.{longer(one)}"))
        if not one.is_tuning:  # whose trials have receipts
            st.page_link(
                Place.RECEIPT,
                label="Open its receipt",
                icon=":material/receipt_long:",
                query_params={"receipt": f"run:{one.key}"},
            )


def against(one: Run, amount: Decimal | None) -> dict[str, str]:
    """What was expected when it was launched beside what came; {} for a run that does not say."""
    expected = expectation_of(one)
    if expected is None:
        return {}
    has_ended = one.status.is_final
    told = {
        "Against plan": cost_against(expected, amount, has_ended=has_ended),
        "Time": time_against(expected, seconds_taken(one), has_ended=has_ended) if has_ended else "",
    }
    return {title: said for title, said in told.items() if said}


def longer(one: Run) -> str:
    """What a run spent its time on that took longer than was expected of one that did more; "" for others."""
    expected, took = expectation_of(one), seconds_taken(one)
    if expected is None or expected.seconds is None or took is None or took <= expected.seconds * MUCH:
        return ""
    spent = [(step.seconds, step.name) for step in steps(one, one.ended or one.created) if step.seconds]
    told = ", ".join(f"{duration(seconds)} {name.lower()}" for seconds, name in sorted(spent, reverse=True)[:STEPS])
    return f" It took longer all the same: {told}." if told else ""


def saving(one: Run, *, is_simulated: bool) -> Markup:
    """What managed spot saved, by AWS's own formula; "" where that cannot be said."""
    if one.saving is None:
        return Markup()
    times = one.interruptions
    often = "never interrupted" if not times else f"interrupted {'once' if times == 1 else f'{times} times'}"
    said = (
        f"Spot saved {percent(one.saving)}: {duration(one.billable_seconds)} billed of "
        f"{duration(one.training_seconds)} trained, {often}."
    )
    simulated = " The ratio is simulated from observed spot prices." if is_simulated else ""
    return Markup(f'<p class="kn-saving">{escape(said)}</p>' + (note(simulated.strip()) if simulated else ""))


def saving_on_ec2(aws: Aws, one: Run) -> Markup:
    """What the spot price was below the list price; "" on demand, or where one of them is not known."""
    listed = state.prices().price(Kind.EC2, one.instance_type, aws.account.region)
    if not one.is_spot or one.spot_price is None or listed is None or one.spot_price >= listed.amount:
        return Markup()
    share = percent(float(1 - one.spot_price / listed.amount))
    said = f"Spot cost {share} less: {rate(one.spot_price)} instead of {rate(listed.amount)} on demand."
    return Markup(f'<p class="kn-saving">{escape(said)} {receipt.mark(aws.account)}</p>')


def model(aws: Aws, one: Run) -> None:
    """The archive to download, and what the model says about itself."""
    if one.is_tuning:
        return
    page.section("Model")
    with st.container(border=True, key="panel-model"):
        if not one.artifact_uri:
            st.html(note("Made at its end." if one.status.is_active else "None: the run ended before it was written."))
            return
        card: ModelCard | None = None
        with problem.shown("card"):
            card = state.card(aws, one)
            if card is None:
                st.html(note("Its archive holds no card.json: it was not made by Kennel's training code."))
            else:
                _card(one, card)
        _downloads(aws, one, card)


def _card(one: Run, card: ModelCard) -> None:
    st.html("".join(f'<p class="kn-card-line">{escape(line)}</p>' for line in card.summary[:SENTENCES]))
    st.html(markup.facts({"Archive": f"{size(card.archive_bytes)} · {one.artifact_uri}"}))


def _downloads(aws: Aws, one: Run, card: ModelCard | None) -> None:
    with st.container(horizontal=True, gap="small", key="model-downloads"):
        st.download_button(
            "Download model",
            data=partial(artifact.download, aws, one.artifact_uri),
            file_name=f"{one.name}-model.tar.gz",
            mime="application/gzip",
            icon=":material/download:",
            on_click="ignore",
            key="download-model",
        )
        if card is not None:
            st.download_button(
                "Card as JSON",
                data=card.text,
                file_name=f"{one.name}-card.json",
                mime="application/json",
                type="tertiary",
                on_click="ignore",
                key="download-card",
            )


def given(one: Run, first: Mapping[str, str] | None = None) -> None:
    """What a run was set up as; `first` comes before the rest."""
    page.section("Set up as")
    with st.container(border=True, key="panel-facts"):
        st.html(markup.facts({**(first or {}), **facts(one, st.context.timezone)}))


def facts(one: Run, timezone: str | None) -> dict[str, str]:
    """What a run was given; times on the reader's clock. What it has none of is left out."""
    begun = one.created.astimezone(table.zone(timezone))
    settings = {
        name.replace("_", " "): f"{int(value):,}" if value.isdecimal() and len(value) < 12 else value
        for name, value in sorted(one.hyperparameters.items())
        if name[0] != "_"
    }
    told = {
        "Data": one.dataset_uri,
        "Instance": table.instances(one),
        "Paid as": one.capacity.value,
        "Time limit": duration(one.max_seconds),
        "Waits for spot": ""
        if one.spot_wait_seconds is None
        else f"{duration(one.spot_wait_seconds)} at most, on top of the time limit",
        **settings,
        "Checkpoints": one.checkpoint_uri,
        "Code": one.code_uri,
        "Project": one.project,
        "Owner": one.owner,
        "EC2 instance": one.instance_id,
        "Role": one.role.rsplit("/", 1)[-1],
        "Image": one.image,
        "Begun": f"{begun:%d %b %Y, %H:%M:%S %Z}",
    }
    return {name: value for name, value in told.items() if value}
