"""`breakeven init`: the lines for a training script, by the framework that it uses."""

from pathlib import Path
from typing import Annotated

import typer

from breakeven.adapters.scripts import advice
from breakeven.cli.common import JsonOption, console, print_json
from breakeven.errors import argument_error


def init(
    script: Annotated[Path, typer.Argument(help="A training script in Python. It is read, and not run.")],
    json: JsonOption = False,
) -> None:
    """Print the lines that put breakeven into a training script, with the script's own names.

    It looks for trainers of transformers and Lightning, the SFTTrainer and the GRPOTrainer of TRL, for Accelerate, an
    optimizer of torch, and Ray Tune.
    """
    try:
        source = script.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise argument_error("SCRIPT", "be a file of Python that can be read", str(script), str(error)) from error
    found = advice(source, str(script))
    if json:
        print_json({"script": str(script), "found": found})
        return
    for each in found:
        console.print(f"{each.framework}, line {each.line}:\n", style="bold")
        for line in each.lines:
            console.print(f"    {line}")
        console.print()
    more = "What is written as ... is yours to fill in. "
    console.print(f'{more}Nothing is stopped before you ask for it by mode="stop"; a Stopper of Ray does stop.')
