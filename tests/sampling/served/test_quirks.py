"""Servers as they are: each row of the table in docs/eval.md, against a local server that behaves so."""

import pytest

pytest.importorskip("httpx2")

from breakeven.errors import SamplerError
from breakeven.records import Finish, Prefix, Problem, SegmentRule
from breakeven.sampling.served import asking
from breakeven.sampling.served.openai import OpenAISampler

PROBLEMS = [Problem(id=f"p{number}", prompt=f"question {number}") for number in range(6)]
STOPS = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.01)


def drawn(server, num_samples: int = 3, *, temperature: float = 0.8, problems=PROBLEMS, **options):
    sampler = OpenAISampler(server.url, "tiny", **{"max_tokens": 8, "max_retries": 2} | options)
    return sampler.sample(problems, num_samples, temperature=temperature, seed=1)


def tokens(draws) -> list[int]:
    return [each.output_tokens for draw in draws for each in draw.completions]


def single(text: object = "4", *, finish: object = "stop", usage: dict | None = None, **message: object) -> dict:
    """A chat's completion of one choice."""
    counted = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
    said = {"role": "assistant", "content": text} | message
    return {"choices": [{"index": 0, "finish_reason": finish, "message": said}], "usage": usage or counted}


# -- fields that are refused ------------------------------------------------------------------------------------------


def forbidden(*names: str) -> dict:
    """As pydantic's servers say it, Mistral's among them."""
    detail = [
        {"type": "extra_forbidden", "loc": ["body", each], "msg": "Extra inputs are not permitted"} for each in names
    ]
    return {"object": "error", "message": {"detail": detail}, "type": "invalid_request_error"}


@pytest.mark.parametrize("names", [("seed",), ("seed", "random_seed"), ("logprobs", "seed", "top_logprobs"), ("n",)])
def test_what_is_refused_of_several_requests_at_once_is_left_out_of_all(serve, say, answer, names) -> None:
    def behave(request, _):
        if refused := [each for each in names if each in request]:
            return answer(forbidden(*refused), 422, delay=0.05)
        return say(request)

    server = serve(behave)
    draws = drawn(server, max_concurrency=8)
    assert [len(draw.completions) for draw in draws] == [3] * 6
    assert not set(names) & set(server.requests[-1])
    if names == ("seed",):
        assert "random_seed" in server.requests[-1]


def test_a_fault_of_its_own_that_names_a_field_is_a_refusal(serve, say, refuse) -> None:
    """llama-cpp-python raises in the server: HTTP 500."""
    words = "logprobs is not supported for models created with logits_all=False"
    server = serve(lambda request, _: refuse(words, 500) if "logprobs" in request else say(request))
    draws = drawn(server, max_concurrency=1)
    assert tokens(draws) == [4] * 18  # by usage: one sample a request, without being told
    assert len(server.requests) == 1 + 18


@pytest.mark.parametrize("concurrency", [1, 8])
def test_max_tokens_has_a_second_name(serve, say, refuse, concurrency: int) -> None:
    words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    server = serve(lambda request, _: refuse(words) if "max_tokens" in request else say(request))
    drawn(server, max_concurrency=concurrency)
    assert server.requests[-1]["max_completion_tokens"] == 8


def test_a_number_that_is_too_large_is_no_reason_to_name_it_otherwise(serve, refuse) -> None:
    server = serve(lambda request, _: refuse("max_tokens is too large: 8. This model supports at most 4 tokens"))
    with pytest.raises(SamplerError, match=r"refused it with HTTP 400: max_tokens is too large: 8\."):
        drawn(server)
    assert all("max_tokens" in each for each in server.requests)


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (4, "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5."),
        (2, "'stop': at most 2 stop sequences are allowed"),
        (4, "stop sequences: too many"),
        (0, "Unsupported parameter: 'stop' is not supported with this model."),
        (0, "Argument not supported on this model: stop"),
    ],
)
def test_stop_strings_that_it_does_not_take_are_cut_here(serve, refuse, answer, limit: int, words: str) -> None:
    def behave(request, _):
        if len(request.get("stop", [])) > limit:
            return refuse(words)
        text = "return 1\nprint(2)\nclass A"
        for each in request.get("stop", []):
            text = text.split(each)[0]
        return answer(single(text, finish="length"))

    server = serve(behave)
    (draw,) = drawn(server, 1, problems=PROBLEMS[:1], stop=STOPS)
    assert len(server.requests[-1].get("stop", [])) == limit
    assert [(each.text, each.finish) for each in draw.completions] == [("return 1", Finish.STOP)]
    assert tokens([draw]) == [5]  # what it wrote beyond was paid for


def test_a_step_is_cut_here_too(serve, refuse, answer) -> None:
    def behave(request, _):
        return refuse("unknown field 'stop'") if "stop" in request else answer(plain)

    plain = {
        "choices": [{"text": "a;b;c", "finish_reason": "length"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 9},
    }
    sampler = OpenAISampler(serve(behave).url, "tiny", max_tokens=20, chat=False)
    steps = SegmentRule(ends=(";",), max_tokens=9)
    (draw,) = sampler.extend([Prefix(problem=PROBLEMS[0])], 1, segments=steps, temperature=0.8, seed=0)
    assert [(each.text, each.finish) for each in draw.completions] == [("a;", Finish.SEGMENT)]


FIXED = (
    "Unsupported value: 'temperature' does not support 0.8 with this model. Only the default (1) value is supported.",
    "invalid temperature: only 1 is allowed for this model",
    "invalid temperature: only 0.6 is allowed for this model",
    "Unsupported parameter: 'temperature' is not supported with this model.",
)


@pytest.mark.parametrize("words", FIXED)
def test_a_temperature_that_is_fixed_is_refused_unless_it_is_wanted(serve, say, refuse, words: str) -> None:
    server = serve(lambda request, _: refuse(words) if request.get("temperature", 1) != 1 else say(request))
    with pytest.raises(SamplerError, match="own_temperature=True"):
        drawn(server)
    assert [each.own_temperature for each in drawn(server, own_temperature=True)] == [True] * 6
    assert "temperature" not in server.requests[-1]
    assert [each.own_temperature for each in drawn(server, temperature=1.0)] == [False] * 6
    assert [each.own_temperature for each in drawn(server, temperature=0.0, own_temperature=True)] == [True] * 6


@pytest.mark.parametrize(("words", "own"), [(FIXED[0], False), (FIXED[1], False), (FIXED[2], True), (FIXED[3], True)])
def test_a_temperature_of_1_is_its_own_where_it_says_so(serve, say, refuse, words: str, own: bool) -> None:
    """The greedy sample comes first and is refused; then no temperature is sent."""
    server = serve(lambda request, _: refuse(words) if "temperature" in request else say(request))
    sampler = OpenAISampler(server.url, "tiny", max_tokens=8, own_temperature=True)
    for temperature, marked in ((0.0, True), (1.0, own), (0.8, True)):
        (draw,) = sampler.sample(PROBLEMS[:1], 2, temperature=temperature, seed=1)
        assert draw.own_temperature is marked


def test_a_temperature_of_nought_may_have_to_be_nearly_that(serve, say, refuse) -> None:
    server = serve(
        lambda request, _: (
            say(request) if request["temperature"] > 0 else refuse("`temperature` must be strictly positive", 422)
        )
    )
    assert not any(each.own_temperature for each in drawn(server, temperature=0.0))
    assert server.requests[-1]["temperature"] == 0.01


def test_a_further_field_that_is_refused_is_named(serve, refuse) -> None:
    with pytest.raises(
        SamplerError, match=r"HTTP 400: Unrecognized request argument: top_k\. Leave out --extra top_k\."
    ):
        drawn(serve(lambda *_: refuse("Unrecognized request argument: top_k")), extra_body={"top_k": 5})


def test_a_base_model_without_a_template_is_told_how_it_is_asked(serve, refuse) -> None:
    with pytest.raises(SamplerError, match=r"no chat template\. It may be a base model: try --no-chat\."):
        drawn(serve(lambda *_: refuse("The tokenizer has no chat template.")))


# -- how a sample ends ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        ("stop", Finish.STOP),
        ("eos_token", Finish.STOP),
        ("end_turn", Finish.STOP),
        ("STOP", Finish.STOP),
        (None, Finish.STOP),
        ("length", Finish.LENGTH),
        ("MAX_TOKENS", Finish.LENGTH),
        ("model_length", Finish.LENGTH),
        ("content_filter", Finish.BROKEN_OFF),
        ("SAFETY", Finish.BROKEN_OFF),
        ("a word of tomorrow", Finish.BROKEN_OFF),
    ],
)
def test_only_known_words_are_ends(serve, answer, word: str | None, finish: Finish) -> None:
    server = serve(lambda *_: answer(single("Let me think. It is", finish=word)))
    (draw,) = drawn(server, 1, problems=PROBLEMS[:1])
    assert [each.finish for each in draw.completions] == [finish]


@pytest.mark.parametrize(
    ("count", "limit", "finish"),
    [(16, 16, Finish.LENGTH), (15, 16, Finish.STOP), (2, 2, Finish.STOP), (103, 16, Finish.STOP)],
)
def test_stop_at_the_very_limit_is_the_limit(serve, answer, count: int, limit: int, finish: Finish) -> None:
    """LiteLLM says `stop` of all answers of Ollama; a verdict of one word and its end are two tokens."""
    usage = {"prompt_tokens": 12, "completion_tokens": count}
    (draw,) = drawn(serve(lambda *_: answer(single(usage=usage))), 1, problems=PROBLEMS[:1], max_tokens=limit)
    assert draw.completions[0].finish is finish


def test_no_word_at_the_limit_is_the_limit(serve, answer) -> None:
    usage = {"prompt_tokens": 12, "completion_tokens": 8}
    (draw,) = drawn(serve(lambda *_: answer(single(finish=None, usage=usage))), 1, problems=PROBLEMS[:1])
    assert draw.completions[0].finish is Finish.LENGTH


@pytest.mark.parametrize("word", ["error", "insufficient_system_resource", "abort", "ERROR"])
def test_a_fault_of_the_server_is_no_sample(serve, answer, word: str) -> None:
    server = serve(lambda _, number: answer(single("half", finish=word) if number == 0 else single("whole")))
    (draw,) = drawn(server, 1, problems=PROBLEMS[:1])
    assert [each.text for each in draw.completions] == ["whole"]
    with pytest.raises(SamplerError, match=rf"broke off itself \(finish_reason '{word}'\), in 3 attempts"):
        drawn(serve(lambda *_: answer(single("half", finish=word))), 1)


@pytest.mark.parametrize(
    ("more", "finish"),
    [
        ({"native_finish_reason": "MAX_TOKENS"}, Finish.LENGTH),
        ({"native_finish_reason": "STOP"}, Finish.STOP),
        ({"native_finish_reason": "a word of its own"}, Finish.STOP),
        ({"native_finish_reason": None}, Finish.STOP),
        ({"error": {"code": 502, "message": "provider lost"}}, None),
        ({"native_finish_reason": "error"}, None),
    ],
)
def test_a_gateway_says_how_it_ended_behind_it(serve, answer, more: dict, finish: Finish | None) -> None:
    body = single()
    body["choices"][0] |= more
    server = serve(lambda _, number: answer(body if number == 0 else single()))
    (draw,) = drawn(server, 1, problems=PROBLEMS[:1])
    assert draw.completions[0].finish is (finish or Finish.STOP)
    assert len(server.requests) == (2 if finish is None else 1)


def test_choices_before_one_that_a_fault_broke_off_are_kept(serve, say) -> None:
    def behave(request, number):
        reply = say(request)
        if number == 0:
            reply.body["choices"][1]["finish_reason"] = "error"
        return reply

    server = serve(behave)
    (draw,) = drawn(server, 3, problems=PROBLEMS[:1])
    assert len({each.text for each in draw.completions}) == 3
    assert [each.get("n", 1) for each in server.requests] == [3, 2]


# -- shapes of an answer ----------------------------------------------------------------------------------------------

THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "0 + 0 ..."}]}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([THOUGHT, {"type": "text", "text": "Answer: 0"}], "Answer: 0"),
        ([{"type": "output_text", "text": "An"}, {"type": "text", "text": "swer"}], "Answer"),
        (["An", "swer"], "Answer"),
        ([THOUGHT], ""),
        ([], ""),
        (None, ""),
        ({"type": "text", "text": "Answer"}, "Answer"),
        ([{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "Answer"}], "Answer"),
        ([{"type": "text", "text": {"value": "Answer", "annotations": []}}], "Answer"),
        ([{"type": "refusal", "refusal": "I will not."}], ""),
    ],
)
def test_an_answer_may_come_in_parts(serve, answer, content: object, text: str) -> None:
    server = serve(lambda *_: answer(single(content)))
    (draw,) = drawn(server, 1, problems=PROBLEMS[:1])
    assert [each.text for each in draw.completions] == [text]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("usage", "prompt", "output"),
    [
        # OpenAI: what was reasoned is among the tokens of the completion
        ({"prompt_tokens": 12, "completion_tokens": 60, "total_tokens": 72}, 12, 60),
        # xAI: it is beside them
        ({"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135}, 32, 103),
        ({"prompt_tokens": 12, "completion_tokens": 5}, 12, 65),
        # Gemini does not say how many
        ({"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 90, "completion_tokens_details": None}, 12, 78),
        ({"prompt_tokens": 0, "completion_tokens": 60, "prompt_tokens_details": {"cached_tokens": 300}}, 300, 60),
        ({"prompt_tokens": 20, "completion_tokens": 60, "prompt_tokens_details": {"cached_tokens": 280}}, 300, 60),
        ({"prompt_tokens": 300, "completion_tokens": 60, "prompt_tokens_details": {"cached_tokens": 280}}, 300, 60),
        ({"prompt_tokens": 12, "completion_tokens": 0, "total_tokens": 72}, 12, 60),
        ({"prompt_tokens": 12.0, "completion_tokens": 60.0, "total_tokens": 72.0}, 12, 60),
        ({"input_tokens": 12, "output_tokens": 60}, 12, 60),
        ({"input_tokens": 12, "output_tokens": 60, "input_tokens_details": {"cached_tokens": 20}}, 32, 60),
        ({"prompt_tokens": 12, "completion_tokens": 0}, 12, 60),
        ({"completion_tokens": 60, "total_tokens": 72}, 12, 60),
        ({"prompt_tokens": 12, "total_tokens": 72}, 12, 60),
    ],
)
def test_tokens_are_counted_whole(serve, answer, usage: dict, prompt: int, output: int) -> None:
    reasoning = {"reasoning_tokens": 94 if usage.get("total_tokens") == 135 else 60}
    body = single(usage={"completion_tokens_details": reasoning} | usage, reasoning_content="hm " * 60)
    (draw,) = drawn(serve(lambda *_: answer(body)), 1, problems=PROBLEMS[:1])
    assert (draw.prompt_tokens, tokens([draw])) == (prompt, [output])


def test_reasoning_that_logprobs_leave_out_is_not_lost(serve, answer) -> None:
    def behave(request, _):
        body = single("a b", reasoning_content="so much was thought before that was said")
        listed = {"content": [{"token": each} for each in ("a", " b", "")]}
        return answer(body | {"choices": [body["choices"][0] | {"logprobs": listed}] * request.get("n", 1)})

    server = serve(behave)
    with pytest.raises(SamplerError, match="does not count the tokens of each sample"):
        drawn(server)
    assert tokens(drawn(server, samples_per_request=1)) == [5] * 18


@pytest.mark.parametrize("wrong", [True, 0, -1, 5.5, 1e300, 10**32, float("nan"), "5", None, [5]])
def test_what_is_no_count_is_none(serve, say, wrong: object) -> None:
    server = serve(lambda request, _: say(request, usage={"prompt_tokens": wrong, "completion_tokens": wrong}))
    draws = drawn(server, count_tokens=len)
    assert {draw.prompt_tokens for draw in draws} == {10}


def test_a_prompt_that_was_cached_has_the_tokens_it_had(serve, say, tmp_path) -> None:
    """Ollama counts 0 then, or only what the cache did not hold."""
    seen: dict = {}

    def behave(request, _):
        prompt = request["messages"][0]["content"]
        seen[prompt] = seen.get(prompt, -1) + 1
        return say(request, usage={"prompt_tokens": [300, 0, 5][min(seen[prompt], 2)], "completion_tokens": 4})

    server = serve(behave)
    for journal in (None, tmp_path / "j"):
        seen.clear()
        drawn(server, 1, temperature=0.0, journal=journal, problems=PROBLEMS[:2])
    draws = drawn(server, 4, journal=tmp_path / "j", samples_per_request=1, problems=PROBLEMS[:2])
    assert [draw.prompt_tokens for draw in draws] == [300, 300]
    seen.clear()
    sampler = OpenAISampler(server.url, "tiny", max_tokens=8)  # keeps nothing on disk
    for temperature in (0.0, 0.8):
        (draw,) = sampler.sample(PROBLEMS[:1], 2, temperature=temperature, seed=1)
        assert draw.prompt_tokens == 300


def test_a_part_that_cannot_be_read_is_not_taken_for_silence(serve, answer) -> None:
    with pytest.raises(SamplerError, match="an answer that is no completion"):
        drawn(serve(lambda *_: answer(single([{"type": "poem", "lines": ["4"]}]))), 1, max_retries=0)


def test_a_refusal_that_comes_as_an_answer_is_one(serve, say, answer) -> None:
    """Some gateways say 200 of everything."""
    body = {"error": {"message": "Unsupported parameter: seed", "code": 400}}
    server = serve(lambda request, _: answer(body) if "seed" in request else say(request))
    assert len(drawn(server, max_retries=0)) == 6


# -- what is counted, and by what remedy ------------------------------------------------------------------------------


def test_n_and_logprobs_that_are_ignored_need_no_remedy(serve, say) -> None:
    """Ollama, LM Studio: one choice comes, and `usage` counts it."""
    draws = drawn(serve(lambda request, _: say(request, choices=1, logprobs=False)), 4)
    assert tokens(draws) == [4] * 24


def test_samples_without_a_count_are_drawn_again_as_the_error_says(serve, say, tmp_path) -> None:
    server = serve(lambda request, _: say(request, logprobs=False))
    with pytest.raises(SamplerError, match="samples_per_request=1, --samples-per-request 1"):
        drawn(server, journal=tmp_path / "j")
    assert tokens(drawn(server, journal=tmp_path / "j", samples_per_request=1)) == [4] * 18
    asked = len(server.requests)
    assert tokens(drawn(server, journal=tmp_path / "j", samples_per_request=1)) == [4] * 18
    assert len(server.requests) == asked


def test_where_usage_counts_nothing_logprobs_do(serve, say) -> None:
    server = serve(lambda request, _: say(request, usage={"prompt_tokens": 7, "completion_tokens": 0}))
    assert tokens(drawn(server, temperature=0.0, max_concurrency=1)) == [4] * 18
    assert len(server.requests) == 7
    assert server.requests[-1]["logprobs"] is True


def test_lone_surrogates_are_kept_as_they_can_be(serve, answer, tmp_path) -> None:
    server = serve(lambda *_: answer(single("a \ud800 b")))
    for _ in range(2):
        (draw,) = drawn(server, 1, problems=PROBLEMS[:1], journal=tmp_path / "j")
        assert [each.text for each in draw.completions] == ["a \\ud800 b"]
    assert len(server.requests) == 1


def test_an_answer_that_is_nested_without_an_end_is_malformed(serve, answer) -> None:
    with pytest.raises(SamplerError, match="an answer that is no completion"):
        drawn(serve(lambda *_: answer(b'{"choices":' + b"[" * 200_000)), max_retries=0)
