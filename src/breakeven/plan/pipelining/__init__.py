"""A model and a number of samples for each stage of a pipeline, looked for by trials and held against the truth.

table        stages, and every configuration as it was measured
recipe       the real run: models for products and for their sum, trained and sampled as cells
from_files   pipelines of the user's own: stages in TOML, configurations in CSV
methods      the methods, and what rules know of stages
insights     what AgentTTS says of stages, measured with intervals
told         findings and tables
published    the budgets of AgentTTS: its unit and its count
"""
