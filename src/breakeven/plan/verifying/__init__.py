"""The parts of the row solve-or-verify.

    recipe      a solver, verifiers of it, and the solver trained on: trained and sampled for real
    kept        what its cells hold
    lessons     what a generative verifier learns from: graded samples of the solver
    trained     the families of that run
    judged      those of files
    families    options by family: votes, best of S by V verdicts, weighted votes
    compared    gaps, crossovers, exponents, what is paid back: findings, tables and pictures
    published   the success rates that the authors of arXiv 2504.01005 released

Imports: as the room above.
"""
