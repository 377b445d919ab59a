// The graphs that are built in.

#include <array>

#include "core/str.h"
#include "flow/problems.h"

namespace lm::flow {

namespace {

constexpr std::string_view kCount = R"(about: how many digits a text has, counted piece by piece
params: {m: 50}
nodes:
- {id: pieces, op: split, in: [input.text], params: {by: chars, size: "{{ m }}"}}
- id: counts
  op: map
  in: [pieces]
  do:
    op: llm
    template: "How many digits are in the text? Answer with a number.\nText: {{ item }}\nAnswer:"
    params: {max_tokens: 8}
    parse: {kind: last_integer, otherwise: 0}
- {id: answer, op: sum, in: [counts]}
answer: answer
)";

constexpr std::string_view kSort =
    R"(about: numbers in ascending order, sorted piece by piece and merged
params: {m: 50}
nodes:
- {id: pieces, op: split, in: [input.numbers], params: {by: items, size: "{{ m }}"}}
- id: lists
  op: map
  in: [pieces]
  do:
    op: llm
    template: "Sort the numbers in ascending order.\nNumbers: [{{ item|join(', ') }}]\nSorted:"
    params: {max_tokens: "{{ 16 + 8 * (m if m > 0 else 1000) }}"}
    parse: {kind: last_list, otherwise: []}
- {id: answer, op: merge, in: [lists]}
answer: answer
)";

/// Windows that overlap by half, so that what is shorter than that is whole in one.
constexpr std::string_view kWindows = R"(params: {m: 2000}
nodes:
- id: windows
  op: split
  in: [input.text]
  params: {by: chars, size: "{{ m }}", stride: "{{ [(m + 1) // 2, 1]|max }}"}
)";

constexpr std::string_view kNeedleAbout =
    R"(about: the passcode to an object, looked for in half-overlapping windows that vote
)";
constexpr std::string_view kNeedle = R"(- id: answers
  op: map
  in: [windows, input.question]
  do:
    op: llm
    template: "{{ item }}\n\nWhat is the passcode to the {{ question }}? Answer with the passcode, or with none.\nAnswer:"
    params: {max_tokens: 16}
    parse: {kind: regex, pattern: '(?<![0-9])[0-9]{6}(?![0-9])', nothing: [none], otherwise: null}
- {id: winners, op: majority, in: [answers], params: {all: true}}
- {id: answer, op: choose, in: [winners]}
answer: answer
)";

constexpr std::string_view kMultiNeedleAbout =
    R"(about: a passcode whose digits stand in sentences of their own
)";
constexpr std::string_view kMultiNeedle = R"(- id: extracts
  op: map
  in: [windows, input.question]
  do:
    op: llm
    template: "{{ item }}\n\nCopy the sentences about the passcode to the {{ question }}, or answer with none.\nAnswer:"
    params: {max_tokens: 400}
    parse: {kind: text, nothing: [none]}
- {id: found, op: filter, in: [extracts]}
- {id: notes, op: concat, in: [found], params: {separator: " "}}
)";

constexpr std::string_view kFinal = R"(about: the last call of multineedle
nodes:
)";

/// The last call of multineedle. notes: where it has its notes from.
std::string last_call(std::string_view notes) {
  return cat(R"(- id: answer
  op: llm
  in: [)",
             notes, R"(, input.question]
  template: "{{ notes }}\n\nWhat is the passcode to the {{ question }}? Answer with its digits in order.\nAnswer:"
  params: {max_tokens: 16}
  parse: {kind: last_digits, otherwise: null}
answer: answer
)");
}

using Graphs = std::array<std::pair<std::string_view, std::string>, 5>;

const Graphs& graphs() {
  static const Graphs kGraphs = {
      {{"count", std::string(kCount)},
       {"sort", std::string(kSort)},
       {"needle", cat(kNeedleAbout, kWindows, kNeedle)},
       {"multineedle", cat(kMultiNeedleAbout, kWindows, kMultiNeedle, last_call("notes"))},
       {"multineedle_final", cat(kFinal, last_call("input.notes"))}}};
  return kGraphs;
}

}  // namespace

std::optional<std::string_view> builtin_graph(std::string_view name) {
  for (const auto& [known, graph] : graphs())
    if (known == name) return graph;
  return std::nullopt;
}

std::vector<std::string> builtin_names() {
  std::vector<std::string> out;
  for (const auto& [name, graph] : graphs())
    out.emplace_back(name);
  return out;
}

}  // namespace lm::flow
