// lm-dedup bloom: looks at filter files and combines them.

#include "dedup/bloom.h"

#include "common/text_output.h"
#include "core/str.h"
#include "dedup.h"
#include "io/file.h"
#include "text/normalize.h"

namespace lm::dedup_tool {

namespace {

using dedup::BloomFilter;

std::string info_json(const std::string& path, const BloomFilter& filter) {
  const dedup::BloomInfo& info = filter.info();
  const dedup::BloomLoad load = filter.estimate();
  std::string out = cat("{\"file\":", io::json_string(path), ",\"scheme\":\"",
                        info.shape.scheme == dedup::BloomScheme::kClassic ? "classic" : "blocked",
                        "\",\"k\":", info.shape.k, ",\"bits\":", info.shape.bits,
                        ",\"seed\":", info.seed, ",\"n_target\":", info.n_target, ",\"p_target\":");
  io::append_json_number(out, info.p_target);
  append(out, ",\"n_inserted\":", info.n_inserted,
         ",\"normaliser\":", io::json_string(info.normaliser),
         ",\"key_kind\":", io::json_string(info.key_kind),
         ",\"created_by\":", io::json_string(info.created_by), ",\"fill\":");
  io::append_json_number(out, load.fill);
  out += ",\"keys_estimate\":";
  io::append_json_number(out, load.keys);
  out += ",\"fpr_estimate\":";
  io::append_json_number(out, load.fpr);
  return out + "}\n";
}

void combine(cli::Tool& tool, std::span<const std::string> files, bool any) {
  const std::string& path = tool.options().text("output");
  if (path == "-") throw Error(ErrorKind::kUsage, "a combined filter needs -o FILE");
  BloomFilter filter = BloomFilter::load(files[0], *tool.ctx().memory);
  for (const std::string& file : files.subspan(1)) {
    try {
      const BloomFilter other = BloomFilter::open(file);
      any ? filter.merge(other) : filter.intersect(other);
    } catch (const Error& error) {
      throw error.with_prefix(cat(files[0], " with ", file));
    }
  }
  filter.info().created_by = cat("lm-dedup ", cli::kToolkitVersion);
  filter.write(tool.other_output(path));
}

/// Each line of standard input is a key; prints 1 or 0 per line, exit status 1 if any is absent.
void test(cli::Tool& tool, const std::string& path) {
  tool_options::TextOutput printed(tool);
  const BloomFilter filter = BloomFilter::open(path);
  const std::optional<text::Normaliser> normaliser =
      text::find_normaliser(filter.info().normaliser);
  if (!normaliser) {
    throw Error(ErrorKind::kData,
                cat(path, ": unknown normaliser ", quote(filter.info().normaliser)));
  }
  const std::string input = io::read_file("/dev/stdin");
  std::vector<Hash128> keys;
  std::string normal;
  std::string_view rest = input;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    text::normalise(*normaliser, line, normal);
    keys.push_back(dedup::bloom_key(normal, filter.info().seed));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  std::vector<u8> seen(keys.size());
  filter.test(keys, seen);
  std::string out;
  for (const u8 present : seen) {
    out += present != 0 ? "1\n" : "0\n";
    if (present == 0) tool.set_exit(1);
  }
  printed.write(out);
}

}  // namespace

void run_bloom(cli::Tool& tool) {
  const std::vector<std::string>& operands = tool.files();
  const std::string what = operands.empty() ? "" : operands[0];
  const std::span<const std::string> files = std::span(operands).subspan(operands.empty() ? 0 : 1);
  if (what != "info" && what != "merge" && what != "and" && what != "test") {
    throw Error(ErrorKind::kUsage,
                cat("bloom ", quote(what), ": expected info, merge, and, or test"));
  }
  if (files.empty()) throw Error(ErrorKind::kUsage, cat("bloom ", what, " needs a filter file"));
  if (what == "info") {
    tool_options::TextOutput printed(tool);
    for (const std::string& file : files)
      printed.write(info_json(file, BloomFilter::open(file)));
  } else if (what == "test") {
    if (files.size() > 1) throw Error(ErrorKind::kUsage, "bloom test takes one filter");
    test(tool, files[0]);
  } else {
    combine(tool, files, what == "merge");
  }
}

}  // namespace lm::dedup_tool
