"""How fast waiting goes here: what AWS takes minutes for can be watched in seconds, in tests and at a person's wish.

Only waiting that AWS itself prescribes is divided: an alarm's periods, the cooldowns of a scaling policy, the baking
time of an update, the delay before a new instance serves. Clocks, metrics' times and bills stay those of the day.
"""

from dataclasses import dataclass

FASTEST = 1000.0
LONGEST_START = 3600.0


@dataclass(frozen=True)
class Pace:
    """scale: how many times faster waits go. instance_start: seconds that a new endpoint instance waits for its machine
    before its process starts, at scale 1; an instance in AWS takes minutes, one here has its machine at once."""

    scale: float = 1.0
    instance_start: float = 0.0

    def __post_init__(self) -> None:
        if not 1.0 <= self.scale <= FASTEST:
            raise ValueError(f"the time scale must be between 1 and {FASTEST:g}, not {self.scale:g}")
        if not 0.0 <= self.instance_start <= LONGEST_START:
            raise ValueError(f"an instance's start must take 0 to {LONGEST_START:g} s, not {self.instance_start:g}")

    def seconds(self, prescribed: float) -> float:
        """How long a wait of so many prescribed seconds takes here."""
        return prescribed / self.scale


AS_AWS = Pace()
