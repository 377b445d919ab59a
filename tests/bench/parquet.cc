// Reads a Parquet file as JSON lines, or writes one of JSON lines; one line of JSON says how fast.
//   bench-parquet read FILE [OUT]           lines to OUT, or to nowhere
//   bench-parquet write LINES FILE CODEC COLUMN...   COLUMN: PATH[:TYPE]

#include <fstream>
#include <iostream>

#include "core/clock.h"
#include "core/error.h"
#include "core/str.h"
#include "parquet/json_rows.h"
#include "parquet/json_writer.h"

namespace {

using namespace lm;

void say(std::string_view what, i64 bytes, i64 json_bytes, f64 seconds) {
  std::cout << "{\"case\":\"" << what << "\",\"file_bytes\":" << bytes
            << ",\"json_bytes\":" << json_bytes << ",\"cpu_s\":" << format_fixed(seconds, 3)
            << ",\"json_mb_s\":" << format_fixed(static_cast<f64>(json_bytes) / 1e6 / seconds, 0)
            << ",\"max_rss_mb\":" << max_rss_bytes() / 1000000 << "}\n";
}

void read(const std::string& path, const std::string& out_path) {
  const LocalContext ctx;
  std::ofstream out;
  if (!out_path.empty()) out.open(out_path, std::ios::binary);
  const f64 start = cpu_s();
  parquet::JsonRows rows(path, {}, ctx);
  i64 total = 0;
  std::string lines;
  for (; rows.next(lines); lines.clear()) {
    total += isize(lines);
    if (!out_path.empty()) out.write(lines.data(), static_cast<std::streamsize>(lines.size()));
  }
  say("read", io::file_size(io::open_input(path).get(), path), total, cpu_s() - start);
}

void write(const std::string& lines_path, const std::string& path, const std::string& codec,
           const std::vector<parquet::OutColumn>& columns) {
  const LocalContext ctx;
  parquet::WriterOptions options;
  options.codec = codec == "snappy" ? parquet::PageCodec::kSnappy
                  : codec == "none" ? parquet::PageCodec::kNone
                                    : parquet::PageCodec::kZstd;
  std::string text = io::read_file(lines_path);
  text.append(usize(io::kJsonPadding), '\0');
  const f64 start = cpu_s();
  parquet::JsonWriter writer(path, columns, options, ctx);
  io::JsonReader json(parquet::JsonWriter::paths(columns));
  i64 at = 0;
  const i64 end = isize(text) - io::kJsonPadding;
  while (at < end) {
    const i64 newline = static_cast<i64>(text.find('\n', usize(at)));
    const std::string_view line = std::string_view(text).substr(usize(at), usize(newline - at));
    std::optional<Fault> fault = json.parse(line);
    if (!fault) fault = writer.add(json);
    if (fault) throw Error(ErrorKind::kData, cat(lines_path, ": ", fault->detail));
    at = newline + 1;
  }
  writer.close();
  say("write", io::file_size(io::open_input(path).get(), path), end, cpu_s() - start);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() >= 2 && words.size() <= 3 && words[0] == "read") {
      read(words[1], words.size() == 3 ? words[2] : "");
    } else if (words.size() >= 5 && words[0] == "write") {
      std::vector<parquet::OutColumn> columns;
      for (std::size_t i = 4; i < words.size(); ++i)
        columns.push_back(parquet::parse_column(words[i]));
      write(words[1], words[2], words[3], columns);
    } else {
      throw Error(ErrorKind::kUsage, "read FILE [OUT] or write LINES FILE CODEC COLUMN...");
    }
  } catch (const Error& e) {
    std::cerr << "bench-parquet: " << e.message() << "\n";
    return static_cast<int>(e.kind());
  }
  return 0;
}
