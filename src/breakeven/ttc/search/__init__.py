"""Strategies that decide while they sample: which beginnings to go on from, and when to stop drawing.

Pure orchestration of the protocols in `breakeven.records`; everything drawn and read is counted in `SearchCost`.
"""
