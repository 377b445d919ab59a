#include "idf.h"

#include <algorithm>
#include <cmath>

#include "core/hash.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::uq_tool {

TokenRarity::TokenRarity(cli::Tool& tool, const std::string& path,
                         const text::Tokenizer& tokenizer) {
  io::JsonReader json({"text"});
  io::InputOptions from;
  from.files = {path};
  io::InputStream input(std::move(from), tool.ctx());
  io::RunCounters counters;
  io::RecordRun run(input, nullptr, nullptr, {}, tool.ctx(), counters);
  const std::unique_ptr<text::EncodeState> state = tokenizer.new_state();
  std::vector<i32> ids;
  u64 hash = 0;
  const auto count = [&](io::Batch& batch) {
    run.each_record(batch, json, [&](io::Record& record) -> std::optional<Fault> {
      const Result<std::string_view> text = record.json.string(0);
      if (!text) return text.fault();
      ids.clear();
      if (std::optional<Fault> fault = text::encode_record(tokenizer, *text, *state, ids))
        return fault;
      hash += xxh3_64(*text);
      ++texts_;
      std::sort(ids.begin(), ids.end());
      ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
      for (const i32 id : ids) {
        if (isize(with_) <= id) with_.resize(usize(id + 1), 0);
        ++with_[usize(id)];
      }
      return std::nullopt;
    });
  };
  try {
    run.run({{StageMode::kSerial, count}});
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kData) throw;
    throw Error(e.kind(), cat("--idf: ", e.message()),
                "every record of --idf is one text, in the field text", e.where());
  }
  if (texts_ == 0) throw Error(ErrorKind::kData, cat(path, ": --idf has no texts"));
  tool.set_param("idf", io::json_string(hex64(hash)));
}

f64 TokenRarity::weight(i64 token) const {
  const i64 with = token < isize(with_) ? with_[usize(token)] : 0;
  return std::log(static_cast<f64>(texts_ + 1) / static_cast<f64>(with + 1));
}

}  // namespace lm::uq_tool
