"""Answers: found in a completion, brought to canonical form, compared, and told apart."""
