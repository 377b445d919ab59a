// Options of lm-flow.

#include "common/engine_options.h"
#include "common/held_run.h"
#include "common/model_options.h"
#include "flow.h"

namespace lm::flow_tool {

using cli::Flag;
using cli::FlagKind;

namespace {

std::vector<Flag> engine_flags(bool keeps) {
  const std::string group = "Engine";
  std::vector<Flag> flags = {tool_options::engine_flag(group)};
  flags.back().main = true;
  if (keeps) flags.push_back(tool_options::record_flag(group));
  return cli::joined({tool_options::folder_flags(group), flags,
                      tool_options::model_flags({.group = group, .special_error = false})});
}

Flag set_flag() {
  return {.name = "set",
          .kind = FlagKind::kList,
          .value_name = "NAME=VALUE",
          .group = "Graph",
          .help = "a parameter of the graph; may be repeated",
          .details = "VALUE is JSON, or a text.",
          .main = true};
}

Flag graph_flag(const std::string& help) {
  return {.name = "graph",
          .kind = FlagKind::kPath,
          .value_name = "FILE",
          .group = "Graph",
          .help = help,
          .semantic = false};
}

Flag problem_graph_flag() {
  return graph_flag("another graph than the problem's own; its parameter m is the size of pieces");
}

Flag workers_flag(const std::string& def, const std::string& help) {
  return {.name = "workers",
          .kind = FlagKind::kString,
          .value_name = "P",
          .group = "Cost",
          .def = def,
          .help = help,
          .main = true};
}

Flag call_time_flag(const std::string& help) {
  return {.name = "call-time",
          .kind = FlagKind::kString,
          .value_name = "A0,A1,A2,B1,B2",
          .group = "Cost",
          .help = help,
          .details =
              "Seconds of a call with I prompt tokens and O others are "
              "A0 + A1 I + A2 I I + B1 O + B2 I O."};
}

Flag price_flag() {
  return {.name = "price",
          .kind = FlagKind::kString,
          .value_name = "IN,OUT",
          .group = "Cost",
          .help = "money for a million prompt tokens and for a million others"};
}

Flag calibration_flag(const std::string& help) {
  return {.name = "calibration",
          .kind = FlagKind::kPath,
          .value_name = "FILE",
          .group = "Cost",
          .help = help,
          .semantic = false,
          .main = true};
}

Flag rule_flag() {
  return {.name = "latency",
          .kind = FlagKind::kChoice,
          .value_name = "RULE",
          .group = "Cost",
          .def = "blocks",
          .help =
              "with several workers: calls in blocks of P, each as long as its longest, or each "
              "worker takes the next call when it is free",
          .choices = {"blocks", "list"}};
}

Flag list_flag(const char* name, const char* group, const char* help, bool main = true) {
  return {.name = name,
          .kind = FlagKind::kString,
          .value_name = "N,N,...",
          .group = group,
          .help = help,
          .main = main};
}

Flag count_flag(const char* name, const char* group, const char* def, const char* help,
                f64 most = 1e6) {
  return {.name = name,
          .kind = FlagKind::kCount,
          .value_name = "N",
          .group = group,
          .def = def,
          .help = help,
          .min = 1,
          .max = most};
}

Flag target_flag() {
  return {.name = "target",
          .kind = FlagKind::kSwitch,
          .group = "Problem",
          .def = "true",
          .help = "needle: what is asked for is there"};
}

Flag format_flag() {
  return {.name = "format",
          .kind = FlagKind::kChoice,
          .value_name = "FORM",
          .group = "Output",
          .def = "table",
          .help = "a table, or JSON",
          .choices = {"table", "json"}};
}

Flag draws_flag() {
  return count_flag("draws", "Cost", "400", "calibrations drawn for intervals", 1e5);
}

}  // namespace

std::vector<Flag> run_flags() {
  const std::vector<Flag> own = {
      graph_flag("the graph, instead of the first operand: a file, or a built-in one"),
      set_flag(),
      {.name = "field",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = "Records",
       .def = "flow",
       .help = "where answer and cost go"},
      {.name = "trace",
       .kind = FlagKind::kSwitch,
       .group = "Records",
       .help = "inputs and output of every node, replies of every call",
       .main = true},
      {.name = "max-calls",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = "Records",
       .def = "10000",
       .help = "a record that needs more calls is bad",
       .min = 1,
       .max = 1e9},
      workers_flag("4", "calls at once in latency_p_s and peak_kv_tokens"),
      calibration_flag("latencies by the times of calls in this file of calibrate"),
      call_time_flag("latencies by these times of calls"),
      price_flag(),
  };
  return cli::joined({own, engine_flags(true), tool_options::held_flags()});
}

std::vector<Flag> gen_flags() {
  return {
      {.name = "records",
       .letter = 'n',
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = "Problem",
       .def = "20",
       .help = "instances of each length",
       .min = 0,
       .max = 1e9,
       .main = true},
      list_flag("length", "Problem",
                "characters of a text; sort: numbers; default 200, needles 4000"),
      target_flag(),
      {.name = "half",
       .kind = FlagKind::kChoice,
       .value_name = "WHICH",
       .group = "Problem",
       .def = "all",
       .help = "all, or those that calibrate and check use",
       .choices = {"all", "calibrate", "check"}},
  };
}

std::vector<Flag> calibrate_flags() {
  const std::vector<Flag> own = {
      list_flag("sizes", "Problem", "of pieces; default 10 to 200, needles 300 to 4000"),
      count_flag("trials", "Problem", "100", "calls of each size and kind"),
      call_time_flag("times of calls, instead of the clock"),
      problem_graph_flag(),
      set_flag(),
  };
  return cli::joined({own, engine_flags(true)});
}

std::vector<Flag> plan_flags() {
  const std::vector<Flag> own = {
      calibration_flag("what calibrate measured; needed"),
      list_flag("length", "Problem", "of inputs; default 100 and 200, needles 4000"),
      list_flag("sizes", "Problem", "of pieces; default those of the calibration"),
      count_flag("trials", "Problem", "20", "instances that prompts are built of"),
      target_flag(),
      workers_flag("1,4", "calls at once"),
      rule_flag(),
      price_flag(),
      draws_flag(),
      problem_graph_flag(),
      set_flag(),
      format_flag(),
  };
  return cli::joined({own, engine_flags(false)});
}

std::vector<Flag> check_flags() {
  const std::vector<Flag> own = {
      calibration_flag("of an earlier run, instead of calibrating"),
      list_flag("sizes", "Problem",
                "of pieces to calibrate; default 10 to 200, needles 300 to 4000"),
      count_flag("trials", "Problem", "100", "calibrating calls of each size and kind"),
      list_flag("length", "Problem", "of inputs; default 100, 150 and 200, needles 2500 to 4000"),
      list_flag("check-sizes", "Problem", "of their pieces; default sizes between the others"),
      count_flag("check-trials", "Problem", "20", "instances of each length"),
      target_flag(),
      workers_flag("1,4", "calls at once"),
      rule_flag(),
      call_time_flag("times of calls, instead of the clock"),
      draws_flag(),
      {.name = "tolerance",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = "Bars",
       .def = "0.1",
       .help = "how far latencies may be off, as a share",
       .min = 0,
       .max = 10},
      {.name = "inside",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = "Bars",
       .def = "0.9",
       .help = "share of cells whose error must lie in its interval",
       .min = 0,
       .max = 1},
      problem_graph_flag(),
      set_flag(),
      format_flag(),
      {.name = "plot",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = "Output",
       .help = "predicted errors with their intervals and those of runs, as an SVG",
       .semantic = false,
       .writes = true},
  };
  return cli::joined({own, engine_flags(true)});
}

}  // namespace lm::flow_tool
