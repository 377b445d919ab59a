// A Parquet file: the footer may say anything; what it says of pages stays in the file, and memory
// is asked of the budget.

#include "core/context.h"
#include "core/str.h"
#include "fuzz.h"
#include "io/json.h"
#include "parquet/json_rows.h"
#include "parquet/reader.h"

namespace {

using namespace lm;

constexpr i64 kMaxRows = 20000;  // a run of nulls may go on for long
constexpr i64 kMaxBytes = 8 << 20;

/// Every column by itself, so that a bad one does not hide the others.
void read_column(const parquet::File& file, i64 number, const Context& ctx) {
  parquet::RowReader rows(file, std::vector<i64>{number}, ctx);
  const std::vector<std::string> keys = parquet::row_keys(rows);
  io::JsonReader json({"x"});
  i64 bytes = 0;
  for (i64 i = 0; i < kMaxRows && bytes < kMaxBytes && rows.next(); ++i) {
    std::string line;
    parquet::append_row(rows, keys, line);
    bytes += isize(line);
    const i64 size = isize(line) - 1;
    line.append(usize(io::kJsonPadding), '\0');
    LM_CHECK(!json.parse(std::string_view(line).substr(0, usize(size))), "a row is a JSON object");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const lm::u8* data, std::size_t size) {
  static fuzz::ScratchFile scratch;
  const std::string& path = scratch.put(fuzz::text_of(data, size));
  const LocalContext ctx(1, i64{256} << 20);
  try {
    const parquet::File file(path, ctx);
    for (i64 i = 0; i < isize(file.columns()); ++i) {
      if (file.columns()[usize(i)].refused.empty())
        fuzz::refuse_or_run([&] { read_column(file, i, ctx); });
    }
  } catch (const Error& e) {
    // A budget that does not do is a refusal too.
    if (e.kind() == ErrorKind::kInternal) throw;
  }
  LM_CHECK(ctx->memory->used() == 0, "what was charged is released");
  return 0;
}
