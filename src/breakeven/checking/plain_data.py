"""Python values as bytes, by value: what passes between a program and its test.

Neither pickle nor marshal: both may run code, or crash, on what a hostile program sends. A tag, a size in hexadecimal,
a semicolon, the contents. Runs inside sandboxes too, on Python 3.9 and later; imports nothing.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any  # to import it at run time would take longer than most programs

MAX_ITEMS = 100_000
"""Items taken from an iterator or a view; of a longer one only its truth arrives."""


class Opaque:
    """A value that is no plain data: equal to nothing else, and good for its truth only."""

    def __init__(self, truth: bool) -> None:
        self.truth = truth

    def __bool__(self) -> bool:
        return self.truth


class View:
    """An iterable that is no plain data, such as a range or a dict view: it has items, and equals nothing else."""

    def __init__(self, items: "list[object]") -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> object:
        return self.items[index]


def encode(value: object, strict: bool = False) -> bytes:
    """`value` as bytes. Instances of subclasses arrive as what they derive from.

    Raises:
        TypeError: `strict`, and something in `value` is no plain data.
        RecursionError: it contains itself, or is nested too deeply.

    >>> decode(encode([1, (2.5, "drei"), {4: {5}}, None]))
    [1, (2.5, 'drei'), {4: {5}}, None]
    >>> next(decode(encode(iter("ab")))), len(decode(encode(range(3)))), decode(encode(range(3))) == range(3)
    ('a', 3, False)
    """
    parts: list[bytes] = []
    _encode(value, parts, strict)
    return b"".join(parts)


def _encode(value: object, parts: "list[bytes]", strict: bool) -> None:
    if value is None or value is True or value is False:
        parts.append(b"N" if value is None else b"T" if value else b"F")
    elif isinstance(value, int):
        parts.append(b"i%b;" % int.__format__(value, "x").encode())
    elif isinstance(value, float):
        parts.append(b"f%b;" % float.hex(value).encode())
    elif isinstance(value, complex):
        parts.append(b"c%b,%b;" % (value.real.hex().encode(), value.imag.hex().encode()))
    elif isinstance(value, str):
        text = str.encode(value, "utf-8", "surrogatepass")
        parts.append(b"s%x;%b" % (len(text), text))
    elif isinstance(value, (bytes, bytearray)):
        parts.append(b"b%x;%b" % (len(value), bytes(value)))
    elif isinstance(value, dict):
        parts.append(b"d%x;" % len(value))
        for key, item in dict.items(value):
            _encode(key, parts, strict)
            _encode(item, parts, strict)
    else:
        _encode_others(value, parts, strict)


def _encode_others(value: object, parts: "list[bytes]", strict: bool) -> None:
    """Containers, and what is no plain data."""
    tag = next((tag for kind, tag in _TAGS.items() if isinstance(value, kind)), None)
    if tag is None and strict:
        raise TypeError(f"a value of type {type(value).__name__} is no plain data")
    items = _items(value, None if tag else MAX_ITEMS)
    tag = tag or (b"I" if hasattr(type(value), "__next__") else b"V")
    if items is None:
        parts.append(b"o%x;" % bool(value))
        return
    parts.append(b"%b%x;" % (tag, len(items)))
    for item in items:
        _encode(item, parts, strict)


def _items(value: object, most: "int | None") -> "list[object] | None":
    """The items of an iterable, None where it is none or has more than `most`."""
    if not hasattr(type(value), "__iter__"):
        return None
    items: list[object] = []
    for item in value:  # type: ignore[attr-defined]
        if len(items) == most:
            return None
        items.append(item)
    return items


def decode(data: bytes) -> "Any":
    """The value that `encode` made `data` of.

    Raises:
        ValueError: it made no such data.
        TypeError: a key, or a member of a set, cannot be hashed.
        RecursionError: it is nested too deeply.
    """
    value, end = _decode(data, 0)
    if end != len(data):
        raise ValueError("data after the value")
    return value


def _decode(data: bytes, at: int) -> "tuple[Any, int]":
    tag = data[at : at + 1]
    if tag in (b"N", b"T", b"F"):
        return (None if tag == b"N" else tag == b"T"), at + 1
    end = data.index(b";", at)
    word, at = data[at + 1 : end], end + 1
    if tag == b"f":
        return _float(word), at
    if tag == b"c":
        real, imag = word.split(b",")
        return complex(_float(real), _float(imag)), at
    number = int(word, 16)
    if tag == b"i":
        return number, at
    if tag == b"o":
        return Opaque(bool(number)), at
    if tag in (b"s", b"b"):
        body = data[at : at + number]
        if len(body) != number:
            raise ValueError("data is cut off")
        return (body if tag == b"b" else body.decode("utf-8", "surrogatepass")), at + number
    items = []
    for _ in range(2 * number if tag == b"d" else number):
        item, at = _decode(data, at)
        items.append(item)
    if tag == b"d":
        return dict(zip(items[::2], items[1::2])), at  # noqa: B905 - `strict` is newer than 3.9
    if tag not in _MAKERS:
        raise ValueError(f"unknown tag {tag!r}")
    return _MAKERS[tag](items), at


def _float(word: bytes) -> float:
    try:
        return float.fromhex(word.decode())
    except OverflowError as error:
        raise ValueError("a float out of range") from error


_TAGS: "dict[Any, bytes]" = {list: b"l", tuple: b"t", set: b"S", frozenset: b"Z"}
_MAKERS: "dict[bytes, Any]" = {b"l": list, b"t": tuple, b"S": set, b"Z": frozenset, b"I": iter, b"V": View}
