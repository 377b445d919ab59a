// diff: a line for each tensor in which two models differ.

#include "merge/diff.h"

#include <charconv>
#include <cmath>

#include "common/text_output.h"
#include "core/str.h"
#include "io/json.h"
#include "merge.h"

namespace lm::merge_tool {

namespace {

constexpr std::size_t kWidth = 10;  // of a column
constexpr const char* kTableHead =
    "  distance   relative     cosine  same_sign    changed    max_abs  tensor\n";

// Four significant digits, to the right of a column.
std::string column(f64 value, std::size_t width) {
  if (std::isnan(value)) return std::string(width < 3 ? 0 : width - 3, ' ') + "nan";
  char digits[32];
  const char* const end =
      std::to_chars(digits, digits + sizeof digits, value, std::chars_format::general, 4).ptr;
  const std::string text(digits, static_cast<std::size_t>(end - digits));
  return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
}

std::string table_line(const merge::TensorDiff& one) {
  std::string line;
  if (one.measured) {
    for (const f64 value :
         {one.distance, one.relative, one.cosine, one.same_sign, one.changed, one.max_abs})
      append(line, column(value, kWidth), " ");
  } else {
    const std::string state(merge::state_name(one.state));
    append(line, std::string(6 * (kWidth + 1) - 1 - state.size(), ' '), state, " ");
  }
  append(line, " ", one.name);
  if (one.state == merge::DiffState::kShape)
    append(line, " ", to_string(one.a_shape), " ", to_string(one.b_shape));
  if (one.a_dtype != one.b_dtype && !one.a_dtype.empty() && !one.b_dtype.empty())
    append(line, " ", one.a_dtype, " ", one.b_dtype);
  return line + "\n";
}

std::string json_line(const merge::TensorDiff& one) {
  std::string out = cat("{\"tensor\":", io::json_string(one.name),
                        ",\"state\":", io::json_string(merge::state_name(one.state)));
  const auto side = [&](const char* name, const std::string& dtype, const Shape& shape) {
    if (dtype.empty()) return;
    append(out, ",\"", name, "\":{\"dtype\":\"", dtype, "\",\"shape\":[");
    for (int axis = 0; axis < shape.rank; ++axis)
      append(out, axis > 0 ? "," : "", shape[axis]);
    out += "]}";
  };
  side("a", one.a_dtype, one.a_shape);
  side("b", one.b_dtype, one.b_shape);
  const auto number = [&](const char* name, f64 value) {
    append(out, ",\"", name, "\":");
    io::append_json_number(out, value);
  };
  if (one.measured) {
    number("a_norm", one.a_norm);
    number("b_norm", one.b_norm);
    number("distance", one.distance);
    number("relative", one.relative);
    number("cosine", one.cosine);
    number("same_sign", one.same_sign);
    number("changed", one.changed);
    number("max_abs", one.max_abs);
  }
  return out + "}\n";
}

}  // namespace

void run_diff(cli::Tool& tool) {
  tool.need_input();
  if (tool.files().size() != 2) throw Error(ErrorKind::kUsage, "diff takes two models");
  const bool json = tool.options().on("json");
  const bool all = tool.options().on("all");
  for (const std::string& path : tool.files())
    add_named_input(tool, path);
  merge::InputModels models;
  const i64 a = models.open(tool.files()[0]);
  const i64 b = models.open(tool.files()[1]);
  for (const i64 number : {a, b})
    add_input_model(tool, models[number]);
  tool_options::TextOutput out(tool);
  std::string text;
  const merge::DiffTotals totals =
      merge::diff(models[a], models[b], tool.ctx(), [&](const merge::TensorDiff& one) {
        if (one.state == merge::DiffState::kEqual && !all) return;
        if (!json && text.empty()) text = kTableHead;
        text += json ? json_line(one) : table_line(one);
      });
  if (!json) {
    append(text, totals.tensors, " tensors: ", totals.equal, " equal, ", totals.differ, " differ, ",
           totals.shapes, " of another shape, ", totals.missing, " in one model only");
    if (totals.distance != 0)
      append(text, "; distance ", column(totals.distance, 0), ", relative ",
             column(totals.relative, 0));
    text += "\n";
  }
  out.write(text);
  tool.add_metric("tensors", cat(totals.tensors));
  tool.add_metric("equal", cat(totals.equal));
  if (!totals.same()) tool.set_exit(1);
}

}  // namespace lm::merge_tool
