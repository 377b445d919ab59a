// Texts of any kind through every cleaner: what is left is well-formed, and what is measured are
// places of the text; cut out they give what is left where nothing was put in.

#include "clean/chain.h"
#include "fuzz.h"
#include "text/utf8.h"

namespace {

using namespace lm;

/// The first byte chooses the cleaners.
const std::vector<std::vector<const char*>> kChains = {
    {"mojibake"},
    {"c4:sentences=0", "line-len", "word-removal:share=1"},
    {"ratio-lines", "counter-lines:whole=no", "line-len"},
    {"mojibake", "pii", "c4:sentences=1"},
    {"fineweb:ends=0,short=1,duplicates=1,newlines=9", "nemo-en:min-words=0"},
    {"pii:public-only=no", "c4-paragraph:paragraphs=1,length=3"}};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
  if (size == 0) return 0;
  clean::ChainPlan plan;
  for (const char* const spec : kChains[data[0] % kChains.size()])
    plan.add(spec, "--clean");
  const std::string text = text::repair_utf8(fuzz::text_of(data + 1, size - 1));
  clean::Chain chain(plan);
  const clean::Chain::Outcome outcome = chain.run(text);
  std::string attributes;
  chain.append_attributes(attributes);
  LM_CHECK(text::is_valid_utf8(attributes), "attributes are JSON");
  if (outcome != clean::Chain::Outcome::kChanged) return 0;
  LM_CHECK(text::is_valid_utf8(chain.text()), "what is left is well-formed");
  i64 chars = text::count_code_points(text);
  for (const clean::StepCounts& counts : chain.counts())
    chars += counts.chars_added - counts.chars_removed;
  LM_CHECK(chars == text::count_code_points(chain.text()), "every character is accounted for");
  return 0;
}
