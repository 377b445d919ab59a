#pragma once
// Web archives to documents: conversion records of WET files as they are, responses and resources
// of WARC files as text. What is no text, no answer with status 200 or nothing to read is left out
// and counted by reason: warcinfo, request, metadata, revisit, ... (the record's type), segment,
// http, status, content_type, packed, too_long, html (beyond the limits of html_text.h), no_text.

#include <memory>
#include <string>

#include "ingest/document.h"
#include "io/convert.h"

namespace lm::ingest {

struct WarcOptions {
  bool responses = true;  // false: conversion records alone
  DocumentOptions document;
};

/// Records {"id","text","source","metadata":{"url","warc_date","content_type","warc_filename",
/// "offset"}}: id is the payload's digest, else the record's id; offset is that of the record in
/// the unpacked file. Pages are converted in parallel, in order. Throws kNoInput; next() throws
/// kData as WarcReader does.
std::unique_ptr<io::Converter> convert_warc(const std::string& file, const WarcOptions& options,
                                            const Context& ctx);
/// The same for bytes that are there already.
std::unique_ptr<io::Converter> convert_warc(std::unique_ptr<io::ByteSource> bytes,
                                            const WarcOptions& options);

}  // namespace lm::ingest
