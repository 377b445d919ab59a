// Grammars as a user may write them, by the first letter: (r)egex, (g)bnf, (l)ark, (s)chema. What
// is accepted can be walked: masks say what accepting says, and closing tokens come to an end.

#include "grammar/grammar.h"

#include "fuzz.h"
#include "grammar/matcher.h"
#include "io/json_node.h"

namespace {

using namespace lm;
using namespace lm::grammar;

constexpr i64 kBytes = i64{1} << 20;
constexpr int kSteps = 12;

Result<GrammarPtr> compiled(std::string_view source) {
  const std::string_view rest = source.substr(1);
  switch (source[0]) {
    case 'r':
      return compile_regex(rest, {.bytes = kBytes});
    case 'g':
      return compile_gbnf(rest, {.bytes = kBytes});
    case 'l':
      return compile_lark(rest, {.bytes = kBytes});
    default:
      return compile_json_schema(io::parse_object(rest, "schema"), {}, {.bytes = kBytes});
  }
}

std::vector<std::string> vocabulary() {
  std::vector<std::string> out;
  for (int b = 0; b < 256; ++b)
    out.push_back(std::string(1, static_cast<char>(b)));
  for (const char* const text :
       {"ab", "\": ", "\", \"", "true", "12", "{\"a", "}}", "\xC3\xA9", "aaaaaaaa"})
    out.emplace_back(text);
  return out;
}

void walk(Matcher& m, i32 end) {
  std::vector<u32> mask(usize(m.trie().words()));
  State s = m.start();
  for (u32 step = 0; step < kSteps; ++step) {
    if (m.mask(s, mask)) return;  // the budget is spent
    LM_CHECK(allows(mask, end) == m.accepting(s), "ends where the text may end");
    LM_CHECK(m.distance(s) < kNever, "an end can be reached");
    const i32 first = static_cast<i32>(step * 37 % static_cast<u32>(end));
    State next = kDead;
    for (i32 i = 0; i < end; ++i) {
      const i32 id = (first + i) % end;
      const Result<State> to = m.accept(s, id);
      if (!to) return;
      LM_CHECK(allows(mask, id) == (*to != kDead), "a mask is what accepting says");
      if (next == kDead) next = *to;
    }
    if (next == kDead) break;
    s = next;
  }
  if (m.accepting(s) || m.closing_mask(s, mask)) return;
  LM_CHECK(mask != std::vector<u32>(mask.size()),
           "every byte is a token, so one leads nearer to the end");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
  static const auto trie = [] {
    std::vector<std::string> texts = vocabulary();
    texts.emplace_back();
    return std::make_shared<const TokenTrie>(std::move(texts));
  }();
  const std::string source(fuzz::text_of(data, size));
  if (source.empty()) return 0;
  fuzz::refuse_or_run([&] {
    const Result<GrammarPtr> grammar = compiled(source);
    if (!grammar) return;
    const i32 end = static_cast<i32>(trie->vocab() - 1);
    MatcherOptions options;
    options.state_bytes = kBytes;
    const Result<std::unique_ptr<Matcher>> matcher = Matcher::make(*grammar, trie, {end}, options);
    if (matcher) walk(**matcher, end);
  });
  return 0;
}
