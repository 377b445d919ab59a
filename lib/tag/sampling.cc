// A number drawn for each document, the same in every run: to be compared with a rate.

#include "core/hash.h"
#include "core/str.h"
#include "tag/tagger.h"

namespace lm::tag {

std::vector<TaggerDef> sampling_taggers();

namespace {

class RandomNumber : public Tagger {
 public:
  explicit RandomNumber(u64 seed) : seed_(seed) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const std::optional<std::string>& id = document.field("id");
    if (!id) return Fault{"missing", "field \"id\" is missing, which the random number is of", -1};
    // D-15: the reference draws by process, so that no run gives another's numbers.
    std::string key("random\0", 7);
    append(key, document.field("source").value_or(""), '\0', *id);
    out.value(0, static_cast<f64>(xxh3_64(key, seed_) >> 11) * 0x1p-53);
    return std::nullopt;
  }

 private:
  u64 seed_;
};

}  // namespace

std::vector<TaggerDef> sampling_taggers() {
  return {
      {"random_number_v1",
       "document",
       "a random number of source, id and --seed",
       "Dolma",
       {{"random", "uniform in [0, 1), the same for the same source, id and --seed"}},
       {"id", "source"},
       [](const TagSettings& settings) { return std::make_unique<RandomNumber>(settings.seed); }}};
}

}  // namespace lm::tag
