#include "census/census.h"

#include "core/str.h"

namespace lm::census {

Spill::Spill(const std::string& dir, const Plan& plan) : groups(dir), cross(dir) {
  for (std::size_t i = 0; i < plan.tops.size(); ++i)
    tops.emplace_back(dir);
}

i64 Spill::bytes() const {
  i64 sum = groups.bytes() + cross.bytes();
  for (const Runs& top : tops)
    sum += top.bytes();
  return sum;
}

Census::Census(const Plan& the_plan, Spill* spill)
    : plan(the_plan),
      whole(the_plan),
      groups(the_plan, spill == nullptr ? nullptr : &spill->groups),
      top_missing(the_plan.tops.size()),
      cross(the_plan.values, spill == nullptr ? nullptr : &spill->cross),
      rules(the_plan.rules.size()),
      rule_examples(the_plan.rules.size(), Examples(the_plan.examples)),
      ids(the_plan.ids),
      seen(the_plan.attributes.size()),
      spill_(spill) {
  for (std::size_t i = 0; i < plan.tops.size(); ++i)
    tops.emplace_back(plan.values, spill == nullptr ? nullptr : &spill->tops[i]);
  for (const EdgeLabel& label : plan.edges) {
    const std::size_t bins = label.edges.size() + 1;
    edges.push_back({std::vector<i64>(bins), std::vector<Examples>(bins, Examples(plan.examples))});
  }
}

void Census::add(Census&& other) {
  rejected += other.rejected;
  whole.add(std::move(other.whole));
  groups.add(std::move(other.groups));
  for (std::size_t i = 0; i < edges.size(); ++i) {
    for (std::size_t bin = 0; bin < edges[i].counts.size(); ++bin) {
      edges[i].counts[bin] += other.edges[i].counts[bin];
      edges[i].examples[bin].add(other.edges[i].examples[bin]);
    }
  }
  for (std::size_t i = 0; i < tops.size(); ++i) {
    tops[i].add(std::move(other.tops[i]));
    top_missing[i] += other.top_missing[i];
  }
  cross.add(std::move(other.cross));
  for (std::size_t i = 0; i < rules.size(); ++i) {
    rules[i].add(other.rules[i]);
    rule_examples[i].add(other.rule_examples[i]);
  }
  ids.add(other.ids);
  for (std::size_t i = 0; i < seen.size(); ++i)
    seen[i] = static_cast<u8>(seen[i] | other.seen[i]);
}

i64 Census::spillable() {
  i64 sum = groups.bytes() + cross.bytes();
  for (const Tally& top : tops)
    sum += top.bytes();
  return sum;
}

i64 Census::bytes() {
  return whole.bytes() + ids.bytes() + spillable();
}

void Census::spill() {
  groups.spill();
  for (Tally& top : tops)
    top.spill();
  cross.spill();
}

void Census::settle() {
  if (spill_ == nullptr) return;
  if (!spill_->groups.empty()) groups.spill();
  for (Tally& top : tops)
    top.settle();
  cross.settle();
}

void Census::save(const Emit& emit) const {
  PartWriter out;
  out.number(rejected);
  for (const u8 one : seen)
    out.number(one);
  emit("run", "", "", out.take());
  const auto save_cell = [&emit](std::string_view key, const Cell& cell) {
    cell.save([&](std::string_view part, std::string_view name, std::string data) {
      emit(part, key, name, std::move(data));
    });
  };
  save_cell("", whole);
  groups.each(save_cell);
  for (std::size_t i = 0; i < edges.size(); ++i) {
    for (std::size_t bin = 0; bin < edges[i].counts.size(); ++bin) {
      out.number(static_cast<i64>(bin));
      out.number(edges[i].counts[bin]);
      edges[i].examples[bin].save(out);
      emit("edges", "", cat(i), out.take());
    }
  }
  const auto in_parts = [&](std::string_view part, std::string_view name, const auto& counts) {
    counts.save([&](std::string data) { emit(part, "", name, std::move(data)); });
  };
  for (std::size_t i = 0; i < tops.size(); ++i) {
    out.number(top_missing[i]);
    emit("missing", "", cat(i), out.take());
    in_parts("top", cat(i), tops[i]);
  }
  if (!plan.cross.empty()) in_parts("cross", "", cross);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const mix::RuleCounts& c = rules[i];
    for (const i64 count : {c.matched, c.alone, c.bytes, c.bytes_alone, c.amount, c.amount_alone})
      out.number(count);
    rule_examples[i].save(out);
    emit("rule", "", cat(i), out.take());
  }
  in_parts("ids", "", ids);
}

void Census::load(std::string_view part, std::string_view group_name, std::string_view name,
                  PartReader& in) {
  if (part == "run") {
    rejected += in.count();
    for (u8& one : seen)
      one = static_cast<u8>(one | in.number(0, 1));
  } else if (part == "edges") {
    EdgeCounts& to = edges[usize(part_index(name, isize(edges), in))];
    const std::size_t bin = usize(in.number(0, isize(to.counts) - 1));
    to.counts[bin] += in.count();
    to.examples[bin].load(in);
  } else if (part == "missing") {
    top_missing[usize(part_index(name, isize(tops), in))] += in.count();
  } else if (part == "top") {
    tops[usize(part_index(name, isize(tops), in))].load(in);
  } else if (part == "cross") {
    cross.load(in);
  } else if (part == "rule") {
    const std::size_t rule = usize(part_index(name, isize(rules), in));
    mix::RuleCounts other;
    for (i64* const count : {&other.matched, &other.alone, &other.bytes, &other.bytes_alone,
                             &other.amount, &other.amount_alone})
      *count = in.count();
    rules[rule].add(other);
    rule_examples[rule].load(in);
  } else if (part == "ids") {
    ids.load(in);
  } else if (Cell& to = group_name.empty() ? whole : groups.at(group_name);
             !to.load(part, name, in)) {
    in.fail(cat("belongs to an unknown part ", quote(part)));
  }
  if (!in.done()) in.fail("is one too many");
}

std::string group_key(std::string_view value, bool none, i64 longest) {
  return none ? "-" : cat("=", short_value(value, longest));
}

std::string group_name(std::string_view key) {
  return key == "-" ? "(none)" : std::string(key.substr(1));
}

std::string pair_key(std::string_view a, std::string_view b) {
  return cat(a.size(), ":", a, b);
}

std::pair<std::string_view, std::string_view> split_pair(std::string_view key) {
  const std::size_t colon = key.find(':');
  const std::optional<i64> size = parse_int(key.substr(0, colon));
  const std::string_view rest = colon == std::string_view::npos ? "" : key.substr(colon + 1);
  if (!size || *size < 1 || *size >= isize(rest)) return {"-", "-"};
  return {rest.substr(0, usize(*size)), rest.substr(usize(*size))};
}

}  // namespace lm::census
