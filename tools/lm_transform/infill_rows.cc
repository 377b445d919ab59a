// infill: the row of a document.

#include <algorithm>

#include "core/str.h"
#include "infill.h"
#include "io/held.h"
#include "io/json.h"
#include "transform.h"
#include "transform/infill_document.h"
#include "transform/permute.h"

namespace lm::transform_tool {

namespace {

/// A document in tokens: ids and where each lies, or pieces of text, which are numbered.
struct Document {
  std::vector<i32> ids;
  std::vector<std::pair<i64, i64>> offsets;
};

class Infiller final : public io::RecordMapper {
 public:
  Infiller(const InfillSetup& setup, InfillTotals& totals)
      : setup_(setup),
        totals_(totals),
        state_(setup.tokenizer == nullptr ? nullptr : setup.tokenizer->new_state()) {}

  std::optional<Fault> map(io::Record& record, std::string& out) override {
    io::JsonReader& json = record.json;
    const Result<std::string> id = io::record_id(json, kInfillId, record.ordinal);
    if (!id) return id.fault();
    const Result<std::string_view> text = json.string(kInfillText);
    if (!text) return text.fault();
    for (i64 i = kInfillMeta; i < json.path_count(); ++i)
      if (std::optional<Fault> fault = json.settable(i)) return fault;
    const tf::Draws draws(setup_.seed, *id, setup_.epoch);
    std::string_view kept = *text;
    tf::InfillRow row;
    Document document;
    while (true) {
      if (std::optional<Fault> fault = make(kept, draws, document, row)) return fault;
      if (setup_.most == 0 || isize(row.ids) <= setup_.most) break;
      const std::string_view shorter = cut_at_line(kept, document, row);
      if (shorter.empty())
        return Fault{"too_long",
                     cat("a row of ", row.ids.size(), " tokens, expected at most ", setup_.most,
                         ", and no line end to cut the text at"),
                     -1};
      kept = shorter;
    }
    count(row, document, isize(*text) - isize(kept));
    write(json, *text, kept, row, document, out);
    return std::nullopt;
  }

 private:
  /// The row of a text as drawn.
  std::optional<Fault> make(std::string_view text, const tf::Draws& draws, Document& document,
                            tf::InfillRow& row) {
    if (std::optional<Fault> fault = read_tokens(text, document)) return fault;
    const i64 n = isize(document.ids);
    const text::InfillTokens& tokens = sentinels();
    const tf::RowKind kind = tf::draw_kind(setup_.rules, n, draws);
    if (kind == tf::RowKind::kInfill && !setup_.masks()) return middle_row(text, draws, row);
    row = tf::draw_row(setup_.rules, tokens, document.ids, kind, draws);
    if (kind == tf::RowKind::kInfill) return std::nullopt;
    if (setup_.tokenizer != nullptr && (row.ids.empty() || row.ids.back() != tokens.eos))
      row.ids.push_back(tokens.eos);
    return std::nullopt;
  }

  std::optional<Fault> middle_row(std::string_view text, const tf::Draws& draws,
                                  tf::InfillRow& row) {
    const auto [first, second] = tf::draw_middle(text, draws);
    const tf::Span spans[] = {{0, first}, {first, second}, {second, isize(text)}};
    std::vector<i32> parts[3];
    pieces_.clear();
    for (std::size_t i = 0; i < 3; ++i) {
      if (setup_.tokenizer == nullptr) {
        if (spans[i].begin == spans[i].end) continue;
        parts[i].push_back(static_cast<i32>(pieces_.size()));
        pieces_.push_back(spans[i]);
        continue;
      }
      if (std::optional<Fault> fault = encode(tf::part(text, spans[i]), parts[i], nullptr))
        return fault;
    }
    row = tf::move_middle(sentinels(), parts[0], parts[1], parts[2]);
    return std::nullopt;
  }

  std::optional<Fault> read_tokens(std::string_view text, Document& document) {
    document.ids.clear();
    document.offsets.clear();
    if (setup_.tokenizer != nullptr) return encode(text, document.ids, &document.offsets);
    if (const std::optional<std::string> found = setup_.as_text->sentinel_in(text))
      return Fault{"special", cat("the text contains ", quote(*found), ", a token of the format"),
                   -1};
    pieces_ = tf::InfillText::pieces(text);
    for (const tf::Span& piece : pieces_) {
      document.ids.push_back(static_cast<i32>(document.ids.size()));
      document.offsets.emplace_back(piece.begin, piece.end);
    }
    return std::nullopt;
  }

  std::optional<Fault> encode(std::string_view text, std::vector<i32>& ids,
                              std::vector<std::pair<i64, i64>>* offsets) {
    if (std::optional<Fault> fault =
            text::encode_record(*setup_.tokenizer, text, *state_, ids, offsets))
      return fault;
    for (const i32 id : ids)
      if (setup_.tokens.is_sentinel(id))
        return Fault{"special", cat("the text contains token ", id, " of the format"), -1};
    return std::nullopt;
  }

  const text::InfillTokens& sentinels() const {
    return setup_.as_text ? setup_.as_text->tokens() : setup_.tokens;
  }

  /// The text up to the last line end that lets the row fit, as far as its length now says: what a
  /// row has beyond its document stays.
  std::string_view cut_at_line(std::string_view text, const Document& document,
                               const tf::InfillRow& row) const {
    const i64 over = isize(row.ids) - setup_.most;
    const i64 keep = isize(document.ids) - std::min(over, isize(document.ids));
    if (keep <= 0) return {};
    const i64 most = document.offsets[usize(keep - 1)].second;
    const std::size_t end = text.substr(0, usize(std::min(most, isize(text) - 1))).rfind('\n');
    return end == std::string_view::npos ? std::string_view() : text.substr(0, end + 1);
  }

  void count(const tf::InfillRow& row, const Document& document, i64 bytes_cut) {
    if (row.kind == tf::RowKind::kCausal) ++totals_.causal;
    if (row.kind == tf::RowKind::kPrefix) ++totals_.prefix;
    if (row.kind == tf::RowKind::kInfill) {
      ++totals_.infill;
      totals_.tokens += isize(document.ids);
      totals_.masked += row.masked;
      totals_.holes += row.holes;
      if (setup_.masks() && row.holes == isize(sentinels().masks)) ++totals_.few_masks;
    }
    if (bytes_cut > 0) {
      ++totals_.cut;
      totals_.bytes_cut += bytes_cut;
    }
  }

  void write(const io::JsonReader& json, std::string_view text, std::string_view kept,
             const tf::InfillRow& row, const Document& document, std::string& out) const {
    io::RecordEdit edit(json);
    if (setup_.meta) {
      std::string meta = cat("{\"format\":", io::json_string(setup_.format), ",\"kind\":\"",
                             tf::row_kind_name(row.kind), "\",\"epoch\":", setup_.epoch);
      if (row.kind == tf::RowKind::kInfill)
        append(meta, ",\"tokens\":", document.ids.size(), ",\"holes\":", row.holes,
               ",\"masked\":", row.masked, ",\"prompt\":", row.prefix);
      if (isize(kept) < isize(text)) append(meta, ",\"bytes_cut\":", isize(text) - isize(kept));
      append(meta, ",\"digest\":\"", hex64(tf::digest_of(kept)), "\"}");
      edit.set(kInfillMeta, std::move(meta));
    }
    if (setup_.tokenizer == nullptr) {
      if (row.kind == tf::RowKind::kInfill)
        edit.set(kInfillText, io::json_string(setup_.as_text->spell(row, kept, pieces_)));
      else if (isize(kept) < isize(text))
        edit.set(kInfillText, io::json_string(kept));
      edit.write(out);
      return;
    }
    std::string list;
    append_list(list, row.ids);
    edit.set(kInfillIds, std::move(list));
    const bool prefix = row.kind == tf::RowKind::kPrefix || setup_.loss_on_fillings;
    if (setup_.loss_mask) {
      std::vector<i32> mask(row.ids.size(), 1);
      if (prefix) std::fill_n(mask.begin(), row.prefix, 0);
      list.clear();
      append_list(list, mask);
      edit.set(kInfillMask, std::move(list));
    }
    edit.set(kInfillPrefix, cat(prefix ? row.prefix : 0));
    if (setup_.drop_text) edit.remove(kInfillText);
    edit.write(out);
  }

  const InfillSetup& setup_;
  InfillTotals& totals_;
  std::unique_ptr<text::EncodeState> state_;
  std::vector<tf::Span> pieces_;  // what numbers of pieces stand for
};

}  // namespace

std::unique_ptr<io::RecordMapper> make_infiller(const InfillSetup& setup, InfillTotals& totals) {
  return std::make_unique<Infiller>(setup, totals);
}

}  // namespace lm::transform_tool
