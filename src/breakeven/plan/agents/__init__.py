"""A graph of agents, looked for by trials and held against the truth.

dag          a graph: agents, whose answers each reads, its depth, width and longest path
space        graphs as configurations
table        every graph as it was measured, and what it costs
recipe       the real run: models that read attempts, trained
answers      what every node of every graph answers, each question once
closed_form  accuracies by a formula instead
from_files   graphs of the user's own
moves        what rules know of graphs
insights     what Agent-REINFORCE says of graphs, measured with intervals
told         more trials, all graphs, own graphs
published    what Agent-REINFORCE charges a node
"""
