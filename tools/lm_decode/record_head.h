#pragma once
// What every record of generate says first: who it is, and how it wants its texts drawn.

#include <string>

#include "core/result.h"
#include "decode/params.h"
#include "io/run.h"

namespace lm::decode_tool {

struct RecordHead {
  std::string id;
  decode::SampleParams params;  // the run's, as the record's own change them
};

/// id, params: numbers of the fields. Fault "type" or "params".
Result<RecordHead> record_head(io::Record& record, i64 id, i64 params,
                               const decode::SampleParams& defaults);

}  // namespace lm::decode_tool
