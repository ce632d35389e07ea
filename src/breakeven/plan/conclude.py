"""From a row's options to what was asked: the frontier, the envelope, the choice, in one way for all rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from breakeven.choice.break_even import lower_envelope
from breakeven.choice.choose import best, by_name, cheapest, choosable
from breakeven.choice.frontier import frontier, frontier_shares
from breakeven.errors import argument_error
from breakeven.plan.verdict import lead_words, verdict_words
from breakeven.plan.wanted import Wanted
from breakeven.records.curves import Made
from breakeven.records.options import Option, Quality
from breakeven.records.plans import Cheapest, Choice, PlanAnswer, PlanResult
from breakeven.report.format import format_quality


def conclude(row: str, answer: PlanAnswer, wanted: Wanted | None = None) -> PlanResult:
    """The choice among a row's options.

    Args:
        row: its name.
        answer: what it computed.
        wanted: what is asked of the options; None: the cheapest that reaches the row's own target.

    Raises:
        ArgumentError: no option, one name twice, or a cost line that no option has.
    """
    wanted = wanted or Wanted()
    options = checked(answer.options)
    by_row = wanted.target is None and wanted.budget is None and answer.target is not None
    if by_row:
        wanted = replace(wanted, target=answer.target)
    known = sorted({line for option in options for line in option.lines}) if wanted.without else []
    for line in wanted.without:
        if line not in known:
            raise argument_error("--without", f"be a cost line: {', '.join(known)}", line)
    counted = [each.without(*wanted.without) for each in options] if wanted.without else options
    may_be = choosable(counted, published=wanted.published)
    unpaired = _unpaired(may_be)
    shares = dict[str, float]()
    if may_be and not unpaired and may_be[0].quality.value_P:
        found = frontier_shares(may_be, wanted.price)
        shares = {each.name: share for each, share in zip(may_be, found, strict=True)}
    asked = choose(counted, answer.quality, wanted)
    return PlanResult(
        verdict=asked.verdict,
        lead=asked.lead,
        chosen=asked.chosen,
        frontier=asked.frontier,
        envelope=asked.envelope,
        row=row,
        answer=replace(answer, options=tuple(options)),
        queries=wanted.queries,
        budget=wanted.budget,
        target=wanted.target,
        sure=wanted.sure,
        published=wanted.published,
        without=wanted.without,
        full=choose(options, answer.quality, wanted) if wanted.without else None,
        shares=tuple(shares.get(each.name, 0.0) for each in options) if shares else (),
        notes=(
            *((answer.target_of,) if by_row and answer.target_of else ()),
            *unpaired,
            *_notes(options, may_be, asked.chosen, wanted, by_row),
        ),
    )


def choose(options: Sequence[Option], quality: str, wanted: Wanted) -> Choice:
    """The choice among options as they are priced here.

    Args:
        options: each with a name of its own.
        quality: what theirs is, in words.
        wanted: what is asked of them.
    """
    may_be = choosable(options, published=wanted.published)
    value, level = wanted.quality, wanted.target
    if wanted.budget is not None:
        chosen = best(may_be, budget=wanted.budget, price=wanted.price, value=value)
        level = None if chosen is None else value(chosen)
    elif level is None:
        level = max(map(value, may_be), default=None)
    reaching = [each for each in may_be if level is not None and value(each) >= level]
    if wanted.budget is None:  # of equal prices the one that costs less before the first query
        chosen = cheapest(reaching, reaches=lambda _: True, price=lambda each: (wanted.price(each), each.once))
    envelope = lower_envelope(reaching)
    return Choice(
        verdict=verdict_words(may_be, chosen, quality, wanted),
        lead=lead_words(may_be, chosen, quality, wanted, envelope),
        chosen=None if chosen is None else chosen.name,
        frontier=tuple(each.name for each in frontier(options, wanted.price, published=wanted.published)),
        envelope=tuple(Cheapest(option=each.option.name, queries=each.queries) for each in envelope),
    )


def checked(options: Sequence[Option]) -> list[Option]:
    """The options, if each has a name of its own, and there is one.

    Raises:
        ArgumentError: otherwise.
    """
    if not options:
        raise argument_error("options", "be at least one", "none")
    seen = set[str]()
    for each in options:
        if each.name in seen:
            raise argument_error(
                "options", "have a name each", each.name, "It is there twice: rename one, or its file."
            )
        seen.add(each.name)
    return list(options)


def _unpaired(options: Sequence[Option]) -> tuple[str, ...]:
    """Why options that are known problem by problem cannot be resampled together, in sentences; else nothing."""
    known = [each for each in options if each.quality.value_P]
    said = list[str]()
    if known and len(known) < len(options):
        few = f"{len(options) - len(known)} of {len(options)} options have no values per problem"
        said.append(f"{few}: how sure a place on the frontier is was not resampled.")
    named = [each for each in options if each.quality.problems or each.quality.value_P]
    other = next((each for each in named if _of_others(each.quality, named[0].quality)), None)
    if other is not None:
        said.append(
            f"Options are known on different problems ({named[0].name} and {other.name}, say), and are not paired: "
            "part of a difference between them may be one of the problems."
        )
    return tuple(said)


def _of_others(one: Quality, other: Quality) -> bool:
    """Whether two are of different problems, as far as they say."""
    sizes = {len(one.value_P), len(other.value_P)} - {0}
    return one.problems != other.problems or len(sizes) > 1


def _notes(
    options: Sequence[Option], may_be: Sequence[Option], chosen: str | None, wanted: Wanted, by_row: bool
) -> Iterator[str]:
    """Sentences on what the choice does not rest on, or should not be taken for."""
    unmeasured = Counter(each.quality.made for each in may_be if each.quality.made is not Made.MEASURED)
    if 0 < unmeasured.total() < len(may_be):
        how = ", ".join(f"{number} {made}" for made, number in unmeasured.items())
        by = "the lower ends of their intervals" if wanted.sure else "their values"
        yield f"Not measured of {len(may_be)} options: {how}. They are held against the measured ones by {by}."
    published = sum(each.is_published for each in options)
    if published and wanted.published:
        yield f"{published} of {len(options)} options are published: read somewhere, and may be chosen as was asked."
    elif published:
        yield f"{published} of {len(options)} options are published: shown, and chosen only if --published asks for it."
    if wanted.sure and (without := sum(each.quality.lo is None for each in may_be)):
        yield f"{without} of {len(may_be)} options have no interval: --sure takes their value itself."
    if chosen is None or wanted.sure:
        return
    known = by_name(may_be, chosen).quality
    if wanted.target is not None and not by_row and known.lo is not None and known.lo < wanted.target:
        yield (
            f"The 90 % interval of {chosen} begins below the target, at {format_quality(known.lo)}: --sure asks for "
            "one that does not."
        )
    rivals = [each for each in may_be if wanted.budget is None or wanted.price(each) <= wanted.budget]
    is_best = all(each.quality.value <= known.value for each in rivals)
    if is_best and len(rivals) > 1 and (wanted.target is None or by_row):
        yield f"As the best of {len(rivals)} it looks better than it is."
