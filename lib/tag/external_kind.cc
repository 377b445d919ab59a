// Taggers that are a program of the user's, asked document by document: {"text":...} in,
// {"attributes":{"TYPE":[[begin,end,score],...] or a number}} out. Each worker has a child of its
// own, so that what it answers must depend on the document alone.

#include <algorithm>

#include "core/str.h"
#include "io/child.h"
#include "io/json.h"
#include "tag/catalogue.h"
#include "tag/kinds.h"

namespace lm::tag {

namespace {

class External : public Tagger {
 public:
  External(const std::string& command, const std::vector<std::string>& types, i64 timeout_ms)
      : child_(command), json_(paths_of(types)), types_(isize(types)), timeout_ms_(timeout_ms) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    request_ = "{\"text\":";
    io::append_json_string(request_, document.text());
    request_ += '}';
    answer_ = child_.ask(request_, timeout_ms_);
    const std::size_t size = answer_.size();
    answer_.append(usize(io::kJsonPadding), ' ');
    if (const std::optional<Fault> fault = json_.parse(std::string_view(answer_).substr(0, size)))
      fail(fault->detail);
    if (json_.field(types_).type != io::JsonType::kObject) fail("it has no object attributes");
    for (i64 type = 0; type < types_; ++type) {
      if (!json_.has(type)) continue;
      if (json_.field(type).type == io::JsonType::kNumber) {
        const Result<f64> value = json_.number(type);
        if (!value) fail(value.fault().detail);
        out.value(type, *value);
        continue;
      }
      if (const std::optional<Fault> fault = text::read_spans(json_.raw(type), spans_))
        fail(cat(json_.path(type), ": ", fault->detail));
      std::stable_sort(spans_.begin(), spans_.end(), [](const auto& a, const auto& b) {
        return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
      });
      for (const text::ScoredSpan& span : spans_) {
        if (span.end > document.chars())
          fail(cat(json_.path(type), ": a span ends at ", span.end, " of a text of ",
                   document.chars(), " characters"));
        out.span_at(type, span.begin, span.end, span.score);
      }
    }
    return std::nullopt;
  }

  void finish() override { child_.finish(); }

 private:
  static std::vector<std::string> paths_of(const std::vector<std::string>& types) {
    std::vector<std::string> paths;
    for (const std::string& type : types)
      paths.push_back("attributes." + type);
    paths.emplace_back("attributes");
    return paths;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(
        ErrorKind::kData, cat("an answer of ", quote(child_.command()), ": ", what),
        "an answer is {\"attributes\":{\"TYPE\":[[begin,end,score],...]}} or a number there");
  }

  io::ChildProcess child_;
  io::JsonReader json_;
  i64 types_;
  i64 timeout_ms_;
  std::string request_;
  std::string answer_;
  std::vector<text::ScoredSpan> spans_;
};

}  // namespace

TaggerDef external_tagger(const Definition& of, TagFiles&) {
  const std::size_t colon = of.argument.find(':');
  const std::string command =
      colon == std::string::npos ? "" : std::string(trim(of.argument.substr(colon + 1)));
  if (command.empty())
    throw Error(ErrorKind::kUsage, cat("--define ", of.name, ": external has no command"),
                "external:TYPE,...:COMMAND names what it answers and how it is run");
  TaggerDef def;
  std::vector<std::string> types;
  for (const std::string_view part : split(std::string_view(of.argument).substr(0, colon), ',')) {
    const std::string type(trim(part));
    if (type.empty() || key_part(type) != type)
      throw Error(ErrorKind::kUsage,
                  cat("--define ", of.name, ": ", quote(type), " is no name of a type"),
                  "names of types have A-Z a-z 0-9 and _");
    for (const std::string& other : types)
      if (other == type)
        throw Error(ErrorKind::kUsage, cat("--define ", of.name, ": type ", type, " stands twice"));
    types.push_back(type);
    def.types.push_back({type, "as the command answers"});
  }
  def.summary = "a command of your own";
  def.lasting = true;  // a process
  def.make = [command, types](const TagSettings& settings) {
    return std::make_unique<External>(command, types, settings.external_timeout_s * 1000);
  };
  return def;
}

}  // namespace lm::tag
