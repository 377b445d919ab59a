#include "decode/feasible.h"

#include <algorithm>

#include "core/str.h"

namespace lm::decode {

using accord::Automaton;

namespace {

constexpr std::size_t kTail = 1024;  // bytes of a text that decide how it goes on in tokens

}  // namespace

Spelling::Spelling(const text::Tokenizer& tokenizer, i64 vocab)
    : tokenizer_(tokenizer), trie_(tokenizer, vocab) {}

std::optional<Fault> Spelling::check(std::string_view bytes) const {
  for (const char& byte : bytes) {
    bool found = false;
    for (int part = 0; part < grammar::kTrieParts && !found; ++part) {
      const i64 at = trie_.find(part, {&byte, 1});
      found = at >= 0 && trie_.nodes(part)[usize(at)].token != grammar::kNoToken;
    }
    if (!found)
      return Fault{"tokenizer",
                   cat("no token is ", quote({&byte, 1}), " alone, of which solutions are made"),
                   -1};
  }
  return std::nullopt;
}

bool Spelling::spells(std::span<const i32> ids, std::string_view text) const {
  for (const i32 id : ids) {
    const std::string_view bytes = trie_.text(id);
    if (bytes.empty() || !text.starts_with(bytes)) return false;
    text.remove_prefix(bytes.size());
  }
  return text.empty();
}

std::vector<i32> Spelling::longest(std::string_view text) const {
  std::vector<i32> out;
  while (!text.empty()) {
    i32 best = -1;
    i64 length = 0;
    for (int part = 0; part < grammar::kTrieParts; ++part) {
      const std::span<const grammar::TrieNode> nodes = trie_.nodes(part);
      i64 begin = 0, end = isize(nodes);
      for (i64 depth = 0; depth < isize(text); ++depth) {
        while (begin < end && nodes[usize(begin)].byte != static_cast<u8>(text[usize(depth)]))
          begin += nodes[usize(begin)].size;
        if (begin >= end) break;
        const grammar::TrieNode& node = nodes[usize(begin)];
        if (node.token != grammar::kNoToken && depth + 1 > length) {
          length = depth + 1;
          best = -1;
          trie_.each_token(node, [&](i32 id) { best = best < 0 ? id : std::min(best, id); });
        }
        end = begin + node.size;
        ++begin;
      }
    }
    LM_CHECK(best >= 0, "every byte is a token");
    out.push_back(best);
    text.remove_prefix(usize(length));
  }
  return out;
}

Result<std::vector<i32>> Spelling::spell(std::string_view before, std::string_view text,
                                         text::EncodeState& state) const {
  std::vector<i32> ids;
  std::vector<std::pair<i64, i64>> places;
  const std::string whole = cat(before, text);
  if (std::optional<Fault> fault = text::encode_record(tokenizer_, whole, state, ids, &places))
    return *fault;
  std::size_t first = 0;
  while (first < ids.size() && places[first].first < isize(before))
    ++first;
  ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(first));
  if (spells(ids, text)) return ids;
  ids.clear();
  if (std::optional<Fault> fault = text::encode_record(tokenizer_, text, state, ids)) return *fault;
  if (spells(ids, text)) return ids;
  return longest(text);
}

std::string solution_note(const Automaton* complete, i64 decisions) {
  const bool feasible = complete != nullptr && complete->complete();
  return cat("\"solution\":", feasible ? accord::solution_json(complete->solution()) : "null",
             ",\"objective\":", feasible ? cat(complete->objective()) : "null",
             ",\"feasible\":", feasible ? "true" : "false", ",\"decisions\":", decisions);
}

FeasibleChoices::FeasibleChoices(std::shared_ptr<const Spelling> spelling,
                                 std::unique_ptr<Automaton> start)
    : spelling_(std::move(spelling)), walk_(std::move(start)), opening_(walk_->opening()) {}

FeasibleChoices::FeasibleChoices(const FeasibleChoices& other)
    : ChoiceText(other),
      spelling_(other.spelling_),
      walk_(other.walk_->clone()),
      opening_(other.opening_),
      choices_(other.choices_),
      tail_(other.tail_),
      decisions_(other.decisions_) {}

Result<std::vector<ChoiceText::Alternative>> FeasibleChoices::next() {
  if (!encoder_) encoder_ = spelling_->tokenizer().new_state();
  std::vector<Alternative> out;
  choices_ = walk_->choices();
  for (const i64 choice : choices_) {
    Result<std::vector<i32>> tokens =
        spelling_->spell(tail_, cat(opening_, walk_->text(choice)), *encoder_);
    if (!tokens) return tokens.fault();
    out.push_back({static_cast<i32>(choice + 1), std::move(*tokens)});
  }
  return out;
}

void FeasibleChoices::accept(i64 place) {
  const i64 choice = choices_[usize(place)];
  append(tail_, opening_, walk_->text(choice));
  opening_.clear();
  if (tail_.size() > 2 * kTail) {
    const std::size_t line = tail_.find('\n', tail_.size() - kTail);
    tail_.erase(0, line == std::string::npos ? tail_.size() - kTail : line);
  }
  walk_->accept(choice);
  if (choices_.size() > 1) ++decisions_;
}

std::string FeasibleChoices::note() const {
  return solution_note(walk_.get(), decisions_);
}

std::unique_ptr<ChoiceText> FeasibleChoices::clone() const {
  return std::make_unique<FeasibleChoices>(*this);
}

FeasibleConstraint::FeasibleConstraint(std::shared_ptr<const Spelling> spelling,
                                       std::unique_ptr<Automaton> start, std::vector<i32> ends,
                                       bool at_once)
    : spelling_(std::move(spelling)), ends_(std::move(ends)), at_once_(at_once) {
  const std::string opening = start->opening();
  std::shared_ptr<const Automaton> begin = std::move(start);
  if (opening.empty()) {
    places_ = {{state_of(std::move(begin), 0)}};
    return;
  }
  State first;
  first.walk = std::move(begin);
  first.choices = {accord::kStop};
  first.texts = {opening};
  first.opening = true;
  places_ = {{std::make_shared<const State>(std::move(first))}};
}

std::shared_ptr<const FeasibleConstraint::State> FeasibleConstraint::state_of(
    std::shared_ptr<const Automaton> walk, i64 decisions) {
  State out;
  out.choices = walk->choices();
  for (const i64 choice : out.choices)
    out.texts.push_back(walk->text(choice));
  out.walk = std::move(walk);
  out.decisions = decisions;
  return std::make_shared<const State>(std::move(out));
}

/// The place behind an alternative that has come as a whole.
FeasibleConstraint::Place FeasibleConstraint::settled(Place place) const {
  const State& s = *place.state;
  if (place.alternative < 0 || place.bytes < isize(s.texts[usize(place.alternative)])) return place;
  std::shared_ptr<const State>& after = after_[{&s, place.alternative}];
  if (!after) {
    std::unique_ptr<Automaton> walk = s.walk->clone();
    if (!s.opening) walk->accept(s.choices[usize(place.alternative)]);
    after = state_of(std::move(walk), s.decisions + (s.choices.size() > 1 ? 1 : 0));
  }
  return {after};
}

std::vector<FeasibleConstraint::Place> FeasibleConstraint::step(const std::vector<Place>& places,
                                                                u8 byte) const {
  std::vector<Place> out;
  for (const Place& before : places) {
    const Place place = settled(before);
    const std::vector<std::string>& texts = place.state->texts;
    const i64 first = place.alternative < 0 ? 0 : place.alternative;
    const i64 last = place.alternative < 0 ? isize(texts) : place.alternative + 1;
    for (i64 i = first; i < last; ++i)
      if (static_cast<u8>(texts[usize(i)][usize(place.bytes)]) == byte)
        out.push_back({place.state, i, place.bytes + 1});
  }
  return out;
}

void FeasibleConstraint::walk(int part, i64 begin, i64 end,
                              const std::vector<Place>& places) const {
  const std::span<const grammar::TrieNode> nodes = spelling_->trie().nodes(part);
  for (i64 i = begin; i < end; i += nodes[usize(i)].size) {
    const grammar::TrieNode& node = nodes[usize(i)];
    const std::vector<Place> next = step(places, node.byte);
    if (next.empty()) continue;
    spelling_->trie().each_token(node, [&](i32 id) { allowed_[usize(id)] = 1; });
    walk(part, i + 1, i + node.size, next);
  }
}

/// The complete solution that the text is, or null.
const FeasibleConstraint::State* FeasibleConstraint::complete() const {
  for (const Place& place : places_)
    if (place.alternative < 0 && place.state->walk->complete()) return place.state.get();
  return nullptr;
}

std::optional<Fault> FeasibleConstraint::mask(TokenWeights& x, i64) const {
  allowed_.assign(usize(spelling_->trie().vocab()), 0);
  for (int part = 0; part < grammar::kTrieParts; ++part)
    walk(part, 0, isize(spelling_->trie().nodes(part)), places_);
  if (complete() != nullptr)
    for (const i32 id : ends_)
      allowed_[usize(id)] = 1;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < x.ids.size(); ++i) {
    if (allowed_[usize(x.ids[i])] == 0) continue;
    x.ids[kept] = x.ids[i];
    x.w[kept++] = x.w[i];
  }
  x.ids.resize(kept);
  x.w.resize(kept);
  return std::nullopt;
}

void FeasibleConstraint::accept(i32 token) {
  heard_ = true;
  if (std::find(ends_.begin(), ends_.end(), token) != ends_.end()) {
    over_ = true;
    return;
  }
  for (const char byte : spelling_->trie().text(token))
    places_ = step(places_, static_cast<u8>(byte));
  for (Place& place : places_)
    place = settled(std::move(place));
  after_.clear();
}

std::optional<TextEnd> FeasibleConstraint::end(std::string_view text) {
  const bool last = !heard_;
  heard_ = false;
  if (over_) return TextEnd{"complete", ended_};
  ended_ = isize(text);
  if (last || !at_once_ || places_.empty()) return std::nullopt;
  for (const Place& place : places_)
    if (place.alternative >= 0 || !place.state->walk->complete()) return std::nullopt;
  return TextEnd{"complete", {}};
}

std::string FeasibleConstraint::note() const {
  const State* const state = complete();
  i64 decisions = 0;
  if (!places_.empty()) decisions = places_.front().state->decisions;
  return solution_note(state == nullptr ? nullptr : state->walk.get(),
                       state == nullptr ? decisions : state->decisions);
}

std::unique_ptr<Constraint> FeasibleConstraint::clone() const {
  return std::make_unique<FeasibleConstraint>(*this);
}

}  // namespace lm::decode
