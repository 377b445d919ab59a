#pragma once
// What a Generator holds of a request and of each of its samples. Not for others.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "decode/choice_tree.h"
#include "decode/continued_text.h"
#include "decode/generate.h"
#include "decode/model_switch.h"

namespace lm::decode {

/// A sample that grows by alternatives.
struct ChoiceRun {
  std::unique_ptr<ChoiceText> text;
  std::vector<i32> ids;   // of the alternatives
  ChoiceTree tree;        // of their tokens
  std::vector<i32> read;  // nodes to read next
  bool begun = false;
  bool root = false;     // the probabilities behind the text are known
  bool planned = false;  // `read` is in the pass
  i64 drawn = 0;         // tokens since the pass
};

struct Generator::Sample : ContinuedText {
  Sample(Job& owner, i64 at, Sampler with, const text::Tokenizer& tokenizer)
      : ContinuedText(tokenizer), job(owner), index(at), sampler(std::move(with)) {}
  Job& job;
  i64 index;
  i64 number = 0;        // of its draws
  bool measured = true;  // tops and spreads are noted
  i32 seq = -1;
  i64 charge = 0;               // pages
  std::vector<i32> tokens;      // prompt and output
  std::span<const f32> logits;  // to draw from, empty while there are none
  std::unique_ptr<Drafter> drafter;
  DraftPace pace;
  DraftTree draft;       // guesses behind the last token
  bool guessed = false;  // in this pass
  f64 guess_s = 0;       // spent on it
  i64 right = 0;         // guesses of the last pass that were drawn
  i64 cached = 0;        // tokens in the engine's memory
  i64 unread = 0;        // tokens whose rows are in the pass: the last, and what another model made
  std::vector<i64> rows;  // of the pass: theirs, then those of the guesses
  std::vector<i32> kept;  // of them those whose tokens the text has
  std::optional<ModelSwitch> models;
  i32 other_seq = -1;     // in the other engine
  i64 other_cached = 0;   // tokens there
  i64 other_charge = 0;   // pages there
  bool on_other = false;  // the other engine makes the next token
  std::optional<ChoiceRun> choice;
  Sampler sampler;
  std::vector<std::unique_ptr<Constraint>> constraints;
  std::vector<i32> ends;
  Completion out;
  bool done = false;
  bool cut = false;  // the text ends before what its tokens go on with

  /// A token that ends no text.
  void append(const text::Tokenizer& tokenizer, i32 token) {
    tokens.push_back(token);
    out.tokens.push_back(token);
    text += text_of(tokenizer, token);
    if (choice) ++choice->drawn;
  }
};

struct Generator::Job {
  enum class State : u8 { kWaiting, kPrompt, kSampling, kComplete };
  GenerateRequest request;
  DrawKey key = {};
  State state = State::kWaiting;
  i32 seq = -1;                                          // the prompt's sequence
  i64 next_position = 0;                                 // behind the prompt
  i64 evaluated = 0;                                     // prompt tokens in the cache
  i64 charge = 0;                                        // pages of the prompt
  std::vector<f32> first;                                // logits behind the prompt
  std::vector<std::unique_ptr<Constraint>> constraints;  // for its samples to clone
  i64 started = 0;
  i64 finished = 0;
  Generated result;
};

}  // namespace lm::decode
