// The work on one record: rules, the draw, cuts, the lines it becomes.

#include <algorithm>

#include "core/hash.h"
#include "core/str.h"
#include "io/json.h"
#include "mix.h"
#include "text/utf8.h"

namespace lm::mix_tool {

namespace {

constexpr i64 kMostSources = 10000;

/// "part-00.jsonl" of "corpus/part-00.jsonl".
std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

Mixer::Mixer(const Plan& plan)
    : plan_(plan),
      json_(plan.names.paths()),
      values_(plan.names),
      seen_(plan.names, plan.attributes, plan.asked, plan.named),
      cuts_(plan.cutter.make_work()),
      chain_(plan.cleaners) {
  counts_.rules.resize(usize(plan.rules.size()));
}

Counts Mixer::counts() const {
  Counts out = counts_;
  out.cuts = cuts_.counts;
  out.cleaners = chain_.counts();
  return out;
}

void Counts::add(const Counts& other) {
  rules.resize(std::max(rules.size(), other.rules.size()));
  for (std::size_t i = 0; i < other.rules.size(); ++i)
    rules[i].add(other.rules[i]);
  cuts.resize(std::max(cuts.size(), other.cuts.size()));
  for (std::size_t i = 0; i < other.cuts.size(); ++i)
    cuts[i].add(other.cuts[i]);
  add_steps(cleaners, other.cleaners);
  removed.add(other.removed);
  unsampled.add(other.unsampled);
  dropped.add(other.dropped);
  emptied.add(other.emptied);
  too_short.add(other.too_short);
  kept.add(other.kept);
  copies += other.copies;
  for (const auto& [name, size] : other.sources) {
    sources[name].documents += size.documents;
    sources[name].amount += size.amount;
  }
}

std::optional<Fault> Mixer::mix(io::Record& record, i64 bytes, const std::string& input_name,
                                std::string& out, std::vector<Ranked>& ranks) {
  std::optional<Fault> fault = judge(record, bytes, input_name, out, ranks);
  if (!fault) seen_.look(record.json, record.input, record.line_number);
  return fault;
}

// A record that turns out bad has been counted nowhere: rules count what they remove, cuts and
// cleaners what they have done.
std::optional<Fault> Mixer::judge(io::Record& record, i64 bytes, const std::string& input_name,
                                  std::string& out, std::vector<Ranked>& ranks) {
  io::JsonReader& json = record.json;
  values_.open(json);
  if (std::optional<Fault> fault = json.object_or_none(plan_.attributes)) return fault;
  for (const i64 field : {plan_.provenance, plan_.copy}) {
    if (field < 0) continue;
    if (std::optional<Fault> fault = json.settable(field)) return fault;
  }
  const Result<i64> counted = count();
  if (!counted) return counted.fault();
  const Result<bool> stays = plan_.rules.judge(values_, bytes, *counted, counts_.rules);
  if (!stays) return stays.fault();
  if (!*stays) {
    counts_.removed.add(bytes);
    return std::nullopt;
  }
  const Result<i64> copies = draw(json);
  if (!copies) return copies.fault();
  if (*copies == 0) {
    counts_.unsampled.add(bytes);
    return std::nullopt;
  }
  const Result<i64> amount = plan_.weights && !plan_.count ? measure() : counted;
  if (!amount) return amount.fault();
  if (plan_.weights) {
    if (std::optional<Fault> fault = check_source()) return fault;
  }
  Ranked ranked{{}, bytes};
  if (plan_.best > 0) {
    if (std::optional<Fault> fault = rank(ranked.rank)) return fault;
  }
  if (std::optional<Fault> fault = clean()) return fault;
  if (dropped_) {
    counts_.dropped.add(bytes);
    return std::nullopt;
  }
  if (plan_.min_length > 0 || (changed_ && plan_.min_left > 0)) {
    const i64 left = text::count_code_points(trim(text_));
    if (changed_ && left < plan_.min_left) {
      counts_.emptied.add(bytes);
      return std::nullopt;
    }
    if (left < plan_.min_length) {
      counts_.too_short.add(bytes);
      return std::nullopt;
    }
  }
  if (plan_.weights) add_to_source(changed_ && !plan_.count ? isize(text_) : *amount);
  write(record, input_name, *copies, out);
  if (plan_.best > 0) ranks.push_back(std::move(ranked));
  counts_.kept.add(bytes);
  counts_.copies += *copies - 1;
  return std::nullopt;
}

/// Where the record stands among those of its group. Of equal records the draw decides, so that no
/// order does.
std::optional<Fault> Mixer::rank(mix::Rank& rank) {
  const Result<std::string_view> id = mix::id_text(json_, plan_.id);
  if (!id) return id.fault();
  const Result<std::string_view> source = mix::source_text(json_, plan_.source);
  if (!source) return source.fault();
  rank.key = mix::keyed_bits(plan_.seed, "reservoir", *source, *id, key_);
  rank.tie = xxh3_64(json_.line(), plan_.seed);
  if (plan_.by) {
    const Result<mix::Expression::Amount> by = plan_.by->amount(values_);
    if (!by || by->none) {
      Fault fault = by ? Fault{"missing", "a value it needs is missing", -1} : by.fault();
      fault.detail = cat("--by: ", fault.detail);
      return fault;
    }
    rank.key = mix::descending(by->value);
  }
  if (plan_.group >= 0) rank.group = json_.text_of(plan_.group).value_or(std::string());
  return std::nullopt;
}

/// Cuts, then cleaners. The last fault that a record can have is one of these.
std::optional<Fault> Mixer::clean() {
  changed_ = dropped_ = false;
  if (plan_.cleaners.size() > 0 || plan_.min_length > 0) {  // before anything is counted
    const Result<std::string_view> text = json_.string(mix::Names::kText);
    if (!text) return text.fault();
    text_ = *text;
  }
  if (plan_.cutter.size() > 0) {
    const Result<bool> cut = plan_.cutter.cut(values_, cuts_);
    if (!cut) return cut.fault();
    changed_ = *cut;
    if (changed_) text_ = cuts_.out;
  }
  if (plan_.cleaners.size() == 0) return std::nullopt;
  const clean::Chain::Outcome outcome = chain_.run(text_);
  if (!plan_.as_attributes) {
    dropped_ = outcome == clean::Chain::Outcome::kDropped;
    if (outcome == clean::Chain::Outcome::kSame) return std::nullopt;
    changed_ = true;
    text_ = chain_.text();
    return std::nullopt;
  }
  const bool gone = !json_.has(plan_.attributes) || (changed_ && plan_.drop_attributes);
  attributes_.clear();
  chain_.append_attributes(attributes_);
  if (gone) return std::nullopt;
  std::string merged;
  const std::optional<Fault> fault = mix::merge_attributes(json_.raw(plan_.attributes), attributes_,
                                                           mix::AttributeMerge::kReplace, merged);
  LM_CHECK(!fault, "attributes that replace others always fit");
  attributes_.swap(merged);
  return std::nullopt;
}

/// What --count makes of the record; 0 without.
Result<i64> Mixer::count() {
  return plan_.count ? plan_.count->whole_amount(values_, "--count") : Result<i64>(i64{0});
}

/// The bytes of the text, which is what weights count by without --count.
Result<i64> Mixer::measure() {
  const Result<std::string_view> text = json_.string(mix::Names::kText);
  if (!text) return text.fault();
  return isize(*text);
}

/// The second reading finds both.
std::optional<Fault> Mixer::check_source() {
  const Result<std::string_view> id = mix::id_text(json_, plan_.id);
  if (!id) return id.fault();
  const Result<std::string_view> source = mix::source_text(json_, plan_.source);
  if (!source) return source.fault();
  return std::nullopt;
}

void Mixer::add_to_source(i64 amount) {
  const std::string_view source = *mix::source_text(json_, plan_.source);
  auto found = counts_.sources.find(source);
  if (found == counts_.sources.end()) {
    if (isize(counts_.sources) == kMostSources)
      throw Error(ErrorKind::kData, cat("more than ", kMostSources, " sources"),
                  "--weights and --budget need the field source to name parts of a corpus");
    found = counts_.sources.emplace(source, mix::SourceSize()).first;
  }
  ++found->second.documents;
  found->second.amount += amount;
}

/// How many lines the record becomes if it stays.
Result<i64> Mixer::draw(io::JsonReader& json) {
  if (!plan_.sample) return i64{1};
  const Result<mix::Expression::Amount> p = plan_.sample->amount(values_);
  if (!p) {
    Fault fault = p.fault();
    fault.detail = cat("--sample: ", fault.detail);
    return fault;
  }
  if (p->none) return Fault{"missing", "--sample: a value it needs is missing", -1};
  if (!(p->value >= 0 && p->value <= mix::kMostCopies))
    return Fault{"range", cat("--sample is ", p->value, ", expected 0 to ", mix::kMostCopies), -1};
  const Result<std::string_view> id = mix::id_text(json, plan_.id);
  if (!id) return id.fault();
  const Result<std::string_view> source = mix::source_text(json, plan_.source);
  if (!source) return source.fault();
  if (plan_.unique_ids) {
    id_.clear();
    io::append_json_string(id_, *id);
    id_.pop_back();
  }
  return mix::copies_of(p->value, mix::keyed_uniform(plan_.seed, "sample", *source, *id, key_));
}

void Mixer::write(io::Record& record, const std::string& input_name, i64 copies, std::string& out) {
  const bool plain =
      !changed_ && !plan_.as_attributes && plan_.discard.empty() && plan_.provenance < 0;
  if (plain && copies == 1) {
    append(out, record.line, "\n");
    return;
  }
  io::RecordEdit edit(record.json);
  if (changed_) {
    edit.set(mix::Names::kText, io::json_string(text_));
    if (plan_.drop_attributes && !plan_.as_attributes) edit.remove(plan_.attributes);
  }
  if (plan_.as_attributes) edit.set(plan_.attributes, attributes_);
  for (const i64 field : plan_.discard)
    edit.remove(field);
  if (plan_.provenance >= 0)
    edit.set(plan_.provenance,
             io::json_string(cat(base_name(input_name), ":", record.line_number)));
  edit.write(out);
  for (i64 copy = 1; copy < copies; ++copy) {
    io::RecordEdit again = edit;
    again.set(plan_.copy, cat(copy));
    if (plan_.unique_ids) again.set(plan_.id, cat(id_, "#", copy, "\""));
    again.write(out);
  }
}

}  // namespace lm::mix_tool
