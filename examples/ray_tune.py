"""A search of Ray Tune whose trials end where their checkpoint, served with K samples, replaces the rest: two lines.

    python examples/ray_tune.py

Each trial stands for a training run: it reports, of 200 validation problems, how many of 8 samples are right.
"""

import os
import tempfile

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AIR_NEW_OUTPUT": "0"}

import numpy as np
import ray
from ray import tune

import breakeven  # line 1


def train(config):
    draw = np.random.default_rng(0)
    ends_at = draw.beta(0.7, 0.7, size=200) ** config["hardness"]  # the solve rate of each problem
    for epoch in range(1, 21):
        rates = ends_at * min(1.0, 0.2 + epoch / 15)
        tune.report(
            {
                "breakeven/right": draw.binomial(8, rates).tolist(),
                "breakeven/samples": 8,
                "breakeven/greedy": (draw.random(200) < rates).tolist(),
            }
        )


ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="error")
stop = breakeven.ray.Stopper(steps=20, checker=True, decay_share=0.0)  # line 2
tuner = tune.Tuner(
    train,
    param_space={"hardness": tune.grid_search([0.7, 1.5])},
    run_config=tune.RunConfig(stop=stop, storage_path=tempfile.mkdtemp(), verbose=0),
)
for result in tuner.fit():
    print(f"hardness {result.config['hardness']}: ended after {result.metrics['training_iteration']} of 20 epochs")
ray.shutdown()
