"""Where a server is, what of that may be shown, and which key it may be sent."""

import ipaddress
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from breakeven.errors import argument_error, printable

_OPENAI_HOST = "api.openai.com"
_HIDDEN = "***"
_LEAST_SECRET = 4
"""Characters: shorter ones would be found in any text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server's URL, taken apart. What is printed or kept is `shown`: without user, password and query."""

    parts: SplitResult

    @classmethod
    def of(cls, url: str, name: str = "base_url") -> "Address":
        """The address that a URL names.

        Raises:
            ArgumentError: it is no URL of a server; `name` is what the user calls it.
        """
        try:
            parts = urlsplit(url.strip())
            if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
                return cls(parts=parts)
        except ValueError:  # a port that is no number, a bracket that is not closed
            pass
        shown = url.rpartition("@")[2]
        raise argument_error(name, "be the URL of a server", shown, "For example http://localhost:8000/v1.")

    @property
    def shown(self) -> str:
        """The URL without what may be secret."""
        return self.parts._replace(netloc=self.parts.netloc.rpartition("@")[2], query="", fragment="").geturl()

    def joined(self, path: str) -> str:
        """The whole URL of an endpoint of this server."""
        return self.parts._replace(path=f"{self.parts.path.rstrip('/')}/{path}", fragment="").geturl()

    @property
    def is_here(self) -> bool:
        """True for this machine."""
        host = (self.parts.hostname or "").removesuffix(".")
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    def has_secret(self, api_key: str | None) -> bool:
        """Whether a key or the password of the URL is sent."""
        return bool(api_key or self.parts.password)

    def check_key(self, api_key: str | None, *, insecure: bool) -> None:
        """Nothing, if the key may be sent there.

        Raises:
            ArgumentError: it cannot be one, or it and the password of the URL would go to another machine as they are,
                and the user did not allow that.
        """
        if api_key is not None and not (api_key.isascii() and api_key.isprintable() and " " not in api_key):
            raise argument_error("--api-key", "be of letters, digits and signs", _HIDDEN, "Copy it without line ends.")
        if self.has_secret(api_key) and self.parts.scheme == "http" and not (self.is_here or insecure):
            remedy = "Use https, or --insecure (insecure=True) in a network that you trust."
            raise argument_error("a URL with a key", "be https for another machine", self.shown, remedy)

    def without_secrets(self, text: str, api_key: str | None) -> str:
        """A server's words in one harmless line: no key, no password in any form it is sent, no control character."""
        password = unquote(self.parts.password or "")
        basic = b64encode(f"{unquote(self.parts.username or '')}:{password}".encode()).decode() if password else ""
        for secret in (api_key, self.parts.password, password, basic):
            if secret and len(secret) >= _LEAST_SECRET:
                text = text.replace(secret, _HIDDEN)
        return printable(" ".join(text.split()))


def is_url(text: str) -> bool:
    """Whether it names a server, rather than a file or a directory."""
    return text.lower().startswith(("http://", "https://"))


def key_for(url: str, *, api_key: str | None, api_key_env: str | None, environment: Mapping[str, str]) -> str | None:
    """The key that the user means for a server: one that is given, or of the environment one that is named for it.

    OPENAI_API_KEY is OpenAI's, and that of the server which OPENAI_BASE_URL names. It goes nowhere else.

    Raises:
        ArgumentError: `api_key_env` names no variable that is set.
    """
    if api_key is not None and api_key_env is not None:
        raise argument_error("--api-key-env", "be left out when --api-key is given", api_key_env)
    if api_key_env is not None:
        if not environment.get(api_key_env, "").strip():
            raise argument_error("--api-key-env", "name a variable that is set", api_key_env)
        return environment[api_key_env].strip()
    if api_key is None and environment.get("OPENAI_API_KEY"):
        address = Address.of(url)
        named = environment.get("OPENAI_BASE_URL", "").rstrip("/")
        if (address.parts.scheme, address.parts.hostname) == ("https", _OPENAI_HOST) or url.rstrip("/") == named:
            return environment["OPENAI_API_KEY"].strip()
    return api_key or None
