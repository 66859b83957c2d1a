"""What things cost: dated list prices and quotes made from them. Money is Decimal; unknown is None, with why."""

SIMULATED = "simulated: this machine's seconds × list price, nothing was charged"
SIMULATED_REQUESTS = "simulated: requests × list price, nothing was charged"
SAMPLE = "sample: an example, nobody's bill; seconds of the sample account × list price"
_LEFT_OUT = "credits, savings plans, free tier and tax are not in it"
LIST_PRICE = f"list price × measured time; {_LEFT_OUT}"
LIST_PRICE_REQUESTS = f"list price × requests; {_LEFT_OUT}"


def money_note(*, is_embedded: bool) -> str:
    """The sentence that stands beside every sum of money of an account."""
    return SIMULATED if is_embedded else LIST_PRICE
