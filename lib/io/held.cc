#include "io/held.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <span>
#include <thread>

#include "core/str.h"

namespace lm::io {

namespace {

/// One line of a batch: finished text, or work.
struct Item {
  std::string text;  // whole lines
  std::unique_ptr<HeldWork> work;
  std::string_view line;
  i64 line_number = 0;
  i64 byte = 0;
  u64 ordinal = 0;
  bool added = false;
  bool reused = false;  // text is a line of the resume file
};

struct ReadBatch {
  std::unique_ptr<Batch> batch;
  std::deque<Item> items;
  i64 finished = 0;  // records whose items are gone, and their bytes
  i64 finished_bytes = 0;
};

/// Reads, parses and tokenises ahead: one thread, because reading blocks.
class Reader {
 public:
  Reader(const HeldRun& run, HeldMapper& mapper)
      : run_(run), mapper_(mapper), stop_(*run.ctx.stop), thread_([this] { loop(); }) {}
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
      JsonReader json(mapper_.paths());
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

  std::unique_ptr<ReadBatch> read(JsonReader& json) {
    std::unique_ptr<Batch> batch = run_.in.next();
    if (!batch) return nullptr;
    run_.in.decode(*batch);
    if (!batch->error) run_.in.stitch(*batch);
    // After a stop request the caller stores what is done, whatever the input has come to.
    if (batch->error && stop_.requested()) return nullptr;
    std::unique_ptr<ReadBatch> out = std::make_unique<ReadBatch>();
    // What a bad record leaves in batch.out takes its place among the items.
    const auto take_bad = [&] {
      if (batch->out.empty()) return;
      out->items.emplace_back().text = std::exchange(batch->out, {});
    };
    if (!batch->error) {
      run_.records.each_record(*batch, json, [&](Record& record) -> std::optional<Fault> {
        take_bad();
        if (run_.fails && !batch->bad.empty()) return std::nullopt;  // the run ends there
        return prepare(record, *out);
      });
    }
    take_bad();
    out->batch = std::move(batch);
    return out;
  }

  std::optional<Fault> prepare(Record& record, ReadBatch& out) {
    Prepared made;
    if (std::optional<Fault> fault = mapper_.prepare(record, made)) return fault;
    Item item;
    item.line = record.line;
    item.line_number = record.line_number;
    item.byte = record.byte;
    item.ordinal = record.ordinal;
    item.work = std::move(made.work);
    if (!item.work) {
      item.text = made.line + "\n";
    } else {
      item.work->key = record_key(run_.run_key, item.work->id, record.line);
      const std::optional<std::string> done =
          run_.resume == nullptr ? std::nullopt : run_.resume->find(item.work->id, item.work->key);
      if (done) {
        item.text = *done + "\n";
        item.work = nullptr;
        item.reused = true;
      }
    }
    out.items.push_back(std::move(item));
    return std::nullopt;
  }

  const HeldRun& run_;
  HeldMapper& mapper_;
  const StopToken& stop_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<ReadBatch>> ready_;
  bool ended_ = false;
  bool closed_ = false;
  std::exception_ptr error_;
  std::jthread thread_;  // last: joined before the rest goes
};

class Driver {
 public:
  Driver(const HeldRun& run, HeldMapper& mapper)
      : run_(run), mapper_(mapper), json_(mapper.paths()), reader_(run, mapper) {}

  void run() {
    for (;;) {
      fill();
      if (run_.ctx.stop->requested() && run_.resume != nullptr) stop();
      const bool worked = mapper_.step();
      drain();
      if (!worked && open_.empty() && reader_.ended()) break;
    }
    run_.records.end();
  }

 private:
  /// Gives the model work, up to the queue's length. Waits for input only if there is nothing else.
  void fill() {
    while (mapper_.pending() < run_.queue) {
      if (Item* const item = next_item()) {
        mapper_.add(*item->work);
        item->added = true;
        continue;
      }
      std::unique_ptr<ReadBatch> more = reader_.take(mapper_.pending() == 0 && open_.empty());
      if (!more) return;
      run_.counters.in_work += records_in(*more);
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
          if (!item.added || !mapper_.poll(*item.work)) return;
          finish(front, item);
        }
        if (item.reused) count_reused(item);
        write(item.text);
        pop(front);
      }
      run_.records.complete(*front.batch);
      run_.counters.held_records -= front.finished;
      run_.counters.held_bytes -= front.finished_bytes;
      open_.pop_front();
    }
  }

  /// Lines of bad records are no items of their own.
  static i64 records_in(const ReadBatch& batch) {
    return std::count_if(batch.items.begin(), batch.items.end(),
                         [](const Item& item) { return !item.line.empty(); });
  }

  void pop(ReadBatch& front) {
    if (const i64 bytes = isize(front.items.front().line); bytes > 0) {
      ++front.finished;
      front.finished_bytes += bytes + 1;
      ++run_.counters.held_records;
      run_.counters.held_bytes += bytes + 1;
      --run_.counters.in_work;
    }
    front.items.pop_front();
    if (&front == open_.back().get() && at_ > 0) --at_;
  }

  void count_reused(const Item& item) {
    LM_CHECK(!json_.parse(item.line), "the record was good a moment ago");
    mapper_.count_reused(json_, std::string_view(item.text).substr(0, item.text.size() - 1));
  }

  void finish(ReadBatch& from, Item& item) {
    LM_CHECK(!json_.parse(item.line), "the record was good a moment ago");
    std::optional<Fault> fault = mapper_.finish(json_, *item.work, item.text);
    if (!fault) {
      if (run_.resume != nullptr) run_.resume->note(item.text);
      return;
    }
    Record record{json_, item.line, from.batch->input, item.line_number, item.byte, item.ordinal};
    run_.records.add_bad(*from.batch, record, std::move(*fault));
    item.text = std::exchange(from.batch->out, {});
    if (run_.fails) {
      from.items.resize(1);
      run_.records.complete(*from.batch);  // throws
    }
  }

  void write(const std::string& text) {
    if (text.empty()) return;
    LM_CHECK(run_.out != nullptr, "lines have an output");
    StreamTotals totals;
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t lf = rest.find('\n');
      totals.add_line(rest.substr(0, lf));
      rest.remove_prefix(lf + 1);
    }
    run_.out->write(text, totals);
    run_.counters.records_out += totals.records;
  }

  [[noreturn]] void stop() {
    const i64 stored = run_.resume->store();
    throw Error(
        ErrorKind::kTemporary,
        cat("stopped on request, ", stored, " finished records stored in ", run_.resume->path()),
        "the same command goes on from there");
  }

  const HeldRun& run_;
  HeldMapper& mapper_;
  JsonReader json_;
  std::deque<std::unique_ptr<ReadBatch>> open_;
  std::size_t at_ = 0;  // in the newest batch
  Reader reader_;
};

}  // namespace

void run_held(const HeldRun& run, HeldMapper& mapper) {
  std::vector<std::string> paths = mapper.paths();
  std::sort(paths.begin(), paths.end());
  const auto twice = std::adjacent_find(paths.begin(), paths.end());
  if (twice != paths.end())
    throw Error(ErrorKind::kUsage,
                cat("field ", quote(*twice), " has another meaning here already"));
  Driver(run, mapper).run();
  if (run.resume != nullptr && run.resume->unused() > 0)
    run.ctx.log->message(LogLevel::kWarning,
                         cat(run.resume->path(), ": ", run.resume->unused(),
                             " records fit no record of this run: other options, model or input"));
}

Result<std::string> record_id(JsonReader& json, i64 field, u64 ordinal) {
  if (!json.has(field)) return cat("#", ordinal);
  if (json.field(field).type == JsonType::kNumber) return std::string(json.raw(field));
  const Result<std::string_view> text = json.string(field);
  if (!text) return text.fault();
  return std::string(*text);
}

namespace {

/// An object of values at their paths: what shares the beginning of a path shares an object. The
/// order is that of first appearance; no path lies below another (check_apart).
void write_nested(std::span<const std::pair<std::string, std::string>> fields, std::string& out) {
  std::vector<bool> written(fields.size(), false);
  out += '{';
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (written[i]) continue;
    const std::string& path = fields[i].first;
    const std::string key = path.substr(0, path.find('.'));
    append(out, i > 0 ? "," : "", json_string(key), ":");
    if (key == path) {
      out += fields[i].second;
      continue;
    }
    std::vector<std::pair<std::string, std::string>> inner;
    for (std::size_t k = i; k < fields.size(); ++k) {
      if (!fields[k].first.starts_with(key + ".")) continue;
      inner.emplace_back(fields[k].first.substr(key.size() + 1), fields[k].second);
      written[k] = true;
    }
    write_nested(inner, out);
  }
  out += '}';
}

}  // namespace

void ResultLine::set_id(i64 field, std::string_view id) {
  const bool has = json_.has(field);
  if (drop_ || !has) set(field, "id", has ? std::string(json_.raw(field)) : json_string(id));
}

void ResultLine::set(i64 field, std::string_view name, std::string value_json) {
  if (drop_) {
    own_.emplace_back(name, std::move(value_json));
  } else {
    edit_.set(field, std::move(value_json));
  }
}

void ResultLine::write(std::string& out) const {
  if (drop_) {
    write_nested(own_, out);
    out += '\n';
  } else {
    edit_.write(out);
  }
}

}  // namespace lm::io
