"""Sampling from a server that speaks the OpenAI protocol: requests, retries, and a journal of what came back."""
