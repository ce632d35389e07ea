"""Parts of the row `difficulty`: a setting of test-time compute for each difficulty of a problem, and its worth.

- population: settings measured on the same problems, and what is known of how difficult these are
- drawn: a population made of samples
- recipe, measuring: the row's own two models and their reward models, trained, sampled and measured
- files: a population made of files of others
- worth: choosing by difficulty, against the best single setting
- exchange, sizes: more samples of a small model, or a large one
- published: tables of arXiv 2502.06703, recomputed
- answer, shown: what the row says of all this
"""
