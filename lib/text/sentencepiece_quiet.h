#pragma once
// Inside lib/text only.

namespace lm::text {

/// Sets libsentencepiece's log level so that it prints nothing. Idempotent, thread-safe.
void silence_sentencepiece();

}  // namespace lm::text
