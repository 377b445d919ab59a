// Contract N1 on random schedules: chunks, trees, commits, forks, truncations, neighbours and
// threads against an engine that reads one token at a time.

#include <cstring>
#include <vector>

#include "catch.h"
#include "core/parallel.h"
#include "unit/dice.h"
#include "unit/model/engine_rows.h"

namespace {

using namespace lm;
using namespace lm::model;

using Text = std::vector<i32>;

/// Logits behind any text, token by token. Texts that share a beginning with the last one are
/// cheap.
class OneByOne {
 public:
  explicit OneByOne(const Model& model) : engine_(model), seq_(engine_.create()) {}
  std::span<const f32> logits(const Text& text) {
    std::size_t same = 0;
    while (same < text.size() && same < read_.size() && text[same] == read_[same])
      ++same;
    if (same == text.size()) --same;  // its logits are gone
    REQUIRE(engine_.truncate(seq_, static_cast<i64>(same)));
    read_.resize(same);
    std::span<const f32> out;
    for (; same < text.size(); ++same) {
      out = engine_.step(seq_, text[same]);
      read_.push_back(text[same]);
    }
    return out;
  }

 private:
  Engine engine_;
  i32 seq_;
  Text read_;
};

struct Sequence {
  i32 id = 0;
  Text text;  // committed
};

/// Rows of a sequence in a call, and the text that each stands at the end of.
struct Planned {
  std::size_t sequence = 0;
  bool tree = false;
  std::vector<i32> parent;
  std::vector<Text> texts;
  std::vector<EvalRow> rows;
};

Planned plan(test::Dice& dice, const std::vector<Sequence>& all, std::size_t at) {
  Planned out;
  out.sequence = at;
  const Sequence& own = all[at];
  out.tree = dice.one_in(2);
  const int count = dice.below(dice.one_in(3) ? 65 : 9) + 1;
  for (int i = 0; i < count; ++i) {
    EvalRow row;
    row.seq = own.id;
    row.token = dice.below(50);
    row.want_logits = !dice.one_in(4);
    i32 parent = i - 1;
    if (out.tree) {
      // The 65th row has no bit: it is nobody's parent.
      parent = i == 0 ? -1 : dice.below(dice.one_in(2) ? i : std::min(i, 2));
      if (i > 0 && dice.one_in(8)) parent = -1;
      row.see = EvalRow::See::kTree;
    }
    Text text = parent < 0 ? own.text : out.texts[usize(parent)];
    text.push_back(row.token);
    if (out.tree) {
      if (parent >= 0) row.ancestors = out.rows[usize(parent)].ancestors | u64{1} << parent;
      row.position = static_cast<i32>(text.size()) - 1;
    }
    out.parent.push_back(parent);
    out.texts.push_back(std::move(text));
    out.rows.push_back(row);
  }
  return out;
}

/// Keeps some rows that follow each other.
void keep(test::Dice& dice, Engine& engine, Sequence& own, const Planned& planned) {
  const i32 last = dice.below(static_cast<int>(planned.rows.size()) + 1) - 1;
  if (!planned.tree) {
    engine.commit(own.id, last + 1);
  } else {
    std::vector<i32> path;
    for (i32 i = last; i >= 0; i = planned.parent[usize(i)])
      path.insert(path.begin(), i);
    engine.commit(own.id, path);
  }
  if (last >= 0) own.text = planned.texts[usize(last)];
}

void run_schedule(test::Dice& dice, const Model& model, OneByOne& slow) {
  EngineOptions size;
  size.max_rows = dice.one_in(2) ? 512 : 16 + dice.below(100);
  size.max_logit_rows = dice.one_in(2) ? 64 : 1 + dice.below(30);
  Engine engine(model, size);
  std::vector<Sequence> all{{engine.create(), {}}};
  if (dice.one_in(3)) {  // up to the next attention tile
    all[0].text = test::random_tokens(245, 5);
    engine.prefill(all[0].id, all[0].text);
  }
  for (int step = 0; step < 6; ++step) {
    set_threads(1 + dice.below(3));
    std::vector<Planned> calls;
    for (std::size_t s = 0; s < all.size(); ++s)
      if (calls.empty() || dice.one_in(2)) calls.push_back(plan(dice, all, s));
    // The rows of a sequence keep their order, those of different ones mix.
    std::vector<EvalRow> rows;
    std::vector<const Text*> texts;
    std::vector<std::size_t> next(calls.size(), 0);
    for (std::size_t open = calls.size(); open > 0;) {
      const std::size_t c = usize(dice.below(static_cast<int>(calls.size())));
      if (next[c] == calls[c].rows.size()) continue;
      rows.push_back(calls[c].rows[next[c]]);
      texts.push_back(&calls[c].texts[next[c]]);
      open -= ++next[c] == calls[c].rows.size();
    }
    engine.eval(rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!rows[i].want_logits) continue;
      const std::span<const f32> got = engine.logits(static_cast<i64>(i));
      const std::span<const f32> want = slow.logits(*texts[i]);
      INFO("step " << step << " row " << i << " behind " << texts[i]->size() << " tokens");
      REQUIRE(got.size() == want.size());
      REQUIRE(std::memcmp(got.data(), want.data(), want.size_bytes()) == 0);
    }
    for (const Planned& planned : calls)
      keep(dice, engine, all[planned.sequence], planned);
    const std::size_t one = usize(dice.below(static_cast<int>(all.size())));
    if (dice.one_in(3)) {
      all.push_back({engine.fork(all[one].id), all[one].text});
    } else if (dice.one_in(4)) {
      const i64 left = dice.below(static_cast<int>(all[one].text.size()) + 1);
      REQUIRE(engine.truncate(all[one].id, left));
      all[one].text.resize(usize(left));
    } else if (all.size() > 1 && dice.one_in(4)) {
      engine.release(all[one].id);
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(one));
    }
  }
}

}  // namespace

TEST_CASE("500 random schedules give the bits of reading one token at a time", "[model]") {
  const char* const shapes[] = {
      "family=gpt2,layers=2,width=16,heads=2,vocab=50,context=700",
      "family=llama,layers=2,width=16,heads=4,kv_heads=2,ffn=24,vocab=50,context=700",
      // A window within an attention tile.
      "family=mistral,layers=2,width=16,heads=4,kv_heads=2,ffn=24,vocab=50,context=700,window=19",
      "family=qwen3,layers=1,width=16,heads=2,kv_heads=1,head_dim=8,ffn=24,vocab=50,context=700"};
  for (const char* const shape : shapes) {
    const Model model = test::scaled_model(shape, 8.0f);
    OneByOne slow(model);
    for (u64 seed = 0; seed < 125; ++seed) {
      CAPTURE(shape, seed);
      test::Dice dice(seed);
      run_schedule(dice, model, slow);
    }
  }
  set_threads(2);
}
