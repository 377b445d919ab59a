// Splicing: replace, remove, append and nested add on the raw bytes of one record.

#include <algorithm>

#include "core/str.h"
#include "io/json.h"

namespace lm::io {

namespace {

// Fields to add inside one object, as "k":v,"k2":{...}; fields that share a missing parent meet in
// one new object. Order of first appearance.
struct Tree {
  std::string_view key;
  std::string_view value;  // empty for an inner object
  std::vector<Tree> below;
};

void insert(std::vector<Tree>& level, std::span<const std::string> keys, std::string_view value) {
  if (keys.size() == 1) {
    level.push_back({keys[0], value, {}});
    return;
  }
  for (Tree& node : level) {
    if (node.key == keys[0] && node.value.empty()) {
      insert(node.below, keys.subspan(1), value);
      return;
    }
  }
  level.push_back({keys[0], {}, {}});
  insert(level.back().below, keys.subspan(1), value);
}

void write_fields(std::string& out, const std::vector<Tree>& level, bool comma_first) {
  for (const Tree& node : level) {
    if (comma_first) out.push_back(',');
    comma_first = true;
    append_json_string(out, node.key);
    out.push_back(':');
    if (node.value.empty()) {
      out.push_back('{');
      write_fields(out, node.below, false);
      out.push_back('}');
    } else {
      out.append(node.value);
    }
  }
}

}  // namespace

void check_apart(std::span<const std::string> paths) {
  for (const std::string& above : paths) {
    for (const std::string& path : paths) {
      if (&path == &above || !cat(path, ".").starts_with(cat(above, "."))) continue;
      throw Error(ErrorKind::kUsage,
                  path == above ? cat("field ", quote(path), " is named for two purposes")
                                : cat("field ", quote(path), " would lie inside the field ",
                                      quote(above), ", expected fields side by side"));
    }
  }
}

void RecordEdit::set(i64 i, std::string value_json) {
  const JsonField& f = record_->field(i);
  if (f.type != JsonType::kMissing) {
    splices_.push_back({f.begin, f.end, std::move(value_json)});
    return;
  }
  LM_CHECK(!record_->settable(i), "a field is added to an object only");
  const JsonAnchor& anchor = record_->anchor(i);
  const std::vector<std::string_view> parts = split(record_->path(i), '.');
  std::vector<std::string> keys(parts.begin() + anchor.depth, parts.end());
  added_.push_back({anchor, std::move(keys), std::move(value_json)});
}

void RecordEdit::append(std::string_view key, std::string value_json) {
  added_.push_back({record_->root(), {std::string(key)}, std::move(value_json)});
}

void RecordEdit::remove(i64 i) {
  const JsonField& f = record_->field(i);
  if (f.type == JsonType::kMissing) return;
  const std::string_view line = record_->line();
  i64 begin = f.key_begin;
  i64 end = f.end;
  const std::size_t after = line.find_first_not_of(" \t\r\n", usize(end));
  if (after != std::string_view::npos && line[after] == ',') {
    end = static_cast<i64>(after) + 1;
  } else {
    const std::size_t before = line.find_last_not_of(" \t\r\n", usize(begin - 1));
    if (line[before] == ',') begin = static_cast<i64>(before);
  }
  splices_.push_back({begin, end, ""});
}

namespace {

// Appends a part that stands after removed fields, which may leave a comma too many on either side.
// Returns false while only blanks were seen.
bool join(std::string& out, std::string_view part) {
  constexpr const char* kBlank = " \t\r\n";
  const std::size_t first = part.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    out.append(part);
    return false;
  }
  const std::size_t last = out.find_last_not_of(kBlank);  // at least the opening brace
  if (part[first] == '}' && out[last] == ',') out.erase(last, 1);
  if (part[first] == ',' && (out[last] == '{' || out[last] == ',')) part.remove_prefix(first + 1);
  out.append(part);
  return true;
}

/// Blanks at the end of a record are no part of it.
void end_line(std::string& out) {
  while (!out.empty() && (out.back() == '\r' || out.back() == ' ' || out.back() == '\t'))
    out.pop_back();
  out.push_back('\n');
}

}  // namespace

void RecordEdit::write(std::string& out) const {
  struct Part {
    i64 begin;
    i64 end;
    std::string_view text;
  };
  std::vector<Part> parts;
  for (const Splice& splice : splices_)
    parts.push_back({splice.begin, splice.end, splice.text});
  std::vector<const NewField*> order;
  for (const NewField& field : added_)
    order.push_back(&field);
  std::stable_sort(order.begin(), order.end(), [](const NewField* a, const NewField* b) {
    return a->anchor.begin < b->anchor.begin;
  });
  std::vector<std::string> texts;  // of the new fields, by their anchors
  texts.reserve(order.size());
  for (std::size_t first = 0; first < order.size();) {
    const JsonAnchor& anchor = order[first]->anchor;
    std::vector<Tree> level;
    std::size_t next = first;
    for (; next < order.size() && order[next]->anchor.begin == anchor.begin; ++next) {
      insert(level, order[next]->keys, order[next]->value);
    }
    std::string& text = texts.emplace_back();
    const bool made = anchor.type != JsonType::kObject;  // a null becomes an object
    if (made) text.push_back('{');
    write_fields(text, level, !anchor.empty);
    if (made) text.push_back('}');
    parts.push_back({anchor.begin, anchor.end, text});
    first = next;
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.begin < b.begin; });
  const std::string_view line = record_->line();
  i64 at = 0;
  bool removed = false;  // what stands before is the place of a removed field
  const auto put = [&](std::string_view part) {
    if (part.empty()) return;
    if (!removed) {
      out.append(part);
    } else if (join(out, part)) {
      removed = false;
    }
  };
  for (const Part& part : parts) {
    if (part.begin > at) put(line.substr(usize(at), usize(part.begin - at)));
    // The fields of a removed pair may share one comma: never step back.
    at = std::max(at, part.end);
    put(part.text);
    if (part.text.empty()) removed = true;
  }
  put(line.substr(usize(at)));
  end_line(out);
}

FieldEdit::FieldEdit(const JsonReader& record, i64 i, std::string& out) : out_(out) {
  const JsonField& f = record.field(i);
  if (f.type != JsonType::kMissing) {
    out.append(record.line().substr(0, usize(f.begin)));
    rest_ = record.line().substr(usize(f.end));
    return;
  }
  LM_CHECK(!record.settable(i), "a field is added to an object only");
  const JsonAnchor& anchor = record.anchor(i);
  out.append(record.line().substr(0, usize(anchor.begin)));
  rest_ = record.line().substr(usize(anchor.end));
  const bool made = anchor.type != JsonType::kObject;  // a null becomes an object
  const std::vector<std::string_view> keys = split(record.path(i), '.');
  for (std::size_t k = usize(anchor.depth); k < keys.size(); ++k) {
    const bool first = k == usize(anchor.depth);
    if (first ? made : true) {
      out.push_back('{');
      ++braces_;
    } else if (!anchor.empty) {
      out.push_back(',');
    }
    append_json_string(out, keys[k]);
    out.push_back(':');
  }
}

void FieldEdit::end() {
  out_.append(usize(braces_), '}');
  out_.append(rest_);
  end_line(out_);
}

}  // namespace lm::io
