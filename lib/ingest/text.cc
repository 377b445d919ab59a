#include "ingest/text.h"

#include <algorithm>
#include <utility>

#include "core/str.h"
#include "io/input.h"

namespace lm::ingest {

namespace {

class TextConverter final : public io::Converter {
 public:
  TextConverter(std::unique_ptr<io::ByteSource> bytes, const TextOptions& options)
      : bytes_(std::move(bytes)), options_(options) {}

  i64 bytes_read() const override { return bytes_->bytes_read(); }

  bool next(std::string& out) override {
    const std::size_t before = out.size();
    while (!ended_ && isize(out) - static_cast<i64>(before) < kPieceBytes) {
      if (bytes_->available() == 0 || !started_) {
        if (out.size() > before && bytes_->drained()) return true;  // rather than wait
        if (!more()) {
          ended_ = true;
          finish(out);
          break;
        }
      }
      if (options_.unit == TextUnit::kFile) {
        keep(bytes_->view());
        bytes_->consume(bytes_->available());
      } else {
        take_line(out);
      }
    }
    return out.size() > before;
  }

 private:
  bool more() {
    if (std::exchange(started_, true)) return bytes_->fill(1);
    if (bytes_->fill(3) && bytes_->view().starts_with(io::kByteOrderMark))
      bytes_->consume(isize(io::kByteOrderMark));
    return bytes_->fill(1);
  }

  // Of a document above the limit one byte more is kept: the record shows that it is too long.
  void keep(std::string_view text) {
    const i64 room = options_.document.max_record_bytes + 1 - isize(text_);
    text_ += text.substr(0, usize(std::max<i64>(room, 0)));
    dropped_ = dropped_ || isize(text) > room;
  }

  void take_line(std::string& out) {
    const std::string_view view = bytes_->view();
    const std::size_t lf = view.find('\n');
    const std::size_t size = lf == std::string_view::npos ? view.size() : lf;
    if (begun_ || lf == std::string_view::npos) {
      begun_ = true;
      keep(view.substr(0, size));
    } else {
      line(view.substr(0, size), out);
    }
    if (lf != std::string_view::npos && std::exchange(begun_, false)) kept_line(out);
    bytes_->consume(static_cast<i64>(lf == std::string_view::npos ? size : size + 1));
  }

  // A line that text_ has, behind the paragraph so far.
  void kept_line(std::string& out) {
    const std::string whole = text_.substr(paragraph_bytes_);
    text_.resize(paragraph_bytes_);
    line(whole, out);
  }

  void line(std::string_view text, std::string& out) {
    ++line_;
    if (text.ends_with('\r')) text.remove_suffix(1);
    const bool blank = trim(text).empty();
    if (options_.unit == TextUnit::kLine) {
      if (blank) {
        out.push_back('\n');
      } else {
        add(cat(bytes_->name(), ":", line_), text, line_, out);
      }
      return;
    }
    if (blank) return end_paragraph(out);
    if (paragraph_bytes_ == 0) paragraph_line_ = line_;
    keep(text);
    keep("\n");
    paragraph_bytes_ = text_.size();
  }

  void end_paragraph(std::string& out) {
    if (paragraph_bytes_ == 0) return;
    std::string_view text = text_;
    if (!dropped_) text.remove_suffix(1);
    add(cat(bytes_->name(), ":", paragraph_line_), text, paragraph_line_, out);
    text_.clear();
    paragraph_bytes_ = 0;
  }

  void add(const std::string& id, std::string_view text, i64 first_line, std::string& out) {
    if (!std::exchange(dropped_, false)) require_utf8(text, bytes_->name(), first_line);
    Counts& counts = *options_.document.counts;
    ++counts.read;
    ++counts.kept;
    begin_document(out, id, text, options_.document.source);
    out += "}\n";
  }

  void finish(std::string& out) {
    if (options_.unit == TextUnit::kFile) {
      if (text_.empty()) return options_.document.counts->leave("empty");
      return add(bytes_->name(), text_, 1, out);
    }
    if (begun_) kept_line(out);
    if (options_.unit == TextUnit::kParagraph) end_paragraph(out);
  }

  std::unique_ptr<io::ByteSource> bytes_;
  TextOptions options_;
  std::string text_;                 // the file; or the paragraph so far and the line begun
  std::size_t paragraph_bytes_ = 0;  // of text_
  i64 paragraph_line_ = 0;
  i64 line_ = 0;
  bool begun_ = false;    // a line without its end is in text_
  bool dropped_ = false;  // text_ is not all of it
  bool started_ = false;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<io::Converter> convert_text(std::unique_ptr<io::ByteSource> bytes,
                                            const TextOptions& options) {
  return std::make_unique<TextConverter>(std::move(bytes), options);
}

std::unique_ptr<io::Converter> convert_text(const std::string& file, const TextOptions& options,
                                            const Context& ctx) {
  return convert_text(io::open_bytes(file, ctx), options);
}

}  // namespace lm::ingest
