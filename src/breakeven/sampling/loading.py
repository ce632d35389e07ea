"""Loads models and tokenizers of transformers from this machine; nothing is downloaded."""

from pathlib import Path
from typing import Any

from breakeven.errors import MissingExtraError, argument_error


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
    options: dict[str, Any] = {"local_files_only": True}
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
    except (OSError, ValueError) as error:  # what transformers raises for missing and for damaged files
        remedy = f"transformers says: {str(error).strip().splitlines()[0]}"
        raise argument_error("path", "hold a causal language model and its tokenizer", str(path), remedy) from error
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
    return PeftModel.from_pretrained(model, str(adapter))


def load_classifier(path: str | Path, *, dtype: Any = "auto", device: Any = None) -> tuple[Any, Any]:
    """A sequence classifier in evaluation mode, and its tokenizer; arguments and errors as `load_hf`.

    Weights without a head, those of a language model, are refused: transformers would give them a random one.
    """
    try:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise MissingExtraError("models of transformers need: pip install 'breakeven[hf]'") from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(path), local_files_only=True)
        model, loaded = AutoModelForSequenceClassification.from_pretrained(
            str(path), dtype=dtype, local_files_only=True, output_loading_info=True
        )
    except ImportError as error:
        raise MissingExtraError(
            f"this model needs another package: {error}. Try pip install 'breakeven[hf]'"
        ) from error
    except (OSError, ValueError) as error:
        remedy = f"transformers says: {str(error).strip().splitlines()[0]}"
        raise argument_error("path", "hold a sequence classifier and its tokenizer", str(path), remedy) from error
    if missing := sorted(loaded["missing_keys"]):
        remedy = f"Its weights lack {', '.join(missing[:3])}: it is no classifier."
        raise argument_error("path", "hold a sequence classifier and its tokenizer", str(path), remedy)
    return model.to(device or "cpu").eval(), tokenizer
