#include "eval/samples.h"

#include "core/error.h"
#include "core/str.h"

namespace lm::eval {

using text::Value;

std::string samples_path(const std::string& folder, const std::string& task) {
  return cat(folder, "/samples_", task, ".jsonl.zst");
}

RecordedAnswers::RecordedAnswers(std::string folder, const Context& ctx)
    : folder_(std::move(folder)), ctx_(ctx) {}

void RecordedAnswers::fail(const Line& line, const std::string& what) const {
  throw Error(ErrorKind::kData, cat(file_, ":", line.number, ": ", what));
}

void RecordedAnswers::begin(const TaskSpec& task) {
  file_ = samples_path(folder_, task.name);
  docs_ = std::make_unique<DocSet>(read_docs({file_}, 0, ctx_));
  lines_.clear();
  at_ = 0;
  i64 number = 0;
  for (const Doc& doc : docs_->docs()) {
    const Line line{++number, &doc.fields};
    const Value* id = doc.fields.find("doc_id");
    if (id == nullptr || !id->is_whole()) fail(line, "the sample has no doc_id");
    if (id->whole() < isize(lines_)) continue;  // of another filter
    if (id->whole() > isize(lines_))
      fail(line, cat("document ", id->whole(), " follows on ", isize(lines_) - 1));
    lines_.push_back(line);
  }
}

const RecordedAnswers::Line& RecordedAnswers::next() {
  if (at_ == lines_.size())
    throw Error(ErrorKind::kData,
                cat(file_, ": has answers to ", lines_.size(), " documents only"));
  return lines_[at_++];
}

namespace {

const Value& list_of(const Value& fields, const char* name) {
  static const Value kNone(text::ValueList{});
  const Value* found = fields.find(name);
  return found == nullptr || !found->is_list() ? kNone : *found;
}

}  // namespace

std::vector<Likelihood> RecordedAnswers::likelihoods(std::span<const LikelihoodRequest> requests) {
  std::vector<Likelihood> out;
  while (out.size() < requests.size()) {
    const Line& line = next();
    const text::ValueList& asked = list_of(*line.fields, "arguments").list();
    const text::ValueList& replies = list_of(*line.fields, "resps").list();
    if (asked.empty() || asked.size() != replies.size() ||
        asked.size() > requests.size() - out.size())
      fail(line, "the sample has not one answer for each of its arguments");
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const LikelihoodRequest& request = requests[out.size()];
      text::ValueList wanted = {request.continuation};
      if (!request.rolling) wanted.insert(wanted.begin(), request.context);
      if (!(asked[i] == Value(wanted))) fail(line, "the sample answers another prompt");
      const Value* reply =
          replies[i].is_list() && replies[i].list().size() == 1 ? &replies[i].list()[0] : nullptr;
      const bool good = reply != nullptr && reply->is_list() && reply->list().size() == 2 &&
                        reply->list()[0].is_number() && reply->list()[1].is_bool();
      if (!good) fail(line, "the answer is no [[log-probability, greedy]]");
      out.push_back({reply->list()[0].number(), reply->list()[1].flag()});
    }
  }
  return out;
}

std::vector<std::vector<std::string>> RecordedAnswers::texts(std::span<const TextRequest> requests,
                                                             const Generation&, i64 repeats) {
  std::vector<std::vector<std::string>> out;
  for (const TextRequest& request : requests) {
    const Line& line = next();
    const text::ValueList& asked = list_of(*line.fields, "arguments").list();
    const bool same = !asked.empty() && asked[0].is_list() && !asked[0].list().empty() &&
                      asked[0].list()[0] == Value(request.prompt);
    if (!same) fail(line, "the sample answers another prompt");
    const text::ValueList& replies = list_of(*line.fields, "resps").list();
    const bool good =
        replies.size() == 1 && replies[0].is_list() && isize(replies[0].list()) >= repeats;
    if (!good) fail(line, cat("the sample has no ", repeats, " texts"));
    std::vector<std::string>& texts = out.emplace_back();
    for (i64 i = 0; i < repeats; ++i) {
      const Value& text = replies[0].list()[usize(i)];
      if (!text.is_string()) fail(line, "an answer is no text");
      texts.push_back(text.str());
    }
  }
  return out;
}

}  // namespace lm::eval
