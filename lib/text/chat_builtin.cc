#include "text/chat_builtin.h"

#include <algorithm>
#include <iterator>

namespace lm::text {

namespace {

struct Row {
  const char* name;
  const char* source;
};

// A content must be a text, hence +; a special token may be absent, hence ~. The turns of llama2,
// mistral, gemma, vicuna and alpaca alternate, as their models were trained.
constexpr Row kRows[] = {
    {"chatml",
     R"({%- for m in messages -%}
{{- '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}
)"},
    {"llama2",
     R"({%- set has_system = messages[0].role == 'system' -%}
{%- for m in (messages[1:] if has_system else messages) -%}
{%- if (m.role == 'user') != (loop.index0 is even) -%}
{{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') -}}
{%- endif -%}
{%- set system = '' -%}
{%- if has_system and loop.first -%}
{%- set system = '<<SYS>>\n' + messages[0].content + '\n<</SYS>>\n\n' -%}
{%- endif -%}
{%- set text = (system + m.content).strip() -%}
{%- if m.role == 'user' -%}
{{- bos_token ~ '[INST] ' ~ text ~ ' [/INST]' -}}
{%- elif m.role == 'assistant' -%}
{{- ' ' ~ text ~ ' ' ~ eos_token -}}
{%- endif -%}
{%- endfor -%}
)"},
    {"llama3",
     R"({{- bos_token -}}
{%- for m in messages -%}
{{- '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n' + m.content | trim + '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}
{%- endif -%}
)"},
    {"mistral",
     R"({%- set has_system = messages[0].role == 'system' -%}
{{- bos_token -}}
{%- for m in (messages[1:] if has_system else messages) -%}
{%- if (m.role == 'user') != (loop.index0 is even) -%}
{{- raise_exception('After the optional system message, conversation roles must alternate user/assistant/user/assistant/...') -}}
{%- endif -%}
{%- if m.role == 'user' -%}
{%- set system = messages[0].content + '\n\n' if has_system and loop.first else '' -%}
{{- ' [INST] ' + system + m.content + ' [/INST]' -}}
{%- elif m.role == 'assistant' -%}
{{- (' ' + m.content) ~ eos_token -}}
{%- else -%}
{{- raise_exception('Only user and assistant roles are supported, with the exception of an initial optional system message!') -}}
{%- endif -%}
{%- endfor -%}
)"},
    {"gemma",
     R"({{- bos_token -}}
{%- if messages[0].role == 'system' -%}
{{- raise_exception('System role not supported') -}}
{%- endif -%}
{%- for m in messages -%}
{%- if (m.role == 'user') != (loop.index0 is even) -%}
{{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') -}}
{%- endif -%}
{%- set role = 'model' if m.role == 'assistant' else m.role -%}
{{- '<start_of_turn>' + role + '\n' + m.content | trim + '<end_of_turn>\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<start_of_turn>model\n' -}}{%- endif -%}
)"},
    {"phi3",
     R"({%- for m in messages if m.role in ['system', 'user', 'assistant'] -%}
{{- '<|' + m.role + '|>\n' + m.content + '<|end|>\n' -}}
{%- endfor -%}
{{- '<|assistant|>\n' if add_generation_prompt else eos_token -}}
)"},
    {"vicuna",
     R"({%- set has_system = messages[0].role == 'system' -%}
{{- bos_token -}}
{%- if has_system -%}{{- messages[0].content | trim + '\n\n' -}}{%- endif -%}
{%- for m in (messages[1:] if has_system else messages) -%}
{%- if (m.role == 'user') != (loop.index0 is even) -%}
{{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') -}}
{%- endif -%}
{%- if m.role == 'user' -%}
{{- 'USER: ' + m.content | trim + '\n' -}}
{%- elif m.role == 'assistant' -%}
{{- 'ASSISTANT: ' + m.content | trim ~ eos_token ~ '\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- 'ASSISTANT:' -}}{%- endif -%}
)"},
    {"zephyr",
     R"({%- for m in messages -%}
{%- if m.role in ['system', 'user', 'assistant'] -%}
{{- ('<|' + m.role + '|>\n' + m.content) ~ eos_token ~ '\n' -}}
{%- endif -%}
{%- if loop.last and add_generation_prompt -%}{{- '<|assistant|>\n' -}}{%- endif -%}
{%- endfor -%}
)"},
    {"alpaca",
     R"({%- set has_system = messages[0].role == 'system' -%}
{{- bos_token -}}
{%- if has_system -%}{{- messages[0].content | trim + '\n\n' -}}{%- endif -%}
{%- for m in (messages[1:] if has_system else messages) -%}
{%- if (m.role == 'user') != (loop.index0 is even) -%}
{{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') -}}
{%- endif -%}
{%- if m.role == 'user' -%}
{{- '### Instruction:\n' + m.content | trim + '\n\n' -}}
{%- elif m.role == 'assistant' -%}
{{- '### Response:\n' + m.content | trim ~ eos_token ~ '\n\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '### Response:\n' -}}{%- endif -%}
)"},
};

}  // namespace

std::string_view builtin_chat_template(std::string_view name) {
  const Row* const found = std::find_if(std::begin(kRows), std::end(kRows),
                                        [&](const Row& row) { return name == row.name; });
  return found == std::end(kRows) ? std::string_view() : found->source;
}

std::vector<std::string> builtin_chat_names() {
  std::vector<std::string> names;
  for (const Row& row : kRows)
    names.emplace_back(row.name);
  return names;
}

}  // namespace lm::text
