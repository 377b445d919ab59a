// Attributes inside the records.

#include <atomic>

#include "core/str.h"
#include "tag_tool.h"
#include "text/attributes.h"

namespace lm::tag_tool {

namespace {

class InlineMapper : public io::RecordMapper {
 public:
  InlineMapper(const tag::TagPlan& plan, const tag::FieldPlaces& places, i64 attributes,
               bool declare, text::AttributeMerge merge, std::atomic<i64>& replaced)
      : plan_(plan),
        places_(places),
        attributes_(attributes),
        worker_(plan),
        declare_(declare),
        how_(merge),
        replaced_(replaced),
        reader_(key_paths(plan)) {}

  std::optional<Fault> map(io::Record& record, std::string& out) override {
    io::JsonReader& json = record.json;
    if (std::optional<Fault> fault = json.object_or_none(attributes_)) return fault;
    if (std::optional<Fault> fault = worker_.tag(json, places_)) return fault;
    if (json.has(attributes_)) return merge(json.line(), out);
    // Most records have no attributes yet: one edit for all keys.
    all_ = "{";
    tag::append_attributes(all_, plan_, worker_, 0, isize(plan_.keys()), declare_);
    all_ += '}';
    io::RecordEdit edit(json);
    edit.set(attributes_, all_);
    edit.write(out);
    return std::nullopt;
  }

 private:
  static std::vector<std::string> key_paths(const tag::TagPlan& plan) {
    std::vector<std::string> paths;
    for (const tag::TagKey& key : plan.keys())
      paths.push_back("attributes." + key.key);
    return paths;
  }

  /// Key by key among those that are there. An old value does not outlive a run that finds nothing.
  std::optional<Fault> merge(std::string_view line, std::string& out) {
    if (std::optional<Fault> fault = reader_.parse(line)) return fault;
    io::RecordEdit edit(reader_);
    for (i64 i = 0; i < reader_.path_count(); ++i) {
      const std::span<const text::ScoredSpan> spans = worker_.spans(i);
      if (spans.empty() && !declare_ && reader_.field(i).type == io::JsonType::kMissing) continue;
      if (std::optional<Fault> fault = put(edit, reader_, i, plan_.keys()[usize(i)].key, spans))
        return fault;
    }
    if (worker_.named().empty()) {
      edit.write(out);
      return std::nullopt;
    }
    std::string edited;
    edit.write(edited);
    return merge_named(edited, out);
  }

  /// Spans for field i of reader, which may be there already.
  std::optional<Fault> put(io::RecordEdit& edit, const io::JsonReader& reader, i64 i,
                           const std::string& key, std::span<const text::ScoredSpan> spans) {
    const bool there = reader.field(i).type != io::JsonType::kMissing;
    if (there && how_ == text::AttributeMerge::kError)
      return Fault{"duplicate_key",
                   cat("attribute ", quote(key), " is there already, expected a new one"),
                   reader.field(i).key_begin};
    std::string value;
    text::append_spans(value, spans);
    if (how_ == text::AttributeMerge::kAppend && reader.has(i)) {
      std::string both;
      if (std::optional<Fault> fault = text::append_lists(key, reader.raw(i), value, both))
        return Fault{fault->code, fault->detail, reader.field(i).begin};
      value = std::move(both);
    } else if (there && how_ == text::AttributeMerge::kReplace) {
      ++replaced_;
    }
    edit.set(i, std::move(value));
    return std::nullopt;
  }

  /// The same for keys that the document made.
  std::optional<Fault> merge_named(std::string& line, std::string& out) {
    std::vector<std::string> paths;
    for (const tag::NamedSpans& named : worker_.named())
      paths.push_back("attributes." + named.key);
    io::JsonReader reader(paths);
    const std::size_t size = line.size();
    line.append(static_cast<std::size_t>(io::kJsonPadding), ' ');
    if (std::optional<Fault> fault = reader.parse(std::string_view(line).substr(0, size)))
      return fault;
    io::RecordEdit edit(reader);
    for (i64 i = 0; i < reader.path_count(); ++i) {
      const tag::NamedSpans& named = worker_.named()[usize(i)];
      if (std::optional<Fault> fault = put(edit, reader, i, named.key, named.spans)) return fault;
    }
    edit.write(out);
    return std::nullopt;
  }

  const tag::TagPlan& plan_;
  const tag::FieldPlaces& places_;
  i64 attributes_;
  tag::TagWorker worker_;
  bool declare_;
  text::AttributeMerge how_;
  std::atomic<i64>& replaced_;
  io::JsonReader reader_;
  std::string all_;  // a record's attributes
};

}  // namespace

void run_inline(cli::Tool& tool, const Chosen& chosen) {
  const cli::Options& options = tool.options();
  const std::string& field = options.text("field");
  io::check_apart(std::vector<std::string>{field, "attributes"});
  tag::FieldPlaces places(field, chosen.plan());
  const i64 attributes = places.add("attributes");
  const std::string& how = options.text("attr-merge");
  const text::AttributeMerge merge = how == "append"  ? text::AttributeMerge::kAppend
                                     : how == "error" ? text::AttributeMerge::kError
                                                      : text::AttributeMerge::kReplace;
  std::atomic<i64> replaced{0};
  tool.records().map(places.paths(), [&] {
    return std::make_unique<InlineMapper>(chosen.plan(), places, attributes, chosen.declare(),
                                          merge, replaced);
  });
  tool.add_metric("attributes_replaced", cat(replaced.load()));
  if (replaced > 0)
    tool.console().message(LogLevel::kWarning,
                           cat(replaced.load(), " attributes that were there were replaced"));
}

}  // namespace lm::tag_tool
