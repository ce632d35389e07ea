"""SAMPLING: all that touches a model: samplers, reward models, and the way from both to a bank of graded samples.

The reference model's sampler, transformers', any OpenAI-compatible server's and vLLM's stand behind the protocols of
`records`. May import `records`, `cost` and `errors`; torch only in the modules that pyproject.toml lists.
"""
