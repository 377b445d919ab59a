#include "text/sentencepiece_model.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_set>

#include "core/error.h"
#include "core/str.h"
#include "text/charsmap.h"
#include "text/utf8.h"

namespace lm::text {

namespace {

// One level of a protobuf message: calls to next() step over its fields.
class WireReader {
 public:
  WireReader(std::string_view bytes, const std::string& name, std::string_view what)
      : rest_(bytes), name_(name), what_(what) {}

  bool next() {
    if (rest_.empty()) return false;
    const u64 tag = varint();
    field_ = static_cast<i64>(tag >> 3);
    wire_ = static_cast<int>(tag & 7);
    if (field_ == 0) fail("field number 0");
    if (wire_ == 0) {
      number_ = varint();
    } else if (wire_ == 1) {
      take(8);
    } else if (wire_ == 2) {
      const u64 length = varint();
      if (length > rest_.size())
        fail(cat("a field of ", length, " bytes where ", rest_.size(), " are left"));
      take(length);
    } else if (wire_ == 5) {
      take(4);
    } else {
      fail(cat("wire type ", wire_));
    }
    return true;
  }

  i64 field() const { return field_; }
  std::string_view bytes() const { return expect(2), payload_; }
  u64 number() const { return expect(0), number_; }
  bool flag() const { return number() != 0; }
  f32 float32() const {
    expect(5);
    u32 bits = 0;
    std::memcpy(&bits, payload_.data(), 4);
    return std::bit_cast<f32>(bits);
  }

 private:
  [[noreturn]] void fail(std::string_view saw) const {
    throw Error(ErrorKind::kData, cat(name_, ": not a SentencePiece model: ", saw, " in ", what_));
  }
  void expect(int wire) const {
    if (wire_ != wire) fail(cat("field ", field_, " with wire type ", wire_, ", expected ", wire));
  }
  void take(u64 size) {
    if (size > rest_.size()) fail("a cut field");
    payload_ = rest_.substr(0, size);
    rest_.remove_prefix(size);
  }
  u64 varint() {
    u64 value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (rest_.empty()) fail("a cut number");
      const u8 byte = static_cast<u8>(rest_.front());
      rest_.remove_prefix(1);
      if (shift < 64) value |= u64{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    fail("a number of more than ten bytes");
  }

  std::string_view rest_, payload_;
  u64 number_ = 0;
  i64 field_ = 0;
  int wire_ = 0;
  const std::string& name_;
  std::string_view what_;
};

void read_normalizer(std::string_view bytes, const std::string& name, SentencePieceModel* model) {
  WireReader reader(bytes, name, "normalizer_spec");
  while (reader.next()) {
    if (reader.field() == 2) check_charsmap(reader.bytes(), name);
    if (model == nullptr) continue;
    if (reader.field() == 3) model->add_dummy_prefix = reader.flag();
    if (reader.field() == 4) model->remove_extra_whitespaces = reader.flag();
  }
}

void read_trainer(std::string_view bytes, const std::string& name, SentencePieceModel& model) {
  WireReader reader(bytes, name, "trainer_spec");
  while (reader.next()) {
    if (reader.field() == 3) model.model_type = static_cast<i64>(reader.number());
    if (reader.field() == 35) model.byte_fallback = reader.flag();
    if (reader.field() == 44) model.unk_surface = reader.bytes();
  }
  if (model.model_type < 1 || model.model_type > 4) {
    throw Error(ErrorKind::kData, cat(name, ": model type ", model.model_type,
                                      ", expected 1 (unigram), 2 (bpe), 3 (word) or 4 (char)"));
  }
}

SentencePieceEntry read_piece(std::string_view bytes, const std::string& name) {
  SentencePieceEntry entry;
  WireReader reader(bytes, name, "a piece");
  while (reader.next()) {
    if (reader.field() == 1) entry.piece = reader.bytes();
    if (reader.field() == 2) entry.score = reader.float32();
    if (reader.field() != 3) continue;
    const u64 type = reader.number();
    if (type < 1 || type > 6) throw Error(ErrorKind::kData, cat(name, ": piece type ", type));
    entry.type = static_cast<PieceType>(type);
  }
  return entry;
}

void check_pieces(const SentencePieceModel& model, const std::string& name) {
  std::unordered_set<std::string_view> matched;   // pieces that text is cut into, and
  std::unordered_set<std::string_view> reserved;  // the others: one name space each
  i64 unknowns = 0;
  for (i64 id = 0; id < isize(model.pieces); ++id) {
    const SentencePieceEntry& entry = model.pieces[usize(id)];
    const auto fail = [&](std::string_view why) {
      throw Error(ErrorKind::kData, cat(name, ": piece ", id, " ", quote(entry.piece), " ", why));
    };
    if (entry.piece.empty()) fail("is empty");
    if (entry.piece.find('\0') != std::string::npos) fail("contains NUL");
    if (!is_valid_utf8(entry.piece)) fail("is not UTF-8");
    if (!std::isfinite(entry.score)) fail("has a score that is not finite");
    const bool in_text = entry.type == PieceType::kNormal || entry.type == PieceType::kUser ||
                         entry.type == PieceType::kUnused;
    if (!(in_text ? matched : reserved).insert(entry.piece).second) fail("occurs twice");
    unknowns += entry.type == PieceType::kUnknown;
    if (entry.type == PieceType::kByte && entry.piece.size() != 6)
      fail("is not of the form <0xNN>");
  }
  if (unknowns != 1) {
    throw Error(ErrorKind::kData, cat(name, ": ", unknowns, " unknown pieces, expected 1"));
  }
}

}  // namespace

SentencePieceModel read_sentencepiece_model(std::string_view bytes, const std::string& name) {
  SentencePieceModel model;
  if (bytes.empty())
    throw Error(ErrorKind::kData, cat(name, ": empty, expected a SentencePiece model"));
  WireReader reader(bytes, name, "the model");
  while (reader.next()) {
    if (reader.field() == 1) model.pieces.push_back(read_piece(reader.bytes(), name));
    if (reader.field() == 2) read_trainer(reader.bytes(), name, model);
    if (reader.field() == 3) read_normalizer(reader.bytes(), name, &model);
    if (reader.field() == 5) read_normalizer(reader.bytes(), name, nullptr);
  }
  check_pieces(model, name);
  return model;
}

}  // namespace lm::text
