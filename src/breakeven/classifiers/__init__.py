"""Recipes of classifiers: labelled data, a model and the Trainer of transformers, with EarlyStop in it.

May import `train` and `adapters` and what is below them. `recipe`, `families` and `data` do without torch.
"""
