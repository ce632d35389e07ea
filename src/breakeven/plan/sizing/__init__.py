"""How large a model, trained on how much, and sampled how often: what the row `train-vs-infer` is made of.

grid         models of some sizes, each trained once and sampled at some of its checkpoints
from_table   the same from the user's own table
measured     a model with what was measured of it, and its options
best         the best size, over resamplings of the problems
equal, life  sizes at equal training, and the cheapest to a target over a life of queries
forms        laws, held to models that their fit did not see
planned, losses     what a law says of a training that is planned: of accuracy, and of the loss
told         what is said of all that, as tables, findings and notes
settings     what may be set
from_run     where a run stands, by its own law and by that of the grid

Imports: laws, what plan's rows import; no torch but through models.
"""
