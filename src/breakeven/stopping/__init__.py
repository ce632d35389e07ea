"""EARLY STOPPING: project the fully trained model, find the smallest sufficient K, price it, decide.

Pure functions of finished records: no model, no disk, no clock, no randomness of their own, so a replayed run gives
its decisions back bit for bit. May import `records`, `errors`, numpy and scipy; never torch, never another room.
"""
