#pragma once
// A model folder as who answers: everything that was added runs in one batch (decode/generate.h).
// A reply's text is that of lm-decode generate for the same request.

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "answer/answer.h"
#include "decode/generate.h"
#include "decode/languages.h"
#include "decode/prompt.h"
#include "decode/score.h"
#include "decode/session.h"
#include "text/chat_marks.h"
#include "text/chat_template.h"

namespace lm::answer {

struct ModelOptions {
  decode::LanguagesOptions languages = {};
  /// Instead of the folder's default template; a folder that has none gets plain_prompt().
  std::optional<text::ChatFiles::Named> chat = std::nullopt;
};

class ModelAnswerer final : public Answerer {
 public:
  /// The engine of the session is this object's alone. Throws what read_chat_files and ChatTemplate
  /// throw, and Error{kUsage} for a folder with several templates and no default.
  ModelAnswerer(std::unique_ptr<decode::Session> session, const ModelOptions& options);
  ~ModelAnswerer() override;

  /// Fault "budget" where a reply had no tokens left to become of the form asked for.
  void add(Request request) override;
  i64 pending() const override { return isize(jobs_); }
  bool step() override;
  std::optional<Response> take() override;
  i64 count_tokens(const std::string& text) const override;
  u64 key() const override { return key_; }

  const decode::Session& session() const { return *session_; }
  const decode::GenerateStats& stats() const { return generator_.stats(); }

 private:
  struct Job;
  std::optional<Fault> begin(Request& request, Job& job);
  Result<decode::PromptText> prompt_of(const Request& request);
  std::optional<Fault> plan_scores(const Request& request, const decode::PromptText& prompt,
                                   Job& job);
  void take_generated();
  void take_scores();

  std::unique_ptr<decode::Session> session_;
  mutable decode::PromptEncoder encoder_;
  std::optional<text::ChatTemplate> chat_;
  std::optional<text::ChatMarks> marks_;
  decode::Languages languages_;
  MemoryBudget* memory_;  // null: not charged
  decode::Generator generator_;
  decode::TokenScorer scorer_;
  u64 key_ = 0;
  std::deque<std::unique_ptr<Job>> jobs_;
  std::deque<Job*> generating_;
  std::deque<Job*> to_score_;  // while the generator has the engine
  std::deque<Job*> scoring_;
};

}  // namespace lm::answer
