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
  raw/manpages-de.jsonl.zst raw/manpages-fr.jsonl.zst raw/gcide-en.jsonl.zst raw/kjv-en.jsonl.zst
STEPS ?= 3000
# A fine-tune is a tenth as long.
TUNE := $(shell expr $(STEPS) / 10 + 1)
# Held-out loss is measured so often, and 5-gram models are made of these parts of the training text.
EVAL_EVERY := $(shell expr $(STEPS) / 10 + 1)
PARTS := 32 16 8 4 2 1
TASKS := cloze-kjv.yaml cloze-handbook.yaml
EVALUATED := trained bible handbook mean

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
raw/kjv-en.jsonl.zst: | packages.stamp
	@mkdir -p raw reports
	$(TO_DOLMA) bible kjv en root/usr/lib/bible.data | lm-cat - -o $@

# --- curate ------------------------------------------------------------------------------------
curated.jsonl.zst: $(RAW)
	lm-cat raw/*.jsonl.zst | \
	  lm-dedup document --action remove --report reports/1-document.json | \
	  lm-dedup paragraph --bloom-n 1e6 --min-chars 20 --min-left 200 --action remove --report reports/2-paragraph.json | \
	  lm-dedup minhash --table near.jsonl --action remove --report reports/3-minhash.json -o $@

# The least likely documents of each language under a small model of the corpus: tables, listings,
# broken pages.
base/tokenizer.json: curated.jsonl.zst
	lm-tokenize train -n 4096 --special-token '<|endoftext|>' $< -o base/
base.lmng: curated.jsonl.zst base/tokenizer.json
	lm-ngram train --order 3 --unit doc --tokenizer base/ $< -o $@
filtered.jsonl.zst: base.lmng
	lm-ppl-filter select -m base.lmng --tokenizer base/ --group metadata.lang --keep-lowest 0.97 --annotate \
	  curated.jsonl.zst --report reports/4-perplexity.json -o $@

# What two cores can read several times in some minutes: the English books, the Bible and the
# handbook. Every twentieth document is held out.
english.jsonl.zst: filtered.jsonl.zst
	lm-cat --compress none $< | jq -c 'select(.metadata.lang == "en" and .source != "gcide")' | lm-cat - -o $@
train.jsonl.zst: english.jsonl.zst
	lm-cat --compress none $< | awk 'NR % 20 != 7' | lm-cat - -o $@
heldout.jsonl.zst: english.jsonl.zst
	lm-cat --compress none $< | awk 'NR % 20 == 7' | lm-cat - -o $@

# --- tokens, two models of the same tokens -----------------------------------------------------
tokenizer/tokenizer.json: train.jsonl.zst
	lm-tokenize train -n 2048 --special-token '<|endoftext|>' $< -o tokenizer/
shards/%.json: %.jsonl.zst tokenizer/tokenizer.json
	@mkdir -p shards
	lm-tokenize pack -m tokenizer/ --eos $< -o shards/$*
five-%.lmng: train.jsonl.zst tokenizer/tokenizer.json
	lm-cat --compress none $< | awk 'NR % $* == 0' | \
	  lm-ngram train --order 5 --unit doc --tokenizer tokenizer/ --report reports/five-$*.json -o $@
run/final/training.json: shards/train.json shards/heldout.json
	lm-train --arch llama --layers 4 --width 192 --heads 6 --kv-heads 3 --seq-len 256 --batch 4 \
	  --data shards/train.json --eval-data shards/heldout.json --eval-every $(EVAL_EVERY) \
	  --tokenizer tokenizer/ --steps $(STEPS) --lr 3e-3 --schedule wsd-sqrt --warmup 50 --save-every 1000 \
	  --report reports/train.json -o run

# --- decode, evaluate --------------------------------------------------------------------------
prompts.jsonl:
	printf '{"prompt":"%s"}\n' 'And the LORD said unto' 'In the beginning' 'Blessed are they that' \
	  'The package manager' 'In order to install' >$@
samples.jsonl: run/final/training.json prompts.jsonl
	lm-decode -m run/final --max-tokens 80 --temperature 0.7 --top-p 0.95 prompts.jsonl -o $@
heldout-model.jsonl.zst: run/final/training.json heldout.jsonl.zst
	lm-decode score -m run/final --group source heldout.jsonl.zst --report reports/model.json -o $@
heldout-%.jsonl.zst: five-%.lmng heldout.jsonl.zst
	lm-ngram score -m $< --tokenizer tokenizer/ --name ngram heldout.jsonl.zst -o $@

# --- a model for each source, and their mean ----------------------------------------------------
train-%.jsonl.zst: train.jsonl.zst
	lm-cat --compress none $< | jq -c 'select(.source == "$*")' | lm-cat - -o $@
tuned-%/final/training.json: shards/train-%.json run/final/training.json
	lm-train --init-from run/final --tokenizer tokenizer/ --seq-len 256 --batch 4 --data $< \
	  --steps $(TUNE) --lr 1e-3 --schedule wsd-sqrt -o tuned-$*
merged/config.json: tuned-kjv/final/training.json tuned-handbook/final/training.json
	lm-merge --method linear tuned-kjv/final tuned-handbook/final -o merged

# --- evaluate the four --------------------------------------------------------------------------
# How does a passage of held-out text go on? Its own next ten words stand beside those of three others.
cloze-%.jsonl: heldout.jsonl.zst
	lm-cat --compress none $< | jq -cs --arg source $* -f $(REPO)/scripts/demo_cloze.jq >$@
cloze-%.yaml: cloze-%.jsonl
	printf '%s\n' 'task: cloze-$*' 'dataset: $<' 'output_type: multiple_choice' 'doc_to_text: "{{context}}"' \
	  'doc_to_choice: "{{choices}}"' 'doc_to_target: gold' 'metric_list: [{metric: acc}]' >$@
eval-%/results.json: $(TASKS)
	lm-eval -m $(MODEL) -o eval-$* $(TASKS)
eval-%/bpb.json: eval-%/results.json heldout.jsonl.zst
	lm-eval bpb -m $(MODEL) --by source heldout.jsonl.zst -o $@
eval-trained/results.json: run/final/training.json
eval-bible/results.json: tuned-kjv/final/training.json
eval-handbook/results.json: tuned-handbook/final/training.json
eval-mean/results.json: merged/config.json
eval-trained/%: MODEL := run/final
eval-bible/%: MODEL := tuned-kjv/final
eval-handbook/%: MODEL := tuned-handbook/final
eval-mean/%: MODEL := merged
mean-against-trained.json: eval-trained/results.json eval-mean/results.json
	lm-eval compare eval-trained eval-mean -o $@

report.html: $(EVALUATED:%=eval-%/bpb.json) mean-against-trained.json
report.html: samples.jsonl heldout-model.jsonl.zst $(PARTS:%=heldout-%.jsonl.zst)
	@$(REPO)/scripts/demo_tables . && $(REPO)/scripts/demo_report .
