"""Any model, any task, any loop: a sampler, a verifier and a training step of your own, without torch.

    python examples/own_loop.py RUN_DIRECTORY

The "model" here adds two numbers and is right more often the longer it trains.
"""

import random
import sys
import tempfile

from breakeven import CalibratedPolicy, Completion, Draw, ModelCost, Patience, Problem, RunSpec, Session, open_log
from breakeven.report import explain

STEPS, BATCH, SEQUENCE_TOKENS = 200, 32, 128


class Adder:
    """A sampler: one Draw a problem, each sample a function of (seed, problem, its number)."""

    skill = 0.0

    def sample(self, problems, num_samples, *, temperature, seed):
        draws = []
        for problem in problems:
            total = sum(map(int, problem.prompt.split("+")))
            answers = []
            for number in range(num_samples):
                luck = random.Random(f"{problem.id} {seed * (temperature > 0)} {number * (temperature > 0)}").random()
                answers.append(Completion(text=str(total if luck < self.skill else total + 1), output_tokens=3))
            draws.append(Draw(prompt_tokens=5, completions=tuple(answers)))
        return draws

    def check(self, problem, completion):
        """A verifier: what stands in the completion is the sum."""
        return completion == str(sum(map(int, problem.prompt.split("+"))))


model = Adder()
cost = ModelCost(body_params=1e8, num_layers=12, attention_width=768)
spec = RunSpec(budget_flops=cost.train_flops(STEPS * BATCH, SEQUENCE_TOKENS), decay_share=0.0)
policy = Patience(CalibratedPolicy(), 2)
with open_log(sys.argv[1] if sys.argv[1:] else tempfile.mkdtemp(), spec=spec, policy=policy) as log:
    problems = [Problem(id=str(n), prompt=f"{n} + {n * n}") for n in range(200)]
    session = Session(sampler=model, verifier=model, problems=problems, cost=cost, sequence_tokens=SEQUENCE_TOKENS,
                      spec=spec, policy=policy, evaluate_every=5, log=log)  # fmt: skip
    for step in range(1, STEPS + 1):
        model.skill = 0.6 * (1 - 0.97**step)  # your training step
        decision = session.observe(step=step, train_tokens=step * BATCH * SEQUENCE_TOKENS)
        if decision.stop:
            break
    print(explain(session.checkpoints[-1].decision))
