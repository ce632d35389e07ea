"""Tasks whose prompts and solutions are words, each of them a token."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from breakeven.data.splits import EOS
from breakeven.errors import argument_error


class WordTask(ABC):
    """The tokens of a task made here: one a word; padding is the first, the end token the second."""

    @property
    @abstractmethod
    def words(self) -> tuple[str, ...]:
        """The word of each token, padding and end token first."""

    @property
    def vocab_size(self) -> int:
        """Number of token ids."""
        return len(self.words)

    @property
    def end_token(self) -> int:
        """Id of the token that ends a completion."""
        return EOS

    def encode_text(self, text: str) -> list[int]:
        """Token ids of a prompt or of (the beginning of) a solution, as `decode` writes it.

        Raises:
            ArgumentError: a word that the task does not have.
        """
        words = self.words
        try:
            return [words.index(word) for word in text.split()]
        except ValueError:
            unknown = next(word for word in text.split() if word not in words)
            remedy = "The model was trained on this task alone, and has no token for anything else."
            raise argument_error("a prompt", "be written in the words of its task", unknown, remedy) from None

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of a completion up to its end token: words, with spaces between."""
        words, kept = self.words, list[str]()
        for token in tokens:
            if token == EOS:
                break
            kept.append(words[token])
        return " ".join(kept)
