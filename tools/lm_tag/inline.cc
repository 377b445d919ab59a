// Attributes inside the records.

#include <algorithm>
#include <atomic>

#include "core/str.h"
#include "io/frame.h"
#include "io/object_fields.h"
#include "tag/catalogue.h"
#include "tag_tool.h"
#include "text/attributes.h"

namespace lm::tag_tool {

namespace {

class InlineMapper : public io::RecordMapper {
 public:
  InlineMapper(const io::InputStream& input, const Chosen& chosen, const tag::FieldPlaces& places,
               i64 attributes, text::AttributeMerge merge, std::atomic<i64>& replaced)
      : input_(input),
        plan_(chosen.plan()),
        places_(places),
        attributes_(attributes),
        worker_(chosen.worker()),
        declare_(chosen.declare()),
        how_(merge),
        replaced_(replaced),
        reader_(key_paths(plan_)) {
    for (i64 tagger = 0; tagger < isize(plan_.taggers()); ++tagger) {
      const tag::TaggerDef& def = plan_.taggers()[usize(tagger)];
      if (def.open_types)
        open_.push_back(cat(plan_.experiment(tagger), "__", tag::key_part(def.name), "__"));
    }
  }

  std::optional<Fault> map(io::Record& record, std::string& out) override {
    io::JsonReader& json = record.json;
    if (std::optional<Fault> fault = json.object_or_none(attributes_)) return fault;
    const bool merges = json.has(attributes_);
    const tag::LongForm form = merges     ? tag::LongForm::kSpans
                               : declare_ ? tag::LongForm::kAll
                                          : tag::LongForm::kFound;
    if (std::optional<Fault> fault = tag_record(input_, record, worker_, places_, form))
      return fault;
    if (merges) {
      worker_.charge_print(4, *record.batch);  // values, two forms of the line, its frame
      return merge(json.line(), out);
    }
    // Most records have no attributes yet: one edit for all keys. Room that doubles would be the
    // largest part of a long record.
    if (const i64 printed = worker_.printed_bytes(); printed > 0)
      out.reserve(out.size() + record.line.size() + usize(printed + 2 * io::kFrameBytes));
    io::FieldEdit edit(json, attributes_, out);
    out += '{';
    worker_.append(out, 0, isize(plan_.keys()), declare_, record.batch);
    out += '}';
    edit.end();
    return std::nullopt;
  }

  void finish() override { worker_.finish(); }

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
    find_stale(line);
    if (worker_.named().empty() && stale_.empty()) {
      edit.write(out);
      return std::nullopt;
    }
    std::string edited;
    edit.write(edited);
    return merge_named(edited, out);
  }

  /// Attributes that a tagger of open types gave the record before and does not give it now.
  void find_stale(std::string_view line) {
    stale_.clear();
    if (open_.empty()) return;
    io::each_object_field(line, [&](std::string_view field, std::string_view object) {
      if (field != "attributes" || object.front() != '{') return;
      io::each_object_field(object, [&](std::string_view key, std::string_view) {
        if (is_open(key) && !is_given(key)) stale_.emplace_back(key);
      });
    });
  }
  bool is_open(std::string_view key) const {
    return std::any_of(open_.begin(), open_.end(),
                       [key](const std::string& prefix) { return key.starts_with(prefix); });
  }
  bool is_given(std::string_view key) const {
    const auto same = [key](const auto& own) { return own.key == key; };
    return std::any_of(plan_.keys().begin(), plan_.keys().end(), same) ||
           std::any_of(worker_.named().begin(), worker_.named().end(), same);
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
    for (const std::string& key : stale_)
      paths.push_back("attributes." + key);
    io::JsonReader reader(paths);
    const std::size_t size = line.size();
    line.append(static_cast<std::size_t>(io::kJsonPadding), ' ');
    if (std::optional<Fault> fault = reader.parse(std::string_view(line).substr(0, size)))
      return fault;
    io::RecordEdit edit(reader);
    const i64 named = isize(worker_.named());
    for (i64 i = 0; i < named; ++i) {
      const tag::NamedSpans& own = worker_.named()[usize(i)];
      if (std::optional<Fault> fault = put(edit, reader, i, own.key, own.spans)) return fault;
    }
    for (i64 i = named; i < reader.path_count(); ++i) {
      if (std::optional<Fault> fault = put(edit, reader, i, stale_[usize(i - named)], {}))
        return fault;
    }
    edit.write(out);
    return std::nullopt;
  }

  const io::InputStream& input_;
  const tag::TagPlan& plan_;
  const tag::FieldPlaces& places_;
  i64 attributes_;
  tag::TagWorker worker_;
  bool declare_;
  text::AttributeMerge how_;
  std::atomic<i64>& replaced_;
  io::JsonReader reader_;
  std::vector<std::string> open_;   // what keys of taggers of open types begin with
  std::vector<std::string> stale_;  // of the record at hand
};

}  // namespace

std::optional<Fault> tag_record(const io::InputStream& input, io::Record& record,
                                tag::TagWorker& tags, const tag::FieldPlaces& places,
                                tag::LongForm form) {
  try {
    return tags.tag(record.json, places, form);
  } catch (const Error& e) {
    throw e.with_prefix(cat(input.name(record.input), ":", record.line_number));
  }
}

void run_inline(cli::Tool& tool, const Chosen& chosen) {
  const cli::Options& options = tool.options();
  const std::string& field = options.text("field");
  io::check_apart(std::vector<std::string>{field, "attributes"});
  tag::FieldPlaces places(field, chosen.plan());
  const i64 attributes = places.add("attributes");
  const io::JsonReader judged(places.paths());  // throws for paths that are none
  const std::string& how = options.text("attr-merge");
  const text::AttributeMerge merge = how == "append"  ? text::AttributeMerge::kAppend
                                     : how == "error" ? text::AttributeMerge::kError
                                                      : text::AttributeMerge::kReplace;
  std::atomic<i64> replaced{0};
  tool.records().map(places.paths(), [&] {
    return std::make_unique<InlineMapper>(tool.input(), chosen, places, attributes, merge,
                                          replaced);
  });
  tool.add_metric("attributes_replaced", cat(replaced.load()));
  if (replaced > 0)
    tool.console().message(LogLevel::kWarning,
                           cat(replaced.load(), " attributes that were there were replaced"));
}

}  // namespace lm::tag_tool
