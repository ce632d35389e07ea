"""TRAINING LOOP: the reference loop, its checkpoints, the verification of a stop, and reward models we train.

May import every room below and never `report` or `cli`; torch only where a model is trained, loaded or saved, and
nobody imports that before it is needed.
"""
