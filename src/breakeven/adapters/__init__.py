"""TRAINING LOOPS OF OTHERS: a module a framework, each of which only translates between its hooks and `Watch`.

Public as `breakeven.transformers` and so on, imported where it is first named. May import everything but `cli`, `eval`
and `train`; a framework is imported by its own module alone.
"""
