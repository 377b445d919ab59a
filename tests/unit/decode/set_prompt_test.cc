#include "decode/set_prompt.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../../tiny_model.h"
#include "catch.h"
#include "core/random.h"
#include "decode/generate.h"
#include "unit/model/reference.h"

using namespace lm;
using namespace lm::decode;

namespace {

struct Tiny {
  Tiny() {
    test::write_tiny_tokenizer(dir.path().string());
    text::LoadOptions options;
    options.add_specials = false;
    tokenizer = text::load_tokenizer(dir.path().string(), options);
  }
  test::TempDir dir;
  std::unique_ptr<text::Tokenizer> tokenizer;
  model::Model model = test::make_tiny_model(1, 262, 256);
};

SetPrompt rows_of(const Tiny& tiny, const std::vector<PromptPart>& parts,
                  const SetOptions& options) {
  PromptEncoder encoder(*tiny.tokenizer, test::kTinyBos);
  Result<SetPrompt> out = encode_sets(encoder, parts, options);
  REQUIRE(out);
  return *out;
}

std::vector<PromptPart> question(std::vector<std::string> options) {
  return {{{"which of "}}, {std::move(options), true}, {{" is it? "}}};
}

/// Log-probabilities of what follows the prompt, in double precision.
std::vector<f64> slow_next(const model::Model& model, const SetPrompt& prompt) {
  std::vector<i32> positions;
  std::vector<RowSpan> spans;
  for (i32 i = 0; i < isize(prompt.rows); ++i) {
    const PromptRow& row = prompt.rows[usize(i)];
    positions.push_back(row.position);
    spans.push_back({0, row.hole_begin, row.hole_end, i + 1, 0, row.hole_begin});
  }
  return test::slow_logprobs(model, tokens_of(prompt.rows), positions, spans).back();
}

struct Fast {
  std::vector<f32> logits;
  std::string text;
};

/// Logits behind the prompt, and the greedy text.
Fast fast(const Tiny& tiny, const SetPrompt& prompt) {
  Fast out;
  model::Engine engine(tiny.model, {});
  const i32 seq = engine.create();
  std::vector<model::EvalRow> rows;
  for (const PromptRow& row : prompt.rows)
    rows.push_back(eval_row(seq, row));
  rows.back().want_logits = true;
  engine.eval(rows);
  const std::span<const f32> logits = engine.logits(isize(rows) - 1);
  out.logits.assign(logits.begin(), logits.end());
  engine.release(seq);
  Generator generator(engine, *tiny.tokenizer, {4, 512, tiny.model.cfg.end_ids});
  GenerateRequest request;
  request.id = "r";
  request.prompt = prompt.rows;
  request.next = prompt.next;
  request.params.temperature = 0;
  request.params.max_tokens = 12;
  generator.add(request);
  while (generator.step()) {
  }
  out.text = generator.take()->completions[0].text;
  return out;
}

template <class T>
f64 largest_difference(const std::vector<T>& a, const std::vector<T>& b) {
  REQUIRE(a.size() == b.size());
  f64 out = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    out = std::max(out, std::abs(static_cast<f64>(a[i]) - static_cast<f64>(b[i])));
  return out;
}

const std::vector<std::string> kOptions = {"a cat", " the dog and the bird", "in", "mice",
                                           "",      " nothing of this"};

}  // namespace

TEST_CASE("the order of a set changes nothing but rounding", "[decode]") {
  const Tiny tiny;
  SetOptions as_given;
  as_given.canonical = false;
  for (std::size_t k = 2; k <= kOptions.size(); ++k) {
    std::vector<std::size_t> order(k);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::vector<f64> expected;
    Fast first;
    i64 number = 0;
    do {
      // All of the smaller sets, every 24th order of six.
      if (number++ % (k < 5 ? 1 : 24) != 0) continue;
      std::vector<std::string> options;
      for (const std::size_t i : order)
        options.push_back(kOptions[i]);
      const SetPrompt prompt = rows_of(tiny, question(options), as_given);
      const std::vector<f64> next = slow_next(tiny.model, prompt);
      const Fast here = fast(tiny, prompt);
      if (expected.empty()) {
        expected = next;
        first = here;
      }
      CAPTURE(k, number);
      CHECK(largest_difference(next, expected) <= 1e-9);
      CHECK(largest_difference(here.logits, first.logits) <= 1e-4);
      CHECK(here.text == first.text);
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST_CASE("sets in their own order give the same bits for every permutation", "[decode]") {
  const Tiny tiny;
  std::vector<std::string> options;
  for (int i = 0; i < 20; ++i)
    options.push_back(cat("option ", (i * 7) % 20, i % 3 == 0 ? " the longer" : ""));
  options[4] = options[9];  // twice in the set
  Fast expected;
  const RandomStream random(3, RandomPurpose::kOther);
  u64 draw = 0;
  for (int round = 0; round < 200; ++round) {
    for (u64 i = options.size(); i > 1; --i)
      std::swap(options[i - 1], options[random.below(draw++, i)]);
    const SetPrompt prompt = rows_of(tiny, question(options), {});
    const Fast here = fast(tiny, prompt);
    if (round == 0) expected = here;
    REQUIRE(here.logits == expected.logits);
    REQUIRE(here.text == expected.text);
  }
}

TEST_CASE("positions alone or the mask alone keep the order visible", "[decode]") {
  const Tiny tiny;
  std::vector<std::string> options(kOptions.begin(), kOptions.begin() + 4);
  for (const auto& [parallel, apart] :
       {std::pair<bool, bool>{true, false}, {false, true}, {false, false}}) {
    SetOptions half;
    half.canonical = false;
    half.parallel = parallel;
    half.apart = apart;
    std::vector<std::string> reversed(options.rbegin(), options.rend());
    CAPTURE(parallel, apart);
    CHECK(largest_difference(slow_next(tiny.model, rows_of(tiny, question(options), half)),
                             slow_next(tiny.model, rows_of(tiny, question(reversed), half))) >
          1e-3);
  }
}

TEST_CASE("a set of one text is that text", "[decode]") {
  const Tiny tiny;
  const SetPrompt set = rows_of(tiny, question({"a cat"}), {});
  const SetPrompt plain = rows_of(tiny, {{{"which of "}}, {{"a cat"}}, {{" is it? "}}}, {});
  CHECK(set.rows == plain.rows);
  CHECK(set.next == plain.next);
  CHECK(set.next == isize(set.rows));
}

TEST_CASE("positions and masks of sets are what the definition says", "[decode]") {
  const Tiny tiny;
  const RandomStream random(11, RandomPurpose::kOther);
  u64 draw = 0;
  const auto pick = [&](u64 n) { return random.below(draw++, n); };
  for (int round = 0; round < 1000; ++round) {
    std::vector<PromptPart> parts;
    struct Seen {
      i32 set, segment, position;
    };
    std::vector<Seen> expected = {{0, 0, 0}};  // the begin token
    i32 next = 1;
    for (u64 p = 0, n = 1 + pick(5); p < n; ++p) {
      PromptPart part;
      part.set = pick(2) == 0;
      const i32 start = next;
      for (u64 t = 0, k = part.set ? pick(5) : 1; t < k; ++t) {
        const u64 length = pick(4);
        part.texts.emplace_back(length, 'x');
        for (u64 i = 0; i < length; ++i) {
          const i32 position = start + static_cast<i32>(i);
          expected.push_back(
              {part.set ? static_cast<i32>(p) + 1 : 0, static_cast<i32>(t), position});
          next = std::max(next, position + 1);
        }
      }
      parts.push_back(part);
    }
    SetOptions options;
    options.canonical = false;
    const SetPrompt prompt = rows_of(tiny, parts, options);
    CHECK(prompt.next == next);
    REQUIRE(prompt.rows.size() == expected.size());
    for (i32 i = 0; i < isize(prompt.rows); ++i) {
      const PromptRow& row = prompt.rows[usize(i)];
      const Seen& own = expected[usize(i)];
      REQUIRE(row.position == own.position);
      for (i32 j = 0; j <= i; ++j) {
        const Seen& other = expected[usize(j)];
        const bool hidden = own.set > 0 && own.set == other.set && own.segment != other.segment;
        REQUIRE(hidden == (j >= row.hole_begin && j < row.hole_end));
      }
    }
  }
}

TEST_CASE("sets are marked in a text", "[decode]") {
  const auto shown = [](std::string_view text) {
    const Result<std::vector<PromptPart>> parts = split_sets(text);
    if (!parts) return cat("! ", parts.fault().detail);
    std::string out;
    for (const PromptPart& part : *parts) {
      out += part.set ? '{' : '(';
      for (const std::string& one : part.texts)
        append(out, one, "|");
      out += part.set ? '}' : ')';
    }
    return out;
  };
  CHECK(shown("a<|start_2d|>b<|split_2d|> c<|end_2d|>d") == "(a|){b| c|}(d|)");
  CHECK(shown("") == "(|)");
  CHECK(shown("<|start_2d|><|split_2d|><|end_2d|><|start_2d|>x<|end_2d|>") == "(|){||}(|){x|}(|)");
  CHECK(shown("a<|start_2d|>b") == "! a set that begins with <|start_2d|> has no <|end_2d|>");
  CHECK(shown("a<|end_2d|>b") == "! <|end_2d|> at byte 1 in no set");
  CHECK(shown("ab<|split_2d|>b") == "! <|split_2d|> at byte 2 in no set");
  CHECK(shown("<|start_2d|>b<|start_2d|>") == "! <|start_2d|> at byte 13 in a set");
}
