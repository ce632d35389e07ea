"""Loads models and tokenizers of transformers from this machine; nothing is downloaded."""

import json
from pathlib import Path
from typing import Any

from breakeven.errors import ArgumentError, MissingExtraError, argument_error


def load_hf(
    path: str | Path,
    *,
    gguf_file: str | None = None,
    dtype: Any = "auto",
    device: Any = None,
    adapter: str | Path | None = None,
) -> tuple[Any, Any]:
    """A causal language model in evaluation mode, and its tokenizer.

    Args:
        path: a directory with a saved model and tokenizer; a `.gguf` file, or the directory of `gguf_file`; or the name
            of a model that is in the local cache of the Hugging Face Hub.
        gguf_file: its weights are unpacked into dense ones, so that the model can be saved and trained.
        dtype: a torch dtype, its name, or "auto": as saved, and float32 for GGUF.
        device: where to put the model; None: the CPU.
        adapter: directory of a LoRA adapter of peft.

    Raises:
        ArgumentError: there is no model, tokenizer or adapter at that place.
        MissingExtraError: transformers, gguf or peft is not installed.
    """
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    except ImportError as error:
        raise MissingExtraError("models of transformers need: pip install 'breakeven[hf]'") from error
    place = Path(path)
    if gguf_file is None and place.suffix == ".gguf":
        place, gguf_file = place.parent, place.name
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    if gguf_file is not None:
        if not (place / gguf_file).is_file():
            raise argument_error("gguf_file", "be a GGUF file", str(place / gguf_file))
        options["gguf_file"] = gguf_file
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(place), **options)
        if gguf_file is not None:
            options["quantization_config"] = GgufConfig(dequantize=True)
            dtype = "float32" if dtype == "auto" else dtype
        model = AutoModelForCausalLM.from_pretrained(str(place), dtype=dtype, **options)
    except ImportError as error:
        raise MissingExtraError(
            f"this model needs another package: {error}. Try pip install 'breakeven[hf]'"
        ) from error
    except Exception as error:
        raise _damaged("path", "hold a causal language model and its tokenizer", path, error) from error
    if adapter is not None:
        model = _adapted(model, Path(adapter))
    return model.to(device or "cpu").eval(), tokenizer


def _adapted(model: Any, adapter: Path) -> Any:
    try:
        from peft import PeftModel
    except ImportError as error:
        raise MissingExtraError("adapters need peft: pip install 'breakeven[hf]'") from error
    if not (adapter / "adapter_config.json").is_file():
        raise argument_error("adapter", "be a directory with adapter_config.json", str(adapter))
    try:
        if json.loads((adapter / "adapter_config.json").read_bytes()).get("megatron_config"):
            raise ValueError("megatron_config is not supported")  # peft imports whatever module `megatron_core` names
        return PeftModel.from_pretrained(model, str(adapter))
    except Exception as error:
        raise _damaged("adapter", "be a LoRA adapter of this model", adapter, error) from error


def _damaged(name: str, rule: str, path: str | Path, error: Exception) -> ArgumentError:
    """The error for files that are missing or damaged, for which each library below raises exceptions of its own."""
    said = next(iter(str(error).strip().splitlines()), "")
    return argument_error(name, rule, str(path), f"transformers says: {type(error).__name__}: {said[:300]}")


def load_classifier(path: str | Path, *, dtype: Any = "auto", device: Any = None) -> tuple[Any, Any]:
    """A sequence classifier in evaluation mode, and its tokenizer; arguments and errors as `load_hf`.

    Weights without a head, those of a language model, are refused: transformers would give them a random one.
    """
    try:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise MissingExtraError("models of transformers need: pip install 'breakeven[hf]'") from error
    try:
        options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        tokenizer = AutoTokenizer.from_pretrained(str(path), **options)
        model, loaded = AutoModelForSequenceClassification.from_pretrained(
            str(path), dtype=dtype, output_loading_info=True, **options
        )
    except ImportError as error:
        raise MissingExtraError(
            f"this model needs another package: {error}. Try pip install 'breakeven[hf]'"
        ) from error
    except Exception as error:
        raise _damaged("path", "hold a sequence classifier and its tokenizer", path, error) from error
    if missing := sorted(loaded["missing_keys"]):
        remedy = f"Its weights lack {', '.join(missing[:3])}: it is no classifier."
        raise argument_error("path", "hold a sequence classifier and its tokenizer", str(path), remedy)
    return model.to(device or "cpu").eval(), tokenizer
