# Real text by domain, from packages: text/DOMAIN.train.jsonl, .valid.jsonl and .test.jsonl, pieces of
# about 1 kB with source = DOMAIN. Every tenth document is held out, in turn for choosing (valid) and for
# reporting (test). LIMIT and HELD are the most bytes of a domain for training and of each held-out part.
LIMIT ?= 400000
HELD ?= 24000
# A Makefile may name DOMAINS, and PACKAGES with them; vocabulary: VOCAB.
PACKAGES ?= debian-handbook manpages-de manpages-fr bible-kjv-text dict-gcide
DOMAINS ?= kjv gcide man-de man-fr book-en book-es book-id book-ru
VOCAB ?= 2048

ifdef INSIDE
text/book-%.docs: packages.stamp
	@mkdir -p text
	$(COMMON)/translated $(ROOT) $(TEXT) $* | jq -ncf $(COMMON)/pages.jq --arg source book-$* >$@
text/man-%.docs: packages.stamp
	@mkdir -p text
	$(TO_DOLMA) man man-$* $* $(DOC)/man/$*/man*/*.gz >$@
text/kjv.docs: packages.stamp
	@mkdir -p text
	$(TO_DOLMA) bible kjv en $(TEXT)/root/usr/lib/bible.data >$@
text/c.docs: packages.stamp
	@mkdir -p text
	$(TO_DOLMA) plain c c $(TEXT)/root/usr/include/linux/*.h >$@
text/python.docs: packages.stamp
	@mkdir -p text
	$(TO_DOLMA) plain python python $(TEXT)/root/usr/lib/python3.11/[a-z]*.py >$@
text/perl.docs: packages.stamp
	@mkdir -p text
	$(TO_DOLMA) plain perl perl $(TEXT)/root/usr/share/perl/5.36.0/{Test,Pod,CPAN,Module,ExtUtils}/*.pm >$@
text/gcide.docs: packages.stamp
	@mkdir -p text
	$(TO_DOLMA) dictionary gcide en $(DOC)/dictd/gcide.dict.dz >$@

text/%.train.jsonl text/%.valid.jsonl text/%.test.jsonl: text/%.docs
	$(COMMON)/split $< text/$* $(LIMIT) $(HELD)

# Two fifths of a domain for a base to learn, three to choose from.
parts/%.old.jsonl: text/%.train.jsonl
	@mkdir -p parts
	awk 'NR % 5 < 2' $< >$@
parts/%.new.jsonl: text/%.train.jsonl
	@mkdir -p parts
	awk 'NR % 5 >= 2' $< >$@

tokenizer/tokenizer.json: $(DOMAINS:%=text/%.train.jsonl)
	lm-tokenize train -n $(VOCAB) --special-token '<|endoftext|>' $(REPORT) $^ -o tokenizer/
shards/%.json: text/%.train.jsonl tokenizer/tokenizer.json
	@mkdir -p shards
	lm-tokenize pack -m tokenizer/ --eos $(REPORT) $< -o shards/$*
endif
