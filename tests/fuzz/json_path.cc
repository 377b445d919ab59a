// Paths as a user may write them: what is accepted can be asked about any record, twice with the
// same answer.

#include "core/utf8.h"
#include "fuzz.h"
#include "mix/names.h"
#include "mix/values.h"

extern "C" int LLVMFuzzerTestOneInput(const lm::u8* data, std::size_t size) {
  using namespace lm;
  const std::string source(fuzz::text_of(data, size));
  fuzz::refuse_or_run([&] {
    mix::Names names;
    names.selector(source, mix::Syntax::kJsonPath, "rule", ErrorKind::kUsage);
    const std::string_view line =
        R"({"id":"a","text":"it is \u00e9","n":7,"m":{"s":"x","t":null},"attributes":{)"
        R"("a":[[0,2,0.5],[1,9,1]],"x":[],"y":3,"z":{"y":true}}})";
    std::string padded(line);
    padded.append(usize(io::kJsonPadding), '\0');
    mix::Selection selection(names.selectors());
    const auto ask = [&] {
      selection.open(std::string_view(padded).substr(0, line.size()));
      const Result<bool> picks = selection.picks(0, true);
      LM_CHECK(bool(picks), "a good record");
      return *picks;
    };
    const bool first = ask();
    LM_CHECK(ask() == first, "the same answer");
    const Result<std::vector<std::string>> values = selection.values(0);
    LM_CHECK(bool(values) && values->empty() != first, "what is picked leads somewhere");
    for (const std::string& value : *values)
      LM_CHECK(is_valid_utf8(value), "values are text");
  });
  return 0;
}
