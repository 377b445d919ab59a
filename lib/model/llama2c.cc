#include "model/llama2c.h"

#include <array>
#include <cstring>

#include "core/error.h"
#include "core/str.h"
#include "io/atomic_file.h"
#include "io/file.h"
#include "model/family.h"

namespace lm::model {
namespace {

struct Header {
  i64 width, ffn, layers, heads, kv_heads, vocab, context;
  bool own_head;
};

[[noreturn]] void bad(std::string_view name, std::string_view what) {
  throw Error(ErrorKind::kData, cat(name, ": ", what));
}

/// Sequential little-endian reads with a bound check on each.
class Cursor {
 public:
  Cursor(std::string_view bytes, std::string_view name) : bytes_(bytes), name_(name) {}
  i32 read_i32() {
    i32 value = 0;
    read(&value, sizeof value);
    return value;
  }
  f32 read_f32() {
    f32 value = 0;
    read(&value, sizeof value);
    return value;
  }
  std::string_view read_bytes(i64 count) {
    if (count < 0 || count > isize(bytes_) - at_) bad(name_, cat("ends early, at byte ", at_));
    const std::string_view out = bytes_.substr(usize(at_), usize(count));
    at_ += count;
    return out;
  }
  void read_floats(f32* out, i64 count) { read(out, count * 4); }
  i64 at() const { return at_; }

 private:
  void read(void* out, i64 count) { std::memcpy(out, read_bytes(count).data(), usize(count)); }
  std::string_view bytes_;
  std::string_view name_;
  i64 at_ = 0;
};

Header read_header(Cursor& in, std::string_view name) {
  Header h{};
  for (i64* field : {&h.width, &h.ffn, &h.layers, &h.heads, &h.kv_heads, &h.vocab, &h.context})
    *field = in.read_i32();
  h.own_head = h.vocab < 0;
  if (h.own_head) h.vocab = -h.vocab;
  const auto within = [](i64 value, i64 limit) { return value > 0 && value <= limit; };
  if (!within(h.width, kMaxWidth) || !within(h.ffn, kMaxWidth) || !within(h.layers, kMaxLayers) ||
      !within(h.heads, kMaxHeads) || !within(h.kv_heads, kMaxHeads) ||
      !within(h.vocab, kMaxVocab) || !within(h.context, kMaxContext) || h.width % h.heads != 0 ||
      h.heads % h.kv_heads != 0 || h.width / h.heads % 2 != 0)
    bad(name, cat("not a llama2.c weight file: header ", h.width, ", ", h.ffn, ", ", h.layers, ", ",
                  h.heads, ", ", h.kv_heads, ", ", h.vocab, ", ", h.context));
  return h;
}

i64 expected_bytes(const Header& h) {
  const i64 kv = h.width / h.heads * h.kv_heads;
  const i64 per_layer =
      2 * h.width + 2 * h.width * h.width + 2 * kv * h.width + 3 * h.ffn * h.width;
  const i64 tables = h.context * (h.width / h.heads);
  return 28 +
         4 * ((h.own_head ? 2 : 1) * h.vocab * h.width + h.layers * per_layer + h.width + tables);
}

ModelCfg make_cfg(const Header& h) {
  ModelCfg cfg;
  cfg.family = "llama";
  cfg.vocab = h.vocab;
  cfg.width = h.width;
  cfg.context = h.context;
  cfg.norm = NormKind::kRms;
  cfg.norm_eps = 1e-5;
  cfg.position = PositionKind::kRope;
  cfg.tied = !h.own_head;
  cfg.bos = 1;
  cfg.eos = {1, 2};
  AttentionCfg a;
  a.heads = h.heads;
  a.kv_heads = h.kv_heads;
  a.head_dim = h.width / h.heads;
  a.rope.rotary_dim = h.width / h.heads;
  const FfnCfg ffn{FfnKind::kGated, Unary::kSilu, h.ffn, false};
  cfg.layers.assign(usize(h.layers), {a, ffn});
  return cfg;
}

/// Rows of each head from pair order (2j, 2j+1) to half order (j, j + d/2).
void unpair_rows(const Tensor& rows, i64 head_dim) {
  const i64 cols = rows.cols();
  std::vector<f32> head(usize(head_dim * cols));
  for (i64 first = 0; first < rows.rows(); first += head_dim) {
    f32* at = rows.f32_data() + first * rows.ld;
    std::memcpy(head.data(), at, head.size() * sizeof(f32));
    for (i64 j = 0; j < head_dim; ++j) {
      const i64 to = j % 2 == 0 ? j / 2 : head_dim / 2 + j / 2;
      std::memcpy(at + to * cols, head.data() + j * cols, usize(cols) * sizeof(f32));
    }
  }
}

/// Where one kind of tensor goes, layer by layer, in file order.
struct LayerPart {
  const char* param;
  RowPart part;
};
constexpr LayerPart kLayerParts[] = {
    {"attn_norm.weight", RowPart::kAll},    {"attn.qkv.weight", RowPart::kQuery},
    {"attn.qkv.weight", RowPart::kKey},     {"attn.qkv.weight", RowPart::kValue},
    {"attn.out.weight", RowPart::kAll},     {"mlp_norm.weight", RowPart::kAll},
    {"mlp.gate_up.weight", RowPart::kGate}, {"mlp.down.weight", RowPart::kAll},
    {"mlp.gate_up.weight", RowPart::kUp},
};

void read_tensor(Cursor& in, const Tensor& to) {
  in.read_floats(to.f32_data(), to.count());
}

Tensor named(const Model& model, const std::string& name) {
  const i32 index = model.params->set.find(name);
  LM_CHECK(index >= 0, cat("parameter ", name, " must exist"));
  return model.weights[index];
}

// Protocol buffers, the few forms a SentencePiece model needs -------------------------------------

void put_varint(std::string& out, u64 value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<char>(0x80 | (value & 0x7f)));
  out.push_back(static_cast<char>(value));
}
void put_int(std::string& out, u64 field, i64 value) {
  put_varint(out, field << 3);
  put_varint(out, static_cast<u64>(value));
}
void put_bytes(std::string& out, u64 field, std::string_view value) {
  put_varint(out, field << 3 | 2);
  put_varint(out, value.size());
  out.append(value);
}
void put_float(std::string& out, u64 field, f32 value) {
  put_varint(out, field << 3 | 5);
  std::array<char, 4> raw{};
  std::memcpy(raw.data(), &value, 4);
  out.append(raw.data(), 4);
}

// Numbers of sentencepiece_model.proto.
enum PieceType : i64 { kNormal = 1, kUnknown = 2, kControl = 3, kByte = 6 };
constexpr i64 kBpe = 2;

bool is_byte_piece(std::string_view text) {
  return text.size() == 6 && text.substr(0, 3) == "<0x" && text.back() == '>';
}

std::string one_piece(i64 id, std::string_view text, f32 score) {
  static constexpr std::array<const char*, 3> kSpecials = {"<unk>", "<s>", "</s>"};
  std::string piece;
  PieceType type = kNormal;
  if (id < 3) {
    piece = kSpecials[usize(id)];
    type = id == 0 ? kUnknown : kControl;
  } else if (is_byte_piece(text)) {
    piece = std::string(text);
    type = kByte;
  } else {
    for (const char c : text)
      piece += c == ' ' ? "\xe2\x96\x81" : std::string(1, c);
  }
  std::string out;
  put_bytes(out, 1, piece);
  put_float(out, 2, score);
  put_int(out, 3, type);
  return out;
}

}  // namespace

Model read_llama2c(const std::string& path) {
  const io::Mapping file(path);
  Cursor in(file.bytes(), path);
  const Header h = read_header(in, path);
  if (file.size() != expected_bytes(h))
    bad(path, cat("has ", file.size(), " bytes, expected ", expected_bytes(h), " from its header"));
  Model model;
  model.cfg = make_cfg(h);
  std::unique_ptr<ModelParams> params = std::make_unique<ModelParams>(make_params(model.cfg));
  model.weights = ParamSlab(params->set);
  model.params = std::move(params);
  read_tensor(in, named(model, "embed.weight"));
  for (const LayerPart& part : kLayerParts) {
    for (i64 i = 0; i < h.layers; ++i) {
      const Tensor whole = named(model, cat("blocks.", i, ".", part.param));
      const RowRange range = row_range(part.part, model.cfg.layers[usize(i)], whole.shape[0]);
      const Tensor rows = slice(whole, range.begin, range.count);
      read_tensor(in, rows);
      if (part.part == RowPart::kQuery || part.part == RowPart::kKey)
        unpair_rows(rows, h.width / h.heads);
    }
  }
  read_tensor(in, named(model, "norm.weight"));
  in.read_bytes(4 * h.context * (h.width / h.heads));  // rotary tables, computed anew here
  if (h.own_head) read_tensor(in, named(model, "head.weight"));
  return model;
}

std::string sentencepiece_from_llama2c(std::string_view bytes, i64 vocab, std::string_view name) {
  Cursor in(bytes, name);
  in.read_i32();  // length of the longest piece
  std::string out;
  for (i64 id = 0; id < vocab; ++id) {
    const f32 score = in.read_f32();
    const std::string_view text = in.read_bytes(in.read_i32());
    put_bytes(out, 1, one_piece(id, text, score));
  }
  if (in.at() != isize(bytes)) bad(name, cat("holds more than the model's ", vocab, " pieces"));
  std::string trainer;
  put_int(trainer, 3, kBpe);
  put_int(trainer, 4, vocab);
  put_int(trainer, 35, 1);  // byte_fallback
  put_int(trainer, 40, 0);  // unk_id, bos_id, eos_id, pad_id
  put_int(trainer, 41, 1);
  put_int(trainer, 42, 2);
  put_int(trainer, 43, -1);
  put_bytes(out, 2, trainer);
  std::string normalizer;
  put_bytes(normalizer, 1, "identity");
  put_int(normalizer, 3, 1);  // add_dummy_prefix
  put_int(normalizer, 4, 0);  // remove_extra_whitespaces
  put_int(normalizer, 5, 1);  // escape_whitespaces
  put_bytes(out, 3, normalizer);
  return out;
}

void convert_llama2c(const std::string& weights, const std::string& tokenizer,
                     const std::string& folder) {
  const Model model = read_llama2c(weights);
  const io::Mapping pieces(tokenizer);
  const std::string sentencepiece =
      sentencepiece_from_llama2c(pieces.bytes(), model.cfg.vocab, tokenizer);
  const Json config = {{"tokenizer_class", "LlamaTokenizer"},
                       {"bos_token", "<s>"},
                       {"eos_token", "</s>"},
                       {"unk_token", "<unk>"},
                       {"add_bos_token", true},
                       {"add_eos_token", false},
                       {"legacy", true},
                       {"model_max_length", model.cfg.context}};
  check_replaceable(folder);
  io::AtomicDir out(folder, {}, true);
  write_model_files(out.temp_path(), model, {});
  io::write_file(out.file("tokenizer.model"), sentencepiece);
  io::write_file(out.file("tokenizer_config.json"), config.dump(2) + "\n");
  write_manifest(out.temp_path());
  out.commit();
}

}  // namespace lm::model
