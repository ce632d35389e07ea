"""Tokens that a model is trained on, counted at its batches."""

from typing import Any


class TokenCount:
    """Counts what a torch module is given in training mode: tokens, padding left out, and the sequences they are in.

    Micro-batches of an accumulated gradient add up. Without an attention mask no token is padding, and where positions
    are given besides, each 0 among them begins a sequence packed into its row.
    """

    def __init__(self) -> None:
        self._tokens: Any = 0  # on the module's device, so that counting does not wait for it
        self._sequences: Any = 0
        self._rows = 0
        self._hook: Any = None

    @property
    def so_far(self) -> tuple[int, int, int]:
        """Tokens, sequences and rows in this process since `attach`."""
        return int(self._tokens), int(self._sequences), self._rows

    def attach(self, module: Any) -> None:
        """Count from now on, from 0."""
        self.detach()
        self._tokens = self._sequences = self._rows = 0
        self._hook = module.register_forward_pre_hook(self._count, with_kwargs=True)

    def detach(self) -> None:
        """Count no more; what was counted stays."""
        if self._hook is not None:
            self._hook.remove()
            self._hook = None

    def _count(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given: Any = kwargs.get("input_ids", args[0] if args else kwargs.get("inputs_embeds"))
        if not module.training or not hasattr(given, "shape") or (len(args) > 1 and isinstance(args[1], int)):
            return  # DDP of Lightning calls a module with (batch, batch_idx), which then calls itself with tokens
        mask, positions = kwargs.get("attention_mask"), kwargs.get("position_ids")
        rows, length = given.shape[:2]
        self._rows += rows
        if mask is not None and mask.dim() == 2:
            self._tokens = self._tokens + mask.sum()
            self._sequences = self._sequences + rows
            return
        self._tokens = self._tokens + rows * length
        self._sequences = self._sequences + (rows if positions is None else (positions == 0).sum())
