#include "uq/record.h"

#include <cmath>
#include <limits>
#include <span>

#include <simdjson.h>

#include "core/str.h"
#include "io/json.h"
#include "uq/record_line.h"
#include "uq/record_values.h"

namespace lm::uq {

namespace {

constexpr f64 kUnbounded = std::numeric_limits<f64>::infinity();

Entailment relation_of(dom::element value, std::string_view where) {
  const std::string_view name = text_of(value, where);
  if (name != "e" && name != "n" && name != "c")
    bad("range", where, cat("has relation ", quote(name), ", expected e, n or c"));
  return name == "e"   ? Entailment::kEntails
         : name == "c" ? Entailment::kContradicts
                       : Entailment::kNeutral;
}

void top_of(dom::element value, std::string_view where, std::vector<std::vector<TopToken>>& out) {
  for (const dom::element token : array_of(value, where)) {
    std::vector<TopToken>& list = out.emplace_back();
    for (const dom::element pair : array_of(token, where)) {
      const dom::array parts = array_of(pair, where);
      if (parts.size() != 2) bad("shape", where, "expected pairs [id, logp]");
      list.push_back({id_of(parts.at(0).value(), where), number_of(parts.at(1).value(), where)});
      check_log_probability(list.back().logp, where);
    }
  }
}

void alternatives_of(dom::element value, std::string_view where,
                     std::vector<std::vector<Alternative>>& out) {
  for (const dom::element token : array_of(value, where)) {
    std::vector<Alternative>& list = out.emplace_back();
    for (const dom::element pair : array_of(token, where)) {
      const dom::array parts = array_of(pair, where);
      if (parts.size() != 2) bad("shape", where, "expected pairs [logp, relation]");
      list.push_back(
          {number_of(parts.at(0).value(), where), relation_of(parts.at(1).value(), where)});
      check_log_probability(list.back().logp, where);
    }
  }
}

// Row t: t numbers, or none.
void rows_of(dom::element value, std::string_view where, std::vector<std::vector<f64>>& out) {
  for (const dom::element row : array_of(value, where)) {
    numbers_of(row, where, out.emplace_back());
    if (!out.back().empty() && out.back().size() + 1 != out.size())
      bad("shape", where,
          cat("has ", out.back().size(), " numbers in row ", out.size() - 1, ", expected ",
              out.size() - 1, " or none"));
    check_range(out.back(), 0, 1, where);
  }
}

// A field of an answer of either kind; false if it is none of them.
bool answer_field(std::string_view key, dom::element value, Answer& out) {
  if (key == "text") {
    out.text = text_of(value, "text");
  } else if (key == "logp") {
    log_probabilities_of(value, "logp", out.logp);
  } else if (key == "relevance") {
    numbers_of(value, "relevance", out.relevance);
    check_range(out.relevance, -kRounding, kUnbounded, "relevance");
  } else if (key == "emb") {
    numbers_of(value, "emb", out.emb);
  } else {
    return false;
  }
  return true;
}

// Records are much alike: lists keep their memory from one to the next.
void reset(Answer& out) {
  out.text = {};
  out.logp.clear();
  out.relevance.clear();
  out.emb.clear();
}

void answer_of(dom::element value, std::string_view where, Answer& out) {
  reset(out);
  if (value.is_string()) {
    out.text = text_of(value, where);
    return;
  }
  for (const dom::key_value_pair field : object_of(value, where)) {
    if (!field.value.is_null()) answer_field(field.key, field.value, out);
  }
  check_length(out.relevance.size(), out.logp.size(), "relevance");
}

void answers_of(dom::element value, std::string_view where, std::vector<Answer>& out) {
  const dom::array items = array_of(value, where);
  out.resize(items.size());
  i64 at = 0;
  for (const dom::element item : items) {
    within(
        where, [&] { answer_of(item, "", out[usize(at)]); }, at);
    ++at;
  }
}

void greedy_of(dom::element value, GreedyAnswer& out) {
  struct List {
    const char* name;
    std::vector<f64> GreedyAnswer::*list;
    f64 low, high;
  };
  // A sum of square roots of probabilities is at least their sum, which is one.
  static constexpr List kLists[] = {
      {"entropy", &GreedyAnswer::entropy, -kRounding, kUnbounded},
      {"logp0", &GreedyAnswer::logp0, -kUnbounded, 0},
      {"sqrt_mass", &GreedyAnswer::sqrt_mass, 1 - kRounding, kUnbounded},
      {"mean_logp", &GreedyAnswer::mean_logp, -kUnbounded, 0},
      {"csl_weight", &GreedyAnswer::csl_weight, 0, kUnbounded},
      {"boosted", &GreedyAnswer::boosted, 0, 1},
      {"focus", &GreedyAnswer::focus, -kUnbounded, kUnbounded},
      {"keyword", &GreedyAnswer::keyword, 0, 1}};
  for (const dom::key_value_pair field : object_of(value, "")) {
    if (field.value.is_null() || answer_field(field.key, field.value, out)) continue;
    for (const List& list : kLists) {
      if (field.key != list.name) continue;
      numbers_of(field.value, field.key, out.*list.list);
      check_range(out.*list.list, list.low, list.high, list.name);
    }
    if (field.key == "tokens") ids_of(field.value, field.key, out.tokens);
    if (field.key == "top") top_of(field.value, field.key, out.top);
    if (field.key == "alternatives") alternatives_of(field.value, field.key, out.alternatives);
    if (field.key == "attn_back") rows_of(field.value, field.key, out.attn_back);
    if (field.key == "attn_self") table_of(field.value, field.key, 2, out.attn_self);
    if (field.key == "attn_prev") table_of(field.value, field.key, 3, out.attn_prev);
  }
  check_range(out.attn_self.values, 0, 1, "attn_self");
  check_range(out.attn_prev.values, 0, 1, "attn_prev");
  const std::size_t length = out.logp.size();
  for (const List& list : kLists)
    check_length((out.*list.list).size(), length, list.name);
  check_length(out.relevance.size(), length, "relevance");
  check_length(out.tokens.size(), length, "tokens");
  check_length(out.top.size(), length, "top");
  check_length(out.alternatives.size(), length, "alternatives");
  check_length(out.attn_back.size(), length, "attn_back");
  if (!out.attn_self.empty()) check_length(usize(out.attn_self.shape[1]), length, "attn_self");
  if (!out.attn_prev.empty()) check_length(usize(out.attn_prev.shape[2]), length, "attn_prev");
}

void claim_of(dom::element item, Claim& out) {
  for (const dom::key_value_pair field : object_of(item, "")) {
    if (field.value.is_null()) continue;
    if (field.key == "text") out.text = text_of(field.value, "text");
    if (field.key == "p_true") out.p_true = probability_of(field.value, "p_true");
    if (field.key == "token_span") {
      const dom::array ends = array_of(field.value, "token_span");
      if (ends.size() != 2) bad("shape", "token_span", "expected [first, end]");
      out.first = count_of(ends.at(0).value(), "token_span");
      out.end = count_of(ends.at(1).value(), "token_span");
      if (out.first >= out.end)
        bad("range", "token_span",
            cat("is [", out.first, ", ", out.end, "], expected first < end"));
    }
    if (field.key == "nli") {
      for (const dom::element one : array_of(field.value, "nli"))
        out.nli.push_back(relation_of(one, "nli"));
    }
  }
}

void claims_of(dom::element value, std::vector<Claim>& out) {
  i64 at = 0;
  for (const dom::element item : array_of(value, "claims"))
    within(
        "claims", [&] { claim_of(item, out.emplace_back()); }, at++);
}

// Spans lie in the answer, and every sample has said something or none has.
void check_claims(const UqRecord& record) {
  const i64 length = record.greedy ? isize(record.greedy->logp) : 0;
  for (i64 i = 0; i < isize(record.claims); ++i) {
    const Claim& claim = record.claims[usize(i)];
    if (length > 0 && claim.end > length)
      bad("range", cat("claims[", i, "].token_span"),
          cat("ends at ", claim.end, ", the answer has ", length, " tokens"));
    if (!claim.nli.empty() && claim.nli.size() != record.samples.size())
      bad("shape", cat("claims[", i, "].nli"),
          cat("has ", claim.nli.size(), " relations for ", record.samples.size(), " samples"));
  }
}

void perturbation_of(dom::element item, Perturbation& out) {
  out.prompt = out.kind = {};
  out.similarity.reset();
  out.generation.reset();
  out.emb.clear();
  bool answered = false;
  for (const dom::key_value_pair field : object_of(item, "")) {
    if (field.value.is_null()) continue;
    if (field.key == "prompt") out.prompt = text_of(field.value, "prompt");
    if (field.key == "kind") out.kind = text_of(field.value, "kind");
    if (field.key == "similarity") out.similarity = number_of(field.value, "similarity");
    if (field.key == "generation") out.generation = count_of(field.value, "generation");
    if (field.key == "emb") numbers_of(field.value, "emb", out.emb);
    if (field.key != "samples") continue;
    answers_of(field.value, "samples", out.samples);
    answered = true;
  }
  if (!answered) out.samples.clear();
}

void perturbations_of(dom::element value, std::vector<Perturbation>& out) {
  const dom::array items = array_of(value, "perturb");
  out.resize(items.size());
  i64 at = 0;
  for (const dom::element item : items) {
    within(
        "perturb", [&] { perturbation_of(item, out[usize(at)]); }, at);
    ++at;
  }
}

void similarity_of(dom::element value, UqRecord& out) {
  for (const dom::key_value_pair field : object_of(value, "sim")) {
    if (field.value.is_null()) continue;
    Table* table = field.key == "answers" ? &out.sim_answers
                   : field.key == "nli_e" ? &out.nli_entail
                   : field.key == "nli_c" ? &out.nli_contradict
                                          : nullptr;
    if (table == nullptr) continue;
    table_of(field.value, cat("sim.", field.key), 2, *table);
    for (const f64 v : table->values) {
      if (!(v >= 0 && v <= 1))
        bad("range", cat("sim.", field.key), cat("has ", v, ", expected 0 to 1"));
    }
  }
}

void check_square(const Table& table, std::size_t samples, const char* where) {
  if (table.empty()) return;
  const i64 m = static_cast<i64>(samples);
  if (table.shape[0] != table.shape[1] || (table.shape[0] != m && table.shape[0] != m + 1)) {
    bad("shape", where,
        cat("is ", table.shape[0], " x ", table.shape[1], ", expected ", m, " x ", m, ", or ",
            m + 1, " x ", m + 1, " with the greedy answer"));
  }
}

// What is given as "how alike" says that every answer is like itself.
void check_diagonal(const Table& table, const char* where) {
  if (table.empty()) return;
  for (i64 i = 0; i < table.shape[0]; ++i) {
    const f64 own = table.values[usize(i * (table.shape[1] + 1))];
    if (!(std::abs(1 - own) <= kRounding))
      bad("range", where, cat("has ", own, " on the diagonal, expected 1"));
  }
}

// Embeddings that stand beside the answers instead of inside them.
void embeddings_of(dom::element value, UqRecord& out) {
  for (const dom::key_value_pair field : object_of(value, "emb")) {
    if (field.value.is_null()) continue;
    if (field.key == "prompt") numbers_of(field.value, "emb.prompt", out.prompt_emb);
    if (field.key == "layer") out.emb_layer = count_of(field.value, "emb.layer");
    if (field.key == "greedy" && out.greedy) numbers_of(field.value, "emb.greedy", out.greedy->emb);
    if (field.key == "samples") {
      const dom::array rows = array_of(field.value, "emb.samples");
      if (rows.size() != out.samples.size())
        bad("shape", "emb.samples",
            cat("has ", rows.size(), " rows for ", out.samples.size(), " samples"));
      std::size_t at = 0;
      for (const dom::element row : rows)
        numbers_of(row, "emb.samples", out.samples[at++].emb);
    }
  }
}

void check_dimension(const std::vector<Answer>& answers) {
  for (const Answer& answer : answers) {
    if (!answer.emb.empty() && !answers[0].emb.empty() &&
        answer.emb.size() != answers[0].emb.size())
      bad("shape", "emb",
          cat("has embeddings of ", answers[0].emb.size(), " and of ", answer.emb.size()));
  }
}

void scored_of(dom::element value, Scored& out) {
  std::vector<std::string_view> nulls;
  bool infinite = false;
  for (const dom::key_value_pair field : object_of(value, "")) {
    if (field.key == "scores") {
      within("scores", [&] {
        for (const dom::key_value_pair score : object_of(field.value, "")) {
          if (score.value.is_null()) {
            nulls.push_back(score.key);
          } else {
            out.scores.emplace_back(score.key, number_of(score.value, score.key));
          }
        }
      });
    }
    if (field.key == "samples") out.samples = count_of(field.value, field.key);
    if (field.key == "votes") out.votes = count_of(field.value, field.key);
    if (field.key == "rewordings") out.rewordings = count_of(field.value, field.key);
    if (field.key == "flags") {
      for (const dom::element flag : array_of(field.value, field.key))
        infinite = infinite || text_of(flag, field.key) == "infinite";
    }
  }
  for (const std::string_view name : nulls) {
    if (infinite) out.scores.emplace_back(name, kUnbounded);
  }
}

EnsembleMeasures ensemble_measures_of(dom::element value) {
  struct One {
    const char* name;
    f64 EnsembleMeasures::*value;
  };
  static constexpr One kAll[] = {
      {"total", &EnsembleMeasures::total},       {"data", &EnsembleMeasures::data},
      {"pairwise", &EnsembleMeasures::pairwise}, {"top5", &EnsembleMeasures::top5},
      {"top10", &EnsembleMeasures::top10},       {"top15", &EnsembleMeasures::top15}};
  EnsembleMeasures out;
  const dom::object object = object_of(value, "");
  for (const One& one : kAll) {
    dom::element number;
    if (object.at_key(one.name).get(number) != simdjson::SUCCESS)
      bad("missing", one.name, "expected a number");
    const f64 measure = number_of(number, one.name);
    if (!(measure >= -kRounding))
      bad("range", one.name, cat("is ", measure, ", expected at least 0"));
    out.*one.value = measure;
  }
  return out;
}

void ensemble_of(dom::element value, UqRecord& out) {
  if (!value.is_object()) {
    table_of(value, "ensemble", 3, out.ensemble);
    for (const f64 logp : out.ensemble.values)
      check_log_probability(logp, "ensemble");
    return;
  }
  for (const dom::key_value_pair field : object_of(value, "ensemble")) {
    std::optional<EnsembleMeasures>* const measures =
        field.key == "pe"   ? &out.ensemble_given.product
        : field.key == "ep" ? &out.ensemble_given.expectation
                            : nullptr;
    if (measures == nullptr || field.value.is_null()) continue;
    within(cat("ensemble.", field.key), [&] { *measures = ensemble_measures_of(field.value); });
  }
}

// "true", "True." and the like.
bool says_true(dom::element value) {
  bool flag = false;
  if (value.get(flag) == simdjson::SUCCESS) return flag;
  return starts_with_nocase(trim(text_of(value, "p_true_samples")), "true");
}

void root_field(std::string_view key, dom::element value, UqRecord& out) {
  if (key == "model" && value.is_string()) out.model = text_of(value, key);
  if (key == "prompt") out.prompt = text_of(value, key);
  if (key == "refs") {
    for (const dom::element ref : array_of(value, key))
      out.refs.push_back(text_of(ref, key));
  }
  if (key == "correct") {
    bool flag = false;
    out.correct =
        value.get(flag) == simdjson::SUCCESS ? (flag ? 1.0 : 0.0) : probability_of(value, key);
  }
  if (key == "temperature") {
    out.temperature = number_of(value, key);
    if (!(*out.temperature >= 0))
      bad("range", key, cat("is ", *out.temperature, ", expected at least 0"));
  }
  if (key == "vocab") {
    const f64 size = number_of(value, key);
    if (!(size >= 1 && size <= 1e15 && size == std::floor(size)))
      bad("range", key, cat("is ", size, ", expected a whole number from 1"));
    out.vocab = static_cast<i64>(size);
  }
  if (key == "greedy") within(key, [&] { greedy_of(value, out.greedy.emplace()); });
  if (key == "sim") similarity_of(value, out);
  if (key == "claims") claims_of(value, out.claims);
  if (key == "ensemble") ensemble_of(value, out);
  if (key == "p_true") out.p_true = probability_of(value, key);
  if (key == "p_ik") out.p_ik = probability_of(value, key);
  if (key == "verbal") out.verbal = text_of(value, key);
  if (key == "p_true_samples") {
    for (const dom::element item : array_of(value, key))
      out.p_true_samples.push_back(says_true(item) ? 1 : 0);
  }
}

}  // namespace

std::span<const std::string> record_fields() {
  static const std::vector<std::string> kFields = {
      "id",     "prompt",         "refs", "correct",  "temperature", "vocab",
      "greedy", "samples",        "sim",  "ensemble", "claims",      "perturb",
      "p_true", "p_true_samples", "p_ik", "verbal",   "emb",         "model"};
  return kFields;
}

struct RecordReader::Impl {
  explicit Impl(std::string field) : score_field(std::move(field)), line(read_fields()) {}
  std::vector<std::string> read_fields() const {
    std::vector<std::string> out(record_fields().begin(), record_fields().end());
    if (!score_field.empty()) out.push_back(score_field);
    return out;
  }

  std::string id;
  std::string score_field;
  LineParser line;
};

RecordReader::RecordReader(std::string score_field)
    : impl_(std::make_unique<Impl>(std::move(score_field))) {}
RecordReader::~RecordReader() = default;

std::optional<Fault> RecordReader::read(std::string_view line, UqRecord& out) {
  // The lists of answers stay for their memory, as what their fields are read into.
  std::vector<Answer> samples = std::move(out.samples);
  std::vector<Perturbation> perturb = std::move(out.perturb);
  out = {};
  dom::element root;
  if (std::optional<Fault> fault = impl_->line.parse(line, root)) return fault;
  try {
    dom::element emb;
    bool has_emb = false;
    for (const dom::key_value_pair field : object_of(root, "record")) {
      if (field.value.is_null()) continue;
      if (field.key == "id") {
        if (field.value.get(out.id) != simdjson::SUCCESS) {
          impl_->id = simdjson::to_string(field.value);
          out.id = impl_->id;
        }
      } else if (field.key == impl_->score_field) {
        within(field.key, [&] { scored_of(field.value, out.scored.emplace()); });
      } else if (field.key == "emb") {
        emb = field.value;
        has_emb = true;
      } else if (field.key == "samples") {
        out.samples = std::move(samples);
        answers_of(field.value, field.key, out.samples);
      } else if (field.key == "perturb") {
        out.perturb = std::move(perturb);
        perturbations_of(field.value, out.perturb);
      } else {
        root_field(field.key, field.value, out);
      }
    }
    if (has_emb) embeddings_of(emb, out);
    check_dimension(out.samples);
    check_claims(out);
    check_square(out.sim_answers, out.samples.size(), "sim.answers");
    check_diagonal(out.sim_answers, "sim.answers");
    check_square(out.nli_entail, out.samples.size(), "sim.nli_e");
    check_square(out.nli_contradict, out.samples.size(), "sim.nli_c");
  } catch (const Bad& seen) {
    return Fault{seen.code, cat("field ", quote(seen.where), ": ", seen.what), -1};
  }
  return std::nullopt;
}

}  // namespace lm::uq
