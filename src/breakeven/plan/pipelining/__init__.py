"""A model and a number of samples for each stage of a pipeline, looked for by trials and held against the truth.

table        stages, and every configuration as it was measured
recipe       the real run: models for products and for their sum, trained and sampled as cells
from_files   pipelines of the user's own: stages in TOML, configurations in CSV
methods      the methods, and what rules know of stages
courses      what a method tries, trial by trial, and when it comes within a point of the truth
compared     methods over seeds, budgets and numbers of problems
insights     what AgentTTS says of stages, measured with intervals
told         winners measured again, findings and tables
published    the budgets of AgentTTS: its unit and its count
"""
