// Templates over a record: what is accepted renders, and as often as it is asked the same.

#include "text/template.h"

#include "core/utf8.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const lm::u8* data, std::size_t size) {
  using namespace lm;
  // Bytes that are no UTF-8 are refused before a template is made.
  const std::string source(fuzz::text_of(data, size));
  if (!is_valid_utf8(source)) return 0;
  static const text::Value vars = *text::parse_json_value(
      R"({"q":"Is it? ","a":["no","yes"],"n":7,"x":2.5,"d":{"k":"v"},"e":"","none":null})");
  fuzz::refuse_or_run([&] {
    const text::Template task(source, "t", text::TemplateOptions::task());
    const std::string out = task.render(vars);
    LM_CHECK(out == task.render(vars), "rendering changes nothing");
    LM_CHECK(is_valid_utf8(out), "text stays text");
  });
  fuzz::refuse_or_run(
      [&] { text::Template(source, "c", text::TemplateOptions::chat()).render(vars); });
  return 0;
}
