"""Seeds that are made of others: none is made twice, and all fit 63 bits."""

from breakeven.seeds import MAX_SEED, bank_seed, batch_seed, search_seed, verification_seed


def test_no_two_uses_share_a_seed() -> None:
    runs, steps = (0, 1, 7, 2**31 - 1), (0, 1, 2, 1000, 2**31 - 2)
    made = [bank_seed(run, step) for run in runs for step in steps]
    made += [search_seed(run, step) for run in runs for step in steps[:-1]]
    made += [verification_seed(run, number) for run in runs for number in range(3)]
    made += [batch_seed(seed, first) for seed in made for first in range(1, 20)]
    assert len(set(made)) == len(made)
    assert all(0 <= each <= MAX_SEED for each in made)


def test_recorded_runs_were_sampled_by_these_seeds() -> None:
    assert bank_seed(3, 100) == 3 * 2**32 + 100
    assert search_seed(3, 100) == 3 * 2**32 + 2**31 + 100
    assert verification_seed(3, 1) == 4 * 2**32 - 2


def test_the_seed_of_a_batch_never_changes() -> None:
    assert batch_seed(12, 0) == 12
    assert batch_seed(12, 4) == BATCH_SEED


BATCH_SEED = 8397794636789464041
"""The first 63 bits of BLAKE2b-64 of the text "12 4"."""
