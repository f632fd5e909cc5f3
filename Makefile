# Two commands: `make demo` shows the whole road on this machine's CPU, `make test` proves it.
# Both set up what they lack in .venv (and .venv-transformers4, for the tests on transformers 4.57).

PYTHON ?= python3
VENV := .venv
VENV4 := .venv-transformers4
PYTEST_WORKERS ?= 2
# CI leaves the compiling of what is never imported out.
PIP_INSTALL_FLAGS ?=
# Tiny models gain nothing from threads, and two tests at once would fight over the cores.
TEST_ENV := OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1
SITE := import site; print(site.getsitepackages()[0])

.PHONY: demo test tests environments lint types bench bench-accuracy bench-cost coverage mutation docs docs-serve clean help

help:
	@echo "make demo    measure every task with tiny models on the CPU, rate them, print the table (minutes)"
	@echo "make test    lint, types and all tests, on transformers 5 and on 4.57"
	@echo "make lint    ruff only;  make types  mypy only"
	@echo "make bench   all of benchmarks/ beside their peers and floors, into benchmarks/REPORT.md (over an hour)"
	@echo "make bench-accuracy  scorekit, CodeCarbon and Zeus against the exact energy of a fake GPU (minutes)"
	@echo "make bench-cost      measured seconds of adaptive repeats beside ten official ones (simulated)"
	@echo "make coverage  branches of the pure middle that the unit tests run (minutes)"
	@echo "make mutation  changes to what rates and checks that no test notices (ten minutes)"
	@echo "make dist    sdist, wheel, SBOM and hashes of a release, tried in an environment of their own (minutes)"
	@echo "make docs    the documentation's site, in build/docs/site (a minute; Chromium makes pictures of pages)"
	@echo "make docs-serve  the same, then shown at http://127.0.0.1:8000/"
	@echo "make clean   remove what make made"

demo: $(VENV)/.ready
	$(VENV)/bin/scorekit demo demo

test: lint types tests

tests: environments
	$(TEST_ENV) $(VENV)/bin/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal
	$(TEST_ENV) $(VENV4)/bin/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal -m transformers

environments: $(VENV)/.ready $(VENV4)/.ready

lint: $(VENV)/.ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/.ready
	$(VENV)/bin/mypy

# Each benchmark in a process of its own; code 1 where one failed, or a missed goal has no reason in benchmarks/reasons.yaml.
# More: `python -m benchmarks.report --help`.
bench: $(VENV)/.ready
	$(VENV)/bin/python -m benchmarks.report

bench-accuracy: $(VENV)/.ready
	$(VENV)/bin/python -m benchmarks.accuracy

bench-cost: $(VENV)/.ready
	$(VENV)/bin/python -m benchmarks.cost

coverage: $(VENV)/.ready
	$(VENV)/bin/python -m scripts.coverage

mutation: $(VENV)/.ready
	$(VENV)/bin/python -m pip install --quiet $(PIP_INSTALL_FLAGS) -c constraints.txt -e ".[mutation]"
	$(VENV)/bin/python -m scripts.mutation --jobs $(PYTEST_WORKERS)

.PHONY: dist
dist: $(VENV)/.ready
	$(VENV)/bin/python -m scripts.check_package --dist dist

docs: $(VENV)/.ready
	$(VENV)/bin/python -m scripts.docs_site

docs-serve: $(VENV)/.ready
	$(VENV)/bin/python -m scripts.docs_site --serve 8000

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) scripts/check_python.py
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet $(PIP_INSTALL_FLAGS) -c constraints.txt -e ".[bench,dev]"
	touch $@

# What both have in the same version lies in the first alone: pip takes it for installed, and installs the rest here, where
# it is found first.
$(VENV4)/.ready: $(VENV)/.ready constraints-transformers4.txt
	$(PYTHON) -m venv --clear $(VENV4)
	$(VENV)/bin/python -c "$(SITE)" > $(VENV4)/shared
	mv $(VENV4)/shared "$$($(VENV4)/bin/python -c "$(SITE)")/shared.pth"
	$(VENV4)/bin/python -m pip install --quiet $(PIP_INSTALL_FLAGS) -c constraints-transformers4.txt -e ".[bench,dev]"
	touch $@

clean:
	rm -rf $(VENV) $(VENV4) .cache demo build dist
