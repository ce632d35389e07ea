"""Tasks that make their own problems, for the reference model to be trained on."""
