#pragma once
// Chat templates of our own for formats that models are trained on but whose folders do not always
// say. Each renders what the published template of the format renders.

#include <string>
#include <string_view>
#include <vector>

namespace lm::text {

/// The template's text, or empty for a name that is none of ours.
std::string_view builtin_chat_template(std::string_view name);
/// chatml, llama2, llama3, mistral, gemma, phi3, vicuna, zephyr, alpaca.
std::vector<std::string> builtin_chat_names();

}  // namespace lm::text
