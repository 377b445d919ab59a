#pragma once
// --adapter-router: a classifier chooses the adapter of records that choose none.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters.h"
#include "cli/tool.h"
#include "decode/text_classifier.h"
#include "generate_work.h"
#include "io/json.h"

namespace lm::decode_tool {

std::vector<cli::Flag> router_flags();

class Router {
 public:
  /// Opens the classifier, if there is one. Throws Error{kUsage} for a label that no --adapter has
  /// the name of, and what TextClassifier throws.
  Router(cli::Tool& tool, const Adapters& adapters);

  bool on() const { return classifier_ != nullptr; }
  /// Of the classifier, 0: none.
  u64 key() const { return on() ? classifier_->key() : 0; }
  /// Sets the adapters of a record's request: those that it names, else what the classifier reads
  /// out of its prompt. Fault "adapter", "type", "missing", or of the classifier.
  std::optional<Fault> choose(io::JsonReader& json, i64 prompt, i64 adapter,
                              const decode::Session& session, GenerateWork& work) const;

 private:
  Result<std::string> routed(std::string_view prompt) const;

  const Adapters& adapters_;
  std::unique_ptr<decode::TextClassifier> classifier_;
  i64 best_ = 1;  // so many are mixed
};

}  // namespace lm::decode_tool
