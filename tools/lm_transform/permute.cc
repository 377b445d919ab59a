// permute: the units of every sentence in a drawn order, and back.

#include "permute.h"

#include <atomic>

#include "core/str.h"
#include "io/held.h"
#include "io/json.h"
#include "transform.h"
#include "transform/surprisal.h"

namespace lm::transform_tool {

namespace {

/// Counts over all worker threads, for the report.
struct Totals {
  std::atomic<i64> sentences{0};
  std::atomic<i64> units{0};
  std::atomic<i64> moved{0};  // sentences in another order
};

class Permuter final : public io::RecordMapper {
 public:
  Permuter(const PermuteSetup& setup, Totals& totals)
      : setup_(setup),
        totals_(totals),
        state_(setup.tokenizer == nullptr ? nullptr : setup.tokenizer->new_state()) {}

  std::optional<Fault> map(io::Record& record, std::string& out) override {
    io::JsonReader& json = record.json;
    const Result<std::string> id = io::record_id(json, kId, record.ordinal);
    if (!id) return id.fault();
    std::optional<Fault> fault = setup_.ids ? read_ids(json) : read_text(json);
    if (!fault && setup_.meta) fault = json.settable(kMeta);
    for (i64 copy = 0; !fault && copy < setup_.orders; ++copy) {
      io::RecordEdit edit(json);
      if (copy > 0 && setup_.unique_ids) edit.set(kId, io::json_string(cat(*id, "#", copy)));
      fault = permute(tf::Draws(setup_.seed, *id, setup_.epoch + copy), setup_.epoch + copy, edit);
      if (!fault) edit.write(out);
    }
    return fault;
  }

 private:
  std::optional<Fault> read_ids(io::JsonReader& json) {
    ids_.clear();
    return json.integers(kProduct, setup_.tokenizer->vocab_size(), ids_);
  }

  /// The text, its tokens, and what the record says of its units.
  std::optional<Fault> read_text(io::JsonReader& json) {
    const Result<std::string_view> text = json.string(kProduct);
    if (!text) return text.fault();
    text_ = *text;
    if (setup_.rules.units == tf::UnitKind::kNone) return std::nullopt;
    if (std::optional<Fault> fault = read_units(json)) return fault;
    if (setup_.tokenizer == nullptr) return std::nullopt;
    std::vector<i32> ids;
    std::vector<std::pair<i64, i64>> offsets;
    if (std::optional<Fault> fault =
            text::encode_record(*setup_.tokenizer, text_, *state_, ids, &offsets))
      return fault;
    tokens_ = tf::piece_tokens(text_, offsets);
    return std::nullopt;
  }

  std::optional<Fault> read_units(const io::JsonReader& json) {
    given_ = {};
    if (setup_.units_from == UnitsFrom::kRules) return std::nullopt;
    const std::string& name = json.path(kUnits);
    if (!json.has(kUnits))
      return Fault{"missing", cat("field ", quote(name), " is missing, which says where units are"),
                   -1};
    if (setup_.units_from == UnitsFrom::kChunks) {
      Result<std::vector<tf::Span>> chunks = tf::read_chunks(json.raw(kUnits), text_, name);
      if (!chunks) return chunks.fault();
      given_.chunks = std::move(*chunks);
      return std::nullopt;
    }
    const Result<std::vector<tf::Surprisal>> surprisals =
        tf::read_surprisals(json.raw(kUnits), text_, setup_.tokenizer, name);
    if (!surprisals) return surprisals.fault();
    given_.cuts = tf::surprisal_cuts(text_, *surprisals);
    return std::nullopt;
  }

  std::optional<Fault> permute(const tf::Draws& draws, i64 epoch, io::RecordEdit& edit) {
    if (setup_.rules.units == tf::UnitKind::kNone) return std::nullopt;
    if (setup_.ids) {
      const Result<std::vector<tf::OrderedSentence>> sentences =
          tf::order_ids(ids_, *setup_.tokenizer, setup_.rules, draws);
      if (!sentences) return sentences.fault();
      const tf::ReorderedIds made = tf::reorder_ids(ids_, *sentences);
      std::string list;
      append_list(list, made.ids);
      finish(*sentences, made.moved, std::move(list), tf::digest_of(ids_), epoch, edit);
      return std::nullopt;
    }
    const std::vector<tf::OrderedSentence> sentences = tf::order_text(
        text_, setup_.tokenizer == nullptr ? nullptr : &tokens_, setup_.rules, given_, draws);
    const tf::ReorderedText made = tf::reorder_text(text_, sentences);
    finish(sentences, made.moved, io::json_string(made.text), tf::digest_of(text_), epoch, edit);
    return std::nullopt;
  }

  void finish(std::span<const tf::OrderedSentence> sentences, std::span<const tf::Moved> moved,
              std::string value, u64 digest, i64 epoch, io::RecordEdit& edit) {
    i64 units = 0;
    for (const tf::OrderedSentence& sentence : sentences)
      units += isize(sentence.units);
    totals_.sentences += isize(sentences);
    totals_.units += units;
    totals_.moved += isize(moved);
    // What no sentence was moved in stays as it is spelt.
    if (!moved.empty()) edit.set(kProduct, std::move(value));
    if (!setup_.meta) return;
    edit.set(kMeta, cat("{\"how\":", io::json_string(setup_.how), ",\"level\":\"",
                        setup_.ids ? "token" : "text", "\",\"epoch\":", epoch, ",\"digest\":\"",
                        hex64(digest), "\",\"moved\":", tf::moved_json(moved), "}"));
  }

  const PermuteSetup& setup_;
  Totals& totals_;
  std::unique_ptr<text::EncodeState> state_;
  std::string text_;
  std::vector<i32> ids_;
  std::vector<tf::Span> tokens_;
  tf::GivenUnits given_;
};

PermuteSetup read_setup(const cli::Tool& tool) {
  const cli::Options& options = tool.options();
  PermuteSetup setup;
  setup.how = options.text("permute");
  const std::optional<tf::PermuteRules> rules = tf::parse_permute(setup.how);
  if (!rules)
    throw Error(ErrorKind::kUsage, cat("--permute ", quote(setup.how), ": there is no such way"),
                "none, token, token-reverse, ngram:K, chunk, chunk-reverse");
  setup.rules = *rules;
  setup.rules.most = options.integer("max-unit");
  const bool reversed = setup.how.ends_with("-reverse");
  if (reversed && options.asked("permute-probs"))
    throw Error(ErrorKind::kUsage,
                cat("--permute ", setup.how, " has one order: --permute-probs has no meaning"));
  if (!reversed) {
    const std::optional<tf::OrderOdds> odds = tf::parse_odds(options.text("permute-probs"));
    if (!odds)
      throw Error(ErrorKind::kUsage,
                  cat("--permute-probs ", quote(options.text("permute-probs")),
                      ": expected three numbers, at least 0 and not all 0"),
                  "how often units stay, are reversed, are in any order: 1,1,1");
    setup.rules.odds = *odds;
  }
  setup.ids = options.text("level") == "token";
  setup.meta = options.on("meta");
  setup.unique_ids = options.on("unique-ids");
  setup.orders = options.integer("orders");
  setup.epoch = options.integer("epoch");
  setup.seed = tool.seed();
  setup.paths = {"id", options.text(setup.ids ? "ids-field" : "field"), meta_field(options)};
  if (options.given("chunks-field")) {
    setup.units_from = UnitsFrom::kChunks;
    setup.paths.push_back(options.text("chunks-field"));
  } else if (options.given("chunk-lm")) {
    setup.units_from = UnitsFrom::kSurprisal;
    setup.paths.push_back(options.text("chunk-lm"));
  }
  if (setup.units_from != UnitsFrom::kRules && setup.ids)
    throw Error(ErrorKind::kUsage, "--chunks-field and --chunk-lm speak of texts, not of token ids",
                "--level text, or the rules");
  if (setup.units_from != UnitsFrom::kRules && setup.rules.units != tf::UnitKind::kChunks)
    throw Error(ErrorKind::kUsage,
                cat("--chunks-field and --chunk-lm are for --permute chunk, not ", setup.how));
  if (setup.ids && !options.given("tokenizer") && !options.on("inverse"))
    throw Error(ErrorKind::kUsage, "--level token needs the tokenizer of the ids",
                "-m FILE names it");
  return setup;
}

}  // namespace

void run_permute(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  PermuteSetup setup = read_setup(tool);
  io::check_apart(setup.paths);
  tool.input();
  const std::unique_ptr<text::Tokenizer> tokenizer = open_tokenizer(tool);
  setup.tokenizer = tokenizer.get();
  if (options.on("inverse")) {
    tool.records().map(setup.paths, [&] { return make_restorer(setup); });
    return;
  }
  Totals totals;
  tool.records().map(setup.paths, [&] { return std::make_unique<Permuter>(setup, totals); });
  tool.add_metric("sentences", cat(totals.sentences.load()));
  tool.add_metric("units", cat(totals.units.load()));
  tool.add_metric("moved_sentences", cat(totals.moved.load()));
}

}  // namespace lm::transform_tool
