#include "embed/parallel_texts.h"

#include "core/str.h"

namespace lm::embed {
namespace {

constexpr i64 kEntryBytes = 96;  // of a hash table's entry and a place, with slack

}  // namespace

ParallelTexts::ParallelTexts(const Context& ctx) : ctx_(ctx), file_(ctx.tmp_dir) {}

ParallelTexts::~ParallelTexts() {
  ctx_.memory->release(charged_);
}

void ParallelTexts::charge(i64 bytes) {
  ctx_.memory->charge_growing(charged_, bytes, "ids and places of sentences");
  charged_ += bytes;
}

std::optional<Fault> ParallelTexts::add(std::string_view lang, std::string_view pair,
                                        std::string_view text) {
  const auto [known, fresh] = pairs_.try_emplace(std::string(pair), isize(pairs_));
  charge(kEntryBytes + (fresh ? isize(pair) + kEntryBytes : 0));
  Language& language = languages_.try_emplace(std::string(lang)).first->second;
  const std::size_t number = static_cast<std::size_t>(known->second);
  if (number >= language.has.size()) language.has.resize(number + 1, false);
  if (language.has[number])
    return Fault{"duplicate",
                 cat("language ", quote(lang), " has two sentences of pair ", quote(pair)), -1};
  language.has[number] = true;
  language.sentences.push_back({known->second, file_.size(), isize(text)});
  file_.append(text.data(), isize(text));
  return std::nullopt;
}

std::vector<std::string> ParallelTexts::languages() const {
  std::vector<std::string> out;
  for (const auto& [name, language] : languages_)
    out.push_back(name);
  return out;
}

const std::vector<ParallelTexts::Sentence>& ParallelTexts::sentences(
    const std::string& lang) const {
  static const std::vector<Sentence> kNone;
  const auto at = languages_.find(lang);
  return at == languages_.end() ? kNone : at->second.sentences;
}

std::string ParallelTexts::text(const Sentence& sentence) const {
  std::string out(usize(sentence.size), '\0');
  file_.read_at(out.data(), sentence.size, sentence.offset);
  return out;
}

}  // namespace lm::embed
