#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "accord/check.h"
#include "catch.h"
#include "core/context.h"
#include "core/error.h"
#include "core/str.h"
#include "synth/chain.h"
#include "synth/plan.h"
#include "text/value.h"

using namespace lm;
using namespace lm::synth;
using text::Value;

namespace {

/// Records as values.
std::vector<Value> records(std::string_view name, const std::vector<std::string>& settings,
                           i64 count, Split split = Split::kTrain, std::string form = {},
                           std::string_view text = {}, u64 seed = 1) {
  const TaskInfo& info = task_named(name);
  const Params params(info.name, info.params, settings);
  TaskSetup setup;
  setup.seed = seed;
  setup.split = split;
  setup.form = form.empty() ? info.forms[0] : form;
  setup.text = text;
  const std::unique_ptr<Task> task = info.make(params, setup);
  PlanOptions options;
  options.task = info.name;
  options.seed = seed;
  options.split = split;
  options.records = count;
  options.fewer = true;
  const LocalContext ctx(2);
  const Plan plan(*task, options, ctx);
  std::vector<Value> out;
  for (i64 i = 0; i < plan.records(); ++i) {
    std::string fields;
    task->write(*task->draw(plan.place(i)), plan.place(i), fields);
    const Result<Value> value = text::parse_json_value(cat("{", fields.substr(1), "}"));
    REQUIRE(value);
    out.push_back(*value);
  }
  return out;
}

const Value& at(const Value& record, const char* name) {
  const Value* const value = record.find(Value(name));
  INFO(name);
  REQUIRE(value != nullptr);
  return *value;
}
std::string text_at(const Value& record, const char* name) {
  return at(record, name).str();
}
std::vector<i64> list_at(const Value& record, const char* name) {
  std::vector<i64> out;
  for (const Value& one : at(record, name).list())
    out.push_back(one.whole());
  return out;
}
std::vector<f64> reals_at(const Value& record, const char* name) {
  std::vector<f64> out;
  for (const Value& one : at(record, name).list())
    out.push_back(one.number());
  return out;
}

}  // namespace

TEST_CASE("facts: stated one way, asked both ways, and every unit has its place", "[synth]") {
  const std::vector<Value> stated = records("facts", {"people=30"}, 1000);
  std::map<i64, std::set<std::string>> order;
  std::map<i64, std::string> text_of;
  for (const Value& one : stated) {
    const std::string text = text_at(one, "text");
    std::string joined;
    for (const Value& chunk : at(one, "chunks").list()) {
      const i64 begin = chunk.list()[0].whole(), end = chunk.list()[1].whole();
      append(joined, joined.empty() ? "" : " ", text.substr(usize(begin), usize(end - begin)));
    }
    CHECK(joined + "." == text);
    const i64 person = at(one, "person").whole();
    order[person].insert(text_at(one, "stated"));
    CHECK((text_at(one, "stated") == "name-first") == (text[0] >= 'A' && text[0] <= 'Z'));
    text_of[person] = text;
  }
  i64 name_first = 0;
  for (const auto& one : order) {
    CHECK(one.second.size() == 1);  // never the other way
    name_first += *one.second.begin() == "name-first";
  }
  CHECK(order.size() == 30);
  CHECK(name_first == 15);
  std::set<std::string> said;
  for (const Value& one : stated)
    said.insert(text_at(one, "text"));
  std::set<std::string> directions;
  for (const Value& one : records("facts", {"people=30"}, 1000, Split::kTest)) {
    const std::string whole = text_at(one, "prompt") + text_at(one, "completion");
    directions.insert(text_at(one, "direction"));
    CHECK(said.count(whole) == 0);
    const std::string fact = text_of[at(one, "person").whole()];
    const bool starts_alike = whole.substr(0, 4) == fact.substr(0, 4);
    CHECK(starts_alike == (text_at(one, "direction") == "forward"));
  }
  CHECK(directions.size() == 2);
}

TEST_CASE("permute-bits: one order for all, units in training and nothing of them later",
          "[synth]") {
  const std::vector<Value> train = records("permute-bits", {"k=9"}, 1000);
  CHECK(train.size() == 9);
  std::vector<i64> order(9, -1);
  for (const Value& one : train) {
    const std::vector<i64> input = list_at(one, "input"), target = list_at(one, "target");
    CHECK(std::count(input.begin(), input.end(), 1) == 1);
    order[usize(std::find(input.begin(), input.end(), 1) - input.begin())] =
        std::find(target.begin(), target.end(), 1) - target.begin();
  }
  std::vector<i64> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (i64 i = 0; i < 9; ++i)
    CHECK(sorted[usize(i)] == i);
  const std::vector<Value> test = records("permute-bits", {"k=9", "ones=3"}, 8, Split::kTest);
  CHECK(test.size() == 8);
  for (const Value& one : test) {
    const std::vector<i64> input = list_at(one, "input"), target = list_at(one, "target");
    CHECK(std::count(input.begin(), input.end(), 1) == 3);
    for (std::size_t i = 0; i < input.size(); ++i)
      CHECK(target[usize(order[i])] == input[i]);
  }
}

TEST_CASE("invperm: the target is what the permutation undoes", "[synth]") {
  for (const Value& one : records("invperm", {"d=5"}, 50)) {
    const Value input = at(one, "input"), target = at(one, "target");
    REQUIRE(input.list().size() == 10);
    for (std::size_t i = 0; i < 5; ++i) {
      const Value row = input.list()[i];
      std::size_t where = 0;
      i64 ones = 0;
      for (std::size_t j = 0; j < 5; ++j)
        if (row.list()[j].whole() == 1) {
          where = j;
          ++ones;
        }
      CHECK(ones == 1);
      CHECK(input.list()[5 + i] == target.list()[where]);
    }
  }
  // Tokens: places 0..3, bits 4 and 5, [SEP] 6, [PAUSE] 7.
  for (const std::string pause : {"0", "4", "8"})
    for (const Value& one :
         records("invperm", {"d=4", "pause=" + pause}, 30, Split::kTrain, "pauses")) {
      const std::vector<i64> ids = list_at(one, "input_ids"), labels = list_at(one, "labels");
      const std::size_t s = usize(*parse_int(pause));
      REQUIRE(ids.size() == 10 + s);
      REQUIRE(labels.size() == ids.size());
      CHECK(std::count(ids.begin(), ids.end(), 7) == static_cast<i64>(s));
      const std::size_t from = s == 0 ? 5 : ids.size() - 4;
      for (std::size_t i = 0; i < ids.size(); ++i)
        CHECK((labels[i] == -100) == (i < from || i >= from + 4));
      for (std::size_t i = 0; i < 4; ++i)
        CHECK(labels[from + usize(ids[i])] == ids[5 + i]);
    }
}

TEST_CASE("lookup, permutation, setdisjoint, mqar: the answer is in the prompt", "[synth]") {
  for (const Value& one : records("lookup", {}, 60, Split::kTrain, "ids")) {
    const std::vector<i64> prompt = list_at(one, "prompt_ids");
    REQUIRE(prompt.size() == 17);
    i64 found = 0;
    for (std::size_t i = 0; i + 1 < prompt.size(); i += 2)
      if (prompt[i] == prompt.back()) {
        ++found;
        CHECK(list_at(one, "completion_ids") == std::vector<i64>{prompt[i + 1]});
      }
    CHECK(found == 1);
  }
  for (const Value& one : records("permutation", {}, 60, Split::kTrain, "ids")) {
    const std::vector<i64> prompt = list_at(one, "prompt_ids");
    REQUIRE(prompt.size() == 4 * 8 + 4);
    std::vector<i64> answer;
    for (std::size_t i = 0; i < 3; ++i) {  // where the first example took its i-th symbol from
      const auto from = std::find(prompt.begin(), prompt.begin() + 3, prompt[4 + i]);
      answer.push_back(prompt[32 + usize(from - prompt.begin())]);
    }
    CHECK(prompt[3] == 64);
    CHECK(prompt[7] == 65);
    CHECK(list_at(one, "completion_ids") == answer);
  }
  i64 number = 0;
  for (const Value& one : records("setdisjoint", {}, 60, Split::kTrain, "ids")) {
    const std::vector<i64> prompt = list_at(one, "prompt_ids");
    const auto middle = std::find(prompt.begin(), prompt.end(), 65);
    const std::vector<i64> a(prompt.begin() + 1, middle), b(middle + 1, prompt.end() - 1);
    const std::vector<std::pair<i64, i64>> sizes = {{2, 16}, {16, 2}, {4, 32}, {32, 4}};
    CHECK(std::pair<i64, i64>(isize(a), isize(b)) == sizes[usize(number++ % 4)]);
    std::vector<i64> common;
    for (const i64 x : a)
      if (std::find(b.begin(), b.end(), x) != b.end()) common.push_back(x);
    CHECK(list_at(one, "completion_ids") == common);
    CHECK(at(one, "prefix_len").whole() == isize(prompt));
  }
  for (const Value& one : records("mqar", {}, 60)) {
    const std::vector<i64> ids = list_at(one, "input_ids"), loss = list_at(one, "loss_mask");
    REQUIRE(ids.size() == 64);
    std::map<i64, i64> value;
    for (std::size_t i = 0; i < 16; i += 2)
      value[ids[i]] = ids[i + 1];
    CHECK(value.size() == 8);
    i64 asked = 0;
    for (std::size_t i = 16; i < ids.size(); ++i) {
      CHECK((ids[i] == 128 || loss[i] == 1 || (i + 1 < ids.size() && loss[i + 1] == 1)));
      if (loss[i] == 0) continue;
      ++asked;
      CHECK(ids[i] == value.at(ids[i - 1]));
    }
    CHECK(asked == 8);
  }
  const Value words = records("setdisjoint", {"sizes=1:2", "vocab=70"}, 1)[0];
  CHECK(text_at(words, "prompt").substr(0, 9) == "[PREFIX] ");
  CHECK(text_at(words, "completion")[0] == ' ');
}

TEST_CASE("cipher: the key makes one of the other, and the chain is what it should be", "[synth]") {
  std::map<i64, std::map<i64, f64>> moves;
  std::set<std::vector<i64>> keys;
  i64 wrong = 0;
  for (const Value& one : records("cipher", {}, 400, Split::kTrain, "ids")) {
    const std::vector<i64> code = list_at(one, "input_ids"), plain = list_at(one, "plain_ids");
    const std::vector<i64> key = list_at(one, "key");
    keys.insert(key);
    for (std::size_t i = 0; i < code.size(); ++i) {
      wrong += code[i] == key[usize(plain[i])] ? 0 : 1;
      if (i > 0) moves[plain[i - 1]][plain[i]] += 1;
    }
  }
  CHECK(wrong == 0);
  CHECK(keys.size() > 300);
  // 38000 moves: shares of a row are within 0.03 of the chain's.
  const auto share = [&](i64 from, i64 to) {
    f64 all = 0;
    for (const auto& one : moves[from])
      all += one.second;
    return moves[from][to] / all;
  };
  CHECK(std::abs(share(0, 0) - .753) < .03);
  CHECK(std::abs(share(1, 3) - .376) < .03);
  CHECK(std::abs(share(3, 1) - .885) < .03);
  const std::string text =
      "The Quick -- brown fox\njumps over 12 lazy dogs, again and again and on.";
  std::set<std::string> windows;
  for (const Split split : {Split::kTrain, Split::kValid, Split::kTest}) {
    std::vector<Value> some;
    try {
      some = records("cipher", {"length=9", "key=none"}, 50, split, {}, text);
    } catch (const Error&) {  // of seven passages a split may have none
    }
    for (const Value& one : some) {
      CHECK(text_at(one, "text") == text_at(one, "plain"));
      CHECK(windows.insert(text_at(one, "text")).second);
    }
  }
  // "the quick brown fox jumps over lazy dogs again and again and on ": 64 letters and blanks.
  CHECK(windows.size() == 7);
  CHECK(windows.count("the quick") == 1);
  CHECK(windows.count(" brown fo") == 1);
}

TEST_CASE("a chain's log-probabilities are of distributions, with and without the key", "[synth]") {
  const Chain chain;
  const auto sum = [](const std::vector<f64>& of) {
    return std::accumulate(of.begin(), of.end(), 0.0);
  };
  // Over all texts of three symbols.
  f64 with = 0, without = 0;
  std::vector<i64> text(3);
  for (i64 code = 0; code < 216; ++code) {
    text = {code / 36, code / 6 % 6, code % 6};
    with += std::exp(sum(chain.logprobs(text)));
    without += std::exp(sum(chain.keyless_logprobs(text)));
  }
  CHECK(with == Approx(1).epsilon(1e-9));
  CHECK(without == Approx(1).epsilon(1e-9));
  // Nothing is known of the first symbol; other names change nothing; the key is found out.
  Draws draws(1, "test", 0);
  f64 known = 0, guessed = 0;
  for (i64 times = 0; times < 50; ++times) {
    const std::vector<i64> states = chain.draw(97, draws);
    const std::vector<i64> names = draws.permutation(6);
    std::vector<i64> renamed;
    for (const i64 state : states)
      renamed.push_back(names[usize(state)]);
    const std::vector<f64> keyless = chain.keyless_logprobs(states);
    const std::vector<f64> other = chain.keyless_logprobs(renamed);
    CHECK(keyless[0] == Approx(-std::log(6.0)).epsilon(1e-12));
    for (std::size_t i = 0; i < keyless.size(); ++i)
      CHECK(other[i] == Approx(keyless[i]).epsilon(1e-9));
    const std::vector<f64> own = chain.logprobs(states);
    known += std::accumulate(own.begin() + 65, own.end(), 0.0) / 50;
    guessed += std::accumulate(keyless.begin() + 65, keyless.end(), 0.0) / 50;
  }
  CHECK(guessed == Approx(known).epsilon(0.01));
}

TEST_CASE("cipher: log-probabilities are of the record's text", "[synth]") {
  const Chain chain;
  for (const Value& one :
       records("cipher", {"length=9", "logprobs=chain"}, 5, Split::kTrain, "ids")) {
    CHECK(reals_at(one, "keyless_logprobs") == chain.keyless_logprobs(list_at(one, "input_ids")));
    CHECK(reals_at(one, "chain_logprobs") == chain.logprobs(list_at(one, "plain_ids")));
  }
  CHECK_THROWS_WITH(records("cipher", {"length=9", "logprobs=chain"}, 1, Split::kTrain, {},
                            "some letters of a text"),
                    Catch::Matchers::Contains("not of --text"));
}

TEST_CASE("prefs: labels follow the reward, which does not depend on the split", "[synth]") {
  f64 won = 0, expected = 0, all = 0;
  for (const Value& one : records("prefs", {}, 4000)) {
    const f64 better = at(one, "reward_chosen").number(),
              worse = at(one, "reward_rejected").number();
    won += better > worse ? 1 : 0;
    expected += 1 / (1 + std::exp(-std::abs(better - worse)));
    all += 1;
  }
  // The share of pairs in order is the mean chance that they are: sd below 0.008.
  CHECK(std::abs(won / all - expected / all) < 0.03);
  CHECK(won / all > 0.6);
  // Of one symbol the reward is its weight less 0.1: the same in every record and split.
  std::map<std::string, f64> reward;
  for (const Split split : {Split::kTrain, Split::kTest})
    for (const Value& one : records("prefs", {"kind=plain", "most=1"}, 300, split)) {
      const f64 value = at(one, "reward").number();
      const auto added = reward.emplace(text_at(one, "completion"), value);
      CHECK(added.first->second == value);
    }
  CHECK(reward.size() == 16);
  f64 yes = 0, chance = 0, count = 0;
  for (const Value& one : records("prefs", {"kind=labels"}, 3000)) {
    yes += at(one, "label").flag() ? 1 : 0;
    chance += 1 / (1 + std::exp(-at(one, "reward").number()));
    count += 1;
  }
  CHECK(std::abs(yes - chance) / count < 0.04);
}

TEST_CASE("ACCORD: both forms of every record hold, solved or drawn", "[synth]") {
  for (const std::string& problem : accord::problem_names())
    for (const std::string solution : {"best", "random-feasible"}) {
      f64 gaps = 0;
      for (const Value& one : records(problem, {"solution=" + solution}, 12)) {
        const Result<accord::Instance> instance =
            accord::read_instance(text::to_json(at(one, "instance")));
        REQUIRE(instance);
        CHECK(text_at(one, "format") == "accord");
        const i64 opt = at(one, "opt").whole();
        for (const char* const field : {"completion", "lists"}) {
          const accord::Verdict verdict = accord::check(*instance, text_at(one, field));
          CAPTURE(text_at(one, "prompt"), text_at(one, field), verdict.reason);
          CHECK(verdict.feasible);
          CHECK(verdict.objective == at(one, "objective").whole());
          if (solution == "best") CHECK(verdict.objective == opt);
          gaps += std::abs(static_cast<f64>(verdict.objective - opt));
        }
        CHECK(text_at(one, "prompt").ends_with("\n\n### Response:\n"));
      }
      CHECK((gaps > 0) == (solution != "best"));
    }
  const Value lists = records("tsp", {}, 1, Split::kTrain, "lists")[0];
  CHECK(text_at(lists, "completion").substr(0, 3) == "[[0");
  CHECK(text_at(lists, "accord").substr(0, 14) == "Vehicle Route:");
}
