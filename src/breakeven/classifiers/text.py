"""Tokens of words and their pieces, learnt from the training texts of a classifier and kept with its run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from breakeven.errors import MissingExtraError
from breakeven.store.files import make_directory, write_whole

TOKENIZER: Final = "tokenizer.json"
_PAD, _UNKNOWN, _BEGIN, _END = _SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def tokenizer_for(texts: Sequence[tuple[str, ...]], *, vocab_size: int, max_tokens: int, directory: Path) -> Any:
    """A tokenizer of transformers, read from `directory` or else learnt from `texts` and left there.

    Args:
        texts: single ones or pairs.
        vocab_size: most pieces.
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
        tokenizer = Tokenizer(models.WordPiece(unk_token=_UNKNOWN))
        tokenizer.normalizer = normalizers.BertNormalizer()
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(
            vocab_size=vocab_size, special_tokens=list(_SPECIAL), show_progress=False, min_frequency=2
        )
        tokenizer.train_from_iterator((each for row in texts for each in row), trainer)
        ends = [(each, tokenizer.token_to_id(each)) for each in (_END, _BEGIN)]
        tokenizer.post_processor = processors.BertProcessing(*ends)
        make_directory(directory)
        write_whole(path, tokenizer.to_str(), remedy="Free space, then start the run anew.")
    return PreTrainedTokenizerFast(
        tokenizer_file=str(path),
        model_max_length=max_tokens,
        pad_token=_PAD,
        unk_token=_UNKNOWN,
        cls_token=_BEGIN,
        sep_token=_END,
    )
