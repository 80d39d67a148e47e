"""What is made of samples."""

from benchmarks.load import Sample
from benchmarks.report import markdown, results, short
from benchmarks.workloads import WORKLOADS

LISTING = WORKLOADS["list-1000-rclone-again"]
SAMPLES = {
    LISTING.name: {
        "slow": [Sample(2, 2.0, 0.5, 1 << 20), Sample(1, 2.0, 0.5, 3 << 20)],
        "quick": [Sample(20, 1.0, 0.2, 1 << 20)] * 2 + [Sample(2000, 1.0, 0.2, 1 << 20)],
        "broken": [],
    }
}


def test_a_rate_is_the_median_of_the_rounds_in_units() -> None:
    """One round that was lucky does not count, and a listing counts its entries."""
    row = results([LISTING], SAMPLES)[LISTING.name]
    assert row["quick"].rate == 20_000
    assert row["slow"].rate == 750


def test_the_share_is_that_of_the_best() -> None:
    """The best server has 1.0, the others less."""
    row = results([LISTING], SAMPLES)[LISTING.name]
    assert (row["quick"].share, row["slow"].share) == (1.0, 750 / 20_000)


def test_processor_time_is_for_one_unit_and_memory_is_the_peak() -> None:
    """Half a second for 2,000 entries and for 1,000 are 375 microseconds in the median."""
    slow = results([LISTING], SAMPLES)[LISTING.name]["slow"]
    assert slow.cpu_us == 375
    assert slow.peak_bytes == 3 << 20


def test_a_server_without_a_sample_has_a_dash() -> None:
    """What failed leaves its place in the table empty."""
    table = results([LISTING], SAMPLES)
    text = markdown([LISTING], ["quick", "broken"], table, {"machine": "two cores"})
    assert "- machine: two cores" in text
    assert f"| {LISTING.name} | entries | 20,000 (1.00) | – |" in text


def test_numbers_show_three_figures() -> None:
    """Neither more than was measured nor less than can be compared."""
    assert [short(value) for value in (1234567, 99.96, 42.12, 0.123)] == [
        "1,234,567",
        "100.0",
        "42.1",
        "0.12",
    ]
