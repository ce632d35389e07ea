"""Where a server is, and which key it gets."""

import pytest

from breakeven.errors import ArgumentError, printable
from breakeven.sampling.served.address import Address, key_for

HERE = "http://127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    ("url", "shown", "joined"),
    [
        (HERE, HERE, f"{HERE}/models"),
        ("https://host/v1/", "https://host/v1/", "https://host/v1/models"),
        ("http://bob:hunter2@host:80/v1", "http://host:80/v1", "http://bob:hunter2@host:80/v1/models"),
        ("https://host/v1?api-key=s3cret#x", "https://host/v1", "https://host/v1/models?api-key=s3cret"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1", "http://[::1]:8000/v1/models"),
    ],
)
def test_what_is_shown_and_what_is_asked(url: str, shown: str, joined: str) -> None:
    address = Address.of(url)
    assert (address.shown, address.joined("models")) == (shown, joined)


@pytest.mark.parametrize(
    "url", ["", "host/v1", "ftp://bob:hunter2@host/v1", "http://", "http://host:port/v1", "http://[::1"]
)
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(ArgumentError, match="MODEL must be the URL of a server; got ") as error:
        Address.of(url, "MODEL")
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("[::1]", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("a.localhost", True),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("localhost.example.org", False),
        ("notlocalhost", False),
    ],
)
def test_a_key_goes_to_another_machine_only_by_https_or_on_demand(host: str, here: bool) -> None:
    address = Address.of(f"http://{host}:8000/v1")
    assert address.is_here is here
    if here:
        address.check_key("sk-1", insecure=False)
    else:
        with pytest.raises(ArgumentError, match=r"a URL with a key must be https for another machine; .*--insecure"):
            address.check_key("sk-1", insecure=False)
    address.check_key("sk-1", insecure=True)
    address.check_key(None, insecure=False)
    Address.of(f"https://{host}/v1").check_key("sk-1", insecure=False)


def test_a_password_is_a_key() -> None:
    with pytest.raises(ArgumentError, match="must be https") as error:
        Address.of("http://bob:hunter2@host/v1").check_key(None, insecure=False)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("key", ["sk-1\n", "sk 1", "schlüssel", "\x1b[2J"])
def test_what_cannot_be_a_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ArgumentError, match=r"--api-key must be of letters, digits and signs; got '\*\*\*'"):
        Address.of(HERE).check_key(key, insecure=False)


def test_words_are_shown_without_secrets_and_without_commands() -> None:
    address = Address.of("https://bob:hunter2@host/v1")
    said = "no \x1b]0;title\x07 for\nsk-SECRET and hunter2 \ud800\u202e"
    assert address.without_secrets(said, "sk-SECRET") == "no \\x1b]0;title\\x07 for *** and *** \\ud800\\u202e"
    assert address.without_secrets("a no and a b", "a") == "a no and a b"  # no secret, and everywhere
    assert printable("Grüße, 東京 ☃") == "Grüße, 東京 ☃"
    assert printable("क्‍ष 👩‍💻 \U0001fae8") == "क्‍ष 👩‍💻 \U0001fae8", "joined letters are no commands"


OPENAI = {"OPENAI_API_KEY": "sk-env"}


@pytest.mark.parametrize(
    ("url", "environment", "key"),
    [
        ("https://api.openai.com/v1", OPENAI, "sk-env"),
        ("http://api.openai.com/v1", OPENAI, None),
        ("https://api.openai.com.evil.org/v1", OPENAI, None),
        ("https://api.openai.com@evil.org/v1", OPENAI, None),
        (HERE, OPENAI, None),
        (HERE, OPENAI | {"OPENAI_BASE_URL": f"{HERE}/"}, "sk-env"),
        (HERE, OPENAI | {"OPENAI_BASE_URL": "http://127.0.0.1:8001/v1"}, None),
        ("https://api.openai.com/v1", {}, None),
        ("https://api.openai.com/v1", {"OPENAI_API_KEY": ""}, None),
    ],
)
def test_a_key_of_the_environment_goes_where_it_is_meant_for(url: str, environment: dict, key: str | None) -> None:
    assert key_for(url, api_key=None, api_key_env=None, environment=environment) == key
    assert key_for(url, api_key="sk-own", api_key_env=None, environment=environment) == "sk-own"


def test_a_key_is_named_by_its_variable() -> None:
    assert key_for(HERE, api_key=None, api_key_env="MINE", environment={"MINE": "sk-mine\n"} | OPENAI) == "sk-mine"
    with pytest.raises(ArgumentError, match="--api-key-env must name a variable that is set; got 'MINE'"):
        key_for(HERE, api_key=None, api_key_env="MINE", environment={"MINE": " "})
    with pytest.raises(ArgumentError, match="--api-key-env must be left out when --api-key is given; got 'MINE'"):
        key_for(HERE, api_key="sk", api_key_env="MINE", environment={})
