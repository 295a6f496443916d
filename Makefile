# make report     the notebooks, headless, then report/twinvae.pdf    PROFILE=quick BACKEND=both JOBS=1
# make refresh    the notebooks again whose results are stale, and no others    JOBS=1
# make test       the tests of models, formulas, data, metrics, claims and report, in minutes
# make test-all   every test, the committed notebooks, pipelines and browsers included
# make lint       format and lint of Python files and notebooks, as ruff is set in pyproject.toml
# make lab        JupyterLab on the notebooks
# make pdf        the PDF alone, from the results that are there
# make bench      training beside its limit and beside other ways to train, in turns; then data loaders and metrics against their goals
# make parity     how far the twins are apart: every model, every optimiser, both precisions
# make train      what is missing of the models that the notebooks train, a job each; resumable    PROFILE BACKEND JOBS
#                 CLUSTER=slurm: by Slurm, as profiles/slurm/config.yaml says, in place of JOBS at a time here
# make publish    into git: the models that results/models/PUBLISHED names, the figures that report or README show
# make fuzz       10,000 damaged files for each reader of own data: the right array or a clear error, nothing else
# make torture    kills, two writers, full disks, hostile files, by a seed: nothing lost, torn or left behind; half an hour
# make mutants    changes every formula of the library in one place and sees whether the checks notice
# make screenshot the pictures of the explorer and of its page in README.md, by Chromium
# make pictures   the figures of the report in README.md, from the best results that are there, by pdftoppm
# make tensorboard  curves, graph, images and codes of the trainings of notebook 07, in the browser
# make html       the notebooks, and an explorer, as linked pages that need no network: report/html/index.html
# make crate      ro-crate-metadata.json: which notebook ran when, on which data, and what came of it, for archives
# make notebooks  the executed notebooks of PROFILE back into notebooks/, outputs and all
# make clean      what the pipeline wrote and git does not keep

MAKEFLAGS += --no-print-directory
PYTHON ?= python3
VENV ?= .venv
PROFILE ?= quick
BACKEND ?= both
JOBS ?= 1
RESULTS ?= results
CLUSTER =
REPORT_OUT ?= report/twinvae.pdf
TESTS := -m 'not slow'

LATEX := texlive-latex-recommended texlive-latex-extra texlive-fonts-recommended lmodern latexmk poppler-utils
RUN := $(VENV)/bin/python
READY := $(VENV)/ready
UV := $(shell command -v uv)
INSTALL = $(if $(UV),$(UV) pip install --python $(RUN),$(RUN) -m pip install)

ifeq ($(PROFILE),overnight)
$(error PROFILE=overnight is gone; PROFILE=full replaces it: the reports' own settings on all the data)
endif
one_of = $(if $(and $(filter 1,$(words $1)),$(filter $2,$1)),,$(error $3 is '$1'; the valid ones are $2))
$(call one_of,$(PROFILE),smoke quick full,PROFILE)
$(call one_of,$(BACKEND),torch tf both,BACKEND)
$(if $(CLUSTER),$(call one_of,$(CLUSTER),slurm,CLUSTER))
ifeq ($(shell printf '%s' '$(JOBS)' | grep -Ex '[1-9][0-9]*'),)
$(error JOBS is '$(JOBS)'; the valid ones are whole numbers of at least 1)
endif

# Each step is a make of its own, so that they come in this order and a failed one stops the rest.
.PHONY: report runs refresh train publish grid published judges collect pdf latex tex test test-all lint mutants parity lab bench fuzz html \
  torture tensorboard crate screenshot pictures notebooks env clean
.NOTPARALLEL:

report:
	@$(MAKE) runs
	@$(MAKE) pdf

env: $(READY)

# pip itself chooses the build of PyTorch, with CUDA or without; if it were asked for checksums at once, it would prefer
# those of an index to a file at hand. The last step finds all locked packages there; it adds the project, and what PyTorch
# needs of CUDA where it is not the one without.  uv, where it is there, takes seconds for the last two; it cannot do the
# first, as it holds a build to the checksums of its own full version. `make env UV=` goes without it.
$(READY): requirements.lock requirements.hashed pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11, 5) <= sys.version_info[:3] < (3, 14))' || { echo "Python 3.11, 3.12 or" \
	  "3.13 is needed (3.11 from 3.11.5 on) and $(PYTHON) is not one: name one, as in make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip download -q --no-deps -d $(VENV)/torch $$(grep -o '^torch==[^ ]*' requirements.lock)
	sed -n '/^torch==/,/[^\\]$$/p' requirements.hashed > $(VENV)/torch/hashed
	$(RUN) -m pip install -q --require-hashes --no-deps --no-index --find-links $(VENV)/torch -r $(VENV)/torch/hashed
	rm -r $(VENV)/torch
	$(INSTALL) -q --require-hashes --no-deps -r requirements.hashed
	$(INSTALL) -q -r requirements.lock -e .
	@$(RUN) -m jupyter labextension disable --level=sys_prefix @jupyterlab/apputils-extension:announcements >/dev/null 2>&1
	@touch $@

runs: $(READY)
	@$(RUN) -m twinvae.run.pipeline --cores $(JOBS) --keep-going --rerun-incomplete --quiet all \
	  --config profile=$(PROFILE) backend=$(BACKEND) results='$(RESULTS)'

refresh: $(READY)
	@$(RUN) -m twinvae.run.refresh --results '$(RESULTS)' --jobs $(JOBS)

# A card is written whole, and last: a model that has one is complete, whatever snakemake knew when it was killed.
train: $(READY)
	@$(if $(CLUSTER),$(RUN) -c 'import snakemake_executor_plugin_$(CLUSTER)' 2>/dev/null || { echo "CLUSTER=$(CLUSTER) needs" \
	  "a package more: $(INSTALL) snakemake-executor-plugin-$(CLUSTER)" >&2; exit 1; })
	@$(RUN) -m twinvae.run.pipeline --keep-going --ignore-incomplete \
	  $(if $(CLUSTER),--profile profiles/$(CLUSTER) --quiet host reason rules,--cores $(JOBS) --quiet all) \
	  --config profile=$(PROFILE) backend=$(BACKEND) results='$(RESULTS)' -- train

publish: $(READY)
	@$(RUN) -m twinvae.training.publish
	@$(RUN) -m twinvae_collect.publish_figures

grid published judges:
	@echo "make $@ is gone: make train trains its models with all others" >&2; exit 1

collect: $(READY)
	@$(RUN) -m twinvae_collect --results '$(RESULTS)' --backend $(BACKEND)

pdf:
	@$(MAKE) collect
	@$(MAKE) latex
	@$(MAKE) tex

latex:
	@command -v latexmk >/dev/null || if [ -f /etc/debian_version ] && [ "$$(id -u)" = 0 ]; then \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(LATEX); \
	else \
	  echo "The notebooks and figures are in $(RESULTS)/, but the PDF needs LaTeX. Install it and run make again:" >&2; \
	  echo "  Debian, Ubuntu: apt-get install $(LATEX)" >&2; \
	  echo "  macOS: MacTeX; others: TeX Live with latexmk" >&2; exit 1; \
	fi

# `whole` says that LaTeX came to its end: what it left when it did not, it cannot read, and the next build starts afresh.
tex:
	@cd report && { test -f build/whole || rm -rf build; } && mkdir -p build && rm -f build/whole && \
	  latexmk -pdf -latexoption=-no-shell-escape -interaction=nonstopmode -halt-on-error -silent -outdir=build main.tex \
	    >build/latexmk.log 2>&1 && touch build/whole || { \
	  tail -n 30 build/main.log; echo "LaTeX failed; the whole log is report/build/main.log" >&2; exit 1; }
	@cp report/build/main.pdf '$(REPORT_OUT).part' && mv -f '$(REPORT_OUT).part' '$(REPORT_OUT)' && echo "wrote $(REPORT_OUT)"

test: $(READY)
	OMP_NUM_THREADS=1 TWINVAE_PROFILE=smoke $(RUN) -m pytest -n auto --dist loadfile --no-loadscope-reorder --durations=12 $(TESTS)

test-all:
	@$(MAKE) test TESTS=

lint: $(READY)
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .

parity: $(READY)
	$(RUN) -m twinvae_studies.parity

mutants: $(READY)
	CUDA_VISIBLE_DEVICES= $(RUN) tests/mutants.py

lab: $(READY)
	$(RUN) -m jupyter lab notebooks $$(test "$$(id -u)" != 0 || echo --allow-root)

bench: $(READY)
	$(RUN) -m twinvae_studies.peers
	$(RUN) -m twinvae_studies.speed
	$(RUN) tests/data/bench_data.py
	$(RUN) tests/metrics/bench_metrics.py

fuzz: $(READY)
	$(RUN) tests/data/data_fuzz.py 10000

torture: $(READY)
	CUDA_VISIBLE_DEVICES= $(RUN) tests/torture.py

screenshot: $(READY)
	$(RUN) tests/browser.py

pictures:
	@for picture in 03_digits_ae_vae_cvae-torch/figures/same_code 06_cifar10_cvae_vs_cgan-torch/figures/digits_race \
	    07_nist_characters-torch/figures/writers; do \
	  figure=$$(ls '$(RESULTS)'/full/$$picture.pdf '$(RESULTS)'/quick/$$picture.pdf 2>/dev/null | head -n 1); \
	  [ -n "$$figure" ] || { echo "no full or quick run has drawn $$picture; run make report" >&2; exit 1; }; \
	  pdftoppm -png -r 150 -singlefile "$$figure" report/$$(basename $$picture) || exit 1; done

html: $(READY)
	$(RUN) -m twinvae_collect.html_edition

crate: $(READY)
	$(RUN) -m twinvae_collect.ro_crate

tensorboard: $(READY)
	$(RUN) -m tensorboard.main --logdir '$(RESULTS)'

notebooks: $(READY)
	$(RUN) -m twinvae_collect.update_notebooks --results '$(RESULTS)' --profile $(PROFILE)

clean:
	rm -rf .snakemake report/build report/generated report/html results/smoke .pytest_cache
