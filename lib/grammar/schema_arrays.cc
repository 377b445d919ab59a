// Arrays of an alternative.

#include <algorithm>

#include "grammar/schema_compiler.h"

namespace lm::grammar {

namespace {

constexpr i64 kMostCounted = 4096;  // items told apart one by one

i32 limit(i64 most) {
  return most < 0 ? kNoLimit : static_cast<i32>(most);
}

}  // namespace

SchemaCompiler::Items SchemaCompiler::items_of(const Sites& sites) {
  Items out;
  for (const i32 site : sites) {
    out.firsts = std::max(out.firsts, document_.prefix_size(site));
    out.least = std::max(out.least, document_.count(site, "minItems").value_or(0));
    const std::optional<i64> most = document_.count(site, "maxItems");
    if (most) out.most = out.most < 0 ? *most : std::min(out.most, *most);
    if (document_.get(site, "contains") == nullptr) continue;
    const i64 least_contained = document_.count(site, "minContains").value_or(1);
    const std::optional<i64> most_contained = document_.count(site, "maxContains");
    if (least_contained == 0 && !most_contained) continue;
    if (out.contains >= 0) document_.fail(site, "contains", "a second one for the same array");
    out.contains = document_.at(site, "contains");
    out.least_contained = least_contained;
    out.most_contained = most_contained.value_or(-1);
  }
  return out;
}

Sites SchemaCompiler::item_at(const Sites& sites, std::size_t index) {
  Sites out;
  for (const i32 site : sites) {
    if (index < document_.prefix_size(site)) {
      out.push_back(document_.prefix(site, index));
    } else if (const std::optional<i32> rest = document_.rest_items(site)) {
      out.push_back(*rest);
    }
  }
  return normal_form(std::move(out));
}

Expr SchemaCompiler::listed(Expr one, i64 before, i64 least, i64 most) {
  const Expr next = table_.cat(writer_.comma(), one);
  if (before > 0) return table_.repeat(next, static_cast<i32>(least), limit(most));
  if (most == 0) return least > 0 ? kNothing : kEmpty;
  const Expr some =
      table_.cat(one, table_.repeat(next, static_cast<i32>(std::max<i64>(least - 1, 0)),
                                    limit(most < 0 ? -1 : most - 1)));
  return least > 0 ? some : table_.optional(some);
}

Expr SchemaCompiler::array(const Sites& sites) {
  const Items items = items_of(sites);
  if (items.most >= 0 && items.least > items.most) return kNothing;
  if (items.contains >= 0) return writer_.array(array_containing(sites, items));
  const i64 firsts = static_cast<i64>(items.firsts);
  const auto left = [&](i64 before) { return items.most < 0 ? -1 : items.most - before; };
  Expr tail = kNothing;
  if (items.most < 0 || items.most >= firsts)
    tail = listed(value(item_at(sites, items.firsts)), firsts,
                  std::max<i64>(items.least - firsts, 0), left(firsts));
  for (i64 i = firsts - 1; i >= 0; --i) {
    const Expr item = value(item_at(sites, usize(i)));
    const Expr more = table_.cat(i > 0 ? writer_.comma() : kEmpty, table_.cat(item, tail));
    const bool may_end = i >= items.least && (items.most < 0 || i <= items.most);
    const bool may_go_on = items.most < 0 || i < items.most;
    tail = table_.alt(may_end ? kEmpty : kNothing, may_go_on ? more : kNothing);
  }
  return writer_.array(tail);
}

// Items one by one as far as their number or place matters, then a loop; with the number of items
// so far that `contains` speaks of. Without an upper bound of those any item may be left uncounted.
Expr SchemaCompiler::array_containing(const Sites& sites, const Items& items) {
  const bool bounded = items.most_contained >= 0;
  const i64 counts = bounded ? items.most_contained : items.least_contained;
  const i64 single = std::max({static_cast<i64>(items.firsts), items.least, items.most, i64{1}});
  if (bounded && items.most_contained < items.least_contained) return kNothing;
  if (single * (counts + 1) > kMostCounted)
    document_.fail(sites[0], "contains", "too many items to count");
  const auto with = [&](std::size_t index, bool match) {
    Sites all = item_at(sites, index);
    if (match) {
      all.push_back(items.contains);
    } else if (bounded) {
      all.push_back(document_.negated(items.contains));
    }
    return value(normal_form(std::move(all)));
  };
  const auto enough = [&](i64 count) { return count >= items.least_contained; };
  std::vector<Expr> tail(usize(counts + 2), kNothing);  // by count, the last never allowed
  if (items.most < 0) {
    const Expr match = table_.cat(writer_.comma(), with(usize(single), true));
    const Expr other = table_.star(table_.cat(writer_.comma(), with(usize(single), false)));
    for (i64 c = counts; c >= 0; --c) {
      const Expr more = c < counts ? table_.cat(match, tail[usize(c + 1)]) : kNothing;
      tail[usize(c)] = table_.cat(other, table_.alt(enough(c) ? kEmpty : kNothing, more));
    }
  } else {
    for (i64 c = 0; c <= counts; ++c)
      tail[usize(c)] = enough(c) ? kEmpty : kNothing;
  }
  for (i64 i = single - 1; i >= 0; --i) {
    const Expr comma = i > 0 ? writer_.comma() : kEmpty;
    const Expr match = table_.cat(comma, with(usize(i), true));
    const Expr other = table_.cat(comma, with(usize(i), false));
    const bool may_go_on = items.most < 0 || i < items.most;
    for (i64 c = 0; c <= counts; ++c) {
      std::vector<Expr> options;
      if (i >= items.least && enough(c)) options.push_back(kEmpty);
      if (may_go_on) {
        options.push_back(table_.cat(other, tail[usize(c)]));
        options.push_back(table_.cat(match, tail[usize(c + 1)]));
      }
      tail[usize(c)] = table_.alt(std::move(options));
    }
  }
  return tail[0];
}

}  // namespace lm::grammar
