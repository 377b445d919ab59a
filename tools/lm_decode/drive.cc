// lm-decode: the loop between reading, the model and writing.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "core/str.h"
#include "decode.h"
#include "resume.h"

namespace lm::decode_tool {

namespace {

/// One line of a batch: finished text, or work.
struct Item {
  std::string text;  // whole lines
  std::unique_ptr<Work> work;
  std::string_view line;
  i64 line_number = 0;
  i64 byte = 0;
  u64 ordinal = 0;
  bool added = false;
  bool reused = false;  // text is a line of the resume file
};

struct ReadBatch {
  std::unique_ptr<io::Batch> batch;
  std::deque<Item> items;
};

/// Reads, parses and tokenises ahead: one thread, because reading blocks.
class Reader {
 public:
  Reader(cli::Tool& tool, Mode& mode, u64 run_key, ResumeFile* resume)
      : in_(tool.input()),
        run_(tool.records()),
        mode_(mode),
        run_key_(run_key),
        resume_(resume),
        stop_(*tool.ctx().stop),
        fails_(tool.options().text("on-error") == "fail"),
        thread_([this] { loop(); }) {}
  ~Reader() {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    wake_.notify_all();
  }  // then the thread is joined

  /// The next batch; null at the end, on a stop request, or (without wait) when none is there yet.
  std::unique_ptr<ReadBatch> take(bool wait) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (wait && ready_.empty() && !ended_ && !stop_.requested())
      wake_.wait_for(lock, std::chrono::milliseconds(100));
    if (ready_.empty()) {
      if (ended_ && error_) std::rethrow_exception(std::exchange(error_, nullptr));
      return nullptr;
    }
    std::unique_ptr<ReadBatch> out = std::move(ready_.front());
    ready_.pop_front();
    wake_.notify_all();
    return out;
  }
  bool ended() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return ended_ && ready_.empty() && !error_;
  }

 private:
  static constexpr std::size_t kAhead = 2;

  void loop() {
    try {
      io::JsonReader json(mode_.paths());
      while (std::unique_ptr<ReadBatch> batch = read(json)) {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [this] { return ready_.size() < kAhead || closed_; });
        if (closed_) break;
        ready_.push_back(std::move(batch));
        wake_.notify_all();
      }
    } catch (...) {  // rethrown by take()
      const std::lock_guard<std::mutex> lock(mutex_);
      error_ = std::current_exception();
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
    wake_.notify_all();
  }

  std::unique_ptr<ReadBatch> read(io::JsonReader& json) {
    std::unique_ptr<io::Batch> batch = in_.next();
    if (!batch) return nullptr;
    in_.decode(*batch);
    if (!batch->error) in_.stitch(*batch);
    // After a stop request the caller stores what is done, whatever the input has come to.
    if (batch->error && stop_.requested()) return nullptr;
    std::unique_ptr<ReadBatch> out = std::make_unique<ReadBatch>();
    // What a bad record leaves in batch.out takes its place among the items.
    const auto take_bad = [&] {
      if (batch->out.empty()) return;
      out->items.emplace_back().text = std::exchange(batch->out, {});
    };
    if (!batch->error) {
      run_.each_record(*batch, json, [&](io::Record& record) -> std::optional<Fault> {
        take_bad();
        if (fails_ && !batch->bad.empty()) return std::nullopt;  // the run ends there
        return prepare(record, *out);
      });
    }
    take_bad();
    out->batch = std::move(batch);
    return out;
  }

  std::optional<Fault> prepare(io::Record& record, ReadBatch& out) {
    Prepared made;
    if (std::optional<Fault> fault = mode_.prepare(record, made)) return fault;
    Item item;
    item.line = record.line;
    item.line_number = record.line_number;
    item.byte = record.byte;
    item.ordinal = record.ordinal;
    item.work = std::move(made.work);
    if (!item.work) {
      item.text = made.line + "\n";
    } else {
      item.work->key = record_key(run_key_, item.work->id, record.line);
      const std::optional<std::string> done =
          resume_ == nullptr ? std::nullopt : resume_->find(item.work->id, item.work->key);
      if (done) {
        item.text = *done + "\n";
        item.work = nullptr;
        item.reused = true;
      }
    }
    out.items.push_back(std::move(item));
    return std::nullopt;
  }

  io::InputStream& in_;
  io::RecordRun& run_;
  Mode& mode_;
  u64 run_key_;
  ResumeFile* resume_;
  const StopToken& stop_;
  bool fails_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<ReadBatch>> ready_;
  bool ended_ = false;
  bool closed_ = false;
  std::exception_ptr error_;
  std::jthread thread_;  // last: joined before the rest goes
};

class Drive {
 public:
  Drive(cli::Tool& tool, Mode& mode, i64 queue, u64 run_key, ResumeFile* resume)
      : tool_(tool),
        mode_(mode),
        queue_(queue),
        resume_(resume),
        json_(mode.paths()),
        fails_(tool.options().text("on-error") == "fail"),
        reader_(tool, mode, run_key, resume) {}

  void run() {
    for (;;) {
      fill();
      if (tool_.ctx().stop->requested() && resume_ != nullptr) stop();
      const bool worked = mode_.step();
      drain();
      if (!worked && open_.empty() && reader_.ended()) break;
    }
    tool_.records().end();
  }

 private:
  /// Gives the model work, up to the queue's length. Waits for input only if there is nothing else.
  void fill() {
    while (mode_.pending() < queue_) {
      if (Item* const item = next_item()) {
        mode_.add(*item->work);
        item->added = true;
        continue;
      }
      std::unique_ptr<ReadBatch> more = reader_.take(mode_.pending() == 0 && open_.empty());
      if (!more) return;
      open_.push_back(std::move(more));
      at_ = 0;
      drain();
    }
  }

  /// The first work that was not added: it can only be in the newest batch.
  Item* next_item() {
    if (open_.empty()) return nullptr;
    std::deque<Item>& items = open_.back()->items;
    for (; at_ < items.size(); ++at_)
      if (items[at_].work && !items[at_].added) return &items[at_];
    return nullptr;
  }

  /// Writes everything that is complete, in order.
  void drain() {
    while (!open_.empty()) {
      ReadBatch& front = *open_.front();
      while (!front.items.empty()) {
        Item& item = front.items.front();
        if (item.work) {
          if (!item.added || !mode_.poll(*item.work)) return;
          finish(front, item);
        }
        if (item.reused) count_reused(item);
        write(item.text);
        pop(front);
      }
      tool_.records().complete(*front.batch);
      open_.pop_front();
    }
  }

  void pop(ReadBatch& front) {
    front.items.pop_front();
    if (&front == open_.back().get() && at_ > 0) --at_;
  }

  void count_reused(const Item& item) {
    LM_CHECK(!json_.parse(item.line), "the record was good a moment ago");
    mode_.count_reused(json_, std::string_view(item.text).substr(0, item.text.size() - 1));
  }

  void finish(ReadBatch& from, Item& item) {
    LM_CHECK(!json_.parse(item.line), "the record was good a moment ago");
    std::optional<Fault> fault = mode_.finish(json_, *item.work, item.text);
    if (!fault) {
      if (resume_ != nullptr) resume_->note(item.text);
      return;
    }
    io::Record record{json_,     item.line,   from.batch->input, item.line_number,
                      item.byte, item.ordinal};
    tool_.records().add_bad(*from.batch, record, std::move(*fault));
    item.text = std::exchange(from.batch->out, {});
    if (fails_) {
      from.items.resize(1);
      tool_.records().complete(*from.batch);  // throws
    }
  }

  void write(const std::string& text) {
    io::StreamTotals totals;
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t lf = rest.find('\n');
      totals.add_line(rest.substr(0, lf));
      rest.remove_prefix(lf + 1);
    }
    tool_.output().write(text, totals);
    tool_.counters().records_out += totals.records;
  }

  [[noreturn]] void stop() {
    const i64 stored = resume_->store();
    throw Error(
        ErrorKind::kTemporary,
        cat("stopped on request, ", stored, " finished records stored in ", resume_->path()),
        "the same command goes on from there");
  }

  cli::Tool& tool_;
  Mode& mode_;
  i64 queue_;
  ResumeFile* resume_;
  io::JsonReader json_;
  bool fails_;
  std::deque<std::unique_ptr<ReadBatch>> open_;
  std::size_t at_ = 0;  // in the newest batch
  Reader reader_;
};

}  // namespace

void drive(cli::Tool& tool, Mode& mode, i64 queue, u64 run_key) {
  std::vector<std::string> paths = mode.paths();
  std::sort(paths.begin(), paths.end());
  const auto twice = std::adjacent_find(paths.begin(), paths.end());
  if (twice != paths.end())
    throw Error(ErrorKind::kUsage,
                cat("field ", quote(*twice), " has another meaning here already"));
  tool.input();
  tool.records();
  std::unique_ptr<ResumeFile> resume;
  if (tool.options().given("resume")) resume = std::make_unique<ResumeFile>(tool);
  Drive(tool, mode, queue, run_key, resume.get()).run();
  if (resume && resume->unused() > 0)
    tool.console().message(
        LogLevel::kWarning,
        cat(resume->path(), ": ", resume->unused(),
            " records fit no record of this run: other options, model or input"));
}

}  // namespace lm::decode_tool
