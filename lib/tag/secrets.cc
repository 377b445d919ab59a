// Passwords, keys and tokens in code.

#include <algorithm>
#include <string>
#include <unordered_set>

#include "core/str.h"
#include "tag/secret_match.h"
#include "tag/tagger.h"
#include "text/segment.h"

namespace lm::tag {

std::vector<TaggerDef> secret_taggers();

namespace {

struct Hit {
  i64 type;
  Range place;
};

class CodeSecrets : public Tagger {
 public:
  explicit CodeSecrets(bool dolma) : dolma_(dolma) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    find(document);
    std::sort(hits_.begin(), hits_.end(), [](const Hit& a, const Hit& b) {
      if (a.type != b.type) return a.type < b.type;
      return a.place.begin != b.place.begin ? a.place.begin < b.place.begin
                                            : a.place.end < b.place.end;
    });
    // Two expressions of a detector may find the same.
    if (!dolma_) {
      hits_.erase(std::unique(hits_.begin(), hits_.end(),
                              [](const Hit& a, const Hit& b) {
                                return a.type == b.type && a.place.begin == b.place.begin &&
                                       a.place.end == b.place.end;
                              }),
                  hits_.end());
    }
    for (const Hit& hit : hits_)
      out.span(hit.type, hit.place.begin, hit.place.end);
    const i64 words = isize(document.words());
    out.value(kSecrets, words == 0 ? -1 : static_cast<f64>(isize(hits_)) / static_cast<f64>(words));
    return std::nullopt;
  }

 private:
  void find(Document& document) {
    hits_.clear();
    seen_.clear();
    find_anchors(document.text(), anchors_);
    std::size_t next = 0;
    Range previous;
    for (const Range range : document.lines_py()) {
      const std::size_t first = next;
      for (; next < anchors_.size() && anchors_[next].end <= range.end; ++next)
        anchors_[next].end -= range.begin;
      const std::string_view raw = document.slice(range);
      const std::string_view line = raw.substr(0, usize(stripped_size(raw)));
      matches_.clear();
      find_secrets(line, std::span(anchors_).subspan(first, next - first), matches_);
      if (!matches_.empty() && !is_line_left_out(line, document.slice(previous)))
        take(document, range, line);
      previous = range;
    }
  }

  static i64 stripped_size(std::string_view line) {
    const std::string_view stripped = text::strip(line);
    return stripped.empty() ? 0 : stripped.data() + stripped.size() - line.data();
  }

  void take(Document& document, Range range, std::string_view line) {
    for (const SecretMatch& match : matches_) {
      const Range part = dolma_ ? match.reported : match.value;
      const std::string_view value = line.substr(usize(part.begin), usize(part.size()));
      if (is_value_left_out(match.secret, value, line)) continue;
      const i64 type = static_cast<i64>(match.secret);
      if (!dolma_) {
        hits_.push_back({type, {range.begin + part.begin, range.begin + part.end}});
        continue;
      }
      // The reference keeps a value once, at its first place in the first line (D-09) that has the
      // same text, be it part of another line.
      if (!seen_.insert(cat(type, " ", value)).second) continue;
      const std::size_t first = document.text().find(document.slice(range));
      const i64 begin = static_cast<i64>(first + document.slice(range).find(value));
      hits_.push_back({type, {begin, begin + isize(value)}});
    }
  }

  bool dolma_;
  std::vector<Anchor> anchors_;
  std::vector<SecretMatch> matches_;
  std::vector<Hit> hits_;
  std::unordered_set<std::string> seen_;
};

std::vector<TagType> secret_types() {
  std::vector<TagType> types;
  for (i64 i = 0; i < kSecrets; ++i) {
    const std::string_view name = secret_name(static_cast<Secret>(i));
    std::string type = cat("SECRET_", name);
    std::replace(type.begin(), type.end(), ' ', '_');
    types.push_back({type, cat("what looks like this: ", name)});
  }
  types.push_back({"doc", "hits over words, -1 for a text without words"});
  return types;
}

}  // namespace

std::vector<TaggerDef> secret_taggers() {
  return {
      {"code_secrets_v1",
       "match",
       "passwords, keys and tokens, as detect-secrets finds them",
       "Dolma; detect-secrets 1.5.0",
       secret_types(),
       {},
       [](const TagSettings& settings) { return std::make_unique<CodeSecrets>(settings.dolma); }}};
}

}  // namespace lm::tag
