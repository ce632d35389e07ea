"""Which training frameworks a script uses, told from its source, and the lines that put breakeven into it."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from breakeven.errors import argument_error

_IMPORT = "import breakeven"
_TASK = 'task="gsm8k:validation.jsonl"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Lines for one framework."""

    framework: str
    line: int
    """Of the script, at which it was found."""
    lines: tuple[str, ...]
    """To be written in it, with its own names where it has them."""


@dataclass(frozen=True, slots=True)
class _Script:
    """Imported names in full, by the names they have here, and all calls."""

    imported: dict[str, str]
    calls: tuple[tuple[ast.Call, str, tuple[str, ...]], ...]
    """Each call, the name called in full, and the names that its result is given."""

    def named(self, is_one: Callable[[str], bool]) -> str | None:
        """The first name that the result of such a call is given."""
        return next((names[0] for _, called, names in self.calls if names and is_one(called)), None)


def advice(source: str, name: str = "script") -> tuple[Advice, ...]:
    """The lines for each framework that a script uses; it is parsed, and not run.

    Args:
        source: Python.
        name: of the script, for messages.

    Raises:
        ArgumentError: it is no Python, or uses none of the frameworks.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise argument_error("SCRIPT", "be Python", name, f"{type(error).__name__}: {error}") from error
    script = _read(tree)
    found = [*_trainers(script), *_lightning(script)]
    found += [*(_loops(script) if not found else ()), *_ray(script)]  # an optimizer beside a trainer is the trainer's
    if not found:
        got = ", ".join(sorted({each.partition(".")[0] for each in script.imported.values()})) or "no imports"
        known = "a Trainer of transformers or Lightning, SFTTrainer, GRPOTrainer, Accelerate, a torch optimizer, or Ray"
        raise argument_error("SCRIPT", "train with a framework that is known", f"{name}: {got}", f"It needs {known}.")
    return tuple(found)


def _read(tree: ast.AST) -> _Script:
    imported: dict[str, str] = {}
    names: dict[ast.Call, tuple[str, ...]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                first = each.name.partition(".")[0]
                imported[each.asname or first] = each.name if each.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.ClassDef):  # one's own Trainer is what it is made of
            bases = [_in_full(each, imported) for each in node.bases]
            imported.update((node.name, each) for each in bases if each.endswith("Trainer"))
        elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names[node.value] = tuple(
                ast.unparse(each) for each in targets if isinstance(each, ast.Name | ast.Attribute)
            )
    calls = [each for each in ast.walk(tree) if isinstance(each, ast.Call)]
    return _Script(imported, tuple((each, _in_full(each.func, imported), names.get(each, ())) for each in calls))


def _in_full(called: ast.expr, imported: dict[str, str]) -> str:
    """A dotted name with what it was imported as put first; of anything else its end."""
    parts: list[str] = []
    while isinstance(called, ast.Attribute):
        parts.append(called.attr)
        called = called.value
    if isinstance(called, ast.Name):
        parts.append(imported.get(called.id, called.id))
    return ".".join(reversed(parts))


def _callback(call: ast.Call, stop: str, called: str) -> str:
    """The call with our callback: before the others, which may look at what it logs."""
    given = next((each.value for each in call.keywords if each.arg == "callbacks"), None)
    if given is None:
        return f"{called}(..., callbacks=[{stop}])"
    if isinstance(given, ast.List):
        others = [text for each in given.elts if not (text := ast.unparse(each)).startswith("breakeven.")]
        return f"{called}(..., callbacks=[{', '.join([stop, *others])}])"
    return f"{called}(..., callbacks=[{stop}, *{ast.unparse(given)}])"


def _assigned(names: tuple[str, ...], line: str) -> str:
    return f"{names[0]} = {line}" if names else line


def _trainers(script: _Script) -> Iterator[Advice]:
    stop = f"breakeven.transformers.EarlyStop({_TASK})"
    for call, called, names in script.calls:
        room, _, kind = called.rpartition(".")
        tuned = kind in ("SFTTrainer", "GRPOTrainer") and room.startswith("trl")
        if tuned or (room.startswith("transformers") and kind.endswith("Trainer")):
            line = _assigned(names, _callback(call, stop, ast.unparse(call.func)))
            framework = "transformers" if room.startswith("transformers") else "TRL"
            yield Advice(framework=f"{framework}, {kind}", line=call.lineno, lines=(_IMPORT, line))


def _lightning(script: _Script) -> Iterator[Advice]:
    tokenizer = _tokenizer(script)
    given = _TASK if tokenizer is None else f"{_TASK}, tokenizer={tokenizer}"
    for call, called, names in script.calls:
        if called in ("lightning.Trainer", "lightning.pytorch.Trainer", "pytorch_lightning.Trainer"):
            line = _callback(call, f"breakeven.lightning.EarlyStop({given})", ast.unparse(call.func))
            yield Advice(framework="Lightning", line=call.lineno, lines=(_IMPORT, _assigned(names, line)))


def _ray(script: _Script) -> Iterator[Advice]:
    stop = 'stop=breakeven.ray.Stopper(steps=..., metric="accuracy", num_problems=...)'
    takers = ("ray.tune.RunConfig", "ray.air.RunConfig", "ray.train.RunConfig", "ray.tune.run")
    tuned = [each for each in script.calls if each[1] in (*takers, "ray.tune.Tuner")]
    for call, called, names in sorted(tuned, key=lambda each: each[1] not in takers)[:1]:
        given = stop if called in takers else f"run_config=RunConfig({stop})"
        line = _assigned(names, f"{ast.unparse(call.func)}(..., {given})")
        lines = (_IMPORT, line) if called in takers else (_IMPORT, "from ray.tune import RunConfig", line)
        yield Advice(framework="Ray Tune", line=call.lineno, lines=lines)


def _loops(script: _Script) -> Iterator[Advice]:
    """A loop of one's own, told by an Accelerator or by an optimizer of torch."""
    accelerators = [call for call, called, _ in script.calls if called == "accelerate.Accelerator"]
    optimizers = [
        (call, names)
        for call, called, names in script.calls
        if called.startswith("torch.optim.") and "lr_scheduler" not in called
    ]
    if not accelerators and not optimizers:
        return
    optimizer = next((names[0] for _, names in optimizers if names), "optimizer")
    model = script.named(_is_model) or "model"
    scheduler = script.named(_is_schedule)
    given = f"{model}, {_tokenizer(script) or 'tokenizer'}, steps=..."
    given += f', scheduler={scheduler}, {_TASK}, log="runs/mine"' if scheduler else f', {_TASK}, log="runs/mine"'
    yield Advice(
        framework="Accelerate" if accelerators else "PyTorch",
        line=(accelerators or [optimizers[0][0]])[0].lineno,
        lines=(
            _IMPORT,
            f"with breakeven.torch.EarlyStop({given}) as early_stop:  # around the loop",
            f"if early_stop.step(loss): break  # in it, after {optimizer}.step()",
        ),
    )


def _tokenizer(script: _Script) -> str | None:
    """One of transformers, rather than what it may be made of."""
    ours = script.named(lambda called: called.startswith("transformers.") and "Tokenizer" in called)
    return ours or script.named(lambda called: "Tokenizer" in called)


def _is_schedule(called: str) -> bool:
    return "lr_scheduler." in called or called.endswith(("get_scheduler", "_schedule", "_schedule_with_warmup"))


def _is_model(called: str) -> bool:
    return called.startswith("transformers.") and ("ForCausalLM" in called or "LMHeadModel" in called)
