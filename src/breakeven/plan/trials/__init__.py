"""Looking for the best configuration by trials, and what that costs.

    space        what there is to choose, and what each configuration costs to serve
    archive      the trials: what each found, what it cost, what proposed it; what was refused
    method       the protocol of a method, and the loop that asks, refuses, evaluates and tells
    exhaustive, at_random, factorised, bayesian, reinforce, rules, proposals        the methods
    stages       exact choice by dynamic programming where stages factorise; counting what a budget allows
    outcome      the winner measured again: its optimism, and when the trials are paid back
    measured     every configuration with its truth, that methods are held against
    courses      what a method tries, trial by trial, and when it comes within a point of the truth
    compared     methods over seeds and budgets
    winners      what each chose, measured again, as options
    synthetic    two problems whose best configuration is known

A trial is one evaluated configuration. ("Search" is a strategy that decides while it samples.)
"""
