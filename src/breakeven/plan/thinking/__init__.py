"""The parts of the row think_or_search.

    arms        what is thought before an answer: nothing, pauses, hidden steps; the training of each
    recipe      models of every arm and seed, their samples, scorers and trees: trained and drawn for real
    gate        whether thought beats none at all, before anything is compared
    families    votes and REBASE of each arm, as options
    resampled   seeds and problems, for every interval
    kept        one's own steps that led to right answers, and what is learnt of them
    searched    a scorer, and the trees that it guides
    effects     of thought, of REBASE, and of both together, at equal FLOPs
    told        findings, tables and the picture
    published   the table of arXiv 2412.16260

Imports: as the room above.
"""
