"""`EarlyStop` for a loop of one's own in PyTorch, under Accelerate too: one `with` around it, one line in it."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from breakeven import check
from breakeven.adapters.schedule import decay_share
from breakeven.adapters.watching import Watching, check_wrapper

__all__ = ["EarlyStop"]


class EarlyStop(Watching):
    """Evaluates a causal language model of transformers, or any classifier, while a loop trains it.

        with EarlyStop(model, tokenizer, steps=1000, scheduler=scheduler, log="runs/mine", task=...) as early_stop:
            for batch in batches:
                ...
                optimizer.step()
                if early_stop.step(loss):
                    break

    The budget is `steps` times the tokens of a step as the model is given them, padding left out. Where
    torch.distributed is initialised every process has to do the same; the first one decides and writes, all of them
    draw its samples: each a part, or all the same of a model sharded by fully_shard or ZeRO-3.

    Args:
        model: that is trained; what DDP or Accelerate wraps it in is looked through.
        tokenizer: its own; a classifier needs none.
        steps: optimizer steps of the full run.
        scheduler: of the learning rate, where there is one; if it is no LambdaLR, say `decay_share`.
        done: optimizer steps done before, of a run that is gone on with.
        watching: see `breakeven.adapters.watching.Watching`; `log`, the run directory, is `breakeven` here if left out.

    Raises:
        ArgumentError: as of `Watching`, where the `with` begins.
    """

    def __init__(
        self, model: Any, tokenizer: Any = None, *, steps: int, scheduler: Any = None, done: int = 0, **watching: Any
    ) -> None:
        check.whole("steps", steps, 1)
        check.whole("done", done)
        check_wrapper(model)
        super().__init__(tokenizer=tokenizer, **watching)
        self._model, self._scheduler, self._full, self._step = getattr(model, "module", model), scheduler, steps, done

    def __enter__(self) -> Self:
        """Begin: all is checked, and tokens are counted from here."""
        self._begin(
            self._model,
            steps=self._full,
            step=self._step,
            step_rows=None,
            decay_share=decay_share(self._scheduler, self._full),
            directory=Path("breakeven"),
            config={},
        )
        return self

    def step(self, loss: Any = None) -> bool:
        """After an optimizer step, whether training is to end here: only in mode "stop".

        Args:
            loss: of this step, a number or a tensor, recorded for display.
        """
        self._step += 1
        loss = loss.detach() if hasattr(loss, "detach") else loss
        return self._stops_at(self._step, device=next(self._model.parameters()).device, loss=loss)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Verify where that is asked for and the run is whole, and release the run directory."""
        self._end(self._step if error is None else 0)
