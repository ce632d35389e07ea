"""DATA LOADER: tasks, that is problems, prompts, token batches, and the check of an answer.

A task knows nothing of models, of training or of how its problems are sampled. May import `records`, `errors` and
numpy; never torch, never another room.
"""
