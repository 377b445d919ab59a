#include "uq/record_json.h"

#include <cmath>

#include "core/error.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::uq {

namespace {

void append_number(std::string& out, f64 value) {
  LM_CHECK(std::isfinite(value), "what a record holds is finite");
  io::append_json_number(out, value);
}

// [item, ...] where append_item(i) writes one.
template <typename AppendItem>
void append_list(std::string& out, i64 count, AppendItem append_item) {
  out.push_back('[');
  for (i64 i = 0; i < count; ++i) {
    if (i > 0) out.push_back(',');
    append_item(i);
  }
  out.push_back(']');
}

void append_numbers(std::string& out, std::span<const f64> values) {
  append_list(out, isize(values), [&](i64 i) { append_number(out, values[usize(i)]); });
}

// "key": behind what stands there.
void append_key(std::string& out, const char* key) {
  append(out, out.back() == '{' ? "\"" : ",\"", key, "\":");
}

void append_numbers_field(std::string& out, const char* key, std::span<const f64> values) {
  if (values.empty()) return;
  append_key(out, key);
  append_numbers(out, values);
}

void append_text_field(std::string& out, const char* key, std::string_view text) {
  append_key(out, key);
  io::append_json_string(out, text);
}

void append_answer_fields(std::string& out, const Answer& answer) {
  append_text_field(out, "text", answer.text);
  append_numbers_field(out, "logp", answer.logp);
  append_numbers_field(out, "relevance", answer.relevance);
  append_numbers_field(out, "emb", answer.emb);
}

void append_level(std::string& out, const Table& table, std::size_t level, i64& next) {
  append_list(out, table.shape[level], [&](i64) {
    if (level + 1 == table.shape.size()) {
      append_number(out, table.values[usize(next++)]);
    } else {
      append_level(out, table, level + 1, next);
    }
  });
}

void append_table_field(std::string& out, const char* key, const Table& table) {
  if (table.empty()) return;
  append_key(out, key);
  append_table(out, table);
}

}  // namespace

void append_answer(std::string& out, const Answer& answer) {
  out.push_back('{');
  append_answer_fields(out, answer);
  out.push_back('}');
}

void append_greedy(std::string& out, const GreedyAnswer& answer) {
  out.push_back('{');
  append_answer_fields(out, answer);
  if (!answer.tokens.empty()) {
    append_key(out, "tokens");
    append_list(out, isize(answer.tokens), [&](i64 i) { append(out, answer.tokens[usize(i)]); });
  }
  append_numbers_field(out, "entropy", answer.entropy);
  append_numbers_field(out, "logp0", answer.logp0);
  append_numbers_field(out, "sqrt_mass", answer.sqrt_mass);
  append_numbers_field(out, "mean_logp", answer.mean_logp);
  append_numbers_field(out, "csl_weight", answer.csl_weight);
  append_numbers_field(out, "boosted", answer.boosted);
  append_numbers_field(out, "focus", answer.focus);
  append_numbers_field(out, "keyword", answer.keyword);
  if (!answer.top.empty()) {
    append_key(out, "top");
    append_list(out, isize(answer.top), [&](i64 t) {
      const std::vector<TopToken>& list = answer.top[usize(t)];
      append_list(out, isize(list), [&](i64 k) {
        append(out, "[", list[usize(k)].id, ",");
        append_number(out, list[usize(k)].logp);
        out.push_back(']');
      });
    });
  }
  if (!answer.alternatives.empty()) {
    append_key(out, "alternatives");
    append_list(out, isize(answer.alternatives), [&](i64 t) {
      const std::vector<Alternative>& list = answer.alternatives[usize(t)];
      append_list(out, isize(list), [&](i64 k) {
        const Entailment relation = list[usize(k)].relation;
        out.push_back('[');
        append_number(out, list[usize(k)].logp);
        append(out, relation == Entailment::kEntails       ? ",\"e\"]"
                    : relation == Entailment::kContradicts ? ",\"c\"]"
                                                           : ",\"n\"]");
      });
    });
  }
  append_table_field(out, "attn_self", answer.attn_self);
  append_table_field(out, "attn_prev", answer.attn_prev);
  if (!answer.attn_back.empty()) {
    append_key(out, "attn_back");
    append_list(out, isize(answer.attn_back),
                [&](i64 t) { append_numbers(out, answer.attn_back[usize(t)]); });
  }
  out.push_back('}');
}

void append_samples(std::string& out, std::span<const Answer> samples) {
  append_list(out, isize(samples), [&](i64 i) { append_answer(out, samples[usize(i)]); });
}

void append_perturbation(std::string& out, const Perturbation& one) {
  out.push_back('{');
  append_text_field(out, "prompt", one.prompt);
  if (!one.kind.empty()) append_text_field(out, "kind", one.kind);
  if (one.similarity) {
    append_key(out, "similarity");
    append_number(out, *one.similarity);
  }
  if (one.generation) {
    append_key(out, "generation");
    append(out, *one.generation);
  }
  append_numbers_field(out, "emb", one.emb);
  append_key(out, "samples");
  append_samples(out, one.samples);
  out.push_back('}');
}

void append_perturb(std::string& out, std::span<const Perturbation> perturb) {
  append_list(out, isize(perturb), [&](i64 i) { append_perturbation(out, perturb[usize(i)]); });
}

void append_ensemble(std::string& out, const GivenEnsemble& measures) {
  out.push_back('{');
  const auto add = [&](const char* name, const std::optional<EnsembleMeasures>& one) {
    if (!one) return;
    append_key(out, name);
    out.push_back('{');
    const std::pair<const char*, f64> numbers[] = {
        {"total", one->total}, {"data", one->data},   {"pairwise", one->pairwise},
        {"top5", one->top5},   {"top10", one->top10}, {"top15", one->top15}};
    for (const auto& [key, value] : numbers) {
      append_key(out, key);
      append_number(out, value);
    }
    out.push_back('}');
  };
  add("pe", measures.product);
  add("ep", measures.expectation);
  out.push_back('}');
}

void append_table(std::string& out, const Table& table) {
  i64 next = 0;
  append_level(out, table, 0, next);
  LM_CHECK(next == isize(table.values), "as many values as the shape has places");
}

}  // namespace lm::uq
