// encode and decode: ids into records, and back.

#include <algorithm>
#include <atomic>

#include "core/str.h"
#include "io/json.h"
#include "text/segment.h"
#include "tokenize.h"

namespace lm::tokenize_tool {

std::unique_ptr<text::Tokenizer> load_model(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  if (!options.given("model")) {
    throw Error(ErrorKind::kUsage, "which tokenizer? give -m FILE",
                "a tokenizer.json, a .tiktoken file, a SentencePiece .model, or a model folder");
  }
  text::LoadOptions load;
  if (options.find("special") != nullptr) {
    const std::string& special = options.text("special");
    load.special = special == "text"    ? text::SpecialPolicy::kText
                   : special == "error" ? text::SpecialPolicy::kError
                                        : text::SpecialPolicy::kParse;
    load.add_specials = options.on("template");
    load.pattern = options.text("pattern");
    load.bos_token = options.text("bos-token");
    load.eos_token = options.text("eos-token");
  }
  std::unique_ptr<text::Tokenizer> tokenizer = text::load_tokenizer(options.text("model"), load);
  tool.set_param("model", io::json_string(cat("sha256:", tokenizer->digest())));
  return tokenizer;
}

Around around_of(cli::Tool& tool, const text::Tokenizer& tokenizer) {
  const cli::Options& options = tool.options();
  const bool pack = tool.verb() == "pack";
  const bool starts_rows =
      pack && options.given("seq-len") && options.text("mode") == "bos-bestfit";
  Around around;
  if (options.on("bos") || starts_rows) {
    if (!tokenizer.bos()) {
      throw Error(ErrorKind::kUsage,
                  cat(starts_rows ? "--mode bos-bestfit" : "--bos",
                      ": the tokenizer has no beginning-of-text token"),
                  "--bos-token TEXT names one");
    }
    around.bos = tokenizer.bos();
    tool.set_param("bos_id", cat(*around.bos));
  }
  const bool by_default = pack && !options.explicitly("eos") && tokenizer.eos();
  if (options.on("eos") || by_default) {
    if (!tokenizer.eos()) {
      throw Error(ErrorKind::kUsage, "--eos: the tokenizer has no end-of-text token",
                  "--eos-token TEXT names one");
    }
    around.eos = tokenizer.eos();
    tool.set_param("eos_id", cat(*around.eos));
  }
  return around;
}

namespace {

/// Faults as text::encode_record. offsets count from the text's beginning, stripped or not.
std::optional<Fault> encode_text(const text::Tokenizer& tokenizer, text::EncodeState& state,
                                 std::string_view text, bool strip, const std::string& field,
                                 std::vector<i32>& ids, std::vector<std::pair<i64, i64>>* offsets) {
  const std::string_view kept = strip ? text::strip(text) : text;
  if (std::optional<Fault> fault = text::encode_record(tokenizer, kept, state, ids, offsets)) {
    fault->detail = fault->code == "special"
                        ? cat("field ", quote(field), " contains the text of a special token")
                        : cat("field ", quote(field), ": ", fault->detail);
    return fault;
  }
  const i64 skipped = kept.data() - text.data();
  for (std::size_t i = 0; offsets != nullptr && skipped > 0 && i < offsets->size(); ++i) {
    (*offsets)[i].first += skipped;
    (*offsets)[i].second += skipped;
  }
  return std::nullopt;
}

/// The ids of a field; where it is missing the message says how another one is named.
std::optional<Fault> read_ids(const io::JsonReader& json, const text::Tokenizer& tokenizer,
                              std::vector<i32>& ids) {
  std::optional<Fault> fault = json.integers(0, tokenizer.vocab_size(), ids);
  if (fault && fault->code == "missing") fault->detail += " (--ids-field names another field)";
  return fault;
}

}  // namespace

RecordTokens::RecordTokens(const cli::Tool& tool, const text::Tokenizer& tokenizer)
    : tokenizer_(tokenizer),
      state_(tokenizer.new_state()),
      from_ids_(tool.options().on("from-ids")),
      strip_(tool.options().on("strip")) {}

std::vector<std::string> RecordTokens::paths(const cli::Tool& tool) {
  return {tool.options().on("from-ids") ? tool.options().text("ids-field")
                                        : tool.options().text("field")};
}

std::optional<Fault> RecordTokens::read(io::JsonReader& json, std::vector<i32>& ids,
                                        std::vector<std::pair<i64, i64>>* offsets) {
  if (from_ids_) return read_ids(json, tokenizer_, ids);
  const Result<std::string_view> text = json.string(0);
  if (!text) return text.fault();
  return encode_text(tokenizer_, *state_, *text, strip_, json.path(0), ids, offsets);
}

namespace {

void append_ids(std::string& out, std::span<const i32> ids) {
  out.push_back('[');
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) out.push_back(',');
    append(out, ids[i]);
  }
  out.push_back(']');
}

// Counts over all worker threads, for the report.
struct Totals {
  std::atomic<i64> tokens{0};
  std::atomic<i64> specials{0};
  std::atomic<i64> bytes{0};
};

enum Path { kText, kIds, kCount, kOffsets };

std::vector<Path> written(const cli::Options& options) {
  if (options.on("count")) return {kCount};
  std::vector<Path> out = {kIds};
  if (options.on("n-tokens")) out.push_back(kCount);
  if (options.on("offsets")) out.push_back(kOffsets);
  return out;
}

class Encoder final : public io::RecordMapper {
 public:
  Encoder(const cli::Tool& tool, const text::Tokenizer& tokenizer, Around around, Totals& totals)
      : options_(tool.options()),
        tokenizer_(tokenizer),
        state_(tokenizer.new_state()),
        around_(around),
        totals_(totals) {}

  std::optional<Fault> map(io::Record& record, std::string& out) override {
    const Result<std::string_view> text = record.json.string(kText);
    if (!text) return text.fault();
    for (const Path path : written(options_)) {
      if (std::optional<Fault> fault = record.json.settable(path)) return fault;
    }
    ids_.clear();
    offsets_.clear();
    const bool want_offsets = options_.on("offsets");
    const i64 before = state_->specials_in_text;
    if (std::optional<Fault> fault =
            encode_text(tokenizer_, *state_, *text, options_.on("strip"), record.json.path(kText),
                        ids_, want_offsets ? &offsets_ : nullptr))
      return fault;
    if (around_.bos && (ids_.empty() || ids_.front() != *around_.bos)) {
      ids_.insert(ids_.begin(), *around_.bos);
      if (want_offsets) offsets_.insert(offsets_.begin(), {0, 0});
    }
    if (around_.eos && (ids_.empty() || ids_.back() != *around_.eos)) {
      ids_.push_back(*around_.eos);
      const i64 end = static_cast<i64>(text->size());
      if (want_offsets) offsets_.emplace_back(end, end);
    }
    totals_.tokens += isize(ids_);
    totals_.specials += state_->specials_in_text - before;
    totals_.bytes += static_cast<i64>(text->size());
    write(record, out);
    return std::nullopt;
  }

 private:
  void write(io::Record& record, std::string& out) {
    io::RecordEdit edit(record.json);
    const bool only_count = options_.on("count");
    if (!only_count) {
      std::string list;
      append_ids(list, ids_);
      edit.set(kIds, std::move(list));
    }
    if (only_count || options_.on("n-tokens")) edit.set(kCount, cat(isize(ids_)));
    if (options_.on("offsets") && !only_count) {
      std::string list = "[";
      for (const auto& [begin, end] : offsets_)
        append(list, list.size() > 1 ? "," : "", "[", begin, ",", end, "]");
      edit.set(kOffsets, list + "]");
    }
    if (options_.on("drop-text")) edit.remove(kText);
    edit.write(out);
  }

  const cli::Options& options_;
  const text::Tokenizer& tokenizer_;
  std::unique_ptr<text::EncodeState> state_;
  Around around_;
  Totals& totals_;
  std::vector<i32> ids_;
  std::vector<std::pair<i64, i64>> offsets_;
};

class Decoder final : public io::RecordMapper {
 public:
  Decoder(const cli::Tool& tool, const text::Tokenizer& tokenizer)
      : options_(tool.options()), tokenizer_(tokenizer) {}

  std::optional<Fault> map(io::Record& record, std::string& out) override {
    ids_.clear();
    if (std::optional<Fault> fault = read_ids(record.json, tokenizer_, ids_)) return fault;
    if (std::optional<Fault> fault = record.json.settable(1)) return fault;
    std::string text;
    try {
      text = tokenizer_.decode(ids_, options_.on("skip-specials"));
    } catch (const Error& e) {  // an id in range that names no token
      return Fault{"range", cat("field ", quote(record.json.path(0)), ": ", e.message()), -1};
    }
    io::RecordEdit edit(record.json);
    edit.set(1, io::json_string(text));
    if (options_.on("drop-ids")) edit.remove(0);
    edit.write(out);
    return std::nullopt;
  }

 private:
  const cli::Options& options_;
  const text::Tokenizer& tokenizer_;
  std::vector<i32> ids_;
};

}  // namespace

void run_encode(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const std::vector<std::string> paths = {options.text("field"), options.text("ids-field"),
                                          "n_tokens", "offsets"};
  std::vector<std::string> used = {paths[kText]};
  for (const Path path : written(options))
    used.push_back(paths[path]);
  io::check_apart(used);
  tool.input();
  const std::unique_ptr<text::Tokenizer> tokenizer = load_model(tool);
  const Around around = around_of(tool, *tokenizer);
  Totals totals;
  io::RecordRun& run = tool.records();
  run.map(paths, [&] { return std::make_unique<Encoder>(tool, *tokenizer, around, totals); });
  tool.add_metric("tokens", cat(totals.tokens.load()));
  tool.add_metric("text_bytes", cat(totals.bytes.load()));
  tool.add_metric("specials_in_text", cat(totals.specials.load()));
  if (totals.specials.load() > 0) {
    tool.console().message(
        LogLevel::kWarning,
        cat(totals.specials.load(),
            " special tokens were found in the text of documents (--special text|error)"));
  }
}

void run_decode(cli::Tool& tool) {
  const std::vector<std::string> paths = {tool.options().text("ids-field"),
                                          tool.options().text("field")};
  io::check_apart(paths);
  tool.input();
  const std::unique_ptr<text::Tokenizer> tokenizer = load_model(tool);
  io::RecordRun& run = tool.records();
  run.map(paths, [&] { return std::make_unique<Decoder>(tool, *tokenizer); });
}

}  // namespace lm::tokenize_tool
