"""YAML as data alone: no tag that makes an object, no alias, and limits on size and depth."""

from pathlib import Path
from typing import Any, Final

from breakeven.errors import LogError, MissingExtraError

MOST_BYTES: Final = 64 << 20
"""Largest file: 16,384 solutions of 4 kB."""
_DEEPEST: Final = 12


def yaml_value(path: Path) -> Any:
    """The value in a YAML file.

    Raises:
        LogError: not readable, not YAML, larger or deeper than data of samples is, an alias, which may stand for
            itself many times over, or a tag that is no plain data.
        MissingExtraError: PyYAML is not installed.
    """
    try:
        import yaml
    except ModuleNotFoundError:
        raise MissingExtraError("YAML files need PyYAML: pip install 'breakeven[plan]'") from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise LogError(f"{path} must have at most {MOST_BYTES >> 20} MiB; got {size >> 20} MiB.")
        text = path.read_text("utf-8")
        depth = 0
        for event in yaml.parse(text, loader):
            if isinstance(event, yaml.AliasEvent):
                rule = f"{path}, line {event.start_mark.line + 1}, must hold no alias; got *{event.anchor}."
                raise LogError(f"{rule} Write out what it stands for.")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                line = event.start_mark.line + 1
                raise LogError(f"{path}, line {line}, must be nested at most {_DEEPEST} deep; it is deeper.")
        return yaml.load(text, loader)  # the safe one: plain data
    except UnicodeDecodeError:
        raise LogError(f"{path} must be UTF-8 text; it is not. Save the file as UTF-8.") from None
    except OSError as error:
        raise LogError(f"{path} must be a readable file; got {error.strerror or error}.") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise LogError(f"{path} must be YAML of plain data; got {' '.join(str(error).split())[:200]}.") from None
