#pragma once
// Requests with what was answered, in a file: written while something answers, and answered from
// later. One JSON object a line: {"key", "model", "request", "response"}, and {"count", "model",
// "tokens"} for texts that were counted. The key is of all that a request asks and of who answered,
// not of its id and meta: requests that ask the same have the same key, and get what was recorded
// for it in turn, round and round. A last line without its end does not count.

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "answer/answer.h"
#include "answer/request.h"
#include "core/memory_hold.h"
#include "io/atomic_file.h"
#include "io/file.h"

namespace lm::answer {

std::string response_json(const Response& response);
/// Throws Error{kData} "WHERE: ..." for what is none.
Response parse_response(const io::Json& json, const std::string& where);

class RecordingAnswerer final : public Answerer {
 public:
  /// Borrows who answers, and the file, which its owner completes. keep: what stands under the
  /// file's name stays before what is added (a run goes on). memory: requests in work are charged
  /// there, null: nowhere. Throws what AtomicFile throws, Error{kData} for something to keep that
  /// is no recording.
  RecordingAnswerer(Answerer& inner, io::AtomicFile& file, bool keep,
                    MemoryBudget* memory = nullptr);

  void add(Request request) override;
  i64 pending() const override { return inner_.pending(); }
  bool step() override { return inner_.step(); }
  /// What is taken is recorded.
  std::optional<Response> take() override;
  i64 count_tokens(const std::string& text) const override;
  u64 key() const override { return inner_.key(); }

  /// Completes the file at once, for a run that stops and goes on later.
  void close() { file_.commit(); }
  /// Requests that the file held already.
  i64 kept() const { return kept_; }

 private:
  Answerer& inner_;
  io::AtomicFile& file_;
  mutable std::set<std::string> counted_;  // keys of texts
  i64 kept_ = 0;
  std::deque<std::string> asked_;  // beginnings of lines, of what is pending
  MemoryHold memory_;              // of them
};

class ReplayAnswerer final : public Answerer {
 public:
  /// Reads keys; responses are read when they are asked for. memory: what the index takes is
  /// charged there, null: nowhere. Throws Error{kData} naming file and line, also for a file
  /// recorded from several models.
  explicit ReplayAnswerer(const std::string& path, MemoryBudget* memory = nullptr);

  void add(Request request) override;
  i64 pending() const override { return isize(answered_); }
  bool step() override { return !answered_.empty(); }
  std::optional<Response> take() override;
  /// What was counted, else characters.
  i64 count_tokens(const std::string& text) const override;
  /// Whether some request was recorded several times: what is answered then depends on the order of
  /// requests.
  bool ordered() const { return ordered_; }
  /// Its last line has no end, and does not count.
  bool torn() const { return torn_; }
  /// Of the whole recording.
  u64 key() const override { return key_; }
  /// Of who answered when it was made; 0 of an empty recording.
  u64 recorded_key() const;

 private:
  struct Recorded {
    std::vector<std::pair<i64, i64>> lines;  // offset and size
    std::size_t next = 0;
  };
  void read_line(std::string_view line, i64 offset, i64 number);

  std::string path_;
  io::Mapping file_;
  MemoryHold memory_;
  u64 key_ = 0;
  bool ordered_ = false;
  bool torn_ = false;
  std::optional<std::string> model_;
  std::unordered_map<std::string, Recorded> by_key_;  // never iterated
  std::unordered_map<std::string, i64> counts_;       // by key of the text, never iterated
  std::deque<Response> answered_;
};

}  // namespace lm::answer
