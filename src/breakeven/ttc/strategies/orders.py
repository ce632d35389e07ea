"""Draw the samples of a pool in random orders, and follow who leads: for rules without a closed form.

An order without replacement makes its first K samples a random K-subset, so that one order serves all K, without bias.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.ttc.pool import Flags, Floats, Labels, Pool, grade_labels
from breakeven.ttc.strategies.measured import error_of_sums

Rows = npt.NDArray[np.intp]

NUM_ORDERS = 16
"""Random orders drawn of each problem's samples."""
TOLERANCE = 1e-9
"""Sums or means that are so close are a tie: the same numbers added in another order differ by rounding."""
_BLOCK = 1 << 19
"""Samples that are replayed at once: bounds the memory."""


def blocks(pool: Pool, num_orders: int, seed: int) -> Iterator[tuple[slice, Rows, Rows]]:
    """(problems, problem of each row, samples in the order drawn), a block of problems at a time.

    Rows are the orders of the first problem, then of the second; shape (R,) and (R, N). What is drawn depends on the
    seed and the place of the problem, not on the blocks.
    """
    rng = np.random.default_rng(seed)
    step = max(1, _BLOCK // (num_orders * pool.num_samples))
    for start in range(0, pool.num_problems, step):
        problems = slice(start, min(start + step, pool.num_problems))
        problem_R = np.repeat(np.arange(problems.start, problems.stop), num_orders)
        every_RN = np.broadcast_to(np.arange(pool.num_samples), (len(problem_R), pool.num_samples))
        yield problems, problem_R, rng.permuted(every_RN, axis=1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lead:
    """What one more sample does to the lead in every row, shape (R,); one without an answer does nothing."""

    alone_R: Flags
    """Its answer now leads alone."""
    joins_R: Flags
    """Its answer now shares the lead, and did not before."""
    weight_R: Floats
    """Weight of its answer so far; -inf without an answer."""


def follow(label_NR: npt.NDArray[np.intp], weight_NR: Floats) -> Iterator[Lead]:
    """The lead after each sample of the rows, by the sums of the weights of equal labels.

    Selection only: nothing here knows what is right. Labels count from 0; weights are at least 0, or -inf for a sample
    that does not take part, whose label must be that of no other.
    """
    num_rows = label_NR.shape[1]
    width = int(label_NR.max()) + 1
    sums, led_in = np.zeros(num_rows * width), np.zeros(num_rows * width, dtype=np.int32)
    at_NR = label_NR + np.arange(num_rows) * width
    top_R, reign_R = np.full(num_rows, -1.0), np.zeros(num_rows, dtype=np.int32)
    for at_R, weight_R in zip(at_NR, weight_NR, strict=True):
        sum_R = sums[at_R] + weight_R
        sums[at_R] = sum_R
        alone_R = sum_R > top_R + TOLERANCE
        np.maximum(top_R, sum_R, out=top_R)
        leads_R = sum_R >= top_R - TOLERANCE
        reign_R += alone_R
        led_in_R = led_in[at_R]
        joins_R = leads_R & ~alone_R & (led_in_R != reign_R)
        led_in[at_R] = np.where(leads_R, reign_R, led_in_R)
        yield Lead(alone_R=alone_R, joins_R=joins_R, weight_R=sum_R)


class Standing:
    """Who leads in every row, as numbers: how many share the lead, and their grades. Nobody leads at first: wrong."""

    def __init__(self, num_rows: int) -> None:
        self._tied_R, self._grade_R = np.ones(num_rows), np.zeros(num_rows)

    def update(self, lead: Lead, grade_R: Floats) -> Floats:
        """Take in one more sample, whose answer has this grade; accuracy of what leads now, ties broken evenly."""
        self._grade_R = np.where(lead.alone_R, grade_R, self._grade_R + lead.joins_R * grade_R)
        self._tied_R = np.where(lead.alone_R, 1.0, self._tied_R + lead.joins_R)
        credit_R: Floats = self._grade_R / self._tied_R
        return credit_R


class Orders:
    """The vote of a pool along orders of its samples: by count, or by weights of at least 0."""

    def __init__(self, pool: Pool, label_PN: Labels, weight_PN: Floats | None = None) -> None:
        voting_PN = label_PN >= 0
        grade_PA = np.pad(grade_labels(label_PN, pool.correct_PN), ((0, 0), (0, 1)))  # the last for no answer
        self._pool = pool
        self._label_PN = np.where(voting_PN, label_PN, grade_PA.shape[1] - 1).astype(np.intp)
        self._weight_PN = np.where(voting_PN, 1.0 if weight_PN is None else weight_PN, -np.inf)
        self._grade_PN = np.take_along_axis(grade_PA, self._label_PN, axis=1)

    def orders(self, num_orders: int, seed: int) -> Iterator[tuple[slice, Iterator[tuple[Lead, Floats]]]]:
        """Of each block its problems, and sample after sample the lead with the grade of that sample's answer."""
        check.at_least("num_orders", num_orders, 1)
        for problems, problem_R, order_RN in blocks(self._pool, num_orders, seed):
            at_NR = np.ascontiguousarray((order_RN + problem_R[:, None] * self._pool.num_samples).T)
            leads = follow(self._label_PN.take(at_NR), self._weight_PN.take(at_NR))
            yield problems, zip(leads, self._grade_PN.take(at_NR), strict=False)

    def accuracy(self, k_values: Sequence[int], num_orders: int, seed: int) -> tuple[Floats, Floats]:
        """Accuracy per problem of what leads after K samples, shape (P, K), and its Monte Carlo error, shape (K,)."""
        total_PK, squares_PK = np.zeros((2, self._pool.num_problems, len(k_values)))
        column = {k: place for place, k in enumerate(k_values)}
        for problems, leads in self.orders(num_orders, seed):
            standing = Standing((problems.stop - problems.start) * num_orders)
            for drawn, (lead, grade_R) in enumerate(islice(leads, k_values[-1]), 1):
                credit_R = standing.update(lead, grade_R)
                if drawn in column:
                    credit = credit_R.reshape(-1, num_orders)
                    total_PK[problems, column[drawn]] = credit.sum(axis=1)
                    squares_PK[problems, column[drawn]] = np.square(credit).sum(axis=1)
        return total_PK / num_orders, error_of_sums(total_PK, squares_PK, num_orders)
