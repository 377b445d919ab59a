// Tokenizer files of every kind: loading refuses or gives a tokenizer that keeps its promises.

#include "text/tokenizer.h"

#include <optional>
#include <vector>

#include "core/error.h"
#include "fuzz.h"

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kTexts[] = {
    ""sv, "the in a<s>b</s> \xC3\xA9\xF0\x9F\x98\x80 12345\r\n \t x"sv,
    "\0\xE2\x96\x81 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xCC\x81"sv};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const lm::u8* data, std::size_t size) {
  using namespace lm;
  static fuzz::ScratchFile file;
  const std::string& path = file.put(fuzz::text_of(data, size));
  fuzz::refuse_or_run([&] {
    text::LoadOptions options;
    options.pattern = data != nullptr && size % 2 == 1 ? "cl100k" : "";
    const std::unique_ptr<text::Tokenizer> tokenizer = text::load_tokenizer(path, options);
    const std::unique_ptr<text::EncodeState> state = tokenizer->new_state();
    for (const std::string_view text : kTexts) {
      std::vector<i32> ids;
      std::vector<std::pair<i64, i64>> offsets;
      if (!tokenizer->encode(text, *state, ids, &offsets)) continue;
      LM_CHECK(ids.size() == offsets.size(), "an id has a range");
      text::StreamDecoder decoder(*tokenizer, false);
      std::string streamed;
      for (std::size_t i = 0; i < ids.size(); ++i) {
        LM_CHECK(ids[i] >= 0 && ids[i] < tokenizer->vocab_size(), "ids are in the vocabulary");
        LM_CHECK(offsets[i].first >= 0 && offsets[i].first <= offsets[i].second &&
                     offsets[i].second <= isize(text),
                 "ranges lie in the text");
        streamed += decoder.push(ids[i]);
      }
      streamed += decoder.finish();
      tokenizer->decode(ids, false);
      tokenizer->decode(ids, true);
    }
  });
  return 0;
}
