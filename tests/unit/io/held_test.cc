#include "io/held.h"

#include <deque>
#include <fstream>

#include "catch.h"
#include "core/context.h"
#include "core/str.h"
#include "io/file.h"
#include "io/output.h"

using namespace lm;
using namespace lm::io;

namespace {

struct Count : HeldWork {
  i64 left = 0;  // steps to go
  i64 value = 0;
};

/// Doubles "n"; a record needs n % 7 steps, 7 are a fault found while reading and 9 one found late.
class Doubler : public HeldMapper {
 public:
  explicit Doubler(StopToken* stop_after_30 = nullptr) : stop_(stop_after_30) {}
  std::vector<std::string> paths() const override { return {"id", "n", "twice", "lm"}; }
  std::optional<Fault> prepare(Record& record, Prepared& out) override {
    std::unique_ptr<Count> work = std::make_unique<Count>();
    work->id = *record_id(record.json, 0, record.ordinal);
    const Result<i64> n = record.json.integer(1);
    if (!n) return n.fault();
    if (*n % 10 == 7) return Fault{"seven", "seven", -1};
    if (*n == 0) {
      out.line = "{\"zero\":true}";
      return std::nullopt;
    }
    work->value = *n;
    work->left = *n % 7;
    out.work = std::move(work);
    return std::nullopt;
  }
  void add(HeldWork& work) override {
    open_.push_back(static_cast<Count*>(&work));
    most = std::max(most, pending());
  }
  i64 pending() const override { return isize(open_); }
  bool step() override {
    for (Count* const work : open_)
      work->left -= 1;
    if (stop_ != nullptr && finished >= 30) stop_->request();
    return !open_.empty();
  }
  bool poll(HeldWork& work) override {
    REQUIRE(open_.front() == &work);
    if (static_cast<Count&>(work).left > 0) return false;
    open_.pop_front();
    return true;
  }
  std::optional<Fault> finish(JsonReader& json, HeldWork& work, std::string& out) override {
    const i64 value = static_cast<Count&>(work).value;
    if (value % 10 == 9) return Fault{"nine", "nine", -1};
    ++finished;
    if (counters != nullptr) {
      most_held = std::max(most_held, counters->held_records.load());
      most_in_work = std::max(most_in_work, counters->in_work.load());
    }
    ResultLine line(json, false);
    if (!json.has(0)) line.set(0, "id", json_string(work.id));
    line.set(2, "twice", cat(2 * value));
    line.set(3, "lm", cat("{\"key\":\"", work.key, "\"}"));
    line.write(out);
    return std::nullopt;
  }
  void count_reused(JsonReader& json, std::string_view line) override {
    ++reused;
    CHECK(line.find(cat("\"twice\":", 2 * *json.integer(1))) != std::string_view::npos);
  }
  i64 most = 0;
  i64 finished = 0;
  i64 reused = 0;
  const RunCounters* counters = nullptr;  // of the run
  i64 most_held = 0;
  i64 most_in_work = 0;

 private:
  std::deque<Count*> open_;
  StopToken* stop_;
};

std::string run(const std::string& in_path, Doubler& mapper, i64 queue, u64 key = 1,
                const std::string& resume_path = "", StopToken* stop = nullptr) {
  const test::TempDir dir;
  const LocalContext local;
  Context ctx = *local;
  if (stop != nullptr) ctx.stop = stop;
  InputOptions options;
  options.files = {in_path};
  InputStream in(options, ctx);
  StreamOutputOptions out_options;
  out_options.compression = *parse_compression("none");
  out_options.path = dir.file("out");
  OutputStream out(out_options, ctx);
  out.begin({});
  RunCounters counters;
  mapper.counters = &counters;
  ErrorPolicy policy;
  policy.mode = OnError::kAnnotate;
  RecordRun records(in, &out, nullptr, policy, ctx, counters);
  std::optional<ResumeFile> resume;
  if (!resume_path.empty()) resume.emplace(resume_path, i64{1} << 20, OutputOptions{}, ctx);
  HeldRun held{in, &out, records, counters, ctx};
  held.queue = queue;
  held.run_key = key;
  held.resume = resume ? &*resume : nullptr;
  run_held(held, mapper);
  mapper.counters = nullptr;
  CHECK(counters.held_records.load() == 0);
  CHECK(counters.held_bytes.load() == 0);
  CHECK(counters.in_work.load() == 0);
  out.finish(records.input_totals());
  out.commit();
  return read_file(dir.file("out"));
}

std::string write_input(const test::TempDir& dir) {
  std::string text;
  for (i64 i = 0; i < 400; ++i)
    append(text, i % 3 == 0 ? "{" : cat("{\"id\":\"r", i % 50, "\","), "\"n\":", i * 13 % 61,
           "}\n");
  std::ofstream(dir.file("in")) << text;
  return dir.file("in");
}

}  // namespace

TEST_CASE("held records come out in input order whatever the queue", "[io]") {
  const test::TempDir dir;
  const std::string in = write_input(dir);
  Doubler one;
  const std::string want = run(in, one, 1);
  CHECK(one.most == 1);
  CHECK(std::count(want.begin(), want.end(), '\n') == 400);
  CHECK(want.find("\"code\":\"seven\"") != std::string::npos);
  CHECK(want.find("\"code\":\"nine\"") != std::string::npos);
  CHECK(want.find("{\"zero\":true}") != std::string::npos);
  for (const i64 queue : {2, 5, 1000}) {
    Doubler mapper;
    CHECK(run(in, mapper, queue) == want);
    CHECK(mapper.most <= queue);
    CHECK(mapper.most > 1);
  }
}

TEST_CASE("held records are counted while their batch is not complete", "[io]") {
  const test::TempDir dir;
  Doubler mapper;
  run(write_input(dir), mapper, 5);  // one batch of 400 records
  CHECK(mapper.most_held > 300);
  CHECK(mapper.most_in_work > 300);
}

TEST_CASE("results alone nest as their paths say", "[io]") {
  JsonReader json({"id", "a.b", "a.c.d", "lm", "a.c.e"});
  const std::string text = cat(R"({"id":1,"a":{"x":2}})", std::string(kJsonPadding, ' '));
  REQUIRE(!json.parse(std::string_view(text).substr(0, text.size() - kJsonPadding)));
  ResultLine line(json, true);
  line.set(1, "a.b", "[1]");
  line.set(0, "id", "1");
  line.set(2, "a.c.d", "2");
  line.set(3, "lm", "{}");
  line.set(4, "a.c.e", "\"x\"");
  std::string out;
  line.write(out);
  CHECK(out == R"({"a":{"b":[1],"c":{"d":2,"e":"x"}},"id":1,"lm":{}})"
               "\n");
}

TEST_CASE("a stopped run leaves what is finished, the next one goes on from there", "[io]") {
  const test::TempDir dir;
  const std::string in = write_input(dir);
  const std::string state = dir.file("state");
  Doubler whole;
  const std::string want = run(in, whole, 5);
  StopToken stop;
  Doubler first(&stop);
  CHECK_THROWS_AS(run(in, first, 5, 1, state, &stop), Error);
  CHECK(first.finished >= 30);
  Doubler second;
  CHECK(run(in, second, 7, 1, state) == want);
  CHECK(second.reused >= first.finished);  // a line may stand twice in the input
  CHECK(second.finished + second.reused == whole.finished);
  // Another run key, and another input line under the same id: made again.
  Doubler other;
  const std::string keyed = run(in, other, 7, 2);
  Doubler resumed;
  CHECK(run(in, resumed, 7, 2, state) == keyed);
  CHECK(resumed.reused == 0);
  std::string changed = read_file(in);
  for (char& c : changed)
    c = c == '3' ? '4' : c;
  std::ofstream(dir.file("changed")) << changed;
  Doubler plain;
  const std::string fresh = run(dir.file("changed"), plain, 7);
  Doubler mixed;
  CHECK(run(dir.file("changed"), mixed, 7, 1, state) == fresh);
}
