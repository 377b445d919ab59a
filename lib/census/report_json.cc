// A census as one JSON document.

#include <cmath>

#include "census/report.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::census {

namespace {

// "name":value pairs of an object, in the order of the calls.
class Object {
 public:
  Object& raw(std::string_view name, std::string_view json) {
    append(out_, begun_ ? "," : "", io::json_string(name), ":", json);
    begun_ = true;
    return *this;
  }
  Object& text(std::string_view name, std::string_view value) {
    return raw(name, io::json_string(value));
  }
  Object& number(std::string_view name, i64 value) { return raw(name, cat(value)); }
  Object& flag(std::string_view name, bool value) { return raw(name, cat(value)); }
  Object& real(std::string_view name, f64 value) {
    std::string json;
    io::append_json_number(json, value);
    return raw(name, json);
  }
  std::string take() { return std::move(out_) + "}"; }
  /// All so far and the name of a value, which is written otherwise before the rest is taken.
  std::string open(std::string_view name) {
    raw(name, "");
    std::string out = std::move(out_);
    out_.clear();
    return out;
  }

 private:
  std::string out_ = "{";
  bool begun_ = false;  // fields before out_
};

class Array {
 public:
  void add(std::string_view json) { append(out_, out_.size() > 1 ? "," : "", json); }
  std::string take() { return std::move(out_) + "]"; }

 private:
  std::string out_ = "[";
};

std::string totals_json(const Plan& plan, const Totals& t) {
  Object out;
  out.number("documents", t.documents)
      .number("line_bytes", t.line_bytes)
      .number("text_bytes", t.bytes);
  out.number("chars", t.chars).number("words", t.words);
  if (!plan.tokens.empty()) out.number("tokens", t.tokens);
  out.number("without_text", t.without_text).number("empty_texts", t.empty);
  out.number("without_id", t.without_id);
  if (!plan.rules.empty()) {
    out.number("kept", t.kept).number("kept_line_bytes", t.kept_line_bytes);
    if (!plan.tokens.empty()) out.number("kept_tokens", t.kept_tokens);
  }
  if (t.longest >= 0)
    out.raw("longest", Object()
                           .number("text_bytes", t.longest)
                           .text("source", t.longest_source)
                           .text("id", t.longest_id)
                           .take());
  return out.take();
}

std::string moments_json(const Numbers& numbers) {
  Object out;
  out.number("documents", numbers.count());
  if (numbers.count() == 0) return out.take();
  const Moments& moments = numbers.moments();
  out.real("sum", moments.sum()).real("mean", moments.mean()).real("variance", moments.variance());
  return out.real("min", numbers.min()).real("max", numbers.max()).take();
}

std::string number_json(const NumberSummary& one, i64 documents, const Layout& layout) {
  Object out;
  out.text("name", one.name);
  if (!one.expression.empty()) out.text("expression", one.expression);
  const Numbers& n = *one.numbers;
  out.number("documents", n.count()).number("missing", documents - n.count());
  if (one.field != nullptr) {
    const Field& f = *one.field;
    out.number("absent", one.absent).number("null", f.nulls).number("empty", f.empty);
    out.number("other", f.unfit);
  }
  if (n.count() == 0) return out.take();
  const Moments& moments = n.moments();
  out.real("sum", moments.sum()).real("mean", moments.mean()).real("variance", moments.variance());
  out.real("min", n.min()).real("max", n.max());
  Object quantiles;
  for (std::size_t i = 0; i < one.quantiles.size(); ++i)
    quantiles.real(format_float(layout.quantiles[i]), one.quantiles[i]);
  out.raw("quantiles", quantiles.take());
  Array bins;
  for (const Bin& bin : one.histogram.bins)
    bins.add(
        Object().real("low", bin.low).real("high", bin.high).number("documents", bin.count).take());
  Object histogram;
  histogram.text("scale", one.histogram.logarithmic ? "log" : "linear");
  if (one.histogram.logarithmic) histogram.number("zeros", one.histogram.zeros);
  out.raw("histogram", histogram.raw("bins", bins.take()).take());
  if (one.field != nullptr && one.field->plain < n.count()) {
    out.raw("spans", moments_json(one.field->all_spans()));
    out.raw("covered", moments_json(one.field->all_covered()));
  }
  return out.take();
}

std::string numbers_json(const Plan& plan, const Cell& cell, const Layout& layout) {
  Array out;
  for (const NumberSummary& one : number_summaries(plan, cell, layout))
    out.add(number_json(one, cell.totals.documents, layout));
  return out.take();
}

std::string examples_json(const Examples& examples) {
  Array out;
  for (const Example& one : examples.kept())
    out.add(Object()
                .text("source", one.source)
                .text("id", one.id)
                .number("text_bytes", one.bytes)
                .text("values", one.notes)
                .text("text", one.text)
                .take());
  return out.take();
}

std::string edges_json(const Census& census) {
  Array out;
  for (std::size_t i = 0; i < census.edges.size(); ++i) {
    const EdgeLabel& label = census.plan.edges[i];
    Array bins;
    for (std::size_t bin = 0; bin < census.edges[i].counts.size(); ++bin) {
      Object one;
      one.raw("low", bin == 0 ? "null" : format_float(label.edges[bin - 1]));
      one.raw("high", bin == label.edges.size() ? "null" : format_float(label.edges[bin]));
      one.number("documents", census.edges[i].counts[bin]);
      if (census.plan.examples > 0)
        one.raw("examples", examples_json(census.edges[i].examples[bin]));
      bins.add(one.take());
    }
    out.add(Object().text("name", label.name).raw("bins", bins.take()).take());
  }
  return out.take();
}

std::string tally_json(const Tally& tally, i64 show, Object& out) {
  out.real("distinct", tally.distinct()).flag("exact", tally.exact());
  if (!tally.exact()) out.number("one_in", i64{1} << tally.level());
  Array values;
  for (const Tally::Entry& entry : tally.top(show))
    values.add(Object().text("value", entry.value).number("documents", entry.count).take());
  return out.raw("top", values.take()).take();
}

std::string tops_json(const Census& census, const Layout& layout) {
  Array out;
  for (std::size_t i = 0; i < census.tops.size(); ++i) {
    Object one;
    one.text("field", census.plan.tops[i]).number("missing", census.top_missing[i]);
    out.add(tally_json(census.tops[i], layout.show, one));
  }
  return out.take();
}

using Write = std::function<void(std::string_view piece)>;

void write_groups(const Census& census, const Layout& layout, const Write& write) {
  write(cat("{\"field\":", io::json_string(census.plan.group), ",\"groups\":["));
  bool first = true;
  census.groups.each([&](std::string_view key, const Cell& cell) {
    Object one;
    one.raw("value", key == "-" ? "null" : io::json_string(group_name(key)));
    one.raw("totals", totals_json(census.plan, cell.totals));
    one.raw("numbers", numbers_json(census.plan, cell, layout));
    write(cat(first ? "" : ",", one.take()));
    first = false;
  });
  write("]}");
}

std::string cross_json(const Census& census) {
  Array cells;
  for (const Tally::Entry& entry : census.cross.top(0)) {
    const auto [a, b] = split_pair(entry.value);
    Array one;
    for (const std::string_view key : {a, b})
      one.add(key == "-" ? "null" : io::json_string(group_name(key)));
    one.add(cat(entry.count));
    cells.add(one.take());
  }
  Array fields;
  for (const std::string& field : census.plan.cross)
    fields.add(io::json_string(field));
  return Object()
      .raw("fields", fields.take())
      .flag("exact", census.cross.exact())
      .raw("cells", cells.take())
      .take();
}

std::string rules_json(const Census& census) {
  Array out;
  for (std::size_t i = 0; i < census.rules.size(); ++i) {
    const RuleLabel& label = census.plan.rules[i];
    const mix::RuleCounts& c = census.rules[i];
    Object one;
    one.text("name", label.name).text("kind", label.kind).text("expression", label.expression);
    one.number("seen", census.whole.totals.documents).number("matched", c.matched);
    one.number("alone", c.alone).number("bytes", c.bytes).number("bytes_alone", c.bytes_alone);
    if (!census.plan.tokens.empty())
      one.number("tokens", c.amount).number("tokens_alone", c.amount_alone);
    if (census.plan.examples > 0) one.raw("examples", examples_json(census.rule_examples[i]));
    out.add(one.take());
  }
  return out.take();
}

}  // namespace

void report_json(const Census& census, const Layout& layout, const Write& write) {
  const Totals& t = census.whole.totals;
  Object out;
  out.text("schema", "lm-stats/1");
  out.raw("records", Object()
                         .number("input", t.documents + census.rejected)
                         .number("rejected", census.rejected)
                         .number("kept", t.kept)
                         .number("removed", t.documents - t.kept)
                         .take());
  out.raw("totals", totals_json(census.plan, t));
  out.raw("ids", Object()
                     .number("distinct", census.ids.distinct())
                     .number("repeated", census.ids.repeated())
                     .flag("exact", census.ids.exact())
                     .take());
  out.flag("exact_quantiles", census.plan.exact);
  out.raw("numbers", numbers_json(census.plan, census.whole, layout));
  if (census.whole.fields.level() > 0)
    out.number("fields_one_in", i64{1} << census.whole.fields.level());
  if (!census.edges.empty()) out.raw("edges", edges_json(census));
  if (!census.tops.empty()) out.raw("values", tops_json(census, layout));
  if (!census.plan.group.empty()) {
    write(out.open("groups"));
    write_groups(census, layout, write);
  }
  if (!census.plan.cross.empty()) out.raw("cross", cross_json(census));
  if (!census.rules.empty()) out.raw("rules", rules_json(census));
  write(out.take() + "\n");
}

}  // namespace lm::census
