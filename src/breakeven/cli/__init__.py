"""The command line: one small module a command, and the typer app that gathers them.

Parses, calls, prints; decides nothing itself. May import every room, each where its command needs it, so that a
command without a model starts without torch.
"""
