# davhost in four commands. Each one sets itself up from nothing.
#
#   make serve   run the server (ARGS='--port 9000' to pass options)
#   make test    everything: lint, types, every test, every real client
#   make check   what to run before a commit: lint, types and the quick tests, under a minute
#   make clean   remove what these commands made; data/ stays
#
# And make benchmark measures davhost beside other servers (ARGS=--quick); see benchmarks/.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Real clients spend most of their time waiting, so there are more workers than processors.
JOBS   ?= 4
QUICK  := $(wildcard tests/unit tests/architecture tests/contract)

.PHONY: serve test check static system-packages constraints benchmark clean

serve: $(VENV)/run.stamp
	$(BIN)/davhost serve $(ARGS)

test: system-packages static
	$(BIN)/pytest -n $(JOBS) --dist loadgroup $(PYTEST_ARGS)

# Without PostgreSQL: its half of the contract tests is part of `make test`.
check: static
	DAVHOST_TEST_POSTGRES=0 $(BIN)/pytest -q -n $(JOBS) --dist loadgroup $(QUICK)

static: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

system-packages:
	@tests/install-system-packages

benchmark: $(VENV)/run.stamp $(VENV)/benchmark/stamp
	@tests/install-system-packages benchmarks/system-packages.txt
	$(BIN)/python -m benchmarks $(ARGS)

# Take up new releases of the dependencies: a fresh environment, written down.
constraints:
	rm -rf $(VENV)/fresh && $(PYTHON) -m venv $(VENV)/fresh
	$(VENV)/fresh/bin/python -m pip install --quiet -e '.[test]'
	{ echo '# The versions that make test and CI run with. Renew with: make constraints'; \
	  $(VENV)/fresh/bin/python -m pip freeze --exclude-editable; } > constraints.txt
	rm -rf $(VENV)/fresh

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'davhost needs Python 3.11 or newer. Say which one to use: make PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo 'Python is here without its venv module. On Debian and Ubuntu: apt-get install python3-venv'; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/test.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@ $(VENV)/run.stamp

# The servers from PyPI that davhost is measured beside, in an environment of their own.
$(VENV)/benchmark/stamp: benchmarks/requirements.txt | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/benchmark
	$(VENV)/benchmark/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find davhost tests -name __pycache__ -type d -prune -exec rm -rf {} +
