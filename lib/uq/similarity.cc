#include "uq/similarity.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

#include "core/error.h"
#include "core/hash.h"

namespace lm::uq {

namespace {

const std::vector<std::string>& names() {
  static const std::vector<std::string> kNames = {"exact", "numeric", "jaccard", "rougeL", "bleu",
                                                  "chrf",  "embed",   "nli",     "given"};
  return kNames;
}

const std::vector<std::string>& map_names() {
  static const std::vector<std::string> kNames = {"half", "abs", "relu"};
  return kNames;
}

std::optional<i64> position(const std::vector<std::string>& list, std::string_view name) {
  const auto found = std::find(list.begin(), list.end(), name);
  if (found == list.end()) return std::nullopt;
  return found - list.begin();
}

f64 chrf_similarity(std::string_view a, std::string_view b) {
  if (a == b) return 1;
  return (text::chrf(text::chrf_counts(a, b)) + text::chrf(text::chrf_counts(b, a))) / 2;
}

}  // namespace

std::span<const std::string> sim_names() {
  return names();
}

std::optional<Sim> find_sim(std::string_view name) {
  const std::optional<i64> at = position(names(), name);
  if (!at) return std::nullopt;
  return static_cast<Sim>(*at);
}

std::span<const std::string> sim_map_names() {
  return map_names();
}

std::optional<SimMap> find_sim_map(std::string_view name) {
  const std::optional<i64> at = position(map_names(), name);
  if (!at) return std::nullopt;
  return static_cast<SimMap>(*at);
}

void Similarities::gather(i64 n, std::vector<f64>& out) const {
  out.resize(usize(n * n));
  for (i64 i = 0; i < n; ++i) {
    for (i64 j = 0; j < n; ++j)
      out[usize(i * n + j)] = at(i, j);
  }
}

std::string TextComparer::key(Sim kind, std::string_view text) {
  std::string out;
  append_key(out, kind, text);
  return out;
}

void TextComparer::append_key(std::string& out, Sim kind, std::string_view text) {
  if (kind == Sim::kNumeric) {
    const std::string number = text::last_number(text);
    if (!number.empty()) {
      out += number;
      return;
    }
  }
  // A key of words never equals a number: it starts with a blank.
  out += ' ';
  text::append_answer_key(out, text);
}

void TextComparer::Numbering::begin(std::size_t most) {
  std::size_t size = 16;
  while (size < 2 * most)
    size *= 2;
  slots_.assign(size, Slot{});
}

i32 TextComparer::Numbering::find_or_add(std::string_view text, i32 number) {
  const u64 hash = xxh3_64(text);
  for (std::size_t at = hash;; ++at) {
    Slot& slot = slots_[at & (slots_.size() - 1)];
    if (slot.number < 0) {
      slot = {hash, text, number};
      return -1;
    }
    if (slot.hash == hash && slot.text == text) return slot.number;
  }
}

// Rows of equal texts; under exact and numeric, of equal keys.
void TextComparer::number(Sim kind, std::span<const std::string_view> texts, Similarities& out) {
  const bool by_key = kind == Sim::kExact || kind == Sim::kNumeric;
  seen_.begin(texts.size());
  distinct_.clear();
  out.row.clear();
  for (const std::string_view text : texts) {
    const i32 fresh = static_cast<i32>(distinct_.size());
    const i32 known = seen_.find_or_add(text, fresh);
    if (known < 0) distinct_.push_back(text);
    out.row.push_back(known < 0 ? fresh : known);
  }
  if (by_key) {
    // Keys first, for they move while they grow; then rows of texts become rows of keys.
    key_text_.clear();
    ends_.clear();
    for (const std::string_view text : distinct_) {
      append_key(key_text_, kind, text);
      ends_.push_back(key_text_.size());
    }
    keys_.begin(distinct_.size());
    row_of_.clear();
    i32 rows = 0;
    std::size_t from = 0;
    for (std::size_t i = 0; i < distinct_.size(); ++i) {
      const i32 known =
          keys_.find_or_add(std::string_view(key_text_).substr(from, ends_[i] - from), rows);
      from = ends_[i];
      if (known < 0) distinct_[usize(rows)] = distinct_[i];
      row_of_.push_back(known < 0 ? rows++ : known);
    }
    distinct_.resize(usize(rows));
    for (i32& row : out.row)
      row = row_of_[usize(row)];
  }
  out.rows = isize(distinct_);
}

void TextComparer::compare(Sim kind, std::span<const std::string_view> texts, Similarities& out) {
  LM_CHECK(static_cast<i64>(kind) < kTextSims, "a similarity of texts");
  number(kind, texts, out);
  const i64 n = out.rows;
  out.matrix.assign(usize(n * n), 0.0);
  for (i64 i = 0; i < n; ++i)
    out.matrix[usize(i * n + i)] = 1;
  if (kind == Sim::kExact || kind == Sim::kNumeric) return;
  if (kind != Sim::kChrf) {
    ids_.clear();
    words_.resize(usize(n));
    for (i64 i = 0; i < n; ++i) {
      words_[usize(i)].clear();
      ids_.add_words(distinct_[usize(i)], words_[usize(i)]);
      if (kind == Sim::kJaccard) text::make_word_set(words_[usize(i)]);
    }
  }
  for (i64 i = 0; i < n; ++i) {
    for (i64 j = 0; j < i; ++j) {
      f64 value = 0;
      if (kind == Sim::kChrf) {
        value = chrf_similarity(distinct_[usize(i)], distinct_[usize(j)]);
      } else if (kind == Sim::kJaccard) {
        value = text::jaccard_of_sets(words_[usize(i)], words_[usize(j)]);
      } else if (kind == Sim::kRougeL) {
        value = text::rouge_l(words_[usize(i)], words_[usize(j)]).f1;
      } else {
        value = text::bleu_similarity(words_[usize(i)], words_[usize(j)]);
      }
      out.matrix[usize(i * n + j)] = out.matrix[usize(j * n + i)] = value;
    }
  }
}

void ComparedWords::set(std::span<const std::string_view> texts) {
  ids_.clear();
  row_.clear();
  std::size_t rows = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::size_t first = 0;  // few texts: a search is as fast as a table
    while (texts[first] != texts[i])
      ++first;
    if (first < i) {
      row_.push_back(row_[first]);
      continue;
    }
    row_.push_back(static_cast<i32>(rows++));
    if (words_.size() < rows) words_.resize(rows);
    if (grams_.size() < rows) grams_.resize(rows);
    words_[rows - 1].clear();
    ids_.add_words(texts[i], words_[rows - 1]);
    grams_[rows - 1].make(words_[rows - 1]);
  }
}

namespace {

f64 square(const std::vector<f64>& x) {
  return std::inner_product(x.begin(), x.end(), x.begin(), 0.0);
}

// x times the power of two that brings its largest magnitude to [0.5, 1): exact, so that cosines
// are those of x, and squares neither overflow nor vanish.
std::vector<f64> rescaled(const std::vector<f64>& x) {
  f64 most = 0;
  for (const f64 v : x)
    most = std::max(most, std::abs(v));
  int exponent = 0;
  std::frexp(most, &exponent);
  std::vector<f64> out;
  for (const f64 v : x)
    out.push_back(std::ldexp(v, -exponent));
  return out;
}

}  // namespace

bool compare_embeddings(SimMap map, std::span<const std::vector<f64>* const> given,
                        Similarities& out) {
  const i64 n = isize(given);
  std::vector<const std::vector<f64>*> embeddings(given.begin(), given.end());
  std::deque<std::vector<f64>> scaled;
  std::vector<f64> lengths;
  for (const std::vector<f64>*& emb : embeddings) {
    f64 squares = square(*emb);
    if (!(squares >= 1e-250 && squares <= 1e250)) {
      emb = &scaled.emplace_back(rescaled(*emb));
      squares = square(*emb);
    }
    if (emb->size() != embeddings[0]->size() || !(squares > 0)) return false;
    lengths.push_back(std::sqrt(squares));
  }
  out.rows = n;
  out.row.resize(usize(n));
  std::iota(out.row.begin(), out.row.end(), 0);
  out.matrix.assign(usize(n * n), 1.0);
  for (i64 i = 0; i < n; ++i) {
    for (i64 j = 0; j < i; ++j) {
      const std::vector<f64>& a = *embeddings[usize(i)];
      const std::vector<f64>& b = *embeddings[usize(j)];
      const f64 dot = std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
      const f64 cosine = std::clamp(dot / (lengths[usize(i)] * lengths[usize(j)]), -1.0, 1.0);
      const f64 value = map == SimMap::kHalf  ? (1 + cosine) / 2
                        : map == SimMap::kAbs ? std::abs(cosine)
                                              : std::max(0.0, cosine);
      out.matrix[usize(i * n + j)] = out.matrix[usize(j * n + i)] = value;
    }
  }
  return true;
}

}  // namespace lm::uq
