# Two commands for a newcomer: `make demo` (the whole chain) and `make test`.
.DEFAULT_GOAL := help
.PHONY: help setup slurm demo smoke record report test faults same fuzz audit lint clean

BIN := .venv/bin
# Snakemake's jobs and DVC's stages find the environment on the PATH.
export PATH := $(CURDIR)/$(BIN):$(PATH)

help:
	@echo "make setup   environment in .venv"
	@echo "make slurm   the same with Snakemake's plugin for SLURM"
	@echo "make demo    every table and figure of the demo preset"
	@echo "make smoke   the same chain, tiny: every rule runs once"
	@echo "make report  the demo results as a web page, opened in the browser (needs npm)"
	@echo "make record  hashes of the demo results into dvc.lock, numbers into the README"
	@echo "make test    tests"
	@echo "make fuzz    damaged files for every reader of files from outside, INPUTS=100000 each"
	@echo "make audit   known faults of the pinned packages, doubtful code"
	@echo "make faults  100 faults, one after the other, in the smoke run (half an hour on one core)"
	@echo "make lint    ruff, snakefmt, snakemake --lint, dvc.yaml and the READMEs up to date"
	@echo "make clean   caches and logs; results stay"

setup:
	@envs/setup.sh

slurm: setup
	$(BIN)/python -m pip install -qq --constraint envs/requirements.lock -r envs/slurm.lock

demo: PRESET = demo
smoke: PRESET = smoke
demo smoke: setup
	snakemake all --config preset=$(PRESET)
	@cat results/$(PRESET)/tables/drpose_*.md
	@echo "Figures: $(CURDIR)/results/$(PRESET)/figures/"

report: setup
	snakemake report --config preset=demo
	@python -m webbrowser "file://$(CURDIR)/results/demo/report/index.html"

# DVC puts its own copies in place of the files it records, with new times: sync.py tells Snakemake.
record: setup
	dvc commit --force
	PYTHONPATH=src python -m poseloop machine
	python scripts/sync.py
	python scripts/update_readme.py

test: setup
	OMP_NUM_THREADS=1 pytest -q --numprocesses auto --dist loadfile

# Hours of one core; stopped, it goes on where it was.
INPUTS := 100000
fuzz: setup
	OMP_NUM_THREADS=1 python tests/fuzz/run.py --count $(INPUTS)

audit: setup
	$(BIN)/python -m pip install -qq pip-audit bandit
	pip-audit --require-hashes --disable-pip --requirement envs/requirements.sha256
	bandit --quiet --recursive --configfile pyproject.toml src scripts envs

faults: setup
	python tests/faults/run.py --count 100

# Half an hour: one more core, kills in between, DVC in place of Snakemake.
same: setup
	python tests/faults/run.py --same-numbers

lint: setup
	ruff check
	ruff format --check
	snakefmt --check Snakefile workflow
	snakemake --lint
	python scripts/gen_dvc.py --check
	python scripts/update_readme.py --check
	python scripts/config_reference.py --check

clean:
	rm -rf .snakemake .scratch .pytest_cache .ruff_cache logs benchmarks
