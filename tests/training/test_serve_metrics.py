"""What Prometheus reads."""

import re
import threading

from training.serve_metrics import Histogram, Metrics

SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\.)*"(,[a-z]+="(?:[^"\\\n]|\\.)*")*\})? [-+0-9.e]+(inf)?')


def test_a_histogram_counts_what_is_not_above_each_bound() -> None:
    histogram = Histogram((1, 2, 4))
    for value in (0.5, 1, 1.5, 4, 9):
        histogram.add(value)
    assert histogram.lines("x") == [
        'x_bucket{le="1"} 2',
        'x_bucket{le="2"} 3',
        'x_bucket{le="4"} 4',
        'x_bucket{le="+Inf"} 5',
        "x_sum 16.000000",
        "x_count 5",
    ]


def test_no_value_is_lost_between_threads() -> None:
    histogram = Histogram((1,))
    threads = [threading.Thread(target=lambda: [histogram.add(0.5) for _ in range(2000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert histogram.lines("x")[-1] == "x_count 16000"


def test_every_line_is_prometheus_text_whatever_the_model_is_called() -> None:
    metrics = Metrics()
    metrics.answered(200, 0.012)
    metrics.answered(503, 0.001)
    page = metrics.text({"kennel_queue_depth": ("requests that wait", 3)}, {"model": 'a "b" \\ c\nd', "labels": "2"})
    assert page.endswith("\n")
    described = set()
    for line in page.splitlines():
        if line.startswith("# "):
            described.add(line.split()[2])
        else:
            assert SAMPLE.fullmatch(line), line
            assert re.sub("_(bucket|sum|count)$", "", re.split("[{ ]", line)[0]) in described
    assert 'kennel_requests_total{status="503"} 1' in page
    assert "kennel_queue_depth 3" in page
