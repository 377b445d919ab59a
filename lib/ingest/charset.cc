#include "ingest/charset.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <iconv.h>
#include <uchardet/uchardet.h>

#include "core/error.h"
#include "core/str.h"
#include "core/utf8.h"
#include "ingest/document.h"
#include "ingest/warc_reader.h"

namespace lm::ingest {

namespace {

constexpr std::size_t kMetaBytes = 4096;
constexpr std::size_t kDetectBytes = std::size_t{64} << 10;
constexpr std::string_view kReplacementBytes = "\xEF\xBF\xBD";

constexpr std::array<std::pair<std::string_view, std::string_view>, 26> kAliases = {{
    {"ascii", "WINDOWS-1252"},
    {"us-ascii", "WINDOWS-1252"},
    {"iso-8859-1", "WINDOWS-1252"},
    {"iso8859-1", "WINDOWS-1252"},
    {"latin1", "WINDOWS-1252"},
    {"latin-1", "WINDOWS-1252"},
    {"iso-8859-9", "WINDOWS-1254"},
    {"iso-8859-11", "CP874"},
    {"tis-620", "CP874"},
    {"windows-874", "CP874"},
    {"gb2312", "GB18030"},
    {"gbk", "GB18030"},
    {"x-gbk", "GB18030"},
    {"shift_jis", "CP932"},
    {"shift-jis", "CP932"},
    {"sjis", "CP932"},
    {"x-sjis", "CP932"},
    {"windows-31j", "CP932"},
    {"euc-kr", "UHC"},
    {"ks_c_5601-1987", "UHC"},
    {"ksc5601", "UHC"},
    {"big5", "BIG5-HKSCS"},
    {"x-euc-jp", "EUC-JP"},
    {"utf8", "UTF-8"},
    {"x-mac-cyrillic", "MAC-CYRILLIC"},
    {"unicode", "UTF-16LE"},
}};

// Sequences of the label's characters alone are given to iconv, which has options behind slashes.
std::string iconv_name(const std::string& label) {
  for (const auto& [from, to] : kAliases)
    if (label == from) return std::string(to);
  const bool plain =
      !label.empty() && label.size() <= 40 && std::all_of(label.begin(), label.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == ':' || c == '.' || c == '+';
      });
  return plain ? label : std::string();
}

std::string detected(std::string_view bytes) {
  struct Free {
    void operator()(uchardet* detector) const { uchardet_delete(detector); }
  };
  const std::unique_ptr<uchardet, Free> detector(uchardet_new());
  if (!detector) throw Error(ErrorKind::kOs, "no memory to detect an encoding");
  // Text in another encoding often begins late in a page.
  const std::size_t first = static_cast<std::size_t>(
      std::find_if(bytes.begin(), bytes.end(), [](char c) { return static_cast<u8>(c) >= 0x80; }) -
      bytes.begin());
  const std::string_view sample = bytes.substr(first, kDetectBytes);
  if (uchardet_handle_data(detector.get(), sample.data(), sample.size()) != 0) return {};
  uchardet_data_end(detector.get());
  return ascii_lower(uchardet_get_charset(detector.get()));
}

}  // namespace

std::string repair_utf8(std::string_view bytes) {
  std::string out;
  for (i64 at = 0; at < isize(bytes);) {
    const Decoded d = decode_at(bytes, at);
    append_utf8(out, d.cp);
    at += d.size;
  }
  return out;
}

struct CharsetDecoder::Conversion {
  explicit Conversion(const std::string& name) : handle(::iconv_open("UTF-8", name.c_str())) {}
  ~Conversion() {
    if (good()) ::iconv_close(handle);
  }
  Conversion(const Conversion&) = delete;
  Conversion& operator=(const Conversion&) = delete;
  bool good() const { return handle != iconv_t(-1); }

  iconv_t handle;
};

CharsetDecoder::CharsetDecoder() = default;
CharsetDecoder::~CharsetDecoder() = default;

CharsetDecoder::Conversion* CharsetDecoder::conversion(const std::string& label) {
  const std::string name = iconv_name(label);
  if (name.empty()) return nullptr;
  constexpr std::size_t kMostKnown = 1000;  // pages invent names
  if (known_.size() >= kMostKnown) known_.clear();
  std::unique_ptr<Conversion>& known = known_[name];
  if (!known) known = std::make_unique<Conversion>(name);
  return known->good() ? known.get() : nullptr;
}

namespace {

CharsetDecoder::Decoded convert(iconv_t handle, std::string_view bytes) {
  CharsetDecoder::Decoded out;
  ::iconv(handle, nullptr, nullptr, nullptr, nullptr);
  // iconv takes its input by a pointer that would let it change it; it does not.
  char* in = const_cast<char*>(bytes.data());
  std::size_t left = bytes.size();
  std::array<char, 1 << 14> buf;
  bool flushed = false;
  while (!flushed) {
    char* to = buf.data();
    std::size_t room = buf.size();
    const bool last = left == 0;
    const std::size_t rc = last ? ::iconv(handle, nullptr, nullptr, &to, &room)
                                : ::iconv(handle, &in, &left, &to, &room);
    const int why = errno;
    out.text.append(buf.data(), buf.size() - room);
    if (rc != static_cast<std::size_t>(-1)) {
      flushed = last;
    } else if (why != E2BIG) {
      if (last) break;
      out.text += kReplacementBytes;
      out.repaired = true;
      if (why != EILSEQ) left = 1;  // an unfinished character at the end
      ++in;
      --left;
    }
  }
  return out;
}

}  // namespace

CharsetDecoder::Decoded CharsetDecoder::decode(std::string_view bytes,
                                               const std::vector<std::string>& labels) {
  std::string label;
  if (bytes.starts_with("\xEF\xBB\xBF")) {
    bytes.remove_prefix(3);
    label = "utf-8";
  } else if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    label = bytes[0] == '\xFF' ? "utf-16le" : "utf-16be";
    bytes.remove_prefix(2);
  }
  for (std::size_t i = 0; label.empty() && i < labels.size(); ++i)
    if (conversion(labels[i]) != nullptr) label = labels[i];
  if (label.empty() && !is_utf8(bytes)) {
    label = detected(bytes);
    if (conversion(label) == nullptr) label = "windows-1252";
  }
  if (label.empty() || iconv_name(label) == "UTF-8" || label == "utf-8") {
    if (is_utf8(bytes)) return {std::string(bytes), false};
    return {repair_utf8(bytes), true};
  }
  return convert(conversion(label)->handle, bytes);
}

std::string meta_charset(std::string_view html) {
  const std::string head = ascii_lower(html.substr(0, kMetaBytes));
  for (std::size_t at = head.find("<meta"); at != std::string::npos; at = head.find("<meta", at)) {
    const std::size_t end = std::min(head.find('>', at), head.size());
    const std::string tag = head.substr(at, end - at);
    at = end;
    const std::size_t name = tag.find("charset");
    if (name == std::string::npos) continue;
    std::size_t value = name + 7;
    const auto pass = [&](std::string_view any) {
      while (value < tag.size() && any.find(tag[value]) != std::string_view::npos)
        ++value;
    };
    pass(" \t\r\n");
    if (value == tag.size() || tag[value] != '=') continue;
    ++value;
    pass(" \t\r\n\"'");
    const std::string charset = tag.substr(value, tag.find_first_of(" \t\r\n\"';/", value) - value);
    // A page whose <meta> could be read as ASCII is not in UTF-16.
    return charset.starts_with("utf-16") ? "utf-8" : charset;
  }
  return {};
}

}  // namespace lm::ingest
