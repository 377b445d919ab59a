// Encoders, and the states of layers, through the engine.

#include <cmath>
#include <cstring>
#include <filesystem>

#include "catch.h"
#include "core/error.h"
#include "cpu/backend.h"
#include "io/file.h"
#include "model/build.h"
#include "model/engine.h"
#include "tensor/safe_writer.h"
#include "tensor/safetensors.h"
#include "tiny_encoder.h"
#include "unit/model/engine_rows.h"

using namespace lm;
using namespace lm::model;
using test::make_tiny_encoder;

namespace {

using Row = std::vector<f64>;
using Rows = std::vector<Row>;

/// BERT in float64, written from the paper and knowing nothing of graphs: states behind every
/// layer, the embeddings first.
class SlowEncoder {
 public:
  explicit SlowEncoder(const Model& model) : model_(model) {}

  std::vector<Rows> states(std::span<const i32> tokens) const {
    Rows x;
    for (i64 i = 0; i < isize(tokens); ++i) {
      Row row;
      for (i64 c = 0; c < model_.cfg.width; ++c)
        row.push_back(at("embed.weight", tokens[usize(i)], c) +
                      at("pos_embed.weight", model_.cfg.first_position + i, c) +
                      at("type_embed.weight", 0, c));
      x.push_back(norm("embed_norm", row));
    }
    std::vector<Rows> out = {x};
    for (i64 layer = 0; layer < model_.cfg.depth(); ++layer) {
      x = block(cat("blocks.", layer, "."), x);
      out.push_back(x);
    }
    return out;
  }

 private:
  f64 at(const std::string& name, i64 row, i64 col) const {
    const Tensor t = model_.weights[model_.params->set.find(name)];
    return static_cast<f64>(t.f32_data()[row * t.ld + col]);
  }
  f64 at(const std::string& name, i64 i) const {
    return static_cast<f64>(model_.weights[model_.params->set.find(name)].f32_data()[i]);
  }
  Row norm(const std::string& name, const Row& x) const {
    f64 mean = 0, variance = 0;
    for (const f64 v : x)
      mean += v / static_cast<f64>(x.size());
    for (const f64 v : x)
      variance += (v - mean) * (v - mean) / static_cast<f64>(x.size());
    Row out;
    for (std::size_t c = 0; c < x.size(); ++c)
      out.push_back((x[c] - mean) / std::sqrt(variance + model_.cfg.norm_eps) *
                        at(name + ".weight", static_cast<i64>(c)) +
                    at(name + ".bias", static_cast<i64>(c)));
    return out;
  }
  Row linear(const std::string& name, const Row& x) const {
    const i64 outputs = model_.weights[model_.params->set.find(name + ".weight")].rows();
    Row out;
    for (i64 o = 0; o < outputs; ++o) {
      f64 sum = at(name + ".bias", o);
      for (i64 c = 0; c < isize(x); ++c)
        sum += x[usize(c)] * at(name + ".weight", o, c);
      out.push_back(sum);
    }
    return out;
  }
  Rows block(const std::string& name, const Rows& x) const {
    const AttentionCfg& a = std::get<AttentionCfg>(model_.cfg.layers[0].mixer);
    const i64 d = a.head_dim;
    Rows qkv;
    for (const Row& row : x)
      qkv.push_back(linear(name + "attn.qkv", row));
    Rows out;
    for (std::size_t i = 0; i < x.size(); ++i) {
      Row mixed(x[i].size(), 0.0);
      for (i64 h = 0; h < a.heads; ++h) {
        Row weight;
        f64 sum = 0;
        for (const Row& key : qkv) {
          f64 score = 0;
          for (i64 c = 0; c < d; ++c)
            score += qkv[i][usize(h * d + c)] * key[usize(a.q_size() + h * d + c)];
          weight.push_back(std::exp(score / std::sqrt(static_cast<f64>(d))));
          sum += weight.back();
        }
        for (std::size_t j = 0; j < x.size(); ++j)
          for (i64 c = 0; c < d; ++c)
            mixed[usize(h * d + c)] +=
                weight[j] / sum * qkv[j][usize(a.q_size() + a.kv_size() + h * d + c)];
      }
      out.push_back(norm(name + "attn_norm", sum_of(x[i], linear(name + "attn.out", mixed))));
    }
    for (Row& row : out) {
      Row up = linear(name + "mlp.up", row);
      for (f64& v : up)
        v = 0.5 * v * (1 + std::erf(v / std::sqrt(2.0)));
      row = norm(name + "mlp_norm", sum_of(row, linear(name + "mlp.down", up)));
    }
    return out;
  }
  static Row sum_of(Row a, const Row& b) {
    for (std::size_t c = 0; c < a.size(); ++c)
      a[c] += b[c];
    return a;
  }
  const Model& model_;
};

std::vector<EvalRow> text_rows(const Engine& engine, i32 seq, std::span<const i32> tokens) {
  std::vector<EvalRow> rows;
  for (i64 i = 0; i < isize(tokens); ++i) {
    EvalRow row;
    row.seq = seq;
    row.token = tokens[usize(i)];
    row.position = static_cast<i32>(engine.cfg().first_position + i);
    row.see = engine.cfg().kind == ModelKind::kEncoder ? EvalRow::See::kAll : EvalRow::See::kPast;
    row.want_hidden = true;
    rows.push_back(row);
  }
  return rows;
}

EngineOptions state_engine(std::vector<i64> states, bool final_state = false, i64 max_rows = 512) {
  EngineOptions out;
  out.max_logit_rows = 0;
  out.states = std::move(states);
  out.final_state = final_state;
  out.max_rows = max_rows;
  return out;
}

std::vector<f32> copy(std::span<const f32> row) {
  return {row.begin(), row.end()};
}

bool same_bits(const std::vector<f32>& a, const std::vector<f32>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(f32)) == 0;
}

std::string refusal(const std::string& text) {
  try {
    parse_config(text, "config.json");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kData);
    return error.message();
  }
  return "accepted";
}

std::string with(const std::string& change) {
  std::string text = test::tiny_encoder_json();
  text.back() = ',';
  return text + change + "}";
}

}  // namespace

TEST_CASE("an encoder's states equal a float64 reference, layer by layer", "[model]") {
  for (const char* const type : {"bert", "roberta"}) {
    CAPTURE(type);
    const Model model = make_tiny_encoder(3, type);
    CHECK(model.cfg.first_position == (std::string(type) == "bert" ? 0 : 1));
    const std::vector<i32> tokens = {2, 9, 40, 17, 60, 33, 8, 8, 3};
    const std::vector<Rows> expected = SlowEncoder(model).states(tokens);
    Engine engine(model, state_engine({0, 1, 2, 3}));
    engine.eval(text_rows(engine, engine.create(), tokens));
    f64 worst = 0;
    for (i64 layer = 0; layer <= 3; ++layer)
      for (i64 i = 0; i < isize(tokens); ++i)
        for (i64 c = 0; c < model.cfg.width; ++c)
          worst = std::max(worst, std::abs(expected[usize(layer)][usize(i)][usize(c)] -
                                           static_cast<f64>(engine.state(i, layer)[usize(c)])));
    CHECK(worst < 2e-5);  // states are of size 1 to 5; a wrong mask or norm is off by 0.1
  }
}

TEST_CASE("an encoder's states do not depend on other texts, passes or threads", "[model]") {
  const Model model = make_tiny_encoder(4);
  std::vector<std::vector<i32>> texts;
  for (u64 t = 0; t < 9; ++t)
    texts.push_back(test::random_tokens(1 + static_cast<i64>(t * 11 % 38), 200 + t));
  std::vector<std::vector<f32>> alone;
  for (const std::vector<i32>& text : texts) {
    Engine engine(model, state_engine({3}));
    engine.eval(text_rows(engine, engine.create(), text));
    for (i64 i = 0; i < isize(text); ++i)
      alone.push_back(copy(engine.state(i, 0)));
  }
  for (const i64 max_rows : {512, 64, 7}) {  // 7: texts longer than a pass
    Engine engine(model, state_engine({3}, false, max_rows));
    std::vector<EvalRow> rows;
    for (const std::vector<i32>& text : texts) {
      const std::vector<EvalRow> more = text_rows(engine, engine.create(), text);
      rows.insert(rows.end(), more.begin(), more.end());
    }
    engine.eval(rows);
    for (i64 i = 0; i < isize(rows); ++i)
      REQUIRE(same_bits(copy(engine.state(i, 0)), alone[usize(i)]));
  }
}

TEST_CASE("states of a decoder are what later layers read, whatever else is made", "[model]") {
  for (const char* const shape :
       {"family=gpt2,layers=3,width=24,heads=3,vocab=50,context=70",
        "family=llama,layers=3,width=24,heads=6,kv_heads=2,ffn=40,vocab=50,context=70"}) {
    CAPTURE(shape);
    const Model model = test::scaled_model(shape, 8.0f);
    const std::vector<i32> tokens = test::random_tokens(60, 1);
    EngineOptions plain;
    Engine logits(model, plain);
    std::vector<EvalRow> rows = text_rows(logits, logits.create(), tokens);
    for (EvalRow& row : rows)
      row.want_logits = true;
    logits.eval(rows);

    EngineOptions all = plain;
    all.states = {0, 1, 2, 3};
    Engine with_states(model, all);
    rows = text_rows(with_states, with_states.create(), tokens);
    for (EvalRow& row : rows)
      row.want_logits = true;
    with_states.eval(rows);
    Engine cut(model, state_engine({0, 2}, false, 16));  // passes of 16 rows, two layers
    cut.eval(text_rows(cut, cut.create(), tokens));
    for (i64 i = 0; i < isize(tokens); ++i) {
      CHECK(same_bits(copy(with_states.logits(i)), copy(logits.logits(i))));
      CHECK(same_bits(copy(with_states.hidden(i)), copy(logits.hidden(i))));
      CHECK(same_bits(copy(cut.state(i, 0)), copy(with_states.state(i, 0))));
      CHECK(same_bits(copy(cut.state(i, 1)), copy(with_states.state(i, 2))));
    }

    // The last layer's state through the last norm is the final hidden state.
    Graph graph(ops());
    GraphModel parts(graph, model.cfg, *model.params, {});
    const Value x = graph.input("x", {1, model.cfg.width});
    const Value y = parts.final_norm(x);
    graph.keep(y);
    Executor executor(graph, cpu_backend());
    parts.bind(executor, model.weights);
    std::vector<f32> last = copy(with_states.state(59, 3));
    executor.bind(x, make_tensor(last.data(), {1, model.cfg.width}));
    executor.run({});
    std::vector<f32> normed(usize(model.cfg.width));
    executor.read(y, normed);
    CHECK(same_bits(normed, copy(logits.hidden(59))));
    // Token 0's state in front of all layers is its embedding.
    if (model.cfg.position == PositionKind::kRope) {
      const Tensor table = model.weights[model.params->set.find("embed.weight")];
      for (i64 c = 0; c < model.cfg.width; ++c)
        CHECK(with_states.state(0, 0)[usize(c)] == table.f32_data()[tokens[0] * table.ld + c]);
    }
  }
}

TEST_CASE("an encoder's folder is read, written and read; heads are skipped", "[model]") {
  namespace fs = std::filesystem;
  const test::TempDir temp;
  const fs::path& dir = temp.path();
  const std::string folder = (dir / "a").string();
  const Model model = make_tiny_encoder(5);
  save_model(folder, model, {});
  const Model again = load_model(folder);
  CHECK(same_shape(again.cfg, model.cfg));
  save_model((dir / "b").string(), again, {});
  for (const char* const name : {"config.json", "model.safetensors"})
    CHECK(io::read_file(folder + "/" + name) == io::read_file((dir / "b" / name).string()));

  // As transformers stores a model with a head: a prefix, and tensors that are not the encoder's.
  const SafeModel plain = SafeModel::open(folder);
  std::vector<SafeWrite> tensors;
  for (const SafeEntry* entry : plain.entries())
    tensors.push_back({"bert." + entry->name, entry_tensor(*entry)});
  OwnedTensor pooler({16, 16});
  OwnedTensor bias({16});
  tensors.push_back({"bert.pooler.dense.weight", pooler.view});
  tensors.push_back({"bert.pooler.dense.bias", bias.view});
  tensors.push_back({"cls.predictions.transform.dense.weight", pooler.view});
  fs::create_directories(dir / "c");
  fs::copy_file(dir / "a" / "config.json", dir / "c" / "config.json");
  write_safetensors((dir / "c" / "model.safetensors").string(), tensors);
  const MappedModel mapped = map_model((dir / "c").string());
  const std::vector<i32> tokens = {2, 30, 31, 3};
  Engine first(model, state_engine({3}));
  first.eval(text_rows(first, first.create(), tokens));
  Engine second(mapped, state_engine({3}));
  second.eval(text_rows(second, second.create(), tokens));
  for (i64 i = 0; i < 4; ++i)
    CHECK(same_bits(copy(first.state(i, 0)), copy(second.state(i, 0))));

  // A tensor of another shape is named.
  tensors.front().tensor = pooler.view;
  write_safetensors((dir / "c" / "model.safetensors").string(), tensors);
  try {
    map_model((dir / "c").string());
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.message().find("embeddings.LayerNorm.bias\" has shape [16, 16], expected [16]") !=
          std::string::npos);
  }
}

TEST_CASE("weights of 16 bits make an encoder too", "[model]") {
  const test::TempDir dir;
  const Model model = make_tiny_encoder(6);
  SaveOptions options;
  options.dtype = DType::kF16;
  save_model(dir.file("m"), model, options);
  const MappedModel mapped = map_model(dir.file("m"));
  const Model rounded = load_model(dir.file("m"));  // widened
  const std::vector<Rows> expected = SlowEncoder(rounded).states(std::vector<i32>{2, 7, 9, 3});
  Engine engine(mapped, state_engine({3}));
  engine.eval(text_rows(engine, engine.create(), std::vector<i32>{2, 7, 9, 3}));
  for (i64 i = 0; i < 4; ++i)
    for (i64 c = 0; c < 16; ++c)
      CHECK(std::abs(expected[3][usize(i)][usize(c)] -
                     static_cast<f64>(engine.state(i, 0)[usize(c)])) < 2e-5);
}

TEST_CASE("what an encoder's config cannot say is refused by key", "[model]") {
  CHECK(refusal(test::tiny_encoder_json()) == "accepted");
  CHECK(refusal(with("\"position_embedding_type\":\"relative_key\""))
            .find("position_embedding_type") != std::string::npos);
  CHECK(refusal(with("\"is_decoder\":true")).find("is_decoder") != std::string::npos);
  std::string text = test::tiny_encoder_json();
  text.replace(text.find("\"gelu\""), 6, "\"mish\"");
  CHECK(refusal(text).find("key \"hidden_act\" is \"mish\", expected \"gelu") != std::string::npos);
  text = test::tiny_encoder_json();
  text.replace(text.find("heads\":4"), 8, "heads\":5");
  CHECK(refusal(text).find("num_attention_heads") != std::string::npos);
  CHECK_THROWS_WITH(require_decoder(parse_config(test::tiny_encoder_json(), "c"), "folder"),
                    Catch::Matchers::ContainsSubstring("is an encoder"));
}
