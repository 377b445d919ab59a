// lm-decode infill: documents with holes become documents.

#include "infill.h"

#include "adapters.h"
#include "common/held_run.h"
#include "common/model_options.h"
#include "common/sampling_options.h"
#include "core/clock.h"
#include "core/str.h"
#include "decode/generate.h"
#include "decode/infill.h"
#include "generate_json.h"
#include "models.h"
#include "tally.h"
#include "text/pretokenize.h"

namespace lm::decode_tool {

namespace {

using decode::Completion;
using decode::Generated;
using decode::GenerateRequest;

enum Field : i64 {
  kId,
  kParams,
  kPromptTokens,
  kCompletions,
  kModel,
  kLm,
  kPrefix,
  kSuffix,
  kPrompt,
  kAdapter
};

struct InfillWork : io::HeldWork {
  GenerateRequest request;
  std::vector<std::string> kept;  // pieces of the document
  std::vector<std::string> stops;
  bool include_stop = false;
  u64 seed = 0;
  std::string params_json;
  i64 prompt_tokens = 0;
  Generated result;
};

class InfillMode : public io::HeldMapper {
 public:
  InfillMode(cli::Tool& tool, decode::Session& session, const decode::ModelDefaults& defaults,
             const Adapters& adapters)
      : tool_(tool),
        options_(tool.options()),
        session_(session),
        defaults_(tool_options::params_of(options_, tool.seed(), session.cfg().vocab, defaults)),
        adapters_(adapters),
        format_(text::infill_format(options_.text("format"))),
        tokens_(text::infill_tokens(format_, session.tokenizer())),
        encoder_(session.tokenizer(), session.begin()),
        detail_{options_.on("tokens"), options_.on("logprobs"), false},
        rules_{options_.integer("lines"), options_.on("trim-suffix")},
        generator_(session.engine(), session.tokenizer(), session.generate_options()),
        tally_(tool) {
    for (const std::string& pattern : options_.list("truncate-before")) {
      try {
        before_.emplace_back(pattern);
      } catch (const Error& e) {
        throw Error(ErrorKind::kUsage, cat("--truncate-before: ", e.message()));
      }
    }
  }

  std::vector<std::string> paths() const override {
    std::vector<std::string> out = {"id",
                                    "params",
                                    "prompt_tokens",
                                    "completions",
                                    "model",
                                    "lm",
                                    options_.text("prefix-field"),
                                    options_.text("suffix-field"),
                                    options_.text("prompt-field")};
    if (adapters_.any()) out.push_back(adapters_.field());
    return out;
  }
  /// Of what shapes results beside options and model.
  u64 key() const { return xxh3_64(format_key()); }

  std::optional<Fault> prepare(io::Record& record, io::Prepared& out) override {
    const Result<std::string> id = io::record_id(record.json, kId, record.ordinal);
    if (!id) return id.fault();
    std::unique_ptr<InfillWork> work = std::make_unique<InfillWork>();
    work->id = *id;
    GenerateRequest& r = work->request;
    r.id = *id;
    r.params = defaults_;
    if (record.json.has(kParams)) {
      if (std::optional<Fault> fault = decode::apply_params(record.json.raw(kParams), r.params))
        return fault;
    }
    if (std::optional<Fault> fault = adapters_.choose(record.json, kAdapter, session_, r.adapters))
      return fault;
    if (std::optional<Fault> fault = read_pieces(record.json, work->kept)) return fault;
    if (std::optional<Fault> fault = make_prompt(work->kept, r.prompt)) return fault;
    const i64 holes = isize(work->kept) - 1;
    r.constraint = std::make_shared<decode::InfillConstraint>(tokens_, holes, rules_.lines);
    r.logprobs = options_.on("logprobs");
    // A training row predicts the first mask behind the separator.
    if (options_.on("prefix-mask"))
      r.prefix = isize(r.prompt) - (tokens_.layout == text::InfillLayout::kMasks ? 1 : 0);
    work->seed = *r.params.seed;
    work->stops = r.params.stop;
    work->include_stop = r.params.include_stop;
    work->params_json = decode::params_json(r.params, session_.activation());
    work->prompt_tokens = isize(r.prompt);
    out.work = std::move(work);
    return std::nullopt;
  }

  void add(io::HeldWork& work) override { generator_.add(std::move(own(work).request)); }
  i64 pending() const override { return generator_.pending(); }
  bool step() override { return generator_.step(); }
  bool poll(io::HeldWork& work) override {
    std::optional<Generated> result = generator_.take();
    if (!result) return false;
    own(work).result = std::move(*result);
    return true;
  }

  std::optional<Fault> finish(io::JsonReader& json, io::HeldWork& base, std::string& out) override {
    InfillWork& work = own(base);
    if (work.result.fault) return work.result.fault;
    tally_.add(work.id, work.result.completions);
    std::string list = "[";
    for (i64 i = 0; i < isize(work.result.completions); ++i)
      append(list, i > 0 ? "," : "", completion_of(work, i));
    io::ResultLine line(json, options_.on("drop-extra"));
    line.set_id(kId, work.id);
    line.set(kPromptTokens, "prompt_tokens", cat(work.prompt_tokens));
    line.set(kCompletions, "completions", list + "]");
    line.set(kParams, "params", work.params_json);
    line.set(kModel, "model", io::json_string(session_.digest()));
    line.set(kLm, "lm", tool_options::made_by(tool_, work));
    line.write(out);
    return std::nullopt;
  }

  void count_reused(io::JsonReader&, std::string_view) override { tally_.add_reused(); }
  void report(f64 wall_s) const {
    tally_.report(generator_.stats(), wall_s, session_.engine().cache().total_pages());
  }

 private:
  static InfillWork& own(io::HeldWork& work) { return static_cast<InfillWork&>(work); }

  std::string format_key() const {
    std::string out = cat(static_cast<i64>(tokens_.layout), " ", tokens_.end, " ", tokens_.eos);
    for (const i32 id : tokens_.sentinels)
      append(out, " ", id);
    return out;
  }

  std::optional<Fault> read_pieces(io::JsonReader& json, std::vector<std::string>& out) {
    const bool parts = json.has(kPrefix) || json.has(kSuffix);
    if (parts && json.has(kPrompt))
      return Fault{"prompt",
                   cat("fields ", quote(json.path(json.has(kPrefix) ? kPrefix : kSuffix)), " and ",
                       quote(json.path(kPrompt)), " both say what to fill, expected one of them"),
                   -1};
    for (const i64 field : {i64{kPrefix}, i64{kSuffix}}) {
      if (!parts) break;
      const Result<std::string_view> text = json.string(field);
      if (!text) return text.fault();
      out.emplace_back(*text);
    }
    if (parts) return std::nullopt;
    const Result<std::string_view> text = json.string(kPrompt);
    if (!text) return text.fault();
    out = decode::kept_pieces(*text);
    const i64 holes = isize(out) - 1;
    const i64 most = tokens_.layout == text::InfillLayout::kMasks ? isize(tokens_.masks) : 1;
    if (holes == 0)
      return Fault{"prompt",
                   cat("field ", quote(json.path(kPrompt)), " has no ", decode::kFillMark), -1};
    if (holes > most)
      return Fault{"prompt",
                   cat(holes, " holes, the format ", format_.name, " has ", most,
                       most == 1 ? " hole" : " masks in this vocabulary"),
                   -1};
    return std::nullopt;
  }

  std::optional<Fault> make_prompt(const std::vector<std::string>& kept,
                                   std::vector<decode::PromptRow>& rows) {
    std::vector<std::vector<i32>> pieces;
    for (const std::string& text : kept) {
      Result<std::vector<i32>> ids = encoder_.piece(text);
      if (!ids) return ids.fault();
      pieces.push_back(std::move(*ids));
    }
    std::vector<i32> ids;
    if (encoder_.begin()) ids.push_back(*encoder_.begin());
    text::append_infill_prompt(tokens_, pieces, ids);
    rows = decode::prompt_rows(ids);
    return std::nullopt;
  }

  /// text becomes the document with its holes filled.
  std::string completion_of(InfillWork& work, i64 index) {
    Completion& c = work.result.completions[usize(index)];
    const i64 holes = isize(work.kept) - 1;
    std::string middles = "[";
    i64 trimmed = 0;
    c.text = work.kept[0];
    const std::vector<std::vector<i32>> fillings = decode::read_fillings(tokens_, c.tokens, holes);
    for (i64 h = 0; h < holes; ++h) {
      std::string middle = session_.tokenizer().decode(fillings[usize(h)], false);
      if (c.finish_reason == "stop_string") cut_at_stop(work, middle);
      middle.resize(usize(first_match(middle)));
      const std::string& behind = work.kept[usize(h + 1)];
      const i64 lines = decode::kept_filling(middle, behind, {rules_.lines, false});
      const i64 stays = decode::kept_filling(middle, behind, rules_);
      trimmed += lines - stays;
      middle.resize(usize(stays));
      append(middles, h > 0 ? "," : "", io::json_string(middle));
      append(c.text, middle, behind);
    }
    std::string more = cat(",\"middles\":", middles, "]");
    if (trimmed > 0) append(more, ",\"trimmed\":", trimmed);
    return completion_json(c, index, work.seed, detail_, more);
  }

  /// The stop string that ended the text stands in the last filling that has any.
  static void cut_at_stop(const InfillWork& work, std::string& middle) {
    std::size_t end = middle.size();
    for (const std::string& stop : work.stops) {
      const std::size_t at = middle.find(stop);
      if (at != std::string::npos) end = std::min(end, at + (work.include_stop ? stop.size() : 0));
    }
    middle.resize(end);
  }

  i64 first_match(const std::string& text) {
    i64 at = isize(text);
    for (const text::Regex& pattern : before_) {
      std::vector<text::Span> found;
      pattern.try_find(text, 1, work_, found);
      if (!found.empty()) at = std::min(at, static_cast<i64>(found[0].begin));
    }
    return at;
  }

  cli::Tool& tool_;
  const cli::Options& options_;
  decode::Session& session_;
  decode::SampleParams defaults_;
  const Adapters& adapters_;
  text::InfillFormat format_;
  text::InfillTokens tokens_;
  decode::PromptEncoder encoder_;
  CompletionDetail detail_;
  decode::FillingRules rules_;
  std::vector<text::Regex> before_;
  text::RegexWork work_;
  decode::Generator generator_;
  Tally tally_;
};

}  // namespace

void run_infill(cli::Tool& tool) {
  const Adapters adapters(tool);
  const std::unique_ptr<decode::Session> session =
      tool_options::open_model(tool, 0, 0, adapters.folders());
  const decode::ModelDefaults defaults = tool_options::model_defaults(tool);
  InfillMode mode(tool, *session, defaults, adapters);
  std::vector<u64> keys = {session->key(), mode.key()};
  if (defaults.key() != 0) keys.push_back(defaults.key());
  const f64 start = monotonic_s();
  tool_options::run_held(tool, mode, 4 * session->options().batch, keys);
  mode.report(monotonic_s() - start);
}

}  // namespace lm::decode_tool
