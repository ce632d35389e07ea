"""TRAINING LOOP: the reference loop, its checkpoints, and the one step that observes a checkpoint and decides on it.

Here the rooms are wired together: bank from `ttc`, decision from `stopping`, log in `store`. May import every room
below and never `report` or `cli`; torch only in `loop` and `checkpoint`, which nobody imports before they are needed.
"""
