// Prompts in the tables are those of transformers 5.24 with the published templates of the formats.

#include "text/chat_template.h"

#include <filesystem>

#include "catch.h"
#include "core/error.h"
#include "core/str.h"
#include "io/atomic_file.h"
#include "text/chat_builtin.h"

namespace lm::text {
namespace {

ChatInput input_of(std::string_view messages) {
  ChatInput out;
  out.messages = *read_messages(messages);
  return out;
}

ChatTemplate chat(std::string_view source, std::optional<Date> today = {}, ValueMap vars = {}) {
  return {{"default", std::string(source), "t"}, std::move(vars), today};
}

std::string rendered(const ChatTemplate& chat, const ChatInput& input) {
  const Result<std::string> out = chat.render(input);
  return out ? *out : cat(out.fault().code, ": ", out.fault().detail);
}

constexpr const char* kTurns =
    R"([{"role":"system","content":" S "},{"role":"user","content":" a "},)"
    R"({"role":"assistant","content":"b "},{"role":"user","content":"c"}])";
constexpr const char* kTwo = R"([{"role":"user","content":"a"},{"role":"user","content":"b"}])";

struct Builtin {
  const char* name;
  const char* prompt;   // what kTurns become (gemma: without the system's)
  const char* behind;   // of it: what asks for an answer
  const char* instead;  // what stands there otherwise
};
constexpr Builtin kBuiltins[] = {
    {"chatml",
     "<|im_start|>system\n S <|im_end|>\n<|im_start|>user\n a <|im_end|>\n<|im_start|>assistant\nb "
     "<|im_end|>\n<|im_start|>user\nc<|im_end|>\n",
     "<|im_start|>assistant\n", ""},
    {"llama2", "<s>[INST] <<SYS>>\n S \n<</SYS>>\n\n a [/INST] b </s><s>[INST] c [/INST]", "", ""},
    {"llama3",
     "<s><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_"
     "header_id|>\n\na<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nb<|eot_id|><|start"
     "_header_id|>user<|end_header_id|>\n\nc<|eot_id|>",
     "<|start_header_id|>assistant<|end_header_id|>\n\n", ""},
    {"mistral", "<s> [INST]  S \n\n a  [/INST] b </s> [INST] c [/INST]", "", ""},
    {"gemma",
     "<s><start_of_turn>user\na<end_of_turn>\n<start_of_turn>model\nb<end_of_turn>\n<start_of_turn>"
     "user\nc<end_of_turn>\n",
     "<start_of_turn>model\n", ""},
    {"phi3",
     "<|system|>\n S <|end|>\n<|user|>\n a <|end|>\n<|assistant|>\nb <|end|>\n<|user|>\nc<|end|>\n",
     "<|assistant|>\n", "</s>"},
    {"vicuna", "<s>S\n\nUSER: a\nASSISTANT: b</s>\nUSER: c\n", "ASSISTANT:", ""},
    {"zephyr", "<|system|>\n S </s>\n<|user|>\n a </s>\n<|assistant|>\nb </s>\n<|user|>\nc</s>\n",
     "<|assistant|>\n", ""},
    {"alpaca", "<s>S\n\n### Instruction:\na\n\n### Response:\nb</s>\n\n### Instruction:\nc\n\n",
     "### Response:\n", ""},
};

TEST_CASE("templates of our own render what the published ones render", "[text]") {
  std::vector<std::string> names;
  for (const Builtin& each : kBuiltins) {
    INFO(each.name);
    names.emplace_back(each.name);
    const ChatTemplate own =
        chat(builtin_chat_template(each.name), {}, {{"bos_token", "<s>"}, {"eos_token", "</s>"}});
    ChatInput input = input_of(kTurns);
    if (names.back() == "gemma") input.messages.list().erase(input.messages.list().begin());
    CHECK(rendered(own, input) == std::string(each.prompt) + each.behind);
    input.generation = false;
    CHECK(rendered(own, input) == std::string(each.prompt) + each.instead);
    // Parts are refused rather than printed as a list.
    const ChatInput parts = input_of(R"([{"role":"user","content":[{"type":"text","text":"x"}]}])");
    if (names.back() != "vicuna" && names.back() != "alpaca" && names.back() != "gemma" &&
        names.back() != "llama3")
      CHECK(rendered(own, parts).starts_with("template: "));
  }
  CHECK(names == builtin_chat_names());
  CHECK(builtin_chat_template("chatml2").empty());
}

TEST_CASE("turns out of order are what the template says of them", "[text]") {
  for (const char* const name : {"llama2", "gemma", "vicuna", "alpaca"}) {
    INFO(name);
    const std::string said = rendered(chat(builtin_chat_template(name)), input_of(kTwo));
    CHECK(said.find("the template says: Conversation roles must alternate") != std::string::npos);
  }
  CHECK(rendered(chat(builtin_chat_template("gemma")), input_of(kTurns))
            .find("the template says: System role not supported") != std::string::npos);
}

TEST_CASE("a template without special tokens prints none", "[text]") {
  CHECK(rendered(chat(builtin_chat_template("llama2")),
                 input_of(R"([{"role":"user","content":"a"}])")) == "[INST] a [/INST]");
}

TEST_CASE("messages come with what transformers makes of them", "[text]") {
  const ChatTemplate shows = chat("{{ messages | tojson }}{{ tools }}{{ documents }}");
  CHECK(rendered(shows, input_of(R"([{"role":"user","content":null,"x":1.50}])")) ==
        R"([{"role": "user", "x": 1.5}]NoneNone)");
  CHECK(rendered(shows, input_of(R"([{"role":"a","reasoning":"r"}])")) ==
        R"([{"thinking": "r", "role": "a", "reasoning": "r", "reasoning_content": "r"}]NoneNone)");
  CHECK(rendered(shows, input_of(R"([{"role":"a","thinking":"t","reasoning":"r"}])")) ==
        R"([{"role": "a", "thinking": "t", "reasoning": "r", "reasoning_content": "t"}]NoneNone)");
  ChatInput tools = input_of(R"([{"role":"user","content":""}])");
  tools.tools = *parse_json_value(R"([{"name":"f"}])");
  CHECK(rendered(chat("{{ tools | tojson }}{{ add_generation_prompt }}"), tools) ==
        R"([{"name": "f"}]True)");
}

TEST_CASE("lists that are no messages are faults", "[text]") {
  CHECK(read_messages("[]").fault().detail ==
        "field \"messages\" is not a list of at least one message");
  CHECK(read_messages(R"(["hi"])").fault().detail == "message 0 is not an object with a role");
  CHECK(read_messages(R"([{"role":"user"},{"role":1}])").fault().detail ==
        "message 1 is not an object with a role");
  CHECK(read_messages(R"([{"role":null}])").fault().code == "messages");
}

TEST_CASE("a prompt that goes on ends with the last message", "[text]") {
  const ChatTemplate plain = chat(
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}"
      "{% if add_generation_prompt %}<assistant>{% endif %}");
  const ChatTemplate trims =
      chat("{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</>{% endfor %}");
  const auto going_on = [](const ChatTemplate& with, std::string_view messages) {
    ChatInput input = input_of(messages);
    input.continued = true;
    return rendered(with, input);
  };
  constexpr const char* kOpen =
      R"([{"role":"user","content":"q"},{"role":"assistant","content":" the answer "}])";
  CHECK(going_on(plain, kOpen) == "<user>q</><assistant> the answer ");
  CHECK(going_on(trims, kOpen) == "<user>q</><assistant>the answer");
  CHECK(going_on(chat("{% for m in messages %}{{ m.content if m.content is string else "
                      "m.content[-1].text }};{% endfor %}"),
                 R"([{"role":"assistant","content":[{"text":"a"},{"text":"b"}]}])") == "b");
  CHECK(going_on(chat("{{ messages[0].content }}"), kOpen) ==
        "template: t: the last message is not in the prompt once, as it is");
  CHECK(going_on(chat("{{ messages[-1].content }}{{ messages[-1].content }}"), kOpen) ==
        "template: t: the last message is not in the prompt once, as it is");
  CHECK(going_on(chat("{{ messages }}"), kOpen) ==
        "template: t: does not ask for the content of messages");
  CHECK(going_on(plain, R"([{"role":"assistant","tool_calls":[]}])") ==
        "messages: the last message has no text to go on from");
  CHECK(last_text(*read_messages(kOpen)) == " the answer ");
}

TEST_CASE("the day is the one given, or there is none", "[text]") {
  const ChatInput input = input_of(R"([{"role":"user","content":""}])");
  constexpr const char* kAsks =
      "{% if strftime_now is defined %}{{ strftime_now('%d %b %Y') }}{% else %}26 Jul 2024{% endif "
      "%}";
  CHECK(rendered(chat(kAsks), input) == "26 Jul 2024");
  CHECK(rendered(chat(kAsks, Date{2026, 3, 1}), input) == "01 Mar 2026");
  CHECK(rendered(chat("{{ strftime_now('%F') }}"), input) ==
        "template: t: line 1, column 4: the function \"strftime_now\" is not understood; the "
        "template prints the day, which --date gives");
  CHECK(rendered(chat("{{ strftime_now('%Q') }}", Date{}), input) ==
        "template: strftime_now: \"%Q\" is not understood");
  CHECK(rendered(chat("{{ strftime_now() }}", Date{}), input) ==
        "template: strftime_now takes a format");
  CHECK(chat(kAsks).key() != chat(kAsks, Date{}).key());
  CHECK(chat(kAsks, Date{}).key() == chat(kAsks, Date{}).key());
  CHECK(chat(kAsks, {}, {{"a", 1.0}}).key() != chat(kAsks, {}, {{"a", 2.0}}).key());
}

TEST_CASE("days are written as strftime writes them", "[text]") {
  // Python: datetime(2024, 2, 9).strftime.
  CHECK(*format_date({2024, 2, 9}, "%a|%A|%b|%B|%c|%d|%D|%e|%F|%h|%H|%I|%j|%m|%M") ==
        "Fri|Friday|Feb|February|Fri Feb  9 00:00:00 2024|09|02/09/24| 9|2024-02-09|Feb|00|12|040|"
        "02|00");
  CHECK(*format_date({2024, 2, 9}, "%n%p%S%t%T|%u|%w|%x|%X|%y|%Y|%%|%-d %-m %-j") ==
        "\nAM00\t00:00:00|5|5|02/09/24|00:00:00|24|2024|%|9 2 40");
  CHECK(*format_date({1, 1, 1}, "%a %j %u %w") == "Mon 001 1 1");
  CHECK(*format_date({1900, 3, 1}, "%a %j %u %w") == "Thu 060 4 4");
  CHECK(*format_date({2000, 12, 31}, "%a %j %u %w") == "Sun 366 7 0");
  CHECK(*format_date({9999, 12, 31}, "%a %j %u %w") == "Fri 365 5 5");
  CHECK(format_date({}, "%").fault().detail == "strftime_now: \"%\" is not understood");
  CHECK(format_date({}, "%-").fault().code == "template");
}

TEST_CASE("days that are none are refused", "[text]") {
  CHECK(parse_date("2024-02-29")->day == 29);
  CHECK(parse_date("2000-02-29"));
  for (const char* const text :
       {"2023-02-29", "1900-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "2024-04-31",
        "0000-01-01", "24-01-01", "2024/01/01", "2024-1-1", "", "2024-01-01 ", "2024-+1-01"}) {
    INFO(text);
    CHECK(!parse_date(text));
  }
}

TEST_CASE("a folder's templates are found where transformers keeps them", "[text]") {
  const test::TempDir dir;
  const std::string folder = dir.path().string();
  CHECK(read_chat_files(folder).templates.empty());
  io::write_file(dir.file("chat_template.json"), R"({"chat_template":"json"})");
  CHECK(read_chat_files(folder).find("default")->source == "json");
  io::write_file(dir.file("tokenizer_config.json"),
                 R"({"bos_token":"<b>","add_bos_token":true,"eos_token":{"content":"<e>"},
                     "image_token":"<i>","pad_token":null,
                     "chat_template":[{"name":"default","template":"one"},
                                      {"name":"tool_use","template":"two"}]})");
  const ChatFiles listed = read_chat_files(folder);
  REQUIRE(listed.templates.size() == 2);
  CHECK(listed.find("default")->source == "one");
  CHECK(listed.find("tool_use")->source == "two");
  CHECK(listed.find("none") == nullptr);
  CHECK(listed.tokens == std::vector<std::pair<std::string, std::string>>{
                             {"bos_token", "<b>"}, {"eos_token", "<e>"}, {"image_token", "<i>"}});
  io::write_file(dir.file("special_tokens_map.json"), R"({"bos_token":"<old>","unk_token":"<u>"})");
  CHECK(read_chat_files(folder).tokens[0].second == "<b>");
  CHECK(read_chat_files(folder).tokens[1].first == "unk_token");
  io::write_file(dir.file("chat_template.jinja"), "file");
  std::filesystem::create_directory(dir.file("additional_chat_templates"));
  io::write_file(dir.file("additional_chat_templates/rag.jinja"), "rag");
  io::write_file(dir.file("additional_chat_templates/notes.txt"), "x");
  const ChatFiles files = read_chat_files(folder);
  REQUIRE(files.templates.size() == 2);
  CHECK(files.find("default")->source == "file");
  CHECK(files.find("default")->where == dir.file("chat_template.jinja"));
  CHECK(files.find("rag")->source == "rag");
}

TEST_CASE("templates of the wrong type are named by file and key", "[text]") {
  const test::TempDir dir;
  io::write_file(dir.file("tokenizer_config.json"), R"({"chat_template":[{"name":"a"}]})");
  try {
    read_chat_files(dir.path().string());
    FAIL("taken");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kData);
    CHECK(e.message().find("tokenizer_config.json: key \"chat_template[0].template\"") !=
          std::string::npos);
  }
  CHECK_THROWS_AS(chat("{% for m in messages %}"), Error);
}

}  // namespace
}  // namespace lm::text
