"""A sampler of any OpenAI-compatible server: requests side by side, retried, counted, and never paid for twice."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from breakeven import check
from breakeven.errors import SamplerError, argument_error
from breakeven.records import Completion, Draw, Finish, Prefix, Problem, SegmentRule
from breakeven.sampling.served.address import Address
from breakeven.sampling.served.completions import Query
from breakeven.sampling.served.endings import cut
from breakeven.sampling.served.fetching import Fetcher
from breakeven.sampling.served.replies import ending
from breakeven.store import Choice, Journal


class OpenAISampler:
    """A `Sampler`, and with `chat=False` a `SegmentSampler`, of a server that speaks the OpenAI protocol.

    Samples of one request are told apart by the server; requests have different seeds. What the server computes besides
    may change its numbers, so equal calls give equal samples only where the journal answers. Tokens are counted per
    sample: by the length of its logprobs, or by `count_tokens`; by `usage` only where a request asked for one sample.
    Where a stop string ends a sample and the server does not list its tokens, they count as one. What a server refuses
    of a request is left out or named otherwise, and its answers are read as they come: docs/eval.md has a list.

    Args:
        base_url: up to and including `/v1`.
        model: as the server calls it. A journal is of one state of it: give another file to another checkpoint.
        max_tokens: of one completion.
        api_key: sent to the server and kept nowhere; None for servers that want none.
        insecure: whether a key may go to another machine by plain http.
        stop: strings before which a completion ends. Where the server takes fewer, the text is cut here.
        chat: whether prompts are messages of a chat, to which the server applies its template; False: plain text.
        system: the system message of the chat.
        max_concurrency: requests under way at once.
        samples_per_request: most samples of one request; None: all, until the server wants fewer.
        timeout: seconds for one request.
        max_retries: of one request, after a lost connection, a timeout, an answer that is no completion, HTTP 408, 409,
            429 and 5xx.
        journal: a file to which every sample is appended before it is used. A sampler with the same file and the same
            arguments asks only for what it lacks, and for more samples of the same problems only for the further ones.
        count_tokens: tokens of a text, for servers without logprobs. A completion's end token is added. Of a text that
            is not ASCII the larger count is taken, since llama.cpp lists the tokens of one character as one.
        extra_body: further fields of every request, such as `top_p`.
        own_temperature: whether a server that takes no temperature but its own is sampled at that, its draws marked.

    Raises:
        ArgumentError: a number out of its range, an empty stop string, a system message without a chat, a URL of no
            server, or a key that is not to be sent there.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        max_tokens: int,
        api_key: str | None = None,
        insecure: bool = False,
        stop: Sequence[str] = (),
        chat: bool = True,
        system: str | None = None,
        max_concurrency: int = 8,
        samples_per_request: int | None = None,
        timeout: float = 600.0,
        max_retries: int = 6,
        journal: str | Path | None = None,
        count_tokens: Callable[[str], int] | None = None,
        extra_body: Mapping[str, object] | None = None,
        own_temperature: bool = False,
    ) -> None:
        address = Address.of(base_url)
        address.check_key(api_key, insecure=insecure)
        check.at_least("max_tokens", max_tokens, 1)
        check.at_least("max_concurrency", max_concurrency, 1)
        check.at_least("max_retries", max_retries, 0)
        check.above("timeout", timeout, 0)
        if samples_per_request is not None:
            check.at_least("samples_per_request", samples_per_request, 1)
        if "" in stop:
            raise argument_error("stop", "hold no empty string", list(stop))
        if system is not None and not chat:
            raise argument_error("system", "be None without a chat", system, "Write it into the prompts.")
        self.model, self.max_tokens, self.stop = model, max_tokens, tuple(stop)
        self.chat, self.system, self.count_tokens = chat, system, count_tokens
        self.extra_body = dict(extra_body or {})
        self._extra = tuple((name, json.dumps(value)) for name, value in sorted(self.extra_body.items()))
        self.journal = Journal(journal)
        self._fetcher = Fetcher(
            address,
            self.journal,
            api_key=api_key,
            max_concurrency=max_concurrency,
            samples_per_request=samples_per_request,
            timeout=timeout,
            max_retries=max_retries,
            extra_body=self.extra_body,
            must_count=count_tokens is None,
            own_temperature=own_temperature,
        )
        self._prompts: dict[object, int] = {}  # tokens of each, as far as they are known

    def sample(
        self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int, first: int = 0
    ) -> list[Draw]:
        """See `breakeven.records.protocols.NumberedSampler.sample`.

        Raises:
            SamplerError: some samples cannot be had. All that came are kept: the same call goes on from there.
            RunStorageError: the journal cannot be written.
            MissingExtraError: the openai package is not installed.
        """
        check.at_least("temperature", temperature, 0)
        queries = [
            self._query(Prefix(problem=each), self.max_tokens, self.stop, temperature, seed, one_by_one=False)
            for each in problems
        ]
        return self._draw(queries, num_samples, lambda query, choice: self._completion(choice), first)

    def extend(
        self, prefixes: Sequence[Prefix], num_samples: int, *, segments: SegmentRule, temperature: float, seed: int
    ) -> list[Draw]:
        """See `breakeven.records.protocols.SegmentSampler.extend`.

        Only for plain text: a chat's answer cannot be begun for the server. The server must say what ended a sample, as
        vLLM does, or list the end token in its logprobs, as llama.cpp does; then only one string may end anything.
        Without `count_tokens`, four characters of the text so far are taken for a token of the `max_tokens`.

        Raises:
            ArgumentError: the sampler is one of chats.
            SamplerError, RunStorageError, MissingExtraError: as `sample`.
        """
        if self.chat:
            raise argument_error("chat", "be False to go on from a prefix", True, "Write the chat into the prompts.")
        counted = self.count_tokens or (lambda text: -(-len(text) // 4))
        queries, limits = [], {}
        for prefix in prefixes:
            left = max(1, self.max_tokens - counted(prefix.text))
            max_tokens = min(left, segments.max_tokens)
            strings = (*self.stop, *segments.ends)
            queries.append(self._query(prefix, max_tokens, strings, temperature, seed, one_by_one=True))
            limits[queries[-1]] = Finish.LENGTH if left <= segments.max_tokens else Finish.SEGMENT
        return self._draw(
            queries, num_samples, lambda query, choice: self._step(query, choice, segments, limits[query])
        )

    def _query(
        self, prefix: Prefix, max_tokens: int, stop: tuple[str, ...], temperature: float, seed: int, *, one_by_one: bool
    ) -> Query:
        prompt: str | tuple[tuple[str, str], ...] = prefix.problem.prompt + prefix.text
        if self.chat:
            system = (("system", self.system),) if self.system is not None else ()
            prompt = (*system, ("user", prefix.problem.prompt))
        return Query(
            problem_id=prefix.problem.id,
            model=self.model,
            prompt=prompt,
            temperature=temperature,
            seed=seed,
            max_tokens=max_tokens,
            stop=stop,
            extra=self._extra,
            one_by_one=one_by_one,
        )

    def _draw(
        self, queries: list[Query], num_samples: int, complete: Callable[[Query, Choice], Completion], first: int = 0
    ) -> list[Draw]:
        check.at_least("num_samples", num_samples, 1)
        numbers = range(first, first + num_samples)
        if not any(query.temperature for query in queries):
            numbers = range(1)  # greedy samples are equal
        self._fetcher.fetch(queries, numbers)
        draws = []
        for query in queries:
            kept = self.journal.samples(query.key)
            draws.append(
                Draw(
                    prompt_tokens=self._prompt_tokens(query, [kept[at][1] for at in numbers]),
                    completions=tuple(complete(query, kept[at][0]) for at in numbers) * (num_samples // len(numbers)),
                    own_temperature=any(kept[at][0].own_temperature for at in numbers),
                )
            )
        for query in queries:
            self.journal.forget(query.key)
            self.journal.forget(replace(query, temperature=0.0).key)  # asked for its prompt tokens
        return draws

    def _completion(self, choice: Choice) -> Completion:
        ended = cut(choice.text, self.stop, ())  # where the server did not
        text, finish = ended or (choice.text, ending(choice.finish) or Finish.BROKEN_OFF)
        return Completion(text=text, output_tokens=self._output_tokens(choice), finish=finish)

    def _step(self, query: Query, choice: Choice, segments: SegmentRule, limit: Finish) -> Completion:
        if ended := cut(choice.text, self.stop, segments.ends):  # the server did not
            return Completion(text=ended[0], output_tokens=self._output_tokens(choice), finish=ended[1])
        text, finish = choice.text, limit if choice.finish == "length" else Finish.STOP
        if choice.finish == "stop" and choice.stopped is None:
            raise SamplerError(
                "the server must say what ended a sample, by stop_reason or by its logprobs; it did neither. Use "
                "vLLM's or llama.cpp's server, or an in-process sampler."
            )
        if choice.stopped:
            strings = (*self.stop, *segments.ends)
            ending = choice.stop_string or strings[0]
            if choice.stop_string is None and len(strings) > 1:
                raise SamplerError(
                    f"the server must name the stop string that ended a sample, since there are {len(strings)}; it did "
                    "not. Use one end of a step and no stop strings with this server."
                )
            if ending in segments.ends and ending not in self.stop:
                text = text.removesuffix(ending) + ending
                finish = limit if self._output_tokens(choice) >= query.max_tokens else Finish.SEGMENT
        return Completion(text=text, output_tokens=self._output_tokens(choice), finish=finish)

    def _output_tokens(self, choice: Choice) -> int:
        if choice.tokens is not None and (self.count_tokens is None or choice.text.isascii()):
            return choice.tokens
        if self.count_tokens is None:
            raise SamplerError(
                "the server must count the tokens of each sample, by logprobs; it did not. Give count_tokens "
                "(--tokenizer), or ask for one sample a request (samples_per_request=1, --samples-per-request 1). "
                f"{self._fetcher.kept()}"
            )
        return max(choice.tokens or 1, self.count_tokens(choice.text) + (choice.finish != "length"))

    def _prompt_tokens(self, query: Query, counts: list[int | None]) -> int:
        """The largest count of the same prompt: servers leave out what they had cached."""
        greedy = self.journal.samples(replace(query, temperature=0.0).key).values()
        known = [each for each in (*counts, *(count for _, count in greedy)) if each is not None]
        known += [self._prompts[query.prompt]] if query.prompt in self._prompts else []
        if known:
            if not query.one_by_one:  # beginnings are not asked for again
                self._prompts[query.prompt] = max(known)
            return max(known)
        if self.count_tokens is None:
            raise SamplerError(
                "the server must count prompt tokens, by usage; it did not, or left out what it had cached. Give "
                f"count_tokens (--tokenizer). {self._fetcher.kept()}"
            )
        texts = [query.prompt] if isinstance(query.prompt, str) else [content for _, content in query.prompt]
        return max(1, sum(map(self.count_tokens, texts)))
