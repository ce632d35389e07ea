"""From a problem and the beginning of a solution to token ids, with the tokenizer's chat template where one is used."""

from typing import Any

from jinja2 import TemplateError

from breakeven.errors import argument_error
from breakeven.records import Prefix


class PromptEncoder:
    """Writes prompts as a Hugging Face tokenizer wants them.

    Args:
        tokenizer: left as it is: nothing is padded or truncated by it.
        chat: whether the prompt is the user's message in the tokenizer's chat template; None: if it has one.
        system: the system message of the chat.

    Raises:
        ArgumentError: a chat without a chat template, or a system message without a chat.
    """

    def __init__(self, tokenizer: Any, *, chat: bool | None, system: str | None) -> None:
        has_template = bool(getattr(tokenizer, "chat_template", None))
        if chat and not has_template:
            rule = "be False or None for a tokenizer without a chat template"
            raise argument_error("chat", rule, chat, "Or set its chat_template.")
        self.tokenizer = tokenizer
        self.chat = has_template if chat is None else chat
        self.system = system
        if system is not None and not self.chat:
            raise argument_error("system", "be None without a chat template", system, "Write it into the prompts.")

    def encode(self, prefix: Prefix) -> list[int]:
        """Token ids of the prompt with the text so far, at least one.

        Raises:
            ArgumentError: there is not one token, or the chat template refuses the messages.
        """
        text = (self._render(prefix.problem.prompt) if self.chat else prefix.problem.prompt) + prefix.text
        # A chat template writes the special tokens itself; adding them again would begin the text twice.
        tokens: list[int] = self.tokenizer(text, add_special_tokens=not self.chat)["input_ids"]
        if tokens and tokens[-1] in self.tokenizer.all_special_ids:
            # Some tokenizers append an end, after which a model would begin another text.
            bare = self.tokenizer(text, add_special_tokens=False)["input_ids"]
            while tokens[-1:] != bare[-1:] and tokens[-1] in self.tokenizer.all_special_ids and len(tokens) > 1:
                tokens = tokens[:-1]
        if not tokens:
            raise argument_error(f"the prompt of problem {prefix.problem.id!r}", "have at least one token", text)
        return tokens

    def turn_end(self) -> int | None:
        """The special token with which the chat template ends the model's turn; None without, or without a chat."""
        if not self.chat:
            return None
        answer = "0123456789"
        messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": answer}]
        try:
            rendered: str = self.tokenizer.apply_chat_template(messages, tokenize=False)
        except (TemplateError, LookupError, TypeError, ValueError):  # one that takes no answers as texts
            return None
        _, found, after = rendered.rpartition(answer)
        tokens = self.tokenizer(after.strip(), add_special_tokens=False)["input_ids"] if found else []
        return tokens[0] if tokens and tokens[0] in self.tokenizer.get_added_vocab().values() else None

    def _render(self, prompt: str) -> str:
        messages = [{"role": "user", "content": prompt}]
        if self.system is not None:
            messages.insert(0, {"role": "system", "content": self.system})
        try:
            rendered: str = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        except TemplateError as error:
            roles = [each["role"] for each in messages]
            remedy = f"It says: {error}. Some templates take no system message."
            raise argument_error("the messages", "suit the tokenizer's chat template", roles, remedy) from error
        return rendered
