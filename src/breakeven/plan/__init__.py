"""`breakeven plan`: where the next FLOP goes, before a run, after it, and when serving.

Every question is a row: it makes options, with real training where it needs any, and `conclude` finds the frontier, the
envelope and the choice. A row is a module that is imported when it is called.

    row          what a row is, and all of them by name
    cells        the finished pieces of a row, which survive a kill
    run          a plan from end to end: cells, conclusion, plan.json
    models       reference models that a row trains and samples
    wanted       what is asked of the options
    conclude     from a row's answer to what was asked of it; verdict: that in words
    from_runs    options of a recorded run
    options, train_vs_infer, difficulty, solve_or_verify, pipeline, graph, frozen_teacher,
    think_or_search, quantization                the rows
    by_difficulty/              parts of the row difficulty
    sizing/                     parts of the row train_vs_infer
    verifying/                  parts of the row solve_or_verify
    pipelining/                 parts of the row pipeline
    agents/                     parts of the row graph
    teaching/                   parts of the row frozen_teacher
    thinking/                   parts of the row think_or_search
    quantizing/                 parts of the row quantization
    laws/        scaling laws: fitted, and published ones
    trials/      looking for the best configuration, and what that costs

Imports: train, eval and below, never cli; torch inside the functions that train.
"""
