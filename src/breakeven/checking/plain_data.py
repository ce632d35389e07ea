"""Python values as bytes, by value: what passes between a program and its test.

Neither pickle nor marshal: both may run code, or crash, on what a hostile program sends. A tag, a size in hexadecimal,
a semicolon, the contents. What Python compares by value arrives as a value of its type, so that equal stays equal. Runs
inside sandboxes too, on Python 3.9 and later; imports nothing.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any  # to import it at run time would take longer than most programs

_ARGUMENTS: "dict[str, Any]" = {
    "builtins.range": lambda value: (value.start, value.stop, value.step),
    "fractions.Fraction": lambda value: (value.numerator, value.denominator),
    "decimal.Decimal": lambda value: (str(value),),
    "datetime.timedelta": lambda value: (value.days, value.seconds, value.microseconds),
    "datetime.timezone": lambda value: (value.utcoffset(None),),
    "datetime.datetime": lambda value: (*value.timetuple()[:6], value.microsecond, value.tzinfo),
    "datetime.date": lambda value: (value.year, value.month, value.day),
    "datetime.time": lambda value: (value.hour, value.minute, value.second, value.microsecond, value.tzinfo),
    "collections.deque": lambda value: (list(value), value.maxlen),
}
"""What makes an equal value, by the type's name: of types that Python compares by value."""
MAX_ITEMS = 100_000
"""Items taken from an iterator or a view; of a longer one only its truth arrives."""


class Opaque:
    """A value that is no plain data: equal to nothing else, and good for its truth only."""

    def __init__(self, truth: bool) -> None:
        self.truth = truth

    def __bool__(self) -> bool:
        return self.truth


class View:
    """An iterable that is no plain data, such as the values of a dict: it has items, and equals nothing else."""

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
    >>> next(decode(encode(iter("ab")))), decode(encode(range(3))) == range(3), decode(encode({1: 2}.values()))[0]
    ('a', True, 2)
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
    elif isinstance(value, (bytes, bytearray, memoryview)):
        body = bytes(value)
        parts.append(b"b%x;%b" % (len(body), body))
    elif isinstance(value, dict):
        parts.append(b"d%x;" % len(value))
        for key, item in dict.items(value):
            _encode(key, parts, strict)
            _encode(item, parts, strict)
    else:
        _encode_others(value, parts, strict)


def _encode_others(value: object, parts: "list[bytes]", strict: bool) -> None:
    """Containers, and what is no plain data."""
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        value = value.item()  # type: ignore[attr-defined]
        if type(value).__module__ != "numpy":
            _encode(value, parts, strict)
            return
    tag = next((tag for kind, tag in _TAGS.items() if isinstance(value, kind)), None)
    made = None if tag else _made_of(value)
    if made is not None:
        parts.append(b"m2;")
        for part in made:
            _encode(part, parts, strict)
        return
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


def _made_of(value: object) -> "tuple[str, tuple[object, ...]] | None":
    """Name and arguments of the type in `_ARGUMENTS` that `value` is of."""
    for base in type(value).__mro__:
        name = f"{base.__module__}.{base.__qualname__}"
        if name in _ARGUMENTS:
            return name, _ARGUMENTS[name](value)
    return None


def _make(parts: "list[Any]") -> object:
    name, arguments = parts
    if name not in _ARGUMENTS:
        raise ValueError(f"unknown type {name!r}")
    module, _, kind = name.partition(".")
    try:
        return getattr(__import__(module), kind)(*arguments)
    except ArithmeticError as error:
        raise ValueError(f"no {name}") from error


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


_TAGS: "dict[Any, bytes]" = {
    list: b"l",
    tuple: b"t",
    set: b"S",
    frozenset: b"Z",
    type({}.keys()): b"K",
    type({}.items()): b"J",
}
_MAKERS: "dict[bytes, Any]" = {
    b"l": list,
    b"t": tuple,
    b"S": set,
    b"Z": frozenset,
    b"K": lambda items: dict.fromkeys(items).keys(),
    b"J": lambda items: dict(items).items(),
    b"I": iter,
    b"V": View,
    b"m": _make,
}
