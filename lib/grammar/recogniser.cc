#include "grammar/recogniser.h"

namespace lm::grammar {

Result<std::unique_ptr<Recogniser>> Recogniser::make(std::shared_ptr<const Grammar> grammar,
                                                     i64 bytes) {
  return faulted(
      [&] { return std::unique_ptr<Recogniser>(new Recogniser(std::move(grammar), bytes)); });
}

Result<bool> Recogniser::matches(std::string_view text) {
  return faulted([&] {
    State s = machine_.start();
    for (const char c : text) {
      if (s == kDead) break;
      s = machine_.step(s, static_cast<u8>(c));
    }
    return machine_.accepting(s);
  });
}

}  // namespace lm::grammar
