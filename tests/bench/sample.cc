// What processing a row of logits and drawing from it costs, by sampling parameters.
//   bench-sample [--vocab N] [--rows N] [--history N]
// Rows are normal noise with a few likely tokens, as models have; half of them are flat. One JSON
// line per case: microseconds per row (processor time of this thread) and a number made of what was
// drawn, so that two builds can be compared.

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include <time.h>

#include "core/error.h"
#include "core/random.h"
#include "core/str.h"
#include "decode/sampler.h"

namespace {

using namespace lm;
using namespace lm::decode;

f64 now_us() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return 1e6 * static_cast<f64>(t.tv_sec) + 1e-3 * static_cast<f64>(t.tv_nsec);
}

struct Case {
  const char* name;
  void (*set)(SampleParams&);
};

const Case kCases[] = {
    {"greedy", [](SampleParams& p) { p.temperature = 0; }},
    {"temperature", [](SampleParams&) {}},
    {"top_k 50", [](SampleParams& p) { p.top_k = 50; }},
    {"top_p 0.95", [](SampleParams& p) { p.top_p = 0.95; }},
    {"top_k 50, top_p 0.95",
     [](SampleParams& p) {
       p.top_k = 50;
       p.top_p = 0.95;
     }},
    {"min_p 0.05", [](SampleParams& p) { p.min_p = 0.05; }},
    {"typical 0.9", [](SampleParams& p) { p.typical = 0.9; }},
    {"epsilon 0.0003", [](SampleParams& p) { p.epsilon = 0.0003; }},
    {"eta 0.0003", [](SampleParams& p) { p.eta = 0.0003; }},
    {"top_n_sigma 1", [](SampleParams& p) { p.top_n_sigma = 1; }},
    {"xtc",
     [](SampleParams& p) {
       p.xtc_probability = 1;
       p.xtc_threshold = 0.05;
     }},
    {"repetition 1.1", [](SampleParams& p) { p.repetition_penalty = 1.1; }},
    {"dry", [](SampleParams& p) { p.dry_multiplier = 0.8; }},
    {"chat",
     [](SampleParams& p) {
       p.temperature = 0.7;
       p.top_k = 20;
       p.top_p = 0.8;
       p.repetition_penalty = 1.05;
     }},
    {"all",
     [](SampleParams& p) {
       p.temperature = 0.8;
       p.repetition_penalty = 1.05;
       p.frequency_penalty = 0.1;
       p.presence_penalty = 0.1;
       p.no_repeat_ngram = 4;
       p.dry_multiplier = 0.8;
       p.top_k = 100;
       p.top_p = 0.95;
       p.min_p = 0.02;
       p.typical = 0.95;
       p.epsilon = 0.0001;
       p.eta = 0.0001;
       p.top_n_sigma = 3;
       p.xtc_probability = 0.5;
       p.xtc_threshold = 0.1;
     }},
};

std::vector<f32> random_row(i64 vocab, u64 seed) {
  const RandomStream random(seed, RandomPurpose::kOther);
  std::vector<f32> out;
  for (i64 i = 0; i < vocab; ++i)
    out.push_back(static_cast<f32>(2 * random.normal(static_cast<u64>(i))));
  for (u64 i = 0; seed % 2 == 0 && i < 30; ++i)
    out[random.below((u64{1} << 32) + i, static_cast<u64>(vocab))] += 12 - static_cast<f32>(i) / 3;
  return out;
}

void run(i64 vocab, i64 rows, i64 length) {
  std::vector<std::vector<f32>> logits;
  for (i64 i = 0; i < rows; ++i)
    logits.push_back(random_row(vocab, static_cast<u64>(i)));
  const RandomStream random(99, RandomPurpose::kOther);
  std::vector<i32> history;
  for (i64 i = 0; i < length; ++i)
    history.push_back(
        static_cast<i32>(random.below(static_cast<u64>(i), static_cast<u64>(vocab / 50))));
  for (const Case& one : kCases) {
    SampleParams params;
    one.set(params);
    Sampler sampler(params, {}, nullptr);
    u64 drawn = 0;
    f64 best = 0;
    for (int round = 0; round < 3; ++round) {
      drawn = 0;
      const f64 begin = now_us();
      for (i64 i = 0; i < rows; ++i) {
        DrawPoint at;
        at.key = draw_key(1, "bench");
        at.position = i;
        const Result<i32> token = sampler.draw(logits[usize(i)], History{history, length / 2}, at);
        if (!token) throw Error(ErrorKind::kData, token.fault().detail);
        drawn = mix64(drawn ^ static_cast<u64>(*token));
      }
      const f64 us = (now_us() - begin) / static_cast<f64>(rows);
      best = round == 0 ? us : std::min(best, us);
    }
    std::cout << "{\"case\":\"" << one.name << "\",\"us\":" << format_fixed(best, 1)
              << ",\"drawn\":\"" << std::hex << drawn << std::dec << "\"}" << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  i64 vocab = 128256;
  i64 rows = 64;
  i64 history = 1000;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const i64 value = parse_int(argv[i + 1]).value_or(0);
    if (name == "--vocab") {
      vocab = value;
    } else if (name == "--rows") {
      rows = value;
    } else if (name == "--history") {
      history = value;
    } else {
      std::cerr << "bench-sample: unknown option " << name << "\n";
      return 64;
    }
  }
  if (vocab < 100 || rows < 1 || history < 0) {
    std::cerr << "bench-sample: too small a number\n";
    return 64;
  }
  try {
    run(vocab, rows, history);
  } catch (const Error& error) {
    std::cerr << "bench-sample: " << error.what() << "\n";
    return static_cast<int>(error.kind());
  }
}
