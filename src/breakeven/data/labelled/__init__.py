"""Labelled examples for classifiers: what users have on disk, and what packages ship; a module a layout.

`named` finds a set by its name, `examples` is the record that all of them give, `given` says what splits a set has.
Nothing is downloaded, and of a foreign file nothing is run: pickles are read by `plain_arrays` alone.
"""
