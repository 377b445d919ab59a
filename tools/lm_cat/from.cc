#include "from.h"

#include <algorithm>
#include <map>
#include <optional>

#include <sys/stat.h>

#include "core/str.h"
#include "ingest/csv.h"
#include "ingest/format.h"
#include "ingest/parquet_table.h"
#include "ingest/text.h"
#include "ingest/warc.h"
#include "io/json.h"

namespace lm::cat_tool {

namespace {

using ingest::Format;

const std::map<std::string, Format> kFormats = {
    {"jsonl", Format::kJsonLines}, {"text", Format::kText},       {"csv", Format::kCsv},
    {"tsv", Format::kTsv},         {"parquet", Format::kParquet}, {"warc", Format::kWarc},
    {"wet", Format::kWet}};

std::vector<std::string> names_of(const std::string& list) {
  std::vector<std::string> out;
  for (const std::string_view name : split(list, ','))
    out.emplace_back(name);
  return out;
}

ingest::DocumentOptions document_options(const cli::Options& options, ingest::Counts& counts) {
  return {.source = options.text("source"),
          .max_record_bytes = options.integer("max-record"),
          .counts = &counts};
}

ingest::TextOptions text_options(const cli::Options& options, ingest::Counts& counts) {
  const std::string& unit = options.text("unit");
  return {.unit = unit == "line"        ? ingest::TextUnit::kLine
                  : unit == "paragraph" ? ingest::TextUnit::kParagraph
                                        : ingest::TextUnit::kFile,
          .document = document_options(options, counts)};
}

ingest::Quoting quoting_of(const cli::Options& options, bool tabs) {
  if (!options.given("quoting")) return tabs ? ingest::Quoting::kNone : ingest::Quoting::kQuotes;
  const std::string& how = options.text("quoting");
  return how == "none"        ? ingest::Quoting::kNone
         : how == "backslash" ? ingest::Quoting::kBackslash
                              : ingest::Quoting::kQuotes;
}

ingest::CsvOptions csv_options(const cli::Options& options, bool tabs, ingest::Counts& counts) {
  ingest::CsvOptions out;
  out.delimiter = tabs ? '\t' : ',';
  if (options.given("delimiter")) {
    const std::string& text = options.text("delimiter");
    const bool good =
        text.size() == 1 && std::string_view("\n\r\"\\").find(text[0]) == std::string_view::npos;
    if (!good || static_cast<u8>(text[0]) >= 0x80) {
      throw Error(ErrorKind::kUsage, cat("--delimiter: ", quote(text),
                                         " is not one ASCII character that may stand between "
                                         "cells"));
    }
    out.delimiter = text[0];
  }
  out.quoting = quoting_of(options, tabs);
  if (options.given("columns")) out.names = names_of(options.text("columns"));
  out.columns.text = options.text("text-column");
  if (options.given("id-column")) out.columns.id = options.text("id-column");
  const std::string& metadata = options.text("metadata-columns");
  out.columns.all_metadata = metadata == "all";
  if (metadata != "all" && metadata != "none") out.columns.metadata = names_of(metadata);
  out.guess_types = options.text("types") == "guess";
  out.document = document_options(options, counts);
  return out;
}

Format known_format(const std::string& file) {
  if (const std::optional<Format> format = ingest::format_of(file)) return *format;
  if (file != "-" && !io::path_exists(file)) io::open_input(file);  // says why it is not there
  throw Error(ErrorKind::kUsage,
              cat(io::input_display_name(file), ": --from auto does not know this suffix"),
              "name the format: --from text, csv, tsv, parquet, wet or warc");
}

std::unique_ptr<io::Converter> convert(const std::string& file, Format format,
                                       const cli::Options& options, ingest::Counts& counts,
                                       const Context& ctx) {
  switch (format) {
    case Format::kText:
      return ingest::convert_text(file, text_options(options, counts), ctx);
    case Format::kCsv:
    case Format::kTsv:
      return ingest::convert_csv(file, csv_options(options, format == Format::kTsv, counts), ctx);
    case Format::kParquet:
      return ingest::convert_parquet(file, csv_options(options, false, counts).columns,
                                     document_options(options, counts), ctx);
    case Format::kWarc:
    case Format::kWet: {
      ingest::WarcOptions warc;
      warc.responses = format == Format::kWarc;
      warc.document = document_options(options, counts);
      return ingest::convert_warc(file, warc, ctx);
    }
    case Format::kJsonLines:
      break;
  }
  return nullptr;
}

}  // namespace

From::From(cli::Tool& tool) : tool_(tool) {
  const std::string& from = tool.options().text("from");
  if (from == "jsonl") return;
  active_ = true;
  expand_folders();
  std::optional<Format> format;
  if (from != "auto") {
    format = kFormats.at(from);
  } else {
    for (const std::string& file :
         tool.files().empty() ? std::vector<std::string>{"-"} : tool.files())
      known_format(file);
  }
  csv_options(tool.options(), false, counts_);  // what is wrong with them is said at once
  set_params();
  tool.set_converter([this, format](const std::string& file) {
    return convert(file, format ? *format : known_format(file), tool_.options(), counts_,
                   tool_.ctx());
  });
}

void From::expand_folders() {
  const std::string& from = tool_.options().text("from");
  const std::optional<Format> format =
      from == "auto" ? std::nullopt : std::optional<Format>(kFormats.at(from));
  std::vector<std::string> files;
  for (const std::string& file : tool_.files()) {
    struct stat st {};
    if (file == "-" || ::stat(file.c_str(), &st) != 0 || !S_ISDIR(st.st_mode)) {
      files.push_back(file);
      continue;
    }
    tool_.add_input_folder(file);
    const ingest::FolderFiles found = ingest::folder_files(file, format);
    if (found.files.empty()) {
      throw Error(ErrorKind::kNoInput, cat(file, ": no file in this folder has a name of ",
                                           from == "auto" ? "a known format" : "--from " + from));
    }
    if (found.others > 0) {
      tool_.console().message(LogLevel::kInfo, cat(file, ": ", found.files.size(), " files, ",
                                                   found.others, " of other formats left out"));
    }
    files.insert(files.end(), found.files.begin(), found.files.end());
  }
  tool_.set_files(std::move(files));
}

// Everything that shapes the records, and nothing for inputs that are JSON lines already.
void From::set_params() {
  const cli::Options& options = tool_.options();
  for (const char* const name : {"from", "source", "unit", "text-column", "id-column",
                                 "metadata-columns", "types", "columns", "delimiter", "quoting"}) {
    if (std::string_view(name) == "from" || options.asked(name))
      tool_.set_param(name, io::json_string(options.text(name)));
  }
}

void From::finish() {
  if (!active_) return;
  tool_.add_metric("ingest", counts_.json());
  const bool nothing = counts_.kept == 0 && counts_.read > 0;
  tool_.console().message(nothing ? LogLevel::kWarning : LogLevel::kInfo,
                          cat("--from ", tool_.options().text("from"), ": ", counts_.text()));
}

}  // namespace lm::cat_tool
