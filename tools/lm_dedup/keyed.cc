#include "keyed.h"

#include "core/str.h"

namespace lm::dedup_tool {

namespace {

class KeyedRun {
 public:
  KeyedRun(cli::Tool& tool, const Fields& fields, const KeyedMode& mode, KeyJudge& judge)
      : tool_(tool),
        mode_(mode),
        judge_(judge),
        readers_([paths = fields.paths()] { return std::make_unique<io::JsonReader>(paths); }) {}

  void run() {
    tool_.input();
    tool_.records().run({{StageMode::kParallel, [this](io::Batch& b) { prepare(b); }},
                         {StageMode::kSerial, [this](io::Batch& b) { decide(b); }},
                         {StageMode::kParallel, [this](io::Batch& b) { finish(b); }}});
    judge_.finish();
    if (spool_) {
      spool_->replay({{StageMode::kParallel, [this](io::Batch& b) { prepare_again(b); }},
                      {StageMode::kSerial, [this](io::Batch& b) { judge_.answer(work(b).seen); }},
                      {StageMode::kParallel, [this](io::Batch& b) { finish(b); }}},
                     &tool_.output());
      tool_.add_metric("spool_bytes", cat(spool_->bytes()));
    }
    judge_.add_metrics();
    tool_.add_metric("duplicate_keys", cat(counts_.duplicates.load()));
    tool_.add_metric("documents_marked", cat(counts_.documents_marked.load()));
    tool_.add_metric("documents_dropped", cat(counts_.documents_dropped.load()));
  }

 private:
  static Work& work(io::Batch& batch) { return *std::any_cast<std::shared_ptr<Work>&>(batch.user); }

  std::optional<Fault> take(io::JsonReader& json, std::string_view line, Work& w) const {
    std::optional<Fault> fault = mode_.prepare(json, w);
    if (fault) return fault;
    w.lines.push_back(line);
    w.first_key.push_back(isize(w.keys));
    return std::nullopt;
  }

  void prepare(io::Batch& batch) {
    // Shared only because std::any copies; the batch is the one owner.
    batch.user = std::make_shared<Work>();
    Work& w = work(batch);
    readers_.with([&](io::JsonReader& json) {
      tool_.records().each_record(
          batch, json, [&](io::Record& record) { return take(record.json, record.line, w); });
    });
    w.seen.assign(w.keys.size(), 0);
  }

  /// The spool holds good records only, so nothing can fault.
  void prepare_again(io::Batch& batch) {
    batch.user = std::make_shared<Work>();
    Work& w = work(batch);
    readers_.with([&](io::JsonReader& json) {
      std::string_view rest = batch.lines();
      while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        LM_CHECK(!json.parse(line) && !take(json, line, w), "spooled records are good");
        rest.remove_prefix(line.size() + 1);
      }
    });
    w.seen.assign(w.keys.size(), 0);
  }

  void decide(io::Batch& batch) {
    Work& w = work(batch);
    if (!spool_ && !mode_.prefers() && judge_.decide(w.keys, w.seen)) return;
    if (!spool_) spool_ = std::make_unique<io::Spool>(tool_.ctx());
    judge_.defer(w.keys, w.priorities);
    spool_->append(w.lines);
    w.deferred = true;
  }

  void finish(io::Batch& batch) {
    const Work& w = work(batch);
    if (w.deferred) return;
    readers_.with([&](io::JsonReader& json) {
      for (i64 i = 0; i < isize(w.lines); ++i) {
        LM_CHECK(!json.parse(w.lines[usize(i)]), "the record was good a moment ago");
        const i64 first = w.first_key[usize(i)];
        const i64 end = w.first_key[usize(i) + 1];
        mode_.finish(json, w, i, std::span(w.seen).subspan(usize(first), usize(end - first)),
                     batch.out, counts_);
      }
    });
  }

  cli::Tool& tool_;
  const KeyedMode& mode_;
  KeyJudge& judge_;
  io::WorkerPool<io::JsonReader> readers_;
  std::unique_ptr<io::Spool> spool_;
  KeyedCounts counts_;
};

}  // namespace

void run_keyed(cli::Tool& tool, const Fields& fields, const KeyedMode& mode, KeyJudge& judge) {
  KeyedRun(tool, fields, mode, judge).run();
}

}  // namespace lm::dedup_tool
