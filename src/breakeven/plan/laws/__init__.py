"""Scaling laws: forms that are fitted to one's own points, and published ones as they were published. Pure: no torch.

law          a law as a value, the points it is fitted to, and what is held out
fit          fitting: parameters, intervals, error on held-out points, and whether it may be relied on
robust       the search for the parameters
powers       sums of powers, and power laws

Imports: records, errors, check, numpy and scipy.
"""
