#include "synth/plan.h"

#include <set>

#include "catch.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/str.h"

using namespace lm;
using namespace lm::synth;

namespace {

/// A plan with the task it draws from.
struct Made {
  const TaskInfo& info;
  std::unique_ptr<Task> task;
  PlanOptions options;

  Made(std::string_view name, const std::vector<std::string>& settings, Split split, i64 records,
       u64 seed = 1, std::string form = {})
      : info(task_named(name)) {
    const Params params(info.name, info.params, settings);
    TaskSetup setup;
    setup.seed = options.seed = seed;
    setup.split = options.split = split;
    setup.form = form.empty() ? info.forms[0] : form;
    task = info.make(params, setup);
    options.task = info.name;
    options.records = records;
  }
  std::vector<std::string> lines(i64 from = 0, i64 step = 1) {
    const LocalContext ctx(2);
    const Plan plan(*task, options, ctx);
    std::vector<std::string> out;
    for (i64 i = from; i < plan.records(); i += step) {
      const Place place = plan.place(i);
      std::string fields;
      task->write(*task->draw(place), place, fields);
      out.push_back(fields);
    }
    return out;
  }
  std::set<std::string> instances() {
    const LocalContext ctx(2);
    const Plan plan(*task, options, ctx);
    std::set<std::string> out;
    for (i64 i = 0; i < plan.records(); ++i)
      out.insert(task->draw(plan.place(i))->canonical);
    return out;
  }
};

std::string why(std::string_view name, const std::vector<std::string>& settings, i64 records,
                Split split = Split::kTrain) {
  try {
    Made(name, settings, split, records).lines();
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kUsage);
    return e.message();
  }
  return "";
}

}  // namespace

TEST_CASE("Splits have no instance in common, whatever the seeds", "[synth]") {
  for (const TaskInfo& info : tasks()) {
    std::vector<std::string> settings;
    // Small spaces, so that common instances would be seen.
    if (info.name == "permute-bits") settings = {"k=8", "ones=0", "inputs=any"};
    if (info.name == "invperm") settings = {"d=2"};
    if (info.name == "lookup") settings = {"k=1", "vocab=6"};
    if (info.name == "permutation") settings = {"m=2", "k=0", "vocab=8"};
    if (info.name == "setdisjoint") settings = {"sizes=1:2,2:1", "vocab=9"};
    if (info.name == "mqar") settings = {"pairs=1", "length=4", "vocab=12"};
    if (info.name == "cipher") settings = {"length=6"};
    if (info.name == "prefs") settings = {"vocab=2", "prompt=1", "most=3"};
    if (info.name == "knapsack") settings = {"least=1", "most=2", "number=3"};
    if (info.name == "binpack") settings = {"least=1", "most=3", "number=5"};
    if (info.name == "tsp") settings = {"least=2", "most=2", "grid=4"};
    if (info.name == "vrp") settings = {"least=1", "most=1", "number=2", "grid=4"};
    if (info.name == "jssp") settings = {"least=1", "most=1", "number=4"};
    if (info.name == "fssp") settings = {"least=1", "most=2", "number=3", "machines=2"};
    std::set<std::string> seen[3];
    for (const Split split : {Split::kTrain, Split::kValid, Split::kTest})
      for (const u64 seed : {u64{1}, u64{2}}) {
        Made made(info.name, settings, split, 60, seed);
        made.options.fewer = true;
        const std::set<std::string> more = made.instances();
        seen[static_cast<std::size_t>(split)].insert(more.begin(), more.end());
      }
    CAPTURE(info.name);
    for (i64 i = 0; i < 3; ++i) {
      CHECK_FALSE(seen[i].empty());
      for (const std::string& one : seen[i])
        for (i64 j = 0; j < i; ++j)
          CHECK(seen[j].count(one) == 0);
    }
  }
}

TEST_CASE("A record is the same in every shard, of any number of records and threads", "[synth]") {
  for (const TaskInfo& info : tasks()) {
    const auto made = [&](i64 count) { return Made(info.name, {}, Split::kValid, count); };
    const std::vector<std::string> all = made(40).lines();
    const std::vector<std::string> few = made(25).lines();
    CAPTURE(info.name);
    REQUIRE(all.size() == 40);
    CHECK(std::equal(few.begin(), few.end(), all.begin()));
    set_threads(1);
    CHECK(made(40).lines() == all);
    set_threads(2);
    const std::vector<std::string> odd = made(40).lines(1, 2);
    for (std::size_t i = 0; i < odd.size(); ++i)
      CHECK(odd[i] == all[2 * i + 1]);
    CHECK(Made(info.name, {}, Split::kValid, 40, 2).lines() != all);
  }
}

TEST_CASE("Records are distinct, and what does not exist is refused", "[synth]") {
  // 4! orders of one row of 16 in 4 bits: 24 * 16 instances, of which each split has its share.
  i64 together = 0;
  for (const Split split : {Split::kTrain, Split::kValid, Split::kTest}) {
    Made made("invperm", {"d=4"}, split, 1000, 1, "text");
    made.options.fewer = true;
    const std::vector<std::string> lines = made.lines();
    CHECK(std::set<std::string>(lines.begin(), lines.end()).size() == lines.size());
    together += isize(lines);
  }
  CHECK(together == 24 * 16);
  CHECK(why("permute-bits", {"k=5"}, 5) == "");
  CHECK(why("permute-bits", {"k=5"}, 6) ==
        "permute-bits: split train has 5 distinct records with these parameters, 6 asked for");
  CHECK(why("permute-bits", {"k=5"}, 1, Split::kTest) == "");
  CHECK(why("lookup", {"k=1", "vocab=2"}, 5) ==
        "lookup: split train has 4 distinct records with these parameters, 5 asked for");
  CHECK(why("permute-bits", {"k=5", "ones=1"}, 1, Split::kTest) ==
        "permute-bits: split test has no record with these parameters");
  Made none("permute-bits", {"k=5", "ones=1"}, Split::kTest, 1);
  none.options.distinct = false;
  CHECK_THROWS_AS(none.lines(), Error);
  none.options.distinct = none.options.fewer = true;
  CHECK_THROWS_AS(none.lines(), Error);
  none.options.records = 0;
  CHECK(none.lines().empty());
  Made again("permute-bits", {"k=5"}, Split::kTrain, 50);
  again.options.distinct = false;
  const std::vector<std::string> lines = again.lines();
  CHECK(lines.size() == 50);
  CHECK(std::set<std::string>(lines.begin(), lines.end()).size() == 5);
}

TEST_CASE("Shares are those of instances", "[synth]") {
  Made made("tsp", {}, Split::kTrain, 0);
  std::array<i64, 3> count{};
  for (i64 i = 0; i < 20000; ++i)
    ++count[static_cast<std::size_t>(
        split_of("tsp", *made.task->draw({1, i, 0}), {0.7, 0.2, 0.1}))];
  // Five standard deviations of a count of 20000 are below 330.
  CHECK(std::abs(count[0] - 14000) < 330);
  CHECK(std::abs(count[1] - 4000) < 330);
  Made none("tsp", {}, Split::kValid, 1);
  none.options.shares = {1, 0, 0};
  CHECK_THROWS_AS(none.lines(), Error);
}

TEST_CASE("What a plan keeps is charged", "[synth]") {
  Made made("lookup", {}, Split::kTrain, 30000);
  const LocalContext small(1, 100000);
  CHECK_THROWS_AS(Plan(*made.task, made.options, small), Error);
  const LocalContext enough(1, 2000000);
  {
    const Plan plan(*made.task, made.options, enough);
    CHECK(enough->memory->used() == 120000);
  }
  CHECK(enough->memory->used() == 0);
}

TEST_CASE("Parameters are checked against their table", "[synth]") {
  CHECK(why("lookup", {"kk=3"}, 1) == "--set: lookup has no parameter \"kk\"");
  CHECK(why("lookup", {"k"}, 1) == "--set: \"k\" is not NAME=VALUE");
  CHECK(why("lookup", {"k=0"}, 1) == "--set: k is \"0\", expected a whole number from 1 to 10000");
  CHECK(why("lookup", {"k=2", "vocab=1"}, 1) == "--set: k is 2, above vocab 1");
  CHECK(why("prefs", {"kind=pair"}, 1) ==
        "--set: kind is \"pair\", expected one of pairs, labels, plain");
  CHECK(why("setdisjoint", {"sizes=3"}, 1) ==
        "--set: sizes is \"3\", expected pairs of sizes from 1 to 100000, as 2:16,16:2");
  CHECK(why("setdisjoint", {"vocab=20"}, 1) == "--set: sizes 4:32 need 35 symbols, vocab is 20");
  CHECK(why("mqar", {"length=31"}, 1) ==
        "--set: length is 31, expected at least 4 for each of 8 pairs");
  CHECK(why("tsp", {"most=4"}, 1) == "--set: least is 5, above most 4");
  CHECK(why("tsp", {"most=60", "grid=8"}, 1) == "--set: grid is 8, too small for 60 places");
  try {
    task_named("tps");
    CHECK(false);
  } catch (const Error& e) {
    CHECK(e.message() == "\"tps\" is no task");
    CHECK(e.hint() == "did you mean tsp?");
  }
  const TaskInfo& info = task_named("setdisjoint");
  const std::vector<std::string> settings = {"vocab=1e3", "sizes=1:2"};
  CHECK(Params("x", info.params, settings).json() == R"({"sizes":"1:2","vocab":1000})");
}
