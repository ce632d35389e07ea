"""Some of many, evenly chosen: what is shown or decided on where all would take too long or too much room."""


def evenly(number: int, most: int) -> list[int]:
    """Places of at most `most` of `number` things, the first and the last among them.

    Args:
        number: how many there are.
        most: at least 2.

    >>> evenly(9, 3), evenly(2, 3)
    ([0, 4, 8], [0, 1])
    """
    if number <= most:
        return list(range(number))
    return [round(place * (number - 1) / (most - 1)) for place in range(most)]
