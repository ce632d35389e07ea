"""Commands to try, as `--help` shows them: of the whole, by the name "", and of each command."""

from typing import Final

EXAMPLES: Final = {
    name: "\b\n" + "\n".join(line.rstrip() for line in text.strip("\n").splitlines()).replace("\n\n", "\n\n\b\n")
    for name, text in {
        "": """
Examples:
  breakeven demo                   a recorded run and its page, in seconds
  breakeven run countdown          train a small model and watch the decision
  breakeven init train.py          the lines for a training script of yours
  breakeven decide evals.csv       decide on evaluations you already have
  breakeven eval MODEL             what K samples buy, and what they cost
  breakeven plan options --from T  the cheapest of options in a table of yours
  breakeven replay RUN             decide the recorded run again
  breakeven report RUN             write the page that shows why
  breakeven COMMAND --help         the options of a command, with examples
""",
        "run": """
Recipes, with the time of the full run on one core:
  countdown           reach a number with three others; 8 minutes
  countdown-easy      the same with smaller numbers
  countdown-endless   on fresh problems at every step, as in pretraining
  chain               sums of products, answers to be voted on; 3 minutes
  latin               Latin squares, learnt late; 3 minutes
  rules               programs from examples; 3 minutes
  pretrain-mixture    four tasks at once, a base model for the next; 2 minutes
  continue-countdown  goes on with it on one of them; 2 minutes

Classifiers, of K passes (docs/classifiers.md):
  resnet-mnist       images turned and shifted; half a minute
  vit-mnist          dropout left on; 1.5 minutes
  deberta-movies     sentences of reviews, dropout left on; 2 minutes
  conv-mnist1d       series shifted; a quarter of a minute

Examples:
  breakeven run countdown
  breakeven run countdown --set train.steps=1000 --set policy.risk=0.05
  breakeven run latin --to-end             and verify it on test problems
  breakeven run my.toml --out runs/mine    a recipe of your own
  breakeven run my.toml --set model.start=runs/pretrain-mixture-1
  breakeven run --resume runs/mine         go on after Ctrl-C or a kill
""",
        "demo": """
Examples:
  breakeven demo
  breakeven demo --out page.html
""",
        "status": """
Examples:
  breakeven status runs/countdown-1            while it trains, or after
  breakeven status runs/countdown-1 --json
""",
        "stop": """
Examples:
  breakeven stop runs/countdown-1 --reason "the machine is needed"
  breakeven stop runs/countdown-1 --withdraw   and it may be gone on with
""",
        "veto": """
Examples:
  breakeven veto runs/countdown-1 --reason "we want the whole curve"
  breakeven veto runs/countdown-1 --withdraw   its policy may stop it again
""",
        "init": """
Example:
  breakeven init train.py
""",
        "eval": """
Examples:
  breakeven eval runs/countdown-1          a run, on the task it has learnt
  breakeven eval http://localhost:8000/v1 --task gsm8k:test.jsonl -n 16
  breakeven eval model.gguf --task reasoning-gym:chain_sum --num-samples 8
  breakeven eval MODEL --task TASK --reward-model judge --strategies best_of_n
""",
        "reward-model": """
Examples:
  breakeven eval runs/chain-1 --task-set split=train -n 8 --out samples
  breakeven reward-model samples --start runs/chain-1/stopped --out reward
  breakeven eval runs/chain-1 --reward-model reward --strategies best_of_n
""",
        "plan": """
Examples:
  breakeven plan                               what can be asked
  breakeven plan options --from options.csv    a table of your own
  breakeven plan options --from runs/countdown-1 --queries 1e6
  breakeven plan train-vs-infer                trains small models
  breakeven plan --resume plans/options-1      go on, or ask it anew
""",
        "replay": """
Examples:
  breakeven replay runs/countdown-1                  what was decided
  breakeven replay runs/countdown-1 --verbose        and in full why
  breakeven replay runs/countdown-1 --risk 0.05      by a more careful rule
  breakeven replay runs/countdown-1 --queries 3e6    with a known workload
""",
        "report": """
Examples:
  breakeven report runs/countdown-1 --out page.html
  breakeven report runs/countdown-1 --live        a page that follows the run
  breakeven report runs/countdown-1 runs/mine     side by side
""",
        "bound": """
Examples:
  breakeven bound --train-tokens 3e11 --output-tokens 500 \\
      --used 0.4 --cost-ratio 8
  breakeven bound --budget-flops 1e21 --train-flops 4e20 \\
      --query-flops 8e12 --baseline-query-flops 1e12
""",
        "flops": """
Examples:
  breakeven flops countdown --samples 16 --set evaluate.num_problems=250
  breakeven flops models/llama/config.json --train-tokens 300B \\
      --peak-flops 9.89e14 --efficiency 0.4 --hour-price 2.50 --watts 700
  breakeven flops my_models:resnet --input-shape 3,224,224
""",
    }.items()
}
