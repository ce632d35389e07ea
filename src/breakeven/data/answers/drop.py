"""Exact match and F1 of DROP: answers are bags of spans, spans are bags of words.

Source:
    Dua et al. 2019, arXiv 1903.00161, section 5, and the official evaluation, drop_eval.py of AllenNLP.
"""

import re
import string
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_MAX_SPANS = 64
"""Spans of an answer that are aligned; further ones count as wrong."""


def normal_span(span: str) -> str:
    """Lower case, no articles, no punctuation but within numbers, numbers as floats, single spaces.

    >>> normal_span("The 12,000-Man Army"), normal_span("3.50")
    ('12000.0 man army', '3.5')
    """
    words = (_normal_word(word) for word in re.split(" |-", span))
    return " ".join(word for word in words if word)


def exact_match(predicted: Sequence[str], gold: Sequence[str]) -> bool:
    """True if the normalised spans are the same, as many and in any order.

    >>> exact_match(["the Bears", "3"], ["3.0", "bears"]), exact_match(["3"], ["3", "4"])
    (True, False)
    """
    spans, golds = [normal_span(each) for each in predicted], [normal_span(each) for each in gold]
    return len(spans) == len(golds) and set(spans) == set(golds)


def f1(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """F1 of the words, spans aligned one to one as well as possible, mean over the larger number; two decimals.

    A span that lacks the gold span's numbers scores 0.

    >>> f1(["Bears fans"], ["the Bears"]), f1(["4 yards"], ["3 yards"]), f1(["x"], ["x", "y"])
    (0.67, 0.0, 0.5)
    """
    bags = [set(normal_span(each).split()) for each in predicted]
    golds = [set(normal_span(each).split()) for each in gold]
    if not bags or not golds:
        return 0.0
    kept = bags[:_MAX_SPANS]
    scores = np.array([[_bag_f1(bag, each) for bag in kept] for each in golds])
    rows, columns = linear_sum_assignment(-scores)
    return round(float(scores[rows, columns].sum()) / max(len(bags), len(golds)), 2)


def _bag_f1(predicted: set[str], gold: set[str]) -> float:
    numbers = {word for word in gold if _is_number(word)}
    if numbers and not numbers & predicted:
        return 0.0
    both = len(predicted & gold)
    precision = both / len(predicted) if predicted else 1.0
    recall = both / len(gold) if gold else 1.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _normal_word(word: str) -> str:
    word = word.lower()
    if not _is_number(word):
        word = word.translate(_PUNCTUATION)
    if _is_number(word):
        word = str(float(word))
    return " ".join(_ARTICLES.sub(" ", word).split())


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
