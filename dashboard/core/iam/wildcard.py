"""Matching as IAM matches: `*` is any text, `?` one character, and nothing else is special.

The time is at most the product of both lengths, whatever the pattern (a regular expression can take for ever).
"""

# What stands for the wildcards of a pattern once variables were put in, whose own * and ? are plain characters. Both
# are code points that no text may contain.
ANY, ONE = "\ufdd0", "\ufdd1"


def prepared(pattern: str) -> str:
    """The pattern with its wildcards as ANY and ONE."""
    return pattern.replace("*", ANY).replace("?", ONE)


def matches(pattern: str, text: str) -> bool:
    """Whether the text fits a pattern with * and ?; upper and lower case differ."""
    return fits(prepared(pattern), text)


def fits(pattern: str, text: str) -> bool:
    """Whether the text fits a prepared pattern."""
    plain = min((found for found in (pattern.find(ANY), pattern.find(ONE)) if found >= 0), default=-1)
    if plain < 0:
        return pattern == text
    if pattern[:plain] != text[:plain]:  # most patterns of a policy end here
        return False
    at = place = plain
    star, resume = -1, 0  # the last ANY met, and where in the text what follows it is tried next
    while at < len(text):
        if place < len(pattern) and pattern[place] == ANY:
            star, resume = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in (ONE, text[at]):
            at += 1
            place += 1
        elif star >= 0:  # only the last ANY is ever widened: an earlier one could not do better
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return all(character == ANY for character in pattern[place:])


def fits_arn(pattern: str, arn: str) -> bool:
    """Whether an ARN fits a prepared pattern, its six parts one by one; a pattern that ends in * may end early."""
    wanted, found = pattern.split(":", 5), arn.split(":", 5)
    if len(found) < 6:
        return fits(pattern, arn)
    if len(wanted) < 6:
        if not pattern.endswith(ANY):
            return False
        wanted += [ANY] * (6 - len(wanted))
    return all(fits(part, of) for part, of in zip(wanted, found, strict=True))
