// A settings file, as text and as the settings of a program.

#include "cli/settings.h"

#include "cli/flags.h"
#include "cli/parse.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const lm::u8* data, std::size_t size) {
  using namespace lm;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::refuse_or_run([&] {
    for (const cli::Setting& setting : cli::parse_settings(text, "settings.toml").values) {
      for (const std::string& value : setting.values) {
        const std::string line = "k = " + cli::settings_string(value);
        const std::vector<cli::Setting> again = cli::parse_settings(line, "again").values;
        LM_CHECK(again.size() == 1 && again[0].values[0] == value,
                 "a text is written as it is read");
      }
    }
  });
  static fuzz::ScratchFile file;
  const std::string& path = file.put(text);
  fuzz::refuse_or_run([&] {
    cli::ToolSpec spec;
    spec.name = "lm-x";
    spec.verbs = {{"run", "runs", {}}};
    spec.flags = {
        {.name = "count", .kind = cli::FlagKind::kCount, .def = "1"},
        {.name = "size", .kind = cli::FlagKind::kSize, .def = "1"},
        {.name = "real", .kind = cli::FlagKind::kFloat, .def = "1"},
        {.name = "switch", .kind = cli::FlagKind::kSwitch},
        {.name = "list", .kind = cli::FlagKind::kList},
        {.name = "kind", .kind = cli::FlagKind::kChoice, .def = "a", .choices = {"a", "b"}}};
    const cli::CommandLine line = cli::parse_command_line(
        spec, {"--config", path}, [](const char*) -> const char* { return nullptr; });
    cli::print_config(spec, line.options);
  });
  return 0;
}
