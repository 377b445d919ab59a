#include "record_head.h"

#include "io/held.h"

namespace lm::decode_tool {

Result<RecordHead> record_head(io::Record& record, i64 id, i64 params,
                               const decode::SampleParams& defaults) {
  Result<std::string> name = io::record_id(record.json, id, record.ordinal);
  if (!name) return name.fault();
  RecordHead out{std::move(*name), defaults};
  if (record.json.has(params)) {
    if (std::optional<Fault> fault = decode::apply_params(record.json.raw(params), out.params))
      return *fault;
  }
  return out;
}

}  // namespace lm::decode_tool
