"""MODEL ARCHITECTURE: the small reference model.

Knows nothing of tasks, training or sampling. May import `records`, `errors` and torch.
"""
