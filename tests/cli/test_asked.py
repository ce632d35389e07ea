"""What `decide` says of several tasks: once what holds for all."""

from breakeven.cli.asked import merged


def test_what_is_said_of_all_tasks_is_said_once_and_of_the_others_with_their_names() -> None:
    notes = {"a": ["all", "two"], "b": ["two", "all"], "c": ["all", "own"]}
    assert merged(notes) == ["all", "a, b: two", "c: own"]
    assert merged({}) == []
