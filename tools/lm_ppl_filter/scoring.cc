// The stages that give every record of a batch its score.

#include <algorithm>
#include <cmath>

#include "core/clock.h"
#include "core/str.h"
#include "filter.h"
#include "io/frame.h"
#include "io/json.h"
#include "text/utf8.h"

namespace lm::filter_tool {

namespace {

const std::string& attribute_name(const cli::Options& options) {
  const std::string& name = options.text("from-attr");
  if (name.find('.') != std::string::npos) {
    throw Error(ErrorKind::kUsage,
                cat("--from-attr: ", quote(name), " has a dot; give the attribute's key alone"));
  }
  return name;
}

/// What a perplexity of that unit is called.
std::string measure_of(const text::Scorer& scorer, text::Norm norm) {
  return cat(scorer.measure(), norm == text::Norm::kChars   ? "_char"
                               : norm == text::Norm::kBytes ? "_byte"
                                                            : "");
}

}  // namespace

Scoring::Scoring(cli::Tool& tool, bool annotate)
    : tool_(tool), annotate_(annotate), scorer_(open_scorer(tool)) {
  const cli::Options& options = tool.options();
  if (scorer_) {
    tool.set_param("scorer", io::json_string(scorer_->digest()));
    const std::string& unit = options.text("norm");
    norm_ = unit == "chars"   ? text::Norm::kChars
            : unit == "bytes" ? text::Norm::kBytes
                              : text::Norm::kTokens;
    fields_ = std::make_unique<text::ScoreFields>(options.text("field"), name_of(options),
                                                  measure_of(*scorer_, norm_));
    paths_ = fields_->paths();
    if (!scorer_->concurrent()) show_progress();
  } else {
    if (annotate)
      throw Error(ErrorKind::kUsage, "--annotate adds computed scores; --from-attr computes none");
    attribute_ = 0;
    paths_ = {cat("attributes.", attribute_name(options))};
  }
  const auto add = [this](const std::string& path) {
    paths_.push_back(path);
    return isize(paths_) - 1;
  };
  if (scorer_ && options.given("condition")) prompt_ = add(options.text("condition"));
  if (options.find("group") != nullptr && options.given("group"))
    group_ = add(options.text("group"));
  if (tool.verb() == "bucket") {
    metadata_ = add("metadata");
    add("metadata.lm_ppl");
  }
  if (scorer_)
    long_texts_ =
        std::make_unique<LongTexts>(*tool.ctx().memory, scorer_->long_text_times(), "the tokens");
  before_ = tool.ctx().memory->used();
  readers_ = std::make_unique<io::WorkerPool<io::JsonReader>>(
      [paths = paths_] { return std::make_unique<io::JsonReader>(paths); });
}

std::vector<io::BatchStage> Scoring::stages() {
  std::vector<io::BatchStage> out = {
      {StageMode::kParallel, [this](io::Batch& batch) { read(batch); }}};
  if (scorer_) {
    out.push_back({scorer_->concurrent() ? StageMode::kParallel : StageMode::kSerial,
                   [this](io::Batch& batch) { score(batch); }});
    out.push_back({StageMode::kParallel, [this](io::Batch& batch) { drop_bad(batch); }});
  }
  if (annotate_)
    out.push_back({StageMode::kParallel, [this](io::Batch& batch) { annotate(batch); }});
  return out;
}

/// Of long records two are at work at once (io::batch_pipeline): whether a run has room for them
/// depends on the records, not on which of them meet.
void Scoring::charge(const io::Record& record, std::string_view text) const {
  constexpr i64 kLong = 4 * io::kFrameBytes;
  // The record, its line, its text, both forms of the line with attributes, its frame.
  constexpr i64 kCopies = 6;
  const i64 bytes = kCopies * isize(record.line);
  if (isize(record.line) < kLong) return;
  MemoryBudget& budget = *tool_.ctx().memory;
  const i64 needed = before_ + 2 * bytes + (scorer_ ? scorer_->long_text_times() * isize(text) : 0);
  if (needed > budget.limit()) {
    throw Error(ErrorKind::kOs,
                cat("not enough memory for records of ", format_bytes(isize(record.line)),
                    ", of which two are at work at once"),
                cat("--memory ", (needed >> 20) + 1, "M would do"));
  }
  record.batch->holds.push_back(std::make_shared<MemoryHold>(budget));
  record.batch->holds.back()->add(bytes, cat("a record of ", format_bytes(isize(record.line))));
}

std::optional<Fault> Scoring::take(io::Record& record, Scored& scored) const {
  io::JsonReader& json = record.json;
  if (metadata_ >= 0) {
    if (std::optional<Fault> fault = json.object_or_none(metadata_)) return fault;
    if (std::optional<Fault> fault = json.object_or_none(metadata_ + 1)) return fault;
  }
  text::Score score;
  std::string text;
  if (scorer_) {
    if (annotate_) {
      if (std::optional<Fault> fault = fields_->check(json)) return fault;
    }
    const Result<std::string_view> value = json.string(0);
    if (!value) return value.fault();
    text = *value;
    if (prompt_ >= 0) {
      const Result<std::string_view> prompt = json.string(prompt_);
      if (!prompt) return prompt.fault();
      scored.prompts.emplace_back(*prompt);
    }
  } else {
    const Result<f64> value = text::read_document_span(json, attribute_);
    if (!value) return value.fault();
    score.value = *value;
  }
  std::string group = "all";
  if (group_ >= 0) {
    group = json.text_of(group_).value_or("");
    if (group.empty()) group = "none";
  }
  charge(record, text);
  scored.texts.push_back(std::move(text));
  scored.scores.push_back(score);
  scored.groups.push_back(std::move(group));
  scored.lines.emplace_back(record.line);
  scored.places.emplace_back(record.line_number, record.byte);
  return std::nullopt;
}

void Scoring::read(io::Batch& batch) {
  // Shared only because std::any copies; the batch is the one owner.
  batch.user = std::make_shared<Scored>();
  Scored& scored = of(batch);
  readers_->with([&](io::JsonReader& json) {
    tool_.records_only().each_record(batch, json,
                                     [&](io::Record& record) { return take(record, scored); });
  });
  // The lines are copied: of a long record the stages behind need no third copy.
  if (isize(batch.text) < 2 * io::kFrameBytes) return;
  std::string().swap(batch.text);
  batch.text_size = 0;
}

void Scoring::score(io::Batch& batch) {
  Scored& scored = of(batch);
  const std::vector<std::string_view> texts(scored.texts.begin(), scored.texts.end());
  i64 longest = 0;
  for (const std::string_view text : texts)
    longest = std::max(longest, isize(text));
  if (scorer_->long_text_times() == 0) longest = 0;
  long_texts_->with(longest, [&] {
    if (scorer_->concurrent()) return scorer_->score(texts, scored.scores);
    score_slices(scored, texts);
  });
  if (norm_ == text::Norm::kTokens) return;
  for (text::Score& score : scored.scores)
    score.value = score.perplexity(norm_);
}

/// A batch can take minutes: in slices, so that progress shows.
void Scoring::score_slices(Scored& scored, std::span<const std::string_view> texts) {
  const std::vector<std::string_view> prompts(scored.prompts.begin(), scored.prompts.end());
  constexpr std::size_t kSlice = 128;
  for (std::size_t begin = 0; begin < texts.size(); begin += kSlice) {
    const std::size_t n = std::min(kSlice, texts.size() - begin);
    const std::span<text::Score> scores = std::span(scored.scores).subspan(begin, n);
    if (prompt_ >= 0) {
      scorer_->score_after(std::span(prompts).subspan(begin, n), texts.subspan(begin, n), scores);
    } else {
      scorer_->score(texts.subspan(begin, n), scores);
    }
    for (const text::Score& score : scores)
      live_->tokens += score.tokens;
    live_->records += static_cast<i64>(n);
  }
}

/// Records whose text the scorer could not take become bad ones.
void Scoring::drop_bad(io::Batch& batch) {
  Scored& s = of(batch);
  const auto is_bad = [](const text::Score& score) { return score.fault.has_value(); };
  if (std::none_of(s.scores.begin(), s.scores.end(), is_bad)) return;
  std::size_t kept = 0;
  readers_->with([&](io::JsonReader& json) {
    for (std::size_t i = 0; i < s.lines.size(); ++i) {
      if (std::optional<Fault> fault = s.scores[i].fault) {
        fault->detail = cat("field ", quote(paths_[0]), ": ", fault->detail);
        const std::string padded = s.lines[i] + std::string(usize(io::kJsonPadding), '\0');
        const io::Record record{json,
                                std::string_view(padded).substr(0, s.lines[i].size()),
                                batch.input,
                                s.places[i].first,
                                s.places[i].second,
                                0};
        tool_.records_only().add_bad(batch, record, std::move(*fault));
        continue;
      }
      if (kept != i) {
        s.lines[kept] = std::move(s.lines[i]);
        s.scores[kept] = s.scores[i];
        s.groups[kept] = std::move(s.groups[i]);
        s.texts[kept] = std::move(s.texts[i]);
      }
      ++kept;
    }
  });
  s.lines.resize(kept);
  s.scores.resize(kept);
  s.groups.resize(kept);
  s.texts.resize(kept);
}

/// Progress of a scorer that works through a batch slowly.
void Scoring::show_progress() {
  status_.reset(new cli::StatusScope(tool_.set_status([live = live_, start = monotonic_s()] {
    const f64 wall = std::max(1e-3, monotonic_s() - start);
    return cat(live->records.load(), " records, ", live->tokens.load(), " tokens scored, ",
               format_fixed(static_cast<f64>(live->tokens.load()) / wall, 0), " tokens/s");
  })));
}

void Scoring::annotate(io::Batch& batch) {
  Scored& scored = of(batch);
  readers_->with([&](io::JsonReader& json) {
    std::string padded;
    for (std::size_t i = 0; i < scored.lines.size(); ++i) {
      padded.assign(scored.lines[i]).append(usize(io::kJsonPadding), '\0');
      LM_CHECK(!json.parse(std::string_view(padded).substr(0, scored.lines[i].size())),
               "the record was good a moment ago");
      io::RecordEdit edit(json);
      fields_->set(edit, scored.scores[i], text::count_code_points(scored.texts[i]));
      std::string().swap(scored.texts[i]);
      scored.lines[i].clear();
      edit.write(scored.lines[i]);
      scored.lines[i].pop_back();
    }
  });
}

void Scoring::add(const Scored& scored) {
  for (const text::Score& score : scored.scores) {
    ++documents_;
    if (!std::isfinite(score.nll_nats)) continue;
    total_.nll_nats = (total_.tokens > 0 ? total_.nll_nats : 0) + score.nll_nats;
    total_.tokens += score.tokens;
    total_.bytes += score.bytes;
    total_.chars += score.chars;
  }
}

void Scoring::report() const {
  if (!scorer_->measure().starts_with("ppl")) return;
  const auto add = [&](const char* name, f64 value) {
    std::string text;
    io::append_json_number(text, value);
    tool_.add_metric(name, text);
  };
  tool_.add_metric("documents", cat(documents_));
  tool_.add_metric("tokens", cat(total_.tokens));
  tool_.add_metric("chars", cat(total_.chars));
  tool_.add_metric("bytes", cat(total_.bytes));
  add("nats", total_.nll_nats);
  add("ppl", total_.perplexity(text::Norm::kTokens));
  add("ppl_char", total_.perplexity(text::Norm::kChars));
  add("ppl_byte", total_.perplexity(text::Norm::kBytes));
  add("bits_per_byte", total_.bits_per_byte());
}

void run_score(cli::Tool& tool) {
  tool.input();
  Scoring scoring(tool, true);
  std::vector<io::BatchStage> stages = scoring.stages();
  stages.push_back(
      {StageMode::kSerial, [&](io::Batch& batch) { scoring.add(Scoring::of(batch)); }});
  stages.push_back({StageMode::kParallel, [](io::Batch& batch) {
                      for (std::string& line : Scoring::of(batch).lines) {
                        append(batch.out, line, "\n");
                        if (isize(line) >= LongTexts::kBytes) std::string().swap(line);
                      }
                    }});
  tool.records().run(stages);
  scoring.report();
}

}  // namespace lm::filter_tool
