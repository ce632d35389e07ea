"""Which share of a training has quantized weights, and at how many bits: what the row quantization is made of.

fake         rounding in training, by torchao
grid         which trainings there are
branches     all of one size and seed, trained as branches of one run
measured     the grid, trained and measured
from_table   trainings in the user's own table
splits       a share of QAT as it was measured, by size, duration and bits
serving      bytes that a query moves
over         differences with intervals; choices made apart
compared     findings
lawful       the loss law, fitted and held to others
told         options, tables and pictures

Imports: laws, what plan's rows import, forms of sizing; torch and torchao inside the functions that train.
"""
