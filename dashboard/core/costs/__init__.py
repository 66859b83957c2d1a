"""What things cost: dated list prices and quotes made from them. Money is Decimal; unknown is None, with why."""

SIMULATED = "simulated: this machine's seconds × list price, nothing was charged"
SAMPLE = "sample: an example, nobody's bill; seconds of the sample account × list price"
LIST_PRICE = "list price × measured time; credits, savings plans, free tier and tax are not in it"


def money_note(*, is_embedded: bool) -> str:
    """The sentence that stands beside every sum of money of an account."""
    return SIMULATED if is_embedded else LIST_PRICE
