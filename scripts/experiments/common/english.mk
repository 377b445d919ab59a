# A decoder of English that several experiments ask: the King James Bible, a dictionary and a handbook. Trained
# once for all of them, in TEXT/english, one for each seed; its cost stands in each one's results. Includes
# domains.mk; held-out text is text/DOMAIN.valid.jsonl and .test.jsonl.
DOMAINS := kjv gcide book-en
PACKAGES := debian-handbook bible-kjv-text dict-gcide
VOCAB := 1024
include $(COMMON)/domains.mk
ENGLISH_STEPS ?= 1600
ENGLISH_SHAPE ?= --layers 2 --width 128 --heads 4
ifdef INSIDE
override ENGLISH := $(TEXT)/english
# The text of another experiment is the same, and younger: it is no reason to train again.
$(ENGLISH)/tokenizer/tokenizer.json: | $(DOMAINS:%=text/%.train.jsonl)
	@mkdir -p $(ENGLISH)
	lm-tokenize train -q -n $(VOCAB) --special-token '<|endoftext|>' $| -o $(ENGLISH)/tokenizer/
$(ENGLISH)/shards.json: $(ENGLISH)/tokenizer/tokenizer.json | $(DOMAINS:%=text/%.train.jsonl)
	lm-tokenize pack -q -m $(ENGLISH)/tokenizer/ --eos $(DOMAINS:%=text/%.train.jsonl) -o $(ENGLISH)/shards
$(ENGLISH)/%/final/training.json: $(ENGLISH)/shards.json
	lm-train -q --arch llama $(ENGLISH_SHAPE) --seq-len 256 --batch 2 --tokenizer $(ENGLISH)/tokenizer/ --seed $* --save-every 0 \
	  --steps $(ENGLISH_STEPS) --lr 5e-3 --lr-floor 0.1 --warmup 50 --report $(ENGLISH)/$*.report.json --data $(ENGLISH)/shards.json -o $(ENGLISH)/$*
# What a seed's model is asked through: english/SEED is the model, its report is this run's too.
english/%: $(ENGLISH)/%/final/training.json
	@mkdir -p english
	cp $(ENGLISH)/$*.report.json reports/english-$*.json
	ln -sfn $(ENGLISH)/$*/final $@
endif
