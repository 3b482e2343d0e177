# `make run` and `make test` set up all they need first; setting up again costs nothing when nothing changed.

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup run test test-slow lint lock docs pictures package deb test-package clean

VENV := .venv
BIN := $(VENV)/bin

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

setup: ## system libraries, the virtual environment and the packages
	@scripts/setup_system.sh
	@scripts/setup_venv.sh $(VENV)

run: setup ## open the studio; without a display, do its main job headless
	@if [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ] || [ "$$(uname)" = Darwin ]; then \
		exec $(BIN)/python -m studio; \
	else \
		exec $(BIN)/python -m studio.headless; \
	fi

lint: setup ## ruff (lint and format) and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint ## all checks and tests but the slow ones, on a virtual display where there is none
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow" --durations 10 --durations-min 10

test-slow: setup ## the tests that take long: whole trainings, processes that are killed or train together
	$(BIN)/python -m pytest -n 2 --dist worksteal -m slow

docs: setup ## write the library's API pages into build/docs
	$(BIN)/python -m scripts.api_pages

pictures: setup ## take the guide's pictures anew
	$(BIN)/python -m scripts.guide_pictures

lock: ## note the versions of all packages in requirements.lock, after a pin in pyproject.toml changed
	$(BIN)/python scripts/lock.py

package: setup ## the whole app in one folder under dist/, for machines without Python
	$(BIN)/python -m PyInstaller --noconfirm --log-level WARN studio.spec

deb: setup ## a Debian package of the folder that `make package` made, into dist/
	$(BIN)/python -m scripts.build_deb

test-package: setup ## use the folder that `make package` made, in a window on a virtual display; takes minutes
	$(BIN)/python -m pytest tests/package

clean: ## remove the virtual environment and the caches
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find ddmi_core studio tests -name __pycache__ -type d -prune -exec rm -rf {} +
