// Masks of documents that walk through schemas, and the time they take.
//   bench-grammar TOKENIZER SCHEMAS [--documents N] [--tokens N] [--space canonical|compact]
//   [--write FILE]
//   bench-grammar --random N
// SCHEMAS: one JSON object per line, {"name", "schema"}. A document is written by masks: one token
// in four leads nearer to the end, the others are any allowed one, by a seeded draw; after --tokens
// tokens it is closed. One JSON line per schema says what compiling and the masks cost (processor
// time of this thread, microseconds); the last line is of all masks. --write: the ids of each
// document and its text, {"name", "ids", "text"}, for others to replay. --random: prints N schemas
// made at random of everything that is honoured.

#include "grammar/grammar.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <time.h>

#include "core/error.h"
#include "core/random.h"
#include "core/str.h"
#include "grammar/matcher.h"
#include "text/tokenizer.h"
#include "unit/grammar/random_schema.h"

namespace {

using namespace lm;
using namespace lm::grammar;

/// Processor time of this thread in microseconds: a shared machine's wall time says little.
f64 now_us() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return 1e6 * static_cast<f64>(t.tv_sec) + 1e-3 * static_cast<f64>(t.tv_nsec);
}

std::string summary(std::vector<f64> us) {
  if (us.empty()) return "\"masks\":0";
  std::sort(us.begin(), us.end());
  const auto at = [&](f64 share) {
    return format_fixed(us[static_cast<std::size_t>(share * static_cast<f64>(us.size() - 1))], 2);
  };
  f64 sum = 0;
  for (const f64 one : us)
    sum += one;
  return cat("\"masks\":", us.size(),
             ",\"mean_us\":", format_fixed(sum / static_cast<f64>(us.size()), 2),
             ",\"p50_us\":", at(0.5), ",\"p99_us\":", at(0.99), ",\"max_us\":", at(1));
}

struct Options {
  std::string tokenizer, schemas, write;
  i64 documents = 20;
  i64 tokens = 100;
  SchemaOptions schema;
};

template <typename T>
T value_of(Result<T> result) {
  if (!result) throw Error(ErrorKind::kData, result.fault().detail);
  return std::move(*result);
}

void check(const std::optional<Fault>& fault) {
  if (fault) throw Error(ErrorKind::kData, fault->detail);
}

/// Ids of one document; adds what each mask took.
std::vector<i32> walk(Matcher& m, i32 end, i64 tokens, const RandomStream& draws,
                      std::vector<f64>& us) {
  std::vector<u32> mask(usize(m.trie().words()));
  std::vector<i32> ids;
  std::vector<i32> choice;
  State s = m.start();
  for (u64 at = 0;; ++at) {
    const f64 begin = now_us();
    check(m.mask(s, mask));
    us.push_back(now_us() - begin);
    const bool closing = isize(ids) >= tokens || draws.bits(2 * at) % 4 == 0;
    if (closing) check(m.closing_mask(s, mask));
    choice.clear();
    for (i32 id = 0; id < m.trie().vocab(); ++id) {
      if (allows(mask, id)) choice.push_back(id);
    }
    if (choice.empty()) throw Error(ErrorKind::kData, "no token of the vocabulary goes on");
    const i32 id = choice[draws.bits(2 * at + 1) % choice.size()];
    if (id == end) return ids;
    ids.push_back(id);
    s = value_of(m.accept(s, id));
  }
}

void run(const Options& o) {
  text::LoadOptions load;
  load.add_specials = false;
  const std::unique_ptr<text::Tokenizer> tokenizer = text::load_tokenizer(o.tokenizer, load);
  const f64 trie_begin = now_us();
  const i32 end = static_cast<i32>(tokenizer->vocab_size());
  const auto trie = std::make_shared<const TokenTrie>(*tokenizer, tokenizer->vocab_size() + 1);
  std::cout << "{\"vocab\":" << end
            << ",\"trie_ms\":" << format_fixed((now_us() - trie_begin) / 1000, 1) << "}\n";
  std::ifstream in(o.schemas);
  std::ofstream out(o.write);
  std::vector<f64> all;
  std::vector<f64> compiles;
  for (std::string line; std::getline(in, line);) {
    const io::Json row = io::parse_object(line, o.schemas);
    const std::string name = row["name"];
    const f64 begin = now_us();
    const GrammarPtr grammar = value_of(compile_json_schema(row["schema"], o.schema));
    const std::unique_ptr<Matcher> matcher = value_of(Matcher::make(grammar, trie, {end}));
    compiles.push_back(now_us() - begin);
    std::vector<f64> us;
    for (i64 d = 0; d < o.documents; ++d) {
      const std::vector<i32> ids = walk(
          *matcher, end, o.tokens, RandomStream(static_cast<u64>(d), RandomPurpose::kOther), us);
      if (o.write.empty()) continue;
      std::string text;
      for (const i32 id : ids)
        text += trie->text(id);
      out << io::Json{{"name", name}, {"ids", ids}, {"text", text}}.dump() << "\n";
    }
    std::cout << "{\"case\":\"" << name << "\",\"compile_us\":" << format_fixed(compiles.back(), 0)
              << "," << summary(us) << ",\"state_bytes\":" << matcher->state_bytes_used() << "}\n";
    all.insert(all.end(), us.begin(), us.end());
  }
  std::sort(compiles.begin(), compiles.end());
  std::cout << "{\"case\":\"all\",\"compile_p50_us\":"
            << format_fixed(compiles.empty() ? 0 : compiles[compiles.size() / 2], 0) << ","
            << summary(all) << "}\n";
}

void print_random(i64 count) {
  for (u64 seed = 1; count > 0; ++seed) {
    const io::Json schema = test::RandomSchema(seed).make();
    if (!compile_json_schema(schema)) continue;
    --count;
    std::cout << io::Json{{"name", cat("random ", seed)}, {"schema", schema}}.dump() << "\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  std::vector<std::string> names;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const std::string next = i + 1 < argc ? argv[i + 1] : "";
    if (arg.starts_with("--")) ++i;
    if (arg == "--documents") {
      o.documents = parse_int(next).value_or(o.documents);
    } else if (arg == "--tokens") {
      o.tokens = parse_int(next).value_or(o.tokens);
    } else if (arg == "--space") {
      o.schema.space = next == "compact" ? JsonSpace::kCompact : JsonSpace::kCanonical;
    } else if (arg == "--random") {
      print_random(parse_int(next).value_or(0));
      return 0;
    } else if (arg == "--write") {
      o.write = next;
    } else {
      names.push_back(arg);
    }
  }
  if (names.size() != 2) {
    std::cerr << "bench-grammar: which tokenizer, and which schemas?\n";
    return 64;
  }
  o.tokenizer = names[0];
  o.schemas = names[1];
  try {
    run(o);
  } catch (const Error& error) {
    std::cerr << "bench-grammar: " << error.what() << "\n";
    return static_cast<int>(error.kind());
  }
}
