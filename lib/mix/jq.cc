#include "mix/jq.h"

#include <algorithm>

extern "C" {
#include <jq.h>
}

#include "core/str.h"

namespace lm::mix {

namespace {

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool in_name(char c) {
  return starts_name(c) || (c >= '0' && c <= '9');
}

/// A libjq value that is given back.
class Held {
 public:
  explicit Held(jv value) : value_(value) {}
  ~Held() { jv_free(value_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  jv copy() const { return jv_copy(value_); }
  jv_kind kind() const { return jv_get_kind(value_); }

 private:
  jv value_;
};

std::string text_of(const Held& value) {
  if (value.kind() != JV_KIND_STRING) {
    const Held dumped(jv_dump_string(value.copy(), 0));
    return text_of(dumped);
  }
  const jv text = value.copy();
  std::string out(jv_string_value(text), usize(jv_string_length_bytes(jv_copy(text))));
  jv_free(text);
  return out;
}

bool is_true(const Held& value) {
  switch (value.kind()) {
    case JV_KIND_TRUE:
      return true;
    case JV_KIND_NUMBER:
      return jv_number_value(value.copy()) != 0;
    case JV_KIND_STRING:
      return jv_string_length_bytes(value.copy()) > 0;
    case JV_KIND_ARRAY:
      return jv_array_length(value.copy()) > 0;
    case JV_KIND_OBJECT:
      return jv_object_length(value.copy()) > 0;
    default:
      return false;
  }
}

/// A compiled program, and what libjq complains about.
class Program {
 public:
  explicit Program(const std::string& text) : jq_(jq_init()) {
    if (jq_ == nullptr) throw std::bad_alloc();
    jq_set_error_cb(
        jq_,
        [](void* said, jv message) {
          const Held held(message);
          append(*static_cast<std::string*>(said), text_of(held), "\n");
        },
        &said_);
    // Without these libjq jumps to nowhere for input and debug, and aborts for import.
    jq_set_input_cb(
        jq_,
        [](jq_state*, void*) {
          return jv_invalid_with_msg(
              jv_string("there is no further input: a filter sees one record"));
        },
        nullptr);
    jq_set_debug_cb(
        jq_, [](void*, jv value) { jv_free(value); }, nullptr);
    jq_set_attr(jq_, jv_string("JQ_LIBRARY_PATH"), jv_array());
    jq_set_attr(jq_, jv_string("JQ_ORIGIN"), jv_string("/nonexistent"));
    jq_set_attr(jq_, jv_string("PROGRAM_ORIGIN"), jv_string("/nonexistent"));
    good_ = jq_compile(jq_, text.c_str()) != 0;
  }
  ~Program() { jq_teardown(&jq_); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  bool good() const { return good_; }
  jq_state* get() const { return jq_; }
  /// The first complaint, in one line.
  std::string complaint() const {
    std::string out = said_.substr(0, said_.find(" (Unix shell quoting issues?)"));
    out = out.substr(0, out.find('\n'));
    if (out.starts_with("jq: error: ")) out.erase(0, 11);
    const std::size_t place = out.find(" at <top-level>");
    return place == std::string::npos ? out : out.substr(0, place);
  }

 private:
  jq_state* jq_;
  std::string said_;
  bool good_ = false;
};

/// Each a function, of whose values a list is made, of one more than there may be: libjq bounds
/// neither steps nor memory. A comment ends where its filter does.
std::string together(const std::vector<std::string>& filters) {
  std::string out;
  std::string all;
  for (const std::string& filter : filters) {
    const std::string name = cat("lm_filter_", isize(all));
    append(out, "def ", name, ": ", filter, "\n;\n");
    append(all, all.empty() ? "" : ",", "[limit(", kMostJqValues + 1, "; ", name, ")]");
  }
  return cat(out, "[", all, "]");
}

}  // namespace

struct JqMachine::State {
  Program program;
  i64 filters;
  jv found = jv_null();
  State(const std::string& text, i64 count) : program(text), filters(count) {}
  ~State() { jv_free(found); }
  /// The values of a filter, of the record at hand.
  jv list_of(i64 filter) const {
    const jv out = jv_array_get(jv_copy(found), static_cast<int>(filter));
    LM_CHECK(jv_get_kind(out) == JV_KIND_ARRAY, "a list for every filter");
    return out;
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

JqMachine::JqMachine(const std::vector<std::string>& filters)
    : state_(std::make_unique<State>(together(filters), isize(filters))) {
  if (!state_->program.good())
    throw Error(ErrorKind::kUsage,
                cat("jq filters that cannot run together: ", state_->program.complaint()),
                "none of them may import modules");
}
JqMachine::~JqMachine() = default;

std::optional<Fault> JqMachine::run(std::string_view line) {
  jv_free(state_->found);
  state_->found = jv_null();
  const jv record = jv_parse_sized(line.data(), static_cast<int>(line.size()));
  if (jv_get_kind(record) == JV_KIND_INVALID) {
    const Held why(jv_invalid_get_msg(record));
    return Fault{"json", cat("jq: ", text_of(why)), -1};
  }
  jq_state* const jq = state_->program.get();
  jq_start(jq, record, 0);
  const jv out = jq_next(jq);
  if (jv_get_kind(out) == JV_KIND_ARRAY) {
    state_->found = out;
    LM_CHECK(jv_array_length(jv_copy(out)) == state_->filters, "a list for every filter");
    for (i64 filter = 0; filter < state_->filters; ++filter) {
      if (jv_array_length(state_->list_of(filter)) > kMostJqValues)
        return Fault{"jq", cat("jq: a filter gives more than ", kMostJqValues, " values"), -1};
    }
    return std::nullopt;
  }
  const bool halted = jq_halted(jq) != 0;
  if (jv_get_kind(out) != JV_KIND_INVALID) jv_free(out);
  const Held why(jv_get_kind(out) == JV_KIND_INVALID ? jv_invalid_get_msg(out) : jv_null());
  return Fault{"jq", halted ? std::string("jq: the filter halts") : cat("jq: ", text_of(why)), -1};
}

JqFound JqMachine::found(i64 filter) const {
  JqFound out;
  const jv all = state_->list_of(filter);
  jv_array_foreach(all, i, one) {
    const Held value(one);
    ++out.count;
    if (is_true(value)) {
      out.any_true = true;
    } else {
      out.all_true = false;
    }
  }
  jv_free(all);
  return out;
}

std::vector<std::string> JqMachine::values(i64 filter) const {
  std::vector<std::string> out;
  const jv all = state_->list_of(filter);
  jv_array_foreach(all, i, one) {
    const Held text(jv_dump_string(one, 0));
    out.push_back(text_of(text));
  }
  jv_free(all);
  return out;
}

void check_jq(std::string_view filter, const std::string& where, ErrorKind kind) {
  if (trim(filter).empty()) throw Error(kind, cat(where, ": an empty jq filter"));
  if (filter.find('\0') != std::string_view::npos)
    throw Error(kind, cat(where, ": a jq filter with a zero byte"));
  const Program alone{std::string(filter)};
  if (!alone.good()) throw Error(kind, cat(where, ": is no jq filter: ", alone.complaint()));
}

namespace {

/// Reads a jq path step behind a value: .NAME, ."NAME", ["NAME"], each with question marks. Moves
/// at behind it and returns the name; nullopt and at where it was for anything else.
std::optional<std::string> take_step(std::string_view text, std::size_t& at) {
  std::size_t i = at;
  while (i < text.size() && text[i] == '?')
    ++i;
  std::string name;
  const auto quoted = [&] {
    const std::size_t end = text.find('"', i + 1);
    if (end == std::string_view::npos) return false;
    name = text.substr(i + 1, end - i - 1);
    i = end + 1;
    return name.find('\\') == std::string::npos;
  };
  if (i >= text.size() || (text[i] != '.' && text[i] != '[')) return std::nullopt;
  const bool bracket = text[i++] == '[';
  if (i < text.size() && text[i] == '"') {
    if (!quoted()) return std::nullopt;
  } else if (!bracket && i < text.size() && starts_name(text[i])) {
    const std::size_t begin = i;
    while (i < text.size() && in_name(text[i]))
      ++i;
    name = text.substr(begin, i - begin);
  } else {
    return std::nullopt;
  }
  if (bracket && (i >= text.size() || text[i++] != ']')) return std::nullopt;
  at = i;
  return name;
}

}  // namespace

std::vector<std::string> jq_attributes(std::string_view filter) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < filter.size();) {
    if (filter[i] == '"') {
      for (++i; i < filter.size() && filter[i] != '"'; ++i)
        i += filter[i] == '\\' ? 1 : 0;
      ++i;
      continue;
    }
    std::size_t at = i;
    const bool inside =
        i > 0 && (in_name(filter[i - 1]) || filter[i - 1] == ']' || filter[i - 1] == '"' ||
                  filter[i - 1] == '?' || filter[i - 1] == '.');
    if (filter[i] == '.' && !inside && take_step(filter, at) == "attributes") {
      i = at;
      if (const std::optional<std::string> name = take_step(filter, at)) {
        out.push_back(*name);
        i = at;
      }
      continue;
    }
    ++i;
  }
  return out;
}

std::optional<std::string> jq_fields(std::string_view filter) {
  filter = trim(filter);
  std::string out;
  std::size_t at = 0;
  while (at < filter.size()) {
    const std::optional<std::string> name = take_step(filter, at);
    if (!name || name->empty() || name->find('.') != std::string::npos) break;
    append(out, out.empty() ? "" : ".", *name);
  }
  while (at < filter.size() && filter[at] == '?')
    ++at;
  if (at < filter.size() || out.empty()) return std::nullopt;
  return out;
}

}  // namespace lm::mix
