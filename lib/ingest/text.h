#pragma once
// Plain text: a document is a file, a line or a paragraph (lines between blank ones). LF and CRLF
// end lines; a byte-order mark is dropped; blank lines are no documents. Ids: FILE, FILE:LINE,
// FILE:LINE of a paragraph's first line.

#include <memory>
#include <string>

#include "ingest/document.h"
#include "io/convert.h"

namespace lm::ingest {

enum class TextUnit { kFile, kLine, kParagraph };

struct TextOptions {
  TextUnit unit = TextUnit::kFile;
  DocumentOptions document;
};

/// A file's text is kept as it is; the lines of a paragraph are joined by LF. A document above
/// max_record_bytes is cut to a record that is too long by one byte, so that it meets the policy
/// for bad records. An empty file has no document (left out: empty). Throws kNoInput; next() throws
/// kData "FILE:LINE: ..." for text that is not UTF-8.
std::unique_ptr<io::Converter> convert_text(const std::string& file, const TextOptions& options,
                                            const Context& ctx);
/// The same for bytes that are there already.
std::unique_ptr<io::Converter> convert_text(std::unique_ptr<io::ByteSource> bytes,
                                            const TextOptions& options);

}  // namespace lm::ingest
