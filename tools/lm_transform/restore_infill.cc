// infill --inverse: documents of rows.

#include <algorithm>

#include "core/str.h"
#include "infill.h"
#include "io/json.h"
#include "io/json_node.h"
#include "transform.h"
#include "transform/permute.h"

namespace lm::transform_tool {

namespace {

/// What --meta-field says of a row; all of it may be missing.
struct Meta {
  std::optional<std::string> digest;
  std::optional<i64> prompt;
};

Meta read_meta(const io::JsonReader& json) {
  Meta meta;
  if (json.field(kInfillMeta).type != io::JsonType::kObject) return meta;
  const io::JsonDocument document(json.raw(kInfillMeta));
  if (!document.error().empty()) return meta;
  const io::JsonNode root = document.root(json.path(kInfillMeta));
  if (const std::optional<io::JsonNode> digest = root.maybe("digest"); digest)
    if (const std::optional<std::string_view> text = digest->as_string(); text)
      meta.digest = std::string(*text);
  if (const std::optional<io::JsonNode> prompt = root.maybe("prompt"); prompt)
    meta.prompt = prompt->as_integer();
  return meta;
}

class InfillRestorer final : public io::RecordMapper {
 public:
  explicit InfillRestorer(const InfillSetup& setup) : setup_(setup) {}

  std::optional<Fault> map(io::Record& record, std::string& out) override {
    io::JsonReader& json = record.json;
    const Meta meta = read_meta(json);
    const Result<std::string> text =
        setup_.tokenizer == nullptr ? from_text(json) : from_ids(json, meta);
    if (!text) return text.fault();
    if (meta.digest && hex64(tf::digest_of(*text)) != *meta.digest)
      return Fault{"digest",
                   cat("the document that the row gives is not the one of field ",
                       quote(json.path(kInfillMeta)),
                       ": the row was changed, or its tokenizer does not give texts back"),
                   -1};
    if (std::optional<Fault> fault = json.settable(kInfillText)) return fault;
    io::RecordEdit edit(json);
    const bool there = json.field(kInfillText).type == io::JsonType::kString;
    const Result<std::string_view> old = json.string(kInfillText);
    if (!there || !old || *old != *text) edit.set(kInfillText, io::json_string(*text));
    for (i64 i = kInfillMeta; i < json.path_count(); ++i)
      if (json.path(i).find('.') == std::string::npos) edit.remove(i);
    edit.write(out);
    return std::nullopt;
  }

 private:
  Result<std::string> from_text(io::JsonReader& json) const {
    const Result<std::string_view> row = json.string(kInfillText);
    if (!row) return row.fault();
    std::optional<std::string> text = setup_.as_text->restore(*row);
    if (!text)
      return Fault{"range",
                   cat("field ", quote(json.path(kInfillText)),
                       " has tokens of the format and is no row of it"),
                   -1};
    return *std::move(text);
  }

  Result<std::string> from_ids(io::JsonReader& json, const Meta& meta) const {
    std::vector<i32> ids;
    if (std::optional<Fault> fault = json.integers(kInfillIds, setup_.tokenizer->vocab_size(), ids))
      return *fault;
    try {
      return text_of(json, ids, meta);
    } catch (const Error& e) {  // an id in range that names no token
      if (e.kind() != ErrorKind::kData) throw;
      return Fault{"range", cat("field ", quote(json.path(kInfillIds)), ": ", e.message()), -1};
    }
  }

  Result<std::string> text_of(const io::JsonReader& json, std::vector<i32>& ids,
                              const Meta& meta) const {
    const text::InfillTokens& tokens = setup_.tokens;
    std::optional<text::InfilledRow> row = text::read_infilled_row(tokens, ids);
    if (!row) {
      if (!ids.empty() && ids.back() == tokens.eos) ids.pop_back();
      if (std::any_of(ids.begin(), ids.end(), [&](i32 id) { return tokens.is_sentinel(id); }))
        return Fault{"range",
                     cat("field ", quote(json.path(kInfillIds)),
                         " has tokens of the format and is no row of it"),
                     -1};
      return decode(ids);
    }
    if (setup_.masks()) {
      std::vector<i32> whole;
      for (std::size_t i = 0; i < row->kept.size(); ++i) {
        whole.insert(whole.end(), row->kept[i].begin(), row->kept[i].end());
        if (i < row->fillings.size())
          whole.insert(whole.end(), row->fillings[i].begin(), row->fillings[i].end());
      }
      return decode(whole);
    }
    // The parts were tokenised apart. Where prefix and filling adjoin, the field says where.
    std::vector<i32>& prefix = row->kept[0];
    std::vector<i32>& filling = row->fillings[0];
    const i64 size = isize(prefix);
    if (tokens.layout == text::InfillLayout::kSuffixFirst && meta.prompt) {
      const i64 behind = isize(ids) - 1 - *meta.prompt;  // the filling, before its end
      if (behind < 0 || behind > size)
        return Fault{"range", "\"prompt\" lies outside of prefix and filling", -1};
      filling.assign(prefix.end() - behind, prefix.end());
      prefix.resize(usize(size - behind));
    }
    return decode(prefix) + decode(filling) + decode(row->kept[1]);
  }

  std::string decode(std::span<const i32> ids) const {
    return setup_.tokenizer->decode(ids, false);
  }

  const InfillSetup& setup_;
};

}  // namespace

std::unique_ptr<io::RecordMapper> make_infill_restorer(const InfillSetup& setup) {
  return std::make_unique<InfillRestorer>(setup);
}

}  // namespace lm::transform_tool
