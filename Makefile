# The only commands a person needs. Each one installs what it needs into .venv first.
PYTHON ?= python3
VENV := .venv/bin
# Tests whose files run side by side; the others drive a browser or time a start, and want the machine for themselves.
WORKERS = $(shell $(PYTHON) -c "import os; print(min(6, 2 + (os.cpu_count() or 1)))")  # they wait for half of their time
# Browser tests wait half of their time: two at once, each before a Kennel of its own.
BROWSERS := 2
# Each command starts many Pythons: with this set, each of them would compile Kennel's sources (and tests) anew.
unexport PYTHONDONTWRITEBYTECODE
# The folders whose files take longest come first: none of those files is left alone at the end.
SIDE_BY_SIDE := tests/faults tests/training tests/conformance tests/local_aws tests/verify tests/soak tests/core \
    tests/views tests/lambda_fn tests/images tests/ui

.PHONY: run test check bench soak verify-aws images pictures format clean

run:  ## Start Kennel with its embedded AWS on 127.0.0.1 (PORT=8502 for another port, SHARE=1 for Classify alone)
	@$(PYTHON) tools/bootstrap.py run
	@$(if $(SHARE),KENNEL_SHARE=$(SHARE)) exec $(VENV)/python -m dashboard $(if $(PORT),--port $(PORT))

test:  ## Install what the tests need (browser included) and run them all
	@$(PYTHON) tools/bootstrap.py test
	$(VENV)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(SIDE_BY_SIDE); first=$$?; \
	$(VENV)/python -m pytest $(SIDE_BY_SIDE:%=--ignore %) --ignore tests/e2e; second=$$?; \
	$(VENV)/python -m pytest -n $(BROWSERS) --dist loadfile tests/e2e && exit $$((first + second))

check:  ## ruff and mypy: the gate before the tests
	@$(PYTHON) tools/bootstrap.py check
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy

bench:  ## Measure the speed claims side by side; writes bench.json
	@$(PYTHON) tools/bootstrap.py check
	$(VENV)/python -m tests.bench

soak:  ## A day of use with kill -9 in it, then 25 tabs for ten minutes: what is lost, how slow, how much memory
	@$(PYTHON) tools/bootstrap.py test
	$(VENV)/python -m tests.soak

verify-aws:  ## One small round on a real account, PROFILE=name: asks first, at most $$2, takes away all it made
	@$(PYTHON) tools/bootstrap.py run
	$(VENV)/python -m dashboard.verify --profile "$(PROFILE)"

images:  ## Run the training and serving code on the versions of AWS's own PyTorch images (12 GiB)
	@$(PYTHON) tools/bootstrap.py check
	$(VENV)/python tools/images.py

pictures:  ## Take the pictures of the README from the running product
	@$(PYTHON) tools/bootstrap.py test
	$(VENV)/python tools/pictures.py

format:  ## Rewrite the sources as the gate wants them
	@$(PYTHON) tools/bootstrap.py check
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

clean:  ## Remove the virtual environment and the embedded AWS with all it holds
	rm -rf .venv .kennel
