#pragma once
// Partial results as JSON lines: a head with the format's version and the plan, the parts of the
// census, an end with their number and digest. So a cut, a lost line and a changed byte are noticed
// in plain files too, and several partial results may follow each other in one stream.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "census/census.h"
#include "core/hash.h"

namespace lm::census {

/// line(text without newline) for each line; equal censuses give equal lines.
void write_partial(const Census& census, const std::function<void(std::string_view line)>& line);

/// Adds partial results up. Throws Error{kData} "FILE:LINE: ..." for lines that are none, for what
/// is cut or changed, for another version and another plan.
class PartialReader {
 public:
  /// dir: for what does not fit in memory, see Census::spill().
  explicit PartialReader(std::string dir) : dir_(std::move(dir)) {}
  /// The next line of an input; inputs one after the other.
  void line(std::string_view text, const std::string& file, i64 number);
  /// No line is left of the input of the last line.
  void end();
  /// How many there were.
  i64 partials() const { return partials_; }
  /// The sum so far; null before the first head.
  Census* census() { return census_.get(); }

 private:
  void begin(const io::JsonNode& head, std::string_view text, const std::string& where);

  std::string dir_;
  std::unique_ptr<Plan> plan_;
  std::string plan_json_;
  std::string first_;  // where the plan was read
  std::unique_ptr<Spill> spill_;
  std::unique_ptr<Census> census_;
  std::unique_ptr<Xxh64Stream> digest_;  // of the lines of one that is open
  std::string open_;                     // where it begins
  i64 lines_ = 0;
  i64 partials_ = 0;
};

}  // namespace lm::census
