"""Tokens of words and their pieces, learnt from the training texts of a classifier and kept with its run.

Source: byte-level byte-pair encoding, Radford et al., Language models are unsupervised multitask learners (2019).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from breakeven.errors import MissingExtraError
from breakeven.store.files import make_directory, write_whole

TOKENIZER: Final = "tokenizer.json"
_PAD, _BEGIN, _END = _SPECIAL = ("[PAD]", "[CLS]", "[SEP]")


def tokenizer_for(texts: Sequence[tuple[str, ...]], *, vocab_size: int, max_tokens: int, directory: Path) -> Any:
    """A tokenizer of transformers, read from `directory` or else learnt from `texts` and left there.

    Args:
        texts: single ones or pairs.
        vocab_size: most pieces; the 256 bytes and what marks ends are always among them.
        max_tokens: at which a text or a pair is cut.
        directory: of the run.

    Raises:
        MissingExtraError: transformers, which brings tokenizers, is not installed.
        RunStorageError: the disk refused.
    """
    try:
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
        from transformers import PreTrainedTokenizerFast
    except ImportError as error:
        raise MissingExtraError("classifiers of texts need: pip install 'breakeven[hf]'") from error
    path = directory / TOKENIZER
    if not path.exists():
        # Of pieces with a prefix, as WordPiece has them, the order is one of chance where counts are equal.
        tokenizer = Tokenizer(models.BPE())
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=list(_SPECIAL),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            min_frequency=2,
            show_progress=False,
        )
        tokenizer.train_from_iterator((each for row in texts for each in row), trainer)
        begin, end = ((each, _SPECIAL.index(each)) for each in (_BEGIN, _END))
        tokenizer.post_processor = processors.BertProcessing(end, begin)
        make_directory(directory)
        write_whole(path, tokenizer.to_str(), remedy="Free space, then start the run anew.")
    return PreTrainedTokenizerFast(
        tokenizer_file=str(path),
        model_max_length=max_tokens,
        pad_token=_PAD,
        cls_token=_BEGIN,
        sep_token=_END,
    )
