// A fastText model: whatever the file says, it is refused or judges every text with probabilities,
// in memory that its length bounds.

#include "classify/classifier.h"
#include "fuzz.h"

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kTexts[] = {
    ""sv, "good w1 w2 </s> behind"sv,
    "__label__a bad\0w1 caf\xC3\xA9 \xE7\x8C\xAB\xFF w1 w1 w1 w1"sv,
    "an unseenwordofmanyletters and another, another and w3"sv};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const lm::u8* data, std::size_t size) {
  using namespace lm;
  static fuzz::ScratchFile file;
  const std::string& path = file.put(fuzz::text_of(data, size));
  fuzz::refuse_or_run([&] {
    const auto model = std::make_shared<const classify::Classifier>(path);
    classify::Predictor predictor(model);
    for (const std::string_view text : kTexts) {
      f64 before = 2;
      for (const classify::Guess& guess : predictor.predict(text)) {
        LM_CHECK(guess.label >= 0 && guess.label < isize(model->labels()), "a label of the model");
        LM_CHECK(guess.probability >= 0 && guess.probability <= 1.0001, "a probability");
        LM_CHECK(guess.probability <= before, "the likeliest comes first");
        before = guess.probability;
      }
    }
  });
  return 0;
}
