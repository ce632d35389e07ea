"""Training a small reward model on the graded samples of earlier checkpoints."""
