// Measures of a text that know nothing of its language: how well it packs, the entropy of its
// bytes, its scripts, its digest.

#include <algorithm>
#include <array>
#include <cmath>

#include <zlib.h>

#include "core/hash.h"
#include "core/str.h"
#include "tag/rules.h"
#include "tag/tagger.h"
#include "text/script.h"
#include "text/utf8.h"

namespace lm::tag {

std::vector<TaggerDef> content_taggers();

namespace {

constexpr i64 kLeastBytes = 200;  // of a text whose ratio says more than zlib's own bytes do

class ZlibRatio : public Tagger {
 public:
  ZlibRatio() {
    if (deflateInit(&stream_, 6) != Z_OK) throw std::bad_alloc();
  }
  ~ZlibRatio() override { deflateEnd(&stream_); }
  ZlibRatio(const ZlibRatio&) = delete;
  ZlibRatio& operator=(const ZlibRatio&) = delete;

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const std::string_view text = document.text();
    if (isize(text) < kLeastBytes) return std::nullopt;
    LM_CHECK(deflateReset(&stream_) == Z_OK, "a stream that was begun can begin again");
    // A document has less than 4 GiB, which is what avail_in can say.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    u64 packed = 0;
    int code = Z_OK;
    while (code == Z_OK) {
      stream_.next_out = buf_.data();
      stream_.avail_out = static_cast<uInt>(buf_.size());
      code = deflate(&stream_, Z_FINISH);
      packed += buf_.size() - stream_.avail_out;
    }
    LM_CHECK(code == Z_STREAM_END, "deflate ends");
    out.value(0, static_cast<f64>(packed) / static_cast<f64>(text.size()));
    return std::nullopt;
  }

 private:
  z_stream stream_{};
  std::array<Bytef, 1 << 16> buf_;
};

class Entropy : public Tagger {
 public:
  std::optional<Fault> tag(Document& document, Emitter& out) override {
    std::array<i64, 256> counts{};
    for (const char c : document.text())
      ++counts[static_cast<u8>(c)];
    const f64 n = static_cast<f64>(document.text().size());
    f64 bits = 0;
    for (const i64 count : counts) {
      if (count == 0) continue;
      const f64 p = static_cast<f64>(count) / n;
      bits -= p * std::log2(p);
    }
    out.value(0, bits + 0.0);  // never -0
    return std::nullopt;
  }
};

/// Scripts by their share of the characters that belong to one.
class Charset : public Tagger {
 public:
  std::optional<Fault> tag(Document& document, Emitter& out) override {
    std::array<i64, text::kScriptNames.size()> counts{};
    const char* p = document.text().data();
    const char* const end = p + document.text().size();
    while (p < end)
      ++counts[text::script_of(text::next_valid(p))];
    const i64 own = document.chars() - counts[0];
    i64 scripts = 0;
    for (std::size_t i = 1; i < counts.size(); ++i) {
      scripts += counts[i] > 0;
      if (counts[i] > 0) out.value(static_cast<i64>(i), share(counts[i], own));
    }
    out.value(0, static_cast<f64>(scripts));
    return std::nullopt;
  }
};

/// The digest as two numbers that a score holds exactly.
class Digest : public Tagger {
 public:
  explicit Digest(u64 seed) : seed_(seed) {}
  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const Hash128 hash = xxh3_128(document.text(), seed_);
    out.value(0, static_cast<f64>(hash.hi >> 16));
    out.value(1, static_cast<f64>(hash.lo >> 16));
    return std::nullopt;
  }

 private:
  u64 seed_;
};

std::vector<TagType> script_types() {
  std::vector<TagType> types = {{"scripts", "different scripts, a rare one or more as one"}};
  for (std::size_t i = 1; i < text::kScriptNames.size(); ++i)
    types.push_back({std::string(text::kScriptNames[i]),
                     cat("share of characters of a script that are ", text::kScriptNames[i])});
  return types;
}

}  // namespace

std::vector<TaggerDef> content_taggers() {
  return {
      {"zlib_ratio",
       "document",
       "how well the text packs: low for repetition, high for noise",
       "mGPT",
       {{"ratio", "bytes of zlib at level 6 over bytes; nothing below 200 bytes"}},
       {},
       [](const TagSettings&) { return std::make_unique<ZlibRatio>(); }},
      {"entropy",
       "document",
       "entropy of single bytes",
       "lm-tools",
       {{"bits", "bits of a byte"}},
       {},
       [](const TagSettings&) { return std::make_unique<Entropy>(); }},
      {"charset",
       "document",
       "scripts of the characters",
       "Unicode 16.0, Script",
       script_types(),
       {},
       [](const TagSettings&) { return std::make_unique<Charset>(); }},
      {"hash",
       "document",
       "digest of the text, for joins",
       "XXH3-128 with --seed",
       {{"high", "upper 48 bits of the upper half"}, {"low", "upper 48 bits of the lower half"}},
       {},
       [](const TagSettings& settings) { return std::make_unique<Digest>(settings.seed); }},
  };
}

}  // namespace lm::tag
