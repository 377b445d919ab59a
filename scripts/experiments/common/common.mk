# What the experiments share. A Makefile sets NAME, PACKAGES and FIGURES, includes this and keeps its
# rules between "ifdef INSIDE" and "endif"; they run inside the folder of results, OUT. See ../README.md.
#   OUT    where everything goes (build/experiments/NAME)      SEEDS  repetitions ("1 2 3")
#   TEXT   where packages are unpacked (build/experiments/text), shared by all
#   DATA   a folder with recorded answers, for the experiments that can use some
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
.SECONDEXPANSION:
MAKEFLAGS += --no-builtin-rules
override SELF := $(abspath $(firstword $(MAKEFILE_LIST)))
override HERE := $(patsubst %/,%,$(dir $(SELF)))
override COMMON := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
override ROOT := $(abspath $(COMMON)/../../..)
BIN ?= $(ROOT)/build/bin
OUT ?= $(ROOT)/build/experiments/$(NAME)
TEXT ?= $(ROOT)/build/experiments/text
DATA ?=
SEEDS ?= 1 2 3

ifndef INSIDE
override PARAMETERS = INSIDE=1 OUT=. BIN=$(abspath $(BIN)) TEXT=$(abspath $(TEXT)) \
  DATA=$(if $(DATA),$(abspath $(DATA))) SEEDS='$(SEEDS)'
.PHONY: all figures clean
all:
	+@mkdir -p $(OUT)/reports $(TEXT)
	+@$(MAKE) --no-print-directory -C $(OUT) -f $(SELF) $(PARAMETERS) results.json plot.svg
	@jq -rf $(COMMON)/table.jq $(OUT)/results.json
# The figures that README.md quotes, for scripts/experiments/check.
figures:
	@printf '%s\n' $(FIGURES)
clean:
	rm -rf -- $(OUT)
endif

ifdef INSIDE
# Lines of figures of results.json for common/plot: $(call dots,FIGURE:COLOUR ...)
dots = jq -rf $(COMMON)/dots.jq --arg what '$(1)' $<
export PATH := $(BIN):$(PATH)
export LM_THREADS ?= 2
export LM_DEVICE := cpu
export LM_PROGRESS := never
export LC_ALL := C
JQ := jq -L $(COMMON)
# Every command that computes leaves a report; cost is their sum.
REPORT = --report reports/$(subst /,-,$@).json
TO_DOLMA := $(ROOT)/scripts/corpus/to_dolma
DOC := $(TEXT)/root/usr/share

packages.stamp:
	$(ROOT)/scripts/corpus/fetch $(TEXT) $(PACKAGES)
	touch $@

# figures/SEED.json holds the figures of one repetition as numbers; tables.json what else is worth keeping.
results.json: $(SEEDS:%=figures/%.json) tables.json
	$(JQ) -n --slurpfile tables tables.json --slurpfile reports <(cat reports/*.json 2>/dev/null || true) \
	  --slurpfile runs <(cat $(SEEDS:%=figures/%.json)) --arg seeds '$(SEEDS)' --arg figures '$(FIGURES)' \
	  'include "stats"; results("$(NAME)"; $$seeds; $$figures; $$tables[0]; $$reports; $$runs)' >$@.new
	mv $@.new $@
endif
