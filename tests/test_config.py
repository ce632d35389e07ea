"""Recipes: what ships loads, what is written is what is run, and what is misspelt is refused."""

import dataclasses
import json
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from breakeven.config import (
    EvaluateConfig,
    ModelConfig,
    RunConfig,
    TrainConfig,
    VerifyConfig,
    config_from,
    config_to_builtins,
    load_recipe,
    recipe_names,
)
from breakeven.data.made.chain import Chain
from breakeven.data.made.countdown import Countdown
from breakeven.data.made.latin import Latin
from breakeven.data.made.mixture import Mixture
from breakeven.data.made.rules import Rules
from breakeven.data.made.sorting import Sorting
from breakeven.data.named import TASKS, task_class
from breakeven.data.task import Task, Voted
from breakeven.errors import ArgumentError
from breakeven.stopping.decide import default_policy
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience, policy_settings


def settings_in(text: str, tmp_path: Path) -> RunConfig:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return load_recipe(str(path))


# -- shipped recipes --------------------------------------------------------------------------------------------------


def test_the_default_recipe_ships() -> None:
    assert "countdown" in recipe_names()
    assert recipe_names() == sorted(recipe_names())


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_loads_under_its_name_with_all_that_it_says(name: str) -> None:
    config = load_recipe(name)
    assert config.name == name
    written = tomllib.loads(files("breakeven").joinpath("recipes", f"{name}.toml").read_text(encoding="utf-8"))
    resolved = json.loads(json.dumps(config_to_builtins(config)))
    for section, settings in written.items():
        if isinstance(settings, dict):
            assert {key: resolved[section][key] for key in settings} == settings
        else:
            assert resolved[section] == settings


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_has_room_for_a_projection_and_patience(name: str) -> None:
    config = load_recipe(name)
    settings = policy_settings(config.policy)
    assert settings["name"] == "calibrated"
    assert config.train.steps // config.evaluate.every_steps > 3 + settings["patience"]
    shape = config.model.shape_for(config.task)
    assert shape.vocab_size == config.task.vocab_size
    assert shape.max_tokens == config.task.prompt_tokens + config.task.output_tokens


# -- files and overrides ----------------------------------------------------------------------------------------------


def test_what_a_file_leaves_out_has_its_default(tmp_path: Path) -> None:
    config = settings_in("[train]\nsteps = 77\n", tmp_path)
    assert config == RunConfig(name="mine", train=TrainConfig(steps=77))
    assert settings_in("", tmp_path) == RunConfig(name="mine")
    assert settings_in('name = "other"', tmp_path).name == "other"


def test_every_section_reaches_its_record(tmp_path: Path) -> None:
    config = settings_in(
        """
        name = "all"
        seed = 3
        baseline = "sampled"
        shared_prefill = false
        to_end = true
        task = { num_numbers = 4, max_number = 10, max_target = 50 }
        model = { num_layers = 2, embedding = 64, num_heads = 8, feed_forward = 100 }
        train = { steps = 9, batch_size = 2, num_sequences = 5, learning_rate = 1, warmup_steps = 0, decay_share = 0.0 }
        evaluate = { every_steps = 3, num_problems = 7, num_samples = 8, temperature = 0.5 }
        policy = { name = "paper", patience = 1, max_k = 32, k_values = [1, 2, 4, 8], fluctuation_filter = false }
        verify = { num_problems = 6, num_samples = 5 }
        """,
        tmp_path,
    )
    assert config == RunConfig(
        name="all",
        seed=3,
        baseline="sampled",
        shared_prefill=False,
        mode="shadow",
        task=Countdown(num_numbers=4, max_number=10, max_target=50),
        model=ModelConfig(num_layers=2, embedding=64, num_heads=8, feed_forward=100),
        train=TrainConfig(steps=9, batch_size=2, num_sequences=5, learning_rate=1.0, warmup_steps=0, decay_share=0.0),
        evaluate=EvaluateConfig(every_steps=3, num_problems=7, num_samples=8, temperature=0.5),
        policy=Patience(PaperPolicy(max_k=32, k_values=(1, 2, 4, 8), fluctuation_filter=False), 1),
        verify=VerifyConfig(num_problems=6, num_samples=5),
    )
    assert isinstance(config.train.learning_rate, float)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("train.steps=60", {"train": {"steps": 60}}),
        (" train.steps = 60", {"train": {"steps": 60}}),
        ("train.learning_rate=1e-2", {"train": {"learning_rate": 0.01}}),
        ("policy.risk=0.05", {"policy": {"risk": 0.05}}),
        ("policy.min_used=0", {"policy": {"min_used": 0.0}}),
        ("baseline=sampled", {"baseline": "sampled"}),
        ('baseline="sampled"', {"baseline": "sampled"}),
        ("name=a_b-2.0", {"name": "a_b-2.0"}),
        ("shared_prefill=false", {"shared_prefill": False}),
        ("verify.num_problems=3", {"verify": {"num_problems": 3}}),  # a section that the recipe leaves out
    ],
)
def test_an_override_changes_its_setting_and_no_other(override: str, expected: dict) -> None:
    plain = config_to_builtins(load_recipe("countdown"))
    changed = config_to_builtins(load_recipe("countdown", [override]))
    for section, value in expected.items():
        if isinstance(value, dict):
            plain[section].update(value)
        else:
            plain[section] = value
    assert changed == plain


def test_the_last_of_several_overrides_holds() -> None:
    assert load_recipe("countdown", ["seed=1", "train.steps=60", "seed=2"]).seed == 2


# -- kinds of task ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("", Countdown()),
        ("[task]\nmax_number = 12", Countdown(max_number=12)),
        ('[task]\nkind = "countdown"\nmax_number = 12', Countdown(max_number=12)),
        ('[task]\nkind = "chain"\nnum_terms = 3', Chain(num_terms=3)),
        ('[task]\nkind = "rules"\ndepth = 2', Rules(depth=2)),
        ('[task]\nkind = "latin"\nsize = 4', Latin(size=4)),
    ],
)
def test_the_kind_says_which_task(tmp_path: Path, text: str, task: Task) -> None:
    config = settings_in(text, tmp_path)
    assert config.task == task
    assert type(config.task) is type(task)
    assert config_to_builtins(config)["task"]["kind"] == task.kind
    assert config_from(json.loads(json.dumps(config_to_builtins(config)))) == config


def test_every_kind_is_a_task_and_some_are_voted_on() -> None:
    assert next(iter(TASKS)) == "countdown"
    for kind in TASKS:
        task = config_from({"name": "x", "task": {"kind": kind} | ({"name": "chain"} if kind == "text" else {})}).task
        assert type(task) is task_class(kind)
        assert isinstance(task, Task)
        assert task.kind == kind
        assert isinstance(task, Voted) == (kind in ("chain", "text"))


MIXTURE = """
[task]
kind = "mixture"
shares = [3, 1]
[[task.members]]
num_numbers = 2
[[task.members]]
kind = "sorting"
length = 5
"""


def test_a_mixture_holds_tasks_each_of_its_kind(tmp_path: Path) -> None:
    config = settings_in(MIXTURE, tmp_path)
    assert config.task == Mixture(members=(Countdown(num_numbers=2), Sorting(length=5)), shares=(3.0, 1.0))
    written = json.loads(json.dumps(config_to_builtins(config)))
    assert [each["kind"] for each in written["task"]["members"]] == ["countdown", "sorting"]
    assert config_from(written) == config


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"sorting"', '"chess"', r"^task\.members\[1\]\.kind must be one of calculation, .*; got 'chess'\."),
        (
            "length",
            "lenght",
            r"^task\.members\[1\]\.lenght must be a setting of \[task\.members\[1\]\]; .* mean length",
        ),
        ("length = 5", "length = 1", r"^task\.members\[1\]\.length must be from 2 to 32; got 1\."),
        ("length = 5", "length = 'five'", r"^task\.members\[1\]\.length must be of its type: expected int"),
        ('"sorting"\nlength = 5', '"text"\nname = "chain"', r"^task\.members\[1\] must be of its type: expected Gen"),
        (
            '"sorting"\nlength = 5',
            '"mixture"',
            r"^task\.members\[1\] must be of its type: expected GeneratedTask, got Mix",
        ),
        ("[3, 1]", "[3]", r"^task\.shares must be as many as the 2 members, or none; got \[3\.0\]\."),
    ],
)
def test_a_member_that_cannot_be_is_refused_by_where_it_stands(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in MIXTURE
    with pytest.raises(ArgumentError, match=message):
        settings_in(MIXTURE.replace(old, new), tmp_path)


def test_members_that_are_no_list_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ArgumentError, match=r"^task\.members must be of its type: expected array, got str; got 'all'\."
    ):
        settings_in('[task]\nkind = "mixture"\nmembers = "all"', tmp_path)


def test_an_override_may_change_the_kind() -> None:
    config = load_recipe("chain", ["task={ kind = 'rules', depth = 2 }"])
    assert config.task == Rules(depth=2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[task]\nkind = "chess"',
            r"^task\.kind must be one of calculation, chain, countdown, latin, mixture, rules, sorting, text; got 'ch",
        ),
        (
            "[task]\nkind = 5",
            r"^task\.kind must be one of calculation, chain, countdown, latin, mixture, rules, sorting, text; got 5\.",
        ),
        ('[task]\nkind = ["chain"]', r"^task\.kind must be one of .*; got \['chain'\]\."),
        (
            '[task]\nkind = "chain"\nsize = 5',
            r"^task\.size must be a setting of \[task\]; .*Known: kind, num_digits, num_terms\.",
        ),
        ('[task]\nkind = "rules"\ndepht = 5', r"^task\.depht must be a setting of .*Did you mean depth\?"),
        ('[task]\nkind = "rules"\ndepth = 0', r"^task\.depth must be from 1 to 6; got 0\."),
        ('[task]\nkind = "latin"\nsize = "5"', r"^task\.size must be of its type: expected int, got str; got '5'\."),
        ("task = 5", r"^task must be of its type: expected object, got int; got 5\."),
    ],
)
def test_a_kind_or_its_setting_that_cannot_be_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        settings_in(text, tmp_path)


MINE = """
from dataclasses import dataclass
from typing import Literal
from breakeven.data.made.chain import Chain

class Sums:
    "Sums of two products, as Chain makes them."
    def __getattr__(self, name):
        return getattr(Chain(num_digits=self.num_digits), name)

for _name in ("vocab_size", "prompt_tokens", "output_tokens", "end_token", "encode_prompt", "encode_text", "decode",
              "train_batch", "problems", "check"):
    setattr(Sums, _name, property(lambda self, name=_name: self.__getattr__(name)))

@dataclass(frozen=True, kw_only=True)
class Mine(Sums):
    kind: str = "my_own_tasks:Mine"
    num_digits: int = 2

@dataclass(frozen=True, kw_only=True)
class Fixed(Sums):
    kind: Literal["fixed"] = "fixed"

@dataclass(frozen=True, kw_only=True)
class Empty:
    kind: str = "empty"

class Plain(Sums):
    kind = "plain"

def function():
    return Mine()
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "my_own_tasks.py").write_text(MINE)
    (tmp_path / "my_broken_tasks.py").write_text("import no_such_package")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("my_own_tasks", None)


def test_a_recipe_names_a_task_of_ones_own(mine: None, tmp_path: Path) -> None:
    text = '[task]\nkind = "my_own_tasks:Mine"\nnum_digits = 3'
    config = settings_in(text, tmp_path)
    assert isinstance(config.task, Task)
    assert config.task.problems("test", 5) == Chain(num_digits=3).problems("test", 5)
    assert config.model.shape_for(config.task).vocab_size == Chain().vocab_size
    written = json.loads(json.dumps(config_to_builtins(config)))
    assert written["task"] == {"kind": "my_own_tasks:Mine", "num_digits": 3}
    assert config_from(written) == config


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            'kind = "no_such_module:Mine"',
            r"^task\.kind must name a module that can be imported.*; got 'no_such_module:Mine'\.",
        ),
        ('kind = "my_broken_tasks:Mine"', r"^task\.kind must .*; got .* No module named 'no_such_package'"),
        (
            'kind = "my_own_tasks:Nine"',
            r"^task\.kind must name .* which has no Nine; got 'my_own_tasks:Nine'\. Did you mean Mine",
        ),
        ('kind = "my_own_tasks:"', r"^task\.kind must .*; got 'my_own_tasks:'\."),
        ('kind = ":Mine"', r"^task\.kind must .*; got ':Mine'\."),
        ('kind = "my_own_tasks:function"', r"^task\.kind must name a breakeven\.data\.task\.Task; .* no dataclass\.$"),
        ('kind = "my_own_tasks:Plain"', r"^task\.kind must name a breakeven\.data\.task\.Task; .* no dataclass\.$"),
        (
            'kind = "my_own_tasks:Empty"',
            r"^task\.kind must name a .* It lacks check, decode, encode_prompt, .*vocab_size",
        ),
        ('kind = "my_own_tasks:Fixed"', r"^task\.kind must name a .*; got .* It needs a field kind: str"),
        ('kind = "my_own_tasks:Mine"\nsize = 3', r"^task\.size must be a setting of \[task\]; .*kind, num_digits\."),
        (
            'kind = "my_own_tasks:Mine"\nnum_digits = "3"',
            r"^task\.num_digits must be of its type: expected int, got str",
        ),
    ],
)
def test_a_task_of_ones_own_that_cannot_be_is_refused(mine: None, task: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=message):
        settings_in(f"[task]\n{task}", tmp_path)


# -- round trip -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", recipe_names())
def test_a_config_comes_back_from_what_the_log_holds(name: str) -> None:
    config = load_recipe(name, ["policy.risk=0.05", "seed=7"])
    settings = config_to_builtins(config)
    assert config_from(settings) == config
    assert config_from(json.loads(json.dumps(settings))) == config


def test_every_default_is_written_out() -> None:
    """So that a log means the same when a later version has other defaults."""

    def names(record: object) -> dict:
        return {
            field.name: names(value) if dataclasses.is_dataclass(value := getattr(record, field.name)) else None
            for field in dataclasses.fields(record)  # type: ignore[arg-type]
        }

    def keys(settings: dict) -> dict:
        return {name: keys(value) if isinstance(value, dict) else None for name, value in settings.items()}

    config = RunConfig(name="bare")
    policy = policy_settings(default_policy())
    assert keys(config_to_builtins(config)) == names(config) | {"policy": dict.fromkeys(policy)}
    assert {"risk", "patience"} < set(policy)


# -- what is refused --------------------------------------------------------------------------------------------------


def test_an_unknown_recipe_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(
        ArgumentError, match=r"^RECIPE must be a shipped name .*; got 'cuntdown'\. Did you mean countdown"
    ):
        load_recipe("cuntdown")
    known = r"got 'xyz'\. Known: chain, continue-countdown, conv-mnist1d, countdown, countdown-easy"
    with pytest.raises(ArgumentError, match=known):
        load_recipe("xyz")


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"No such file\.$"):
        load_recipe(str(tmp_path / "none.toml"))
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ArgumentError, match=r"No such file\.$"):
        load_recipe(str(tmp_path / "folder.toml"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ArgumentError, match=r"^RECIPE must be a readable UTF-8 file; got .*binary\.toml'"):
        load_recipe(str(tmp_path / "binary.toml"))


@pytest.mark.parametrize("text", ["train = = 1", "[train\nsteps = 1", "seed = 1\nseed = 2", "steps: 5", "[train]\nx"])
def test_a_file_that_is_not_toml_is_refused_with_the_place(tmp_path: Path, text: str) -> None:
    with pytest.raises(
        ArgumentError, match=r"^RECIPE must be valid TOML; got '.*mine\.toml'\. .*(line|end of document)"
    ):
        settings_in(text, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stepz = 5", r"^stepz must be a setting or section; got 'stepz'\."),
        ("[evalute]\nnum_samples = 5", r"^evalute must be a setting or section; .*Did you mean evaluate\?"),
        (
            "[train]\nlearning_rat = 5",
            r"^train\.learning_rat must be a setting of \[train\]; .*Did you mean learning_rate",
        ),
        ("[task]\nnumbers = 3", r"^task\.numbers must be a setting of \[task\]; .*Did you mean num_numbers"),
        ("[policy]\nx = 3", r"^policy\.x must be a setting of \[policy\]; .*Known: .*patience"),
        ("[train.steps]\nx = 3", r"^train\.steps must be of its type: expected int, got object; got \{'x': 3\}\."),
        ("[train]\nsteps = true", r"^train\.steps must be of its type: expected int, got bool; got True\."),
        ('[train]\nsteps = "5"', r"^train\.steps must be of its type: expected int, got str; got '5'\."),
        (
            '[policy]\nname = "paper"\nk_values = 4',
            r"^policy\.k_values must be of its type: expected array, got int; got 4\.",
        ),
        (
            '[policy]\nname = "paper"\nk_values = [1, 2.5]',
            r"^policy\.k_values\[.*\] must be of its type: expected int, got float; got \[1, 2\.5\]\.",
        ),
        ("name = 5", r"^name must be of its type: expected str, got int; got 5\."),
        ('baseline = "worst"', r"^baseline must be of its type: invalid enum value 'worst'; got 'worst'\."),
        ('[policy]\nname = "paper"\nk_values = []', r"^policy\.k_values must hold at least one K; got \[\]\."),
        (
            '[policy]\nname = "paper"\nk_values = [2, 1]',
            r"^policy\.k_values must be increasing whole numbers from 1 up; got \[2, 1\]\.",
        ),
        (
            '[policy]\nname = "paper"\nk_values = [1, 2, 32]',
            r"^policy\.k_values must be at most the 16 samples drawn per problem",
        ),
        ('[policy]\nname = "guess"', r"^policy\.name must be one of calibrated, paper; got 'guess'\."),
        ("[policy]\nrisk = 0", r"^policy\.risk must be above 0 and below 1; got 0\.0\."),
        ("[policy]\nk_values = [1]", r"^policy\.k_values must be a setting of \[policy\]; got 'k_values'\."),
        ("[policy]\npatience = -1", r"^policy\.patience must be a whole number of at least 0; got -1\."),
        ("[policy]\nmax_k = 0", r"^policy\.max_k must be a whole number of at least 1; got 0\."),
        ("[task]\nnum_numbers = 9", r"^task\.num_numbers must be from 2 to 5; got 9\."),
        ("[task]\nmax_number = 1000", r"^task\.max_number must be from 2 to 999; got 1000\."),
        ("[task]\nmax_target = 0", r"^task\.max_target must be from 1 to 9999; got 0\."),
        (
            "[train]\ncooldown_share = 0",
            r"^train\.cooldown_share must be above 0; got 0\.0\. For no cooldown leave out",
        ),
        ("[train]\ncooldown_share = 1.5", r"^train\.cooldown_share must be a share from 0 to 1; got 1\.5\."),
        (
            'on_stop = "cooldown"\n[evaluate]\nreward_model = "rewards"\n[policy]\nstrategies = ["dvts/weighted_vote"]',
            r"^on_stop must be serve where policy\.strategies names a search, .*; got 'cooldown with dvts/",
        ),
        ("[model]\nembedding = 100\nnum_heads = 3", r"^model\.embedding must be a multiple of 2 x 3 heads; got 100\."),
        ("[model]\nnum_heads = 0", r"^model\.num_heads must be at least 1; got 0\."),
        ("[train]\nsteps = 0", r"^train\.steps must be at least 1; got 0\."),
        ("[train]\nbatch_size = 0", r"^train\.batch_size must be at least 1; got 0\."),
        ("[train]\nnum_sequences = -1", r"^train\.num_sequences must be at least 0; got -1\."),
        ("[train]\ndecay_share = 1.5", r"^train\.decay_share must be a share from 0 to 1; got 1\.5\."),
        ("[train]\ndecay_share = nan", r"^train\.decay_share must be a share from 0 to 1; got nan\."),
        ("[train]\nlearning_rate = inf", r"^train\.learning_rate must be finite and above 0; got inf\."),
        ("[train]\nlearning_rate = 0", r"^train\.learning_rate must be finite and above 0; got 0\.0\."),
        ("[train]\nclip_norm = -1", r"^train\.clip_norm must be finite and above 0; got -1\.0\."),
        ("[train]\nweight_decay = nan", r"^train\.weight_decay must be finite and at least 0; got nan\."),
        ("[evaluate]\ntemperature = 0", r"^evaluate\.temperature must be finite and above 0; got 0\.0\."),
        ("[evaluate]\ntemperature = nan", r"^evaluate\.temperature must be finite and above 0; got nan\."),
        ("[evaluate]\nnum_problems = 0", r"^evaluate\.num_problems must be at least 1; got 0\."),
        ("[evaluate]\nevery_steps = 0", r"^evaluate\.every_steps must be at least 1; got 0\."),
        ("[evaluate]\nevery_steps = 9999", r"^train\.steps must leave room for one evaluation"),
        ("[verify]\nnum_problems = 1", r"^verify\.num_problems must be at least 2; got 1\."),
        ('name = ""', r"^name must be letters, digits, dots, dashes and underscores; got ''\."),
        ('name = "../up"', r"^name must be letters, digits, dots, dashes and underscores; got '\.\./up'\."),
        ('name = "a b"', r"^name must be letters, digits, dots, dashes and underscores; got 'a b'\."),
        ('name = ".."', r"^name must be letters, digits, dots, dashes and underscores; got '\.\.'\."),
        ('name = "na\u00efve"', r"^name must be letters, digits, dots, dashes and underscores; got "),
        ('name = "a\\n"', r"^name must be letters, digits, dots, dashes and underscores; got 'a\\n'\."),
        ('shared_prefill = "no"', r"^shared_prefill must be of its type: expected bool, got str; got 'no'\."),
        ("[verify]\nnum_samples = 0", r"^verify\.num_samples must be at least 1; got 0\."),
        ("seed = -1", r"^seed must be from 0 to 2147483647; got -1\."),
        ("seed = 2147483648", r"^seed must be from 0 to 2147483647; got 2147483648\."),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message) as caught:
        settings_in(text, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("override", ["train.steps", "=5", " = 5", ""])
def test_an_override_without_key_or_value_is_refused(override: str) -> None:
    with pytest.raises(ArgumentError, match=r"^--set must be key=value; got .* For example --set train\.steps=600\."):
        load_recipe("countdown", [override])


def test_a_setting_inside_a_setting_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^--set must name a setting inside a section; got 'train\.steps\.x'\."):
        load_recipe("countdown", ["train.steps.x=1"])


def test_settings_that_lack_a_name_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^the recipe must be of its type: .* required field name; got \{\}\."):
        config_from({})


@pytest.mark.parametrize("value", ["[" * 3000 + "]" * 3000, "9" * 5000])
def test_a_recipe_of_any_depth_and_with_any_integer_is_refused_in_words(tmp_path: Path, value: str) -> None:
    path = tmp_path / "deep.toml"
    path.write_text(f"name = {value}\n", encoding="utf-8")
    with pytest.raises(ArgumentError, match="RECIPE must be valid TOML"):
        load_recipe(str(path))
