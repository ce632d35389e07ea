"""Reward models: sequence classifiers, generative verifiers and the one breakeven trains itself."""
