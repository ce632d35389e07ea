"""The law fitted to splits that it made, and to splits that no law made."""

from dataclasses import replace

import numpy as np

from breakeven.plan.laws.fit import LawStatus
from breakeven.plan.laws.qat import best_fraction, qat_law
from breakeven.plan.quantizing.lawful import fit_splits, law_points, memory_table, shares_by_law
from breakeven.plan.quantizing.splits import Split, groups_of

TRUE = {
    **{"log_E": np.log(0.5), "log_A_params": np.log(40.0), "log_A_train_tokens": np.log(90.0)},
    **{"a_params": 0.4, "a_train_tokens": 0.35, "log_theta": np.log(0.3), "kappa": 0.8},
    **{"log_phi": 0.0, "chi": 0.6, "psi": 0.05, "omega": 0.3},
    **{"log_lambda": np.log(3.0), "mu": 0.5, "nu": 0.05, "xi": 0.5, "rho": 0.1},
}


def splits(params=(1e4, 4e4), bits=(2, 4), per_params=(20, 60, 180)):
    law = qat_law()
    for n in params:
        for per_param in per_params:
            for b in bits:
                for share in (0.05, 0.1, 0.2, 0.4, 0.7):
                    tokens = n * per_param
                    columns = {
                        "params": np.array([n]),
                        "bits": np.array([float(b)]),
                        "fp_tokens": np.array([(1 - share) * tokens]),
                        "qat_tokens": np.array([share * tokens]),
                    }
                    loss = float(law.at(np.array([[TRUE[name] for name in law.parameters]]), columns)[0, 0])
                    yield Split(
                        model=f"{n:g} on {tokens:g}",
                        size=f"{n:g}",
                        params=n,
                        bits=b,
                        tokens=tokens,
                        fraction=share,
                        level=6 * n * tokens,
                        loss_SP=((loss,),),
                        train_flops=6 * n * tokens,
                        query_flops=2 * n,
                        weight_bytes=n * b / 8,
                        query_bytes=n * b / 8,
                    )


def fitted(made):
    points = law_points(list(groups_of(made)))
    assert points is not None
    return fit_splits(points, draws=3, num_starts=3)


def test_the_best_share_is_recovered_and_bits_are_chosen_under_a_memory_limit():
    form = fitted(splits())
    assert form.is_usable
    assert [each.what.split()[1] for each in form.held] == ["longest", "fifth"]
    assert all(each.error < 0.2 * each.mean_error for each in form.held)
    share, lo, hi = shares_by_law(form, params=2e4, tokens=2e6, bits=2)
    assert lo <= share <= hi
    assert abs(share - best_fraction(TRUE, params=2e4, tokens=2e6, bits=2)) < 0.1
    table = memory_table(form, (2, 4), memory_bytes=[1e4], train_flops=[6 * 4e4 * 2e6])
    assert [row[3] for row in table.rows] == ["40,000", "20,000"]
    assert sum("least" in row[2] for row in table.rows) == 1


def test_what_does_not_differ_is_no_axis():
    form = fitted(splits(params=(1e4,), bits=(2,), per_params=(5, 20, 60, 180, 540, 1600)))
    assert form.fitted.law.columns == ("fp_tokens", "qat_tokens")
    assert form.fitted.status is LawStatus.FITTED
    assert form.held[1].error < 0.2 * form.held[1].mean_error


def test_a_law_that_misses_by_more_than_the_mean_is_not_used():
    """Losses that have nothing to do with tokens."""
    random = np.random.default_rng(3)
    made = [replace(each, loss_SP=((float(random.uniform(1, 9)),),)) for each in splits(params=(1e4,), bits=(2,))]
    form = fitted(made)
    assert not form.is_usable
    assert form.fitted.status in (LawStatus.WORSE_THAN_MEAN, LawStatus.NOT_CONVERGED)


def test_without_both_phases_there_is_no_law():
    assert law_points([]) is None
