"""A plain PyTorch loop with breakeven in it: the lines marked with <- are all that is added to the loop.

    python examples/plain_torch.py

Trains a small transformer on Countdown for at most 120 steps, and says what it decided last.
"""

import tempfile

import torch
import torch.nn.functional as F

from breakeven import CalibratedPolicy, ModelCost, Patience, RunSpec, Session, open_log
from breakeven.data.made.countdown import Countdown
from breakeven.model.transformer import KVCache, Transformer
from breakeven.records import TransformerShape
from breakeven.report import explain
from breakeven.sampling.transformer import TransformerSampler

STEPS, BATCH = 120, 64
task = Countdown(num_numbers=2, max_number=30)
sequence_tokens = task.prompt_tokens + task.output_tokens - 1
sizes = {"num_layers": 2, "embedding": 64, "num_heads": 2, "feed_forward": 128}
shape = TransformerShape(**sizes, vocab_size=task.vocab_size, max_tokens=sequence_tokens + 1)
torch.manual_seed(0)
model = Transformer(shape)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)

cost = ModelCost.of(shape)
spec = RunSpec(budget_flops=cost.train_flops(STEPS * BATCH, sequence_tokens), decay_share=0.0)  # a constant rate
policy = Patience(CalibratedPolicy(), 2)
session = Session(
    sampler=TransformerSampler(model, task, new_cache=lambda: KVCache([], [])),
    verifier=task,
    problems=task.problems("validation", 60),
    cost=cost,
    sequence_tokens=sequence_tokens,
    spec=spec,
    policy=policy,
    evaluate_every=10,
    log=open_log(tempfile.mkdtemp(), spec=spec, policy=policy),  # your run directory
)

for step in range(1, STEPS + 1):
    tokens = torch.from_numpy(task.train_batch(BATCH, (0, step)))
    logits = model(tokens[:, :-1])[:, task.prompt_tokens - 1 :]
    loss = F.cross_entropy(logits.flatten(0, 1), tokens[:, task.prompt_tokens :].flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    decision = session.observe(step=step, train_tokens=step * BATCH * sequence_tokens)  # <-
    if decision.stop:  # <-
        break

print(explain(session.checkpoints[-1].decision))
