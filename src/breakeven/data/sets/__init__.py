"""Problem sets of others: packages that generate or ship them, and JSONL files that users bring, a module a layout.

`rows` reads strictly: what a line must hold is checked, and every error names file, line, rule and value.
"""
