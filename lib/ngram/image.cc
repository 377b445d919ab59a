#include "ngram/image.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <xxhash.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"

namespace lm::ngram {

namespace {

constexpr i64 kAlign = 64;
constexpr u32 kVersion = 2;
constexpr u32 kMaxFormBytes = 4096;
constexpr std::array<char, 4> kMagic = {'L', 'M', 'N', 'G'};

struct Header {
  std::array<char, 4> magic;
  u32 version;
  u32 order;
  u32 form_bytes;  // 0 in version 1
  u64 file_bytes;
  u64 vocab;
  u64 word_slots;
  u64 spelling_bytes;
  std::array<u64, kMaxOrder> counts;
  std::array<u64, kMaxOrder> slots;  // [n - 1], orders >= 2
  u64 body_digest;                   // XXH3-64 of everything after the header
  u64 header_digest;                 // XXH3-64 of the fields above
};
static_assert(sizeof(Header) == 224);

u64 header_digest(const Header& header) {
  return xxh3_64({reinterpret_cast<const char*>(&header), offsetof(Header, header_digest)});
}

// Sizes in bytes of the sections after the header, unpadded; false when they overflow.
bool section_bytes(const Header& h, std::vector<i64>& out) {
  constexpr u64 kMost = u64{1} << 56;
  const auto add = [&out](u64 n, u64 each) {
    if (n > kMost / each) return false;
    out.push_back(static_cast<i64>(n * each));
    return true;
  };
  bool good = add(h.vocab, sizeof(Weights)) && add(h.word_slots, sizeof(WordSlot));
  for (u32 n = 2; n < h.order; ++n)
    good = good && add(h.slots[n - 1], sizeof(MiddleSlot));
  if (h.order > 1) good = good && add(h.slots[h.order - 1], sizeof(TopSlot));
  return good && add(h.vocab + 1, sizeof(u64)) && add(h.spelling_bytes, 1) && add(h.form_bytes, 1);
}

i64 padded(i64 bytes) {
  return (bytes + kAlign - 1) / kAlign * kAlign;
}

template <typename T>
std::string_view as_bytes(std::span<const T> items) {
  return {reinterpret_cast<const char*>(items.data()), items.size_bytes()};
}

// The sections in file order.
std::vector<std::string_view> sections(const ImageView& view) {
  std::vector<std::string_view> out{as_bytes(view.unigrams), as_bytes(view.words)};
  for (const std::span<const MiddleSlot>& slots : view.middle)
    out.push_back(as_bytes(slots));
  if (view.order > 1) out.push_back(as_bytes(view.top));
  out.push_back(as_bytes(view.spelling_begin));
  out.push_back(view.spelling);
  out.push_back(view.form);
  return out;
}

template <typename T>
std::span<const T> take(std::string_view bytes, i64& at, i64 size) {
  const std::span<const T> out(reinterpret_cast<const T*>(bytes.data() + at),
                               usize(size) / sizeof(T));
  at += padded(size);
  return out;
}

[[noreturn]] void corrupt(const std::string& name, std::string_view what) {
  throw Error(ErrorKind::kData, cat(name, ": not a usable LMNG model: ", what),
              "convert or train the model again");
}

}  // namespace

bool looks_like_image(std::string_view bytes) {
  return bytes.starts_with(std::string_view(kMagic.data(), kMagic.size()));
}

ImageView parse_image(std::string_view bytes, const std::string& name, bool verify) {
  Header h;
  if (!looks_like_image(bytes)) corrupt(name, "it does not begin with LMNG");
  if (isize(bytes) < kImageHeaderBytes) corrupt(name, "it ends inside the header");
  std::memcpy(&h, bytes.data(), sizeof h);
  if (h.version > kVersion) {
    throw Error(ErrorKind::kData,
                cat(name, ": LMNG version ", h.version, ", this program reads up to ", kVersion));
  }
  if (h.header_digest != header_digest(h)) corrupt(name, "the header is damaged");
  if (h.version == 0 || h.order < 1 || h.order > kMaxOrder || h.vocab <= kEos ||
      h.vocab > static_cast<u64>(kMaxVocab) || h.form_bytes > kMaxFormBytes) {
    corrupt(name, "order, vocabulary or text form is out of range");
  }
  std::vector<i64> sizes;
  if (!section_bytes(h, sizes)) corrupt(name, "section sizes are out of range");
  i64 total = kImageHeaderBytes;
  for (const i64 size : sizes)
    total += padded(size);
  if (static_cast<u64>(total) != h.file_bytes || total != isize(bytes)) {
    corrupt(name, cat("it has ", bytes.size(), " bytes, expected ", total));
  }
  if (verify && xxh3_64(bytes.substr(kImageHeaderBytes)) != h.body_digest) {
    corrupt(name, "the content does not match its digest");
  }
  ImageView view;
  view.order = static_cast<int>(h.order);
  for (u32 n = 0; n < h.order; ++n)
    view.counts.push_back(static_cast<i64>(h.counts[n]));
  i64 at = kImageHeaderBytes;
  std::size_t s = 0;
  view.unigrams = take<Weights>(bytes, at, sizes[s++]);
  view.words = take<WordSlot>(bytes, at, sizes[s++]);
  for (u32 n = 2; n < h.order; ++n)
    view.middle.push_back(take<MiddleSlot>(bytes, at, sizes[s++]));
  if (h.order > 1) view.top = take<TopSlot>(bytes, at, sizes[s++]);
  view.spelling_begin = take<u64>(bytes, at, sizes[s++]);
  view.spelling = bytes.substr(usize(at), usize(sizes[s]));
  at += padded(sizes[s++]);
  view.form = bytes.substr(usize(at), usize(sizes[s]));
  return view;
}

std::vector<i64> ImageShape::section_begins() const {
  std::vector<i64> bytes{vocab * static_cast<i64>(sizeof(Weights)),
                         word_slots * static_cast<i64>(sizeof(WordSlot))};
  for (int n = 2; n <= order; ++n) {
    const std::size_t slot = n == order ? sizeof(TopSlot) : sizeof(MiddleSlot);
    bytes.push_back(slots[usize(n - 2)] * static_cast<i64>(slot));
  }
  bytes.push_back((vocab + 1) * static_cast<i64>(sizeof(u64)));
  bytes.push_back(spelling_bytes);
  bytes.push_back(form_bytes);
  std::vector<i64> begins{kImageHeaderBytes};
  for (const i64 size : bytes)
    begins.push_back(begins.back() + padded(size));
  return begins;
}

std::string ImageShape::header(u64 body_digest) const {
  LM_CHECK(form_bytes <= kMaxFormBytes, "the text form fits into an image");
  Header h{};
  h.magic = kMagic;
  h.version = kVersion;
  h.order = static_cast<u32>(order);
  h.form_bytes = static_cast<u32>(form_bytes);
  h.file_bytes = static_cast<u64>(section_begins().back());
  h.vocab = static_cast<u64>(vocab);
  h.word_slots = static_cast<u64>(word_slots);
  h.spelling_bytes = static_cast<u64>(spelling_bytes);
  std::copy(counts.begin(), counts.end(), h.counts.begin());
  std::copy(slots.begin(), slots.end(), h.slots.begin() + 1);
  h.body_digest = body_digest;
  h.header_digest = header_digest(h);
  std::string out(usize(kImageHeaderBytes), '\0');
  std::memcpy(out.data(), &h, sizeof h);
  return out;
}

void write_image(const ImageView& view, io::AtomicFile& file) {
  ImageShape shape;
  shape.order = view.order;
  shape.counts = view.counts;
  for (const std::span<const MiddleSlot>& slots : view.middle)
    shape.slots.push_back(isize(slots));
  if (view.order > 1) shape.slots.push_back(isize(view.top));
  shape.vocab = isize(view.unigrams);
  shape.word_slots = isize(view.words);
  shape.spelling_bytes = isize(view.spelling);
  shape.form_bytes = isize(view.form);
  XXH3_state_t* const state = XXH3_createState();
  if (state == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset(state);
  const std::string zeros(usize(kAlign), '\0');
  const std::vector<std::string_view> parts = sections(view);
  for (const std::string_view part : parts) {
    const i64 pad = padded(isize(part)) - isize(part);
    XXH3_64bits_update(state, part.data(), part.size());
    XXH3_64bits_update(state, zeros.data(), usize(pad));
  }
  const u64 digest = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  file.write(shape.header(digest));
  for (const std::string_view part : parts) {
    file.write(part);
    file.write(std::string_view(zeros).substr(0, usize(padded(isize(part)) - isize(part))));
  }
}

void write_image(const ImageView& view, const std::string& path, bool sync) {
  io::AtomicFile file(path, {sync, true});
  write_image(view, file);
  file.commit();
}

}  // namespace lm::ngram
