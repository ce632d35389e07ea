"""A recorded run that ships: what `breakeven demo` shows. Made by `breakeven run countdown --mode shadow --to-end`."""
