# The main path on real text, as a user would write it: make -f scripts/demo.mk in an empty folder.
# scripts/demo sets REPO, PATH and fetches packages/. Every file is made by one pipeline; what exists
# and is newer than its inputs is not made again.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

TO_DOLMA := $(REPO)/scripts/corpus/to_dolma
DOC := root/usr/share
BOOKS := en-US de-DE fr-FR es-ES it-IT pl-PL ru-RU ja-JP
RAW := $(foreach b,$(BOOKS),raw/handbook-$(firstword $(subst -, ,$b)).jsonl.zst) \
  raw/manpages-de.jsonl.zst raw/manpages-fr.jsonl.zst raw/gcide-en.jsonl.zst
STEPS ?= 1200

all: report.html

# --- documents: one Dolma file a source and language -------------------------------------------
raw/handbook-%.jsonl.zst: | packages.stamp
	@mkdir -p raw reports
	$(TO_DOLMA) html handbook $* $(DOC)/doc/debian-handbook/html/$*-*/*.html | lm-cat - -o $@
raw/manpages-%.jsonl.zst: | packages.stamp
	@mkdir -p raw reports
	$(TO_DOLMA) man manpages $* $(DOC)/man/$*/man*/*.gz | lm-cat - -o $@
raw/gcide-en.jsonl.zst: | packages.stamp
	@mkdir -p raw reports
	$(TO_DOLMA) dictionary gcide en $(DOC)/dictd/gcide.dict.dz | lm-cat --head 4000 - -o $@

# --- curate ------------------------------------------------------------------------------------
curated.jsonl.zst: $(RAW)
	lm-cat raw/*.jsonl.zst | \
	  lm-dedup document --action remove --report reports/1-document.json | \
	  lm-dedup paragraph --bloom-n 1e6 --min-chars 20 --min-left 200 --action remove --report reports/2-paragraph.json | \
	  lm-dedup minhash --action remove --report reports/3-minhash.json -o $@

tokenizer/tokenizer.json: curated.jsonl.zst
	lm-tokenize train -n 4096 --special-token '<|endoftext|>' $< -o tokenizer/

# The least likely documents of each language under a small model of the corpus: tables, listings,
# broken pages.
base.lmng: curated.jsonl.zst tokenizer/tokenizer.json
	lm-ngram train --order 3 --unit doc --tokenizer tokenizer/ $< -o $@
filtered.jsonl.zst: base.lmng
	lm-ppl-filter select -m base.lmng --tokenizer tokenizer/ --group metadata.lang --keep-lowest 0.97 --annotate \
	  curated.jsonl.zst --report reports/4-perplexity.json -o $@
# A sixth of the documents is what the model can read once in a few minutes; the 5-gram model gets the
# same documents.
train.jsonl.zst: filtered.jsonl.zst
	lm-cat --compress none $< | awk 'NR % 20 != 7 && NR % 6 == 1' | lm-cat - -o $@
heldout.jsonl.zst: filtered.jsonl.zst
	lm-cat --compress none $< | awk 'NR % 20 == 7' | lm-cat - -o $@
# What training is watched on: documents of every source, little enough to be scored often.
watched.jsonl.zst: heldout.jsonl.zst
	lm-cat --compress none $< | awk 'NR % 12 == 1' | lm-cat - -o $@

# --- tokens, two models of the same tokens -----------------------------------------------------
shards/%.json: %.jsonl.zst
	@mkdir -p shards
	lm-tokenize pack -m tokenizer/ --eos $< -o shards/$*
five.lmng: train.jsonl.zst
	lm-ngram train --order 5 --unit doc --tokenizer tokenizer/ $< -o $@
# Held-out loss after these 1.2 M tokens: 4.46 with 4 sequences a step, 4.49 with 2, 4.54 with 8.
run/latest: shards/train.json shards/watched.json
	lm-train --arch llama --layers 4 --width 192 --heads 6 --kv-heads 3 --seq-len 256 --batch 4 \
	  --data shards/train.json --eval-data shards/watched.json --eval-every 100 \
	  --tokenizer tokenizer/ --steps $(STEPS) --lr 3e-3 --schedule wsd-sqrt --warmup 50 --save-every 400 \
	  --report reports/train.json -o run

# --- decode, evaluate --------------------------------------------------------------------------
prompts.jsonl:
	printf '{"id":"%s","prompt":"%s"}\n' en 'The package manager' de 'Die Option' fr 'La commande' dict 'Abbey' es 'El sistema' >$@
samples.jsonl: run/latest prompts.jsonl
	lm-decode -m run/final --max-tokens 80 --temperature 0.8 --top-p 0.95 prompts.jsonl -o $@
heldout-model.jsonl.zst: run/latest
	lm-decode score -m run/final --group source --group metadata.lang heldout.jsonl.zst --report reports/model.json -o $@
heldout-ngram.jsonl.zst: five.lmng heldout.jsonl.zst
	lm-ngram score -m five.lmng --tokenizer tokenizer/ heldout.jsonl.zst -o $@

report.html: samples.jsonl heldout-model.jsonl.zst heldout-ngram.jsonl.zst
	@$(REPO)/scripts/demo_tables . && $(REPO)/scripts/demo_report .
