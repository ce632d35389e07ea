"""The machine that a run is recorded on."""

from breakeven.session.machine import machine_words


def test_it_names_processor_cpus_and_system() -> None:
    words = machine_words()
    assert " CPU" in words
    assert "\n" not in words
    assert words == machine_words()
