// Rules as a user may write them: what is accepted can be asked about any record, twice with the
// same answer.

#include "mix/expression.h"

#include "core/utf8.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const lm::u8* data, std::size_t size) {
  using namespace lm;
  const std::string source(fuzz::text_of(data, size));
  const auto ask = [&](mix::Expression::Yields yields) {
    fuzz::refuse_or_run([&] {
      mix::Names names;
      const mix::Expression rule(source, yields, names, "rule");
      const std::string_view line =
          R"({"id":"a","text":"it is \u00e9","n":7,"m":{"s":"x","t":null},"attributes":{)"
          R"("a__a__b":[[0,2,0.5],[1,9,1]],"x":[],"y":3,"z":[[0]]}})";
      std::string padded(line);
      padded.append(usize(io::kJsonPadding), '\0');
      io::JsonReader json(names.paths());
      LM_CHECK(!json.parse(std::string_view(padded).substr(0, line.size())), "a good record");
      mix::Values values(names);
      values.open(json);
      if (yields == mix::Expression::Yields::kTruth) {
        const Result<mix::Expression::Outcome> first = rule.test(values);
        const Result<mix::Expression::Outcome> second = rule.test(values);
        LM_CHECK(bool(first) == bool(second), "the same answer");
        if (first) LM_CHECK(first->holds == second->holds, "the same answer");
        if (!first) LM_CHECK(is_valid_utf8(first.fault().detail), "messages are text");
      } else {
        LM_CHECK(bool(rule.amount(values)) == bool(rule.amount(values)), "the same answer");
      }
    });
  };
  ask(mix::Expression::Yields::kTruth);
  ask(mix::Expression::Yields::kNumber);
  return 0;
}
