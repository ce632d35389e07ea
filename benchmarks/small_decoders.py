"""Small decoders on the tasks that ship, in the Trainer of transformers. Used by shadow.py and families_decoders.py."""

import math
from pathlib import Path
from typing import Any

BATCH, SEQUENCES, RATE, DECAY = 64, 10_000, 3e-3, 0.1


def words(task: Any) -> Any:
    """A tokenizer of the words of a task."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    listed = [task.decode([token]) if token != task.end_token else "<eos>" for token in range(task.vocab_size)]
    inner = Tokenizer(models.WordLevel({word: token for token, word in enumerate(listed)}))
    # A solution follows its prompt, which ends in "=", without a space.
    split = pre_tokenizers.Split("=", "isolated")
    inner.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), split])
    return PreTrainedTokenizerFast(tokenizer_object=inner, pad_token=listed[0], eos_token="<eos>")


def training_rows(task: Any, seed: int, *, steps: int) -> list[dict[str, list[int]]]:
    """Rows for so many steps: a fixed set in a new order each time; the loss is of solutions alone."""
    import numpy as np

    rows = task.train_batch(SEQUENCES, (seed, 1))
    order = np.random.default_rng(seed)
    labels = rows.copy()
    labels[:, : task.prompt_tokens] = -100
    return [
        {"input_ids": one, "labels": other}
        for _ in range(math.ceil(steps * BATCH / SEQUENCES))
        for one, other in ((rows[at].tolist(), labels[at].tolist()) for at in order.permutation(SEQUENCES))
    ][: steps * BATCH]


def make(family: str, tokenizer: Any, positions: int) -> Any:
    """A small model of a family. A mixture has eight experts, of which a token visits two: as many weights as dense."""
    import transformers

    ids = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    shape = {"vocab_size": len(tokenizer), "max_position_embeddings": positions} | ids
    wide = {"hidden_size": 64, "intermediate_size": 176, "num_hidden_layers": 2, "num_attention_heads": 4}
    if family == "gpt2":
        config = transformers.GPT2Config(
            vocab_size=len(tokenizer), n_positions=positions, n_embd=64, n_layer=2, n_head=4,
            resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, **ids,
        )  # fmt: skip
        return transformers.GPT2LMHeadModel(config)
    if family == "llama":
        return transformers.LlamaForCausalLM(transformers.LlamaConfig(**shape, **wide, num_key_value_heads=4))
    wide |= {"num_key_value_heads": 2, "head_dim": 16, "tie_word_embeddings": True}
    if family == "qwen3_moe":
        experts = {"num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 88, "norm_topk_prob": True}
        balance = {"output_router_logits": True, "router_aux_loss_coef": 0.01}
        return transformers.Qwen3MoeForCausalLM(transformers.Qwen3MoeConfig(**shape, **wide, **experts, **balance))
    return transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**shape, **wide))


def collated(some: Any) -> Any:
    """A batch; its rows are as long as each other."""
    import torch

    return {name: torch.tensor([each[name] for each in some]) for name in ("input_ids", "labels")}


def trainer(
    breakeven: Any,
    model: Any,
    tokenizer: Any,
    data: Any,
    early_stop: Any,
    place: Path,
    *,
    steps: int,
    batch: int = BATCH,
    rate: float = RATE,
    collate: Any = collated,
) -> Any:
    """The Trainer of transformers; the session that watched it."""
    from transformers import Trainer, TrainingArguments

    stop = breakeven.transformers.EarlyStop(**early_stop)
    arguments = TrainingArguments(
        str(place), max_steps=steps, per_device_train_batch_size=batch, learning_rate=rate, warmup_steps=steps // 10,
        lr_scheduler_type="warmup_stable_decay", use_cpu=True, report_to=[], disable_tqdm=True, save_strategy="no",
        lr_scheduler_kwargs={"num_decay_steps": round(DECAY * steps), "decay_type": "linear"}, logging_steps=steps,
        adam_beta2=0.999, weight_decay=0.01, seed=early_stop["seed"],
    )  # fmt: skip
    Trainer(
        model=model, args=arguments, train_dataset=data, data_collator=collate, processing_class=tokenizer,
        callbacks=[stop],
    ).train()  # fmt: skip
    return stop.session
