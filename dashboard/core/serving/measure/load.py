"""Asking an endpoint from many clients at once: each asks again as soon as it is answered (a closed loop)."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock

from dashboard.core.aws import Aws
from dashboard.core.errors import KennelError, Throttled
from dashboard.core.serving.classify import ACCEPT
from dashboard.core.serving.measure.result import Level, level

PAUSE = 0.05
"""Seconds that a client waits after it was refused: no real one asks again at once, and the processor is not ours."""

Ask = Callable[[int], None]
"""Asks about the photo of this number once; raises a KennelError when it is refused or fails."""


@dataclass
class Budget:
    """Requests that may still be sent; safe to share between threads."""

    left: int
    sent: int = 0
    failed: int = 0
    _lock: Lock = field(default_factory=Lock)

    def take(self) -> int | None:
        """The number of the next request, None when there is none left."""
        with self._lock:
            if self.left <= 0:
                return None
            self.left -= 1
            self.sent += 1
            return self.sent - 1

    def fail(self) -> None:
        with self._lock:
            self.failed += 1


def asking(aws: Aws, endpoint: str, variant: str, photos: Sequence[bytes]) -> Ask:
    """Asks a variant about one photo after the other, without retries: what is refused counts as refused."""
    once = aws.trying_once()

    def ask(number: int) -> None:
        with once.translated("sagemaker-runtime", "InvokeEndpoint"):
            answer = once.call(
                "sagemaker-runtime",
                "InvokeEndpoint",
                EndpointName=endpoint,
                TargetVariant=variant,
                ContentType="image/jpeg",
                Accept=ACCEPT,
                Body=photos[number % len(photos)],
            )
            answer["Body"].read()

    return ask


def hold(
    ask: Ask, clients: int, seconds: float, budget: Budget, stop: Event, clock: Callable[[], float] = time.perf_counter
) -> Level:
    """One level: so many clients for so long, or until the budget is used up or `stop` is set.

    A request that is under way then is waited for and counted, and so is its time.
    """
    latencies: list[float] = []
    errors: Counter[str] = Counter()
    begun = clock()
    until = begun + seconds

    def client(_: int) -> None:
        while clock() < until and not stop.is_set():
            number = budget.take()
            if number is None:
                return
            sent = clock()
            try:
                ask(number)
            except KennelError as error:
                errors[kind(error)] += 1
                budget.fail()
                stop.wait(PAUSE)
            else:
                latencies.append(clock() - sent)

    with ThreadPoolExecutor(max_workers=clients, thread_name_prefix="measure") as pool:
        list(pool.map(client, range(clients)))
    return level(clients, latencies, errors, clock() - begun)


def kind(error: KennelError) -> str:
    """What went wrong, for counting: "throttled", or AWS's own first words."""
    return "throttled" if isinstance(error, Throttled) else error.what


def drawn_photos(count: int = 8, size: int = 360) -> tuple[bytes, ...]:
    """JPEGs of drawn dogs, all of them different."""
    import io

    from training.sample_data import BREEDS, draw_dog  # draws with numpy: only when asked

    made = []
    for number in range(count):
        file = io.BytesIO()
        draw_dog(sorted(BREEDS)[number % len(BREEDS)], seed=number, size=size).save(file, "JPEG", quality=88)
        made.append(file.getvalue())
    return tuple(made)
