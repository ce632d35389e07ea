"""TRAINING LOOPS OF OTHERS: a module a framework, each of which only translates between its hooks and `Watch`.

Public as the modules `breakeven.transformers` and so on, imported where they are first named. May import everything but
`cli`, `eval` and `train`; a framework is imported by its own module alone.
"""
