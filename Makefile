# The only commands a person needs. Each one installs what it needs into .venv first.
PYTHON ?= python3
VENV := .venv/bin
# Tests whose files run side by side; the others drive a browser or time a start, and want the machine for themselves.
WORKERS = $(shell $(PYTHON) -c "import os; print(min(6, 1 + (os.cpu_count() or 1)))")  # they wait a third of their time
SIDE_BY_SIDE := tests/conformance tests/core tests/lambda_fn tests/local_aws tests/training tests/ui tests/views

.PHONY: run test check bench images pictures format clean

run:  ## Start Kennel with its embedded AWS on 127.0.0.1 (PORT=8502 for another port)
	@$(PYTHON) tools/bootstrap.py run
	@exec $(VENV)/python -m dashboard $(if $(PORT),--port $(PORT))

test:  ## Install what the tests need (browser included) and run them all
	@$(PYTHON) tools/bootstrap.py test
	$(VENV)/python -m pytest -n $(WORKERS) --dist loadfile $(SIDE_BY_SIDE); first=$$?; \
	$(VENV)/python -m pytest $(SIDE_BY_SIDE:%=--ignore %) && exit $$first

check:  ## ruff and mypy: the gate before the tests
	@$(PYTHON) tools/bootstrap.py check
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy

bench:  ## Measure the speed claims side by side; writes bench.json
	@$(PYTHON) tools/bootstrap.py check
	$(VENV)/python -m tests.bench

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
