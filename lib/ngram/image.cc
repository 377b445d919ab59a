#include "ngram/image.h"

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
constexpr i64 kBodyBegin = 256;

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
  if (isize(bytes) < kBodyBegin) corrupt(name, "it ends inside the header");
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
  i64 total = kBodyBegin;
  for (const i64 size : sizes)
    total += padded(size);
  if (static_cast<u64>(total) != h.file_bytes || total != isize(bytes)) {
    corrupt(name, cat("it has ", bytes.size(), " bytes, expected ", total));
  }
  if (verify && xxh3_64(bytes.substr(kBodyBegin)) != h.body_digest) {
    corrupt(name, "the content does not match its digest");
  }
  ImageView view;
  view.order = static_cast<int>(h.order);
  for (u32 n = 0; n < h.order; ++n)
    view.counts.push_back(static_cast<i64>(h.counts[n]));
  i64 at = kBodyBegin;
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

void write_image(const ImageView& view, io::AtomicFile& file) {
  LM_CHECK(view.form.size() <= kMaxFormBytes, "the text form fits into an image");
  Header h{};
  h.form_bytes = static_cast<u32>(view.form.size());
  h.magic = kMagic;
  h.version = kVersion;
  h.order = static_cast<u32>(view.order);
  h.vocab = view.unigrams.size();
  h.word_slots = view.words.size();
  h.spelling_bytes = view.spelling.size();
  for (std::size_t n = 0; n < view.counts.size(); ++n)
    h.counts[n] = static_cast<u64>(view.counts[n]);
  for (std::size_t n = 0; n < view.middle.size(); ++n)
    h.slots[n + 1] = view.middle[n].size();
  if (view.order > 1) h.slots[usize(view.order - 1)] = view.top.size();
  h.file_bytes = kBodyBegin;
  XXH3_state_t* const state = XXH3_createState();
  if (state == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset(state);
  const std::string zeros(usize(kAlign), '\0');
  const std::vector<std::string_view> parts = sections(view);
  for (const std::string_view part : parts) {
    const i64 pad = padded(isize(part)) - isize(part);
    XXH3_64bits_update(state, part.data(), part.size());
    XXH3_64bits_update(state, zeros.data(), usize(pad));
    h.file_bytes += static_cast<u64>(padded(isize(part)));
  }
  h.body_digest = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  h.header_digest = header_digest(h);

  std::string head(usize(kBodyBegin), '\0');
  std::memcpy(head.data(), &h, sizeof h);
  file.write(head);
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
