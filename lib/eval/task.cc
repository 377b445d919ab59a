#include "eval/task.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/str.h"
#include "decode/jrt.h"
#include "eval/filter.h"
#include "eval/metric.h"
#include "text/config_node.h"
#include "text/template.h"

namespace lm::eval {

using text::ConfigField;
using text::ConfigNode;
using text::read_config;
using text::Value;

const char* output_type_name(OutputType type) {
  switch (type) {
    case OutputType::kLoglikelihood:
      return "loglikelihood";
    case OutputType::kRolling:
      return "loglikelihood_rolling";
    case OutputType::kMultipleChoice:
      return "multiple_choice";
    case OutputType::kGenerate:
      return "generate_until";
  }
  return "";
}

namespace {

namespace fs = std::filesystem;

std::string beside(const std::string& file, const std::string& path) {
  return fs::path(path).is_absolute() ? path : (fs::path(file).parent_path() / path).string();
}

/// The file with what it includes behind its own fields. files: all that are read.
ConfigNode read_with_includes(const std::string& file, std::vector<std::string>& files,
                              i64 depth = 0) {
  ConfigNode root = read_config(file);
  files.push_back(file);
  if (!root.value.is_map()) root.fail("holds no keys of a task");
  const ConfigNode* include = root.find("include");
  if (include == nullptr) return root;
  if (depth > 20) include->fail("files include each other more than 20 deep");
  std::vector<std::string> names = include->texts();
  for (auto name = names.rbegin(); name != names.rend(); ++name) {  // later ones win
    const ConfigNode base = read_with_includes(beside(file, *name), files, depth + 1);
    for (const auto& [key, node] : base.fields) {
      const bool own =
          std::any_of(root.fields.begin(), root.fields.end(),
                      [&, &wanted = key](const ConfigField& each) { return each.key == wanted; });
      if (own) continue;
      root.fields.push_back({key, node});
      root.value.set(key, node.value);
    }
  }
  return root;
}

class TaskReader {
 public:
  TaskReader(const std::string& file, const ConfigNode& root) : file_(file), root_(root) {}

  /// One, or one for each order of reading.
  std::vector<TaskSpec> read() {
    root_.only({"task",
                "task_alias",
                "tag",
                "group",
                "include",
                "dataset",
                "dataset_path",
                "dataset_name",
                "dataset_kwargs",
                "training_split",
                "validation_split",
                "test_split",
                "fewshot_split",
                "output_type",
                "doc_to_text",
                "doc_to_target",
                "doc_to_choice",
                "doc_to_constraint",
                "doc_to_reading",
                "description",
                "gen_prefix",
                "target_delimiter",
                "fewshot_delimiter",
                "fewshot_config",
                "num_fewshot",
                "generation_kwargs",
                "repeats",
                "filter_list",
                "metric_list",
                "metadata",
                "should_decontaminate",
                "doc_to_decontamination_query",
                "unsafe_code"},
               "a task");
    const ConfigNode* name = root_.find("task");
    if (name == nullptr) root_.fail("has no \"task\", the name of the task");
    out_.name = name->text();
    out_.where = name->where;
    if (out_.name.empty() || out_.name.find_first_of("/,\n") != std::string::npos)
      name->fail(cat("the task's name ", quote(out_.name), " cannot be part of a file's name"));
    for (const char* key : {"tag", "group"}) {
      if (const ConfigNode* node = root_.find(key)) {
        const std::vector<std::string> tags = node->texts();
        out_.tags.insert(out_.tags.end(), tags.begin(), tags.end());
      }
    }
    out_.config = root_.value;
    read_output_type();
    read_data();
    read_parts();
    read_fewshot();
    read_generation();
    out_.repeats = whole("repeats", 1, 1);
    read_filters();
    read_metrics();
    if (const ConfigNode* meta = root_.find("metadata"); meta != nullptr && meta->value.is_map())
      if (const Value* version = meta->value.find("version")) out_.version = *version;
    return by_order();
  }

 private:
  i64 whole(const char* key, i64 least, i64 fallback) const {
    const ConfigNode* node = root_.find(key);
    return node == nullptr ? fallback : node->whole(least);
  }
  std::string text(const char* key, std::string fallback = {}) const {
    const ConfigNode* node = root_.find(key);
    return node == nullptr ? fallback : node->text();
  }

  void read_output_type() {
    const ConfigNode* node = root_.find("output_type");
    if (node == nullptr) return;
    const std::string name = node->text();
    for (const OutputType type : {OutputType::kLoglikelihood, OutputType::kRolling,
                                  OutputType::kMultipleChoice, OutputType::kGenerate}) {
      if (name != output_type_name(type)) continue;
      out_.output_type = type;
      return;
    }
    node->fail(cat("output_type is ", quote(name),
                   ", expected loglikelihood, loglikelihood_rolling, multiple_choice or "
                   "generate_until"));
  }

  // Data --------------------------------------------------------------------------------------
  void read_data() {
    out_.training_split = text("training_split");
    out_.validation_split = text("validation_split");
    out_.test_split = text("test_split");
    const ConfigNode* own = root_.find("dataset");
    const ConfigNode* path = root_.find("dataset_path");
    if (own != nullptr) {
      if (path != nullptr) path->fail("dataset and dataset_path exclude each other");
      read_splits(*own);
    } else {
      if (path == nullptr) root_.fail("has neither \"dataset\" nor \"dataset_path\"");
      const std::string kind = path->text();
      if (kind != "json" && kind != "csv")
        path->fail(cat("the data set ", quote(kind), " is not on this machine"),
                   "dataset: FILE reads a local jsonl, json, csv or tsv file");
      const ConfigNode* args = root_.find("dataset_kwargs");
      const ConfigNode* files = args == nullptr ? nullptr : args->find("data_files");
      if (files == nullptr) path->fail("dataset_kwargs has no data_files");
      read_splits(*files);
    }
    if (out_.evaluated_split().empty()) {
      if (out_.splits.size() != 1)
        root_.fail("has neither \"test_split\" nor \"validation_split\"");
      out_.test_split = out_.splits[0].name;
    }
    for (const std::string& name :
         {out_.evaluated_split(), out_.training_split, out_.validation_split})
      check_split(name, root_);
  }

  /// A file or files of one split, or a map from splits to these.
  void read_splits(const ConfigNode& node) {
    const auto add = [&](const std::string& name, const ConfigNode& files) {
      DataSplit split;
      split.name = name;
      for (const std::string& file : files.texts())
        split.files.push_back(beside(file_, file));
      if (split.files.empty()) files.fail("names no file");
      out_.splits.push_back(std::move(split));
    };
    if (!node.value.is_map()) {
      const std::string& named = out_.evaluated_split();
      return add(named.empty() ? "train" : named, node);
    }
    for (const auto& [name, files] : node.fields)
      add(name, files);
    if (out_.splits.empty()) node.fail("names no split");
  }

  void check_split(const std::string& name, const ConfigNode& where) const {
    const bool known = std::any_of(out_.splits.begin(), out_.splits.end(),
                                   [&](const DataSplit& split) { return split.name == name; });
    if (name.empty() || known) return;
    where.fail(cat("the data set has no split ", quote(name)));
  }

  // Prompts -----------------------------------------------------------------------------------
  static DocPart part(const ConfigNode& from, const char* key) {
    DocPart out;
    const ConfigNode* node = from.find(key);
    if (node == nullptr) return out;
    out.value = node->value;
    out.where = cat(node->where, ": ", key);
    // A template is checked now, not at the first document.
    const auto check = [&](const Value& value) {
      if (!value.is_string()) return;
      try {
        text::Template(value.str(), out.where, text::TemplateOptions::task());
      } catch (const Error& e) {
        throw Error(ErrorKind::kConfig, e.message());
      }
    };
    check(out.value);
    return out;
  }

  void read_parts() {
    out_.text = part(root_, "doc_to_text");
    read_reading();
    out_.target = part(root_, "doc_to_target");
    out_.choice = part(root_, "doc_to_choice");
    out_.description = part(root_, "description");
    out_.gen_prefix = part(root_, "gen_prefix");
    out_.target_delimiter = text("target_delimiter", " ");
    out_.fewshot_delimiter = text("fewshot_delimiter", "\n\n");
    const auto need = [&](const DocPart& given, const char* key) {
      if (!given.given())
        root_.fail(
            cat("has no \"", key, "\", which ", output_type_name(out_.output_type), " needs"));
    };
    need(out_.target, "doc_to_target");
    if (out_.output_type != OutputType::kRolling && !out_.reading.given())
      need(out_.text, "doc_to_text");
    if (out_.output_type == OutputType::kMultipleChoice) need(out_.choice, "doc_to_choice");
  }

  void read_reading() {
    const ConfigNode* const node = root_.find("doc_to_reading");
    if (node == nullptr) return;
    if (out_.text.given()) node->fail("doc_to_text and doc_to_reading exclude each other");
    if (out_.output_type == OutputType::kRolling)
      node->fail("doc_to_reading is for tasks that ask something");
    node->only({"context", "question", "kind", "intro", "cloze", "order", "separator"},
               "doc_to_reading");
    ReadingSpec& reading = out_.reading;
    reading.context = part(*node, "context");
    reading.question = part(*node, "question");
    reading.kind = part(*node, "kind");
    reading.intro = part(*node, "intro");
    reading.cloze = part(*node, "cloze");
    if (!reading.context.given() || !reading.question.given())
      node->fail("doc_to_reading has a context and a question");
    if (const ConfigNode* separator = node->find("separator"))
      reading.separator = separator->text();
    const ConfigNode* const order = node->find("order");
    if (order == nullptr) return;
    orders_ = order->texts();
    if (orders_.empty()) order->fail("order names no order");
    for (const std::string& one : orders_) {
      if (std::count(orders_.begin(), orders_.end(), one) > 1)
        order->fail(cat("the order ", quote(one), " stands twice"));
      try {
        decode::JrtPrompt(one, reading.separator);
      } catch (const Error& e) {
        order->fail(e.message(), "C is the document, Q the question: CQ, QCQ, CCQ, CQCQ, QCCQ");
      }
    }
    reading.order = orders_.front();
  }

  /// The task for each order of reading, NAME_ORDER where there are several.
  std::vector<TaskSpec> by_order() {
    if (orders_.size() < 2) return {std::move(out_)};
    std::vector<TaskSpec> out;
    for (const std::string& order : orders_) {
      TaskSpec& one = out.emplace_back(out_);
      append(one.name, "_", order);
      one.reading.order = order;
    }
    return out;
  }

  void read_fewshot() {
    out_.num_fewshot = whole("num_fewshot", 0, 0);
    out_.fewshot.split = text("fewshot_split");
    if (!out_.fewshot.split.empty()) check_split(out_.fewshot.split, *root_.find("fewshot_split"));
    const ConfigNode* node = root_.find("fewshot_config");
    if (node == nullptr) return;
    node->only({"sampler", "split", "samples", "doc_to_text", "doc_to_target", "doc_to_choice",
                "fewshot_delimiter", "target_delimiter"},
               "fewshot_config");
    if (const ConfigNode* sampler = node->find("sampler")) {
      out_.fewshot.sampler = sampler->text();
      if (out_.fewshot.sampler != "default" && out_.fewshot.sampler != "first_n")
        sampler->fail(cat("the sampler ", quote(out_.fewshot.sampler),
                          " is not understood, expected default or first_n"));
    }
    if (const ConfigNode* split = node->find("split")) {
      out_.fewshot.split = split->text();
      check_split(out_.fewshot.split, *split);
    }
    if (const ConfigNode* samples = node->find("samples")) {
      if (!samples->value.is_list()) samples->fail("samples is no list");
      out_.fewshot.samples = samples->value.list();
    }
    out_.fewshot.text = part(*node, "doc_to_text");
    out_.fewshot.target = part(*node, "doc_to_target");
    out_.fewshot.choice = part(*node, "doc_to_choice");
    if (const ConfigNode* delimiter = node->find("fewshot_delimiter"))
      out_.fewshot.delimiter = delimiter->text();
    if (const ConfigNode* delimiter = node->find("target_delimiter"))
      out_.fewshot.target_delimiter = delimiter->text();
  }

  void read_generation() {
    Generation& g = out_.generation;
    const ConfigNode* node = root_.find("generation_kwargs");
    if (node != nullptr) {
      if (out_.output_type != OutputType::kGenerate)
        node->fail("generation_kwargs is for output_type generate_until");
      node->only(
          {"until", "max_gen_toks", "max_new_tokens", "do_sample", "temperature", "top_p", "top_k"},
          "generation_kwargs");
      if (const ConfigNode* until = node->find("until")) g.until = until->texts();
      for (const char* key : {"max_new_tokens", "max_gen_toks"})
        if (const ConfigNode* most = node->find(key)) g.max_tokens = most->whole(1);
      if (const ConfigNode* sample = node->find("do_sample")) g.sample = sample->flag();
      if (const ConfigNode* t = node->find("temperature")) g.temperature = t->number();
      if (const ConfigNode* p = node->find("top_p")) g.top_p = p->number();
      if (const ConfigNode* k = node->find("top_k")) g.top_k = k->whole(0);
      if (g.temperature < 0 || g.top_p <= 0 || g.top_p > 1)
        node->fail("temperature is at least 0, top_p above 0 and at most 1");
      if (g.temperature == 0) g.sample = false;
    }
    if (node == nullptr || node->find("until") == nullptr) g.until = {out_.fewshot_delimiter};
    std::erase(g.until, "");
    read_constraint();
  }

  void read_constraint() {
    const ConfigNode* const node = root_.find("doc_to_constraint");
    if (node == nullptr) return;
    if (out_.output_type != OutputType::kGenerate)
      node->fail("doc_to_constraint is for output_type generate_until");
    node->only({"type", "value"}, "doc_to_constraint");
    const ConfigNode* const type = node->find("type");
    if (type == nullptr || node->find("value") == nullptr)
      node->fail("doc_to_constraint has a type and a value");
    const std::optional<decode::Language::Kind> kind = decode::constraint_kind(type->text());
    if (!kind)
      type->fail(cat("type is ", quote(type->text()),
                     ", expected regex, json_schema, choices or grammar"));
    out_.constraint = {*kind, part(*node, "value")};
  }

  // Results -----------------------------------------------------------------------------------
  void read_filters() {
    const ConfigNode* list = root_.find("filter_list");
    if (list == nullptr) {
      out_.filters = {{"none", {{"take_first", text::ValueMap{}, root_.where}}}};
      return;
    }
    if (!list->value.is_list() || list->items.empty())
      list->fail("filter_list is no list of filters");
    for (const ConfigNode& item : list->items) {
      item.only({"name", "filter"}, "a filter");
      FilterPipe pipe;
      const ConfigNode* name = item.find("name");
      const ConfigNode* steps = item.find("filter");
      if (name == nullptr || steps == nullptr || !steps->value.is_list())
        item.fail("a filter has a name and a list \"filter\" of functions");
      pipe.name = name->text();
      for (const ConfigNode& step : steps->items) {
        const ConfigNode* function = step.find("function");
        if (function == nullptr) step.fail("a filter's step has no \"function\"");
        FilterStep out{function->text(), text::ValueMap{}, step.where};
        for (const auto& [key, node] : step.fields)
          if (key != "function") out.args.set(key, node.value);
        pipe.steps.push_back(std::move(out));
      }
      check_filter(pipe, out_.output_type, out_.repeats);
      for (const FilterPipe& other : out_.filters)
        if (other.name == pipe.name) item.fail(cat("two filters are named ", quote(pipe.name)));
      out_.filters.push_back(std::move(pipe));
    }
  }

  void read_metrics() {
    const ConfigNode* list = root_.find("metric_list");
    if (list == nullptr) {
      for (const std::string& name : default_metrics(out_.output_type))
        out_.metrics.push_back({name, "", std::nullopt, text::ValueMap{}, root_.where});
      return;
    }
    if (!list->value.is_list() || list->items.empty())
      list->fail("metric_list is no list of metrics");
    for (const ConfigNode& item : list->items) {
      const ConfigNode* name = item.find("metric");
      if (name == nullptr) item.fail("an entry of metric_list has no \"metric\"");
      MetricSpec metric{name->text(), "", std::nullopt, text::ValueMap{}, item.where};
      for (const auto& [key, node] : item.fields) {
        if (key == "aggregation") {
          metric.aggregation = node.text();
        } else if (key == "higher_is_better") {
          metric.higher_is_better = node.flag();
        } else if (key != "metric" && key != "hf_evaluate") {
          metric.args.set(key, node.value);
        }
      }
      check_metric(metric, out_.output_type);
      out_.metrics.push_back(std::move(metric));
    }
  }

  const std::string& file_;
  const ConfigNode& root_;
  TaskSpec out_;
  std::vector<std::string> orders_;  // of reading
};

class SetReader {
 public:
  TaskSet read(const std::vector<std::string>& files) {
    for (const std::string& file : files)
      add(file);
    for (std::size_t i = 0; i < out_.groups.size(); ++i)  // grows
      find_members(i);
    for (const TaskSpec& task : out_.tasks) {
      for (const std::string& tag : task.tags) {
        GroupSpec* group = find_group(tag);
        if (group == nullptr) group = &out_.groups.emplace_back(GroupSpec{tag, task.where, {}, {}});
        if (std::find(group->members.begin(), group->members.end(), task.name) ==
            group->members.end())
          group->members.push_back(task.name);
      }
    }
    return std::move(out_);
  }

 private:
  GroupSpec* find_group(const std::string& name) {
    for (GroupSpec& group : out_.groups)
      if (group.name == name) return &group;
    return nullptr;
  }
  bool has(const std::string& name) {
    return find_group(name) != nullptr ||
           std::any_of(out_.tasks.begin(), out_.tasks.end(),
                       [&](const TaskSpec& task) { return task.name == name; });
  }

  void add(const std::string& file) {
    const ConfigNode root = read_with_includes(file, out_.files);
    const ConfigNode* task = root.find("task");
    const bool group = root.find("group") != nullptr && task != nullptr && task->value.is_list();
    if (group) {
      add_group(file, root);
      return;
    }
    std::vector<TaskSpec> read = TaskReader(file, root).read();
    const auto refuse_known = [&](const std::string& name) {
      if (has(name))
        throw Error(ErrorKind::kConfig, cat(read.front().where, ": a task or group ", quote(name),
                                            " is there already"));
    };
    if (read.size() > 1) {
      GroupSpec orders{root.find("task")->text(), read.front().where, {}, {}};
      refuse_known(orders.name);
      for (const TaskSpec& each : read)
        orders.members.push_back(each.name);
      out_.groups.push_back(std::move(orders));
      folders_.push_back(fs::path(file).parent_path().string());
    }
    for (TaskSpec& each : read) {
      refuse_known(each.name);
      out_.tasks.push_back(std::move(each));
    }
  }

  void add_group(const std::string& file, const ConfigNode& root) {
    root.only({"group", "group_alias", "task", "include", "aggregate_metric_list", "metadata",
               "tag", "task_alias"},
              "a group");
    GroupSpec group;
    group.name = root.find("group")->text();
    group.where = root.find("group")->where;
    if (has(group.name))
      throw Error(ErrorKind::kConfig,
                  cat(group.where, ": a task or group ", quote(group.name), " is there already"));
    for (const ConfigNode& member : root.find("task")->items) {
      if (!member.value.is_string()) member.fail("a member of a group is no name");
      group.members.push_back(member.value.str());
    }
    if (const ConfigNode* list = root.find("aggregate_metric_list")) {
      for (const ConfigNode& item : list->items) {
        item.only({"metric", "aggregation", "weight_by_size", "filter_list"},
                  "an entry of aggregate_metric_list");
        GroupMetric metric;
        const ConfigNode* name = item.find("metric");
        if (name == nullptr) item.fail("an entry of aggregate_metric_list has no \"metric\"");
        metric.metric = name->text();
        if (const ConfigNode* weight = item.find("weight_by_size"))
          metric.weight_by_size = weight->flag();
        if (const ConfigNode* how = item.find("aggregation");
            how != nullptr && how->text() != "mean")
          how->fail(cat("a group is aggregated by mean, not by ", quote(how->text())));
        if (const ConfigNode* filter = item.find("filter_list")) {
          for (const std::string& each : filter->texts()) {
            metric.filter = each;
            group.metrics.push_back(metric);
          }
        } else {
          group.metrics.push_back(metric);
        }
      }
    }
    folders_.push_back(fs::path(file).parent_path().string());
    out_.groups.push_back(std::move(group));
  }

  void find_members(std::size_t i) {
    for (const std::string& member : std::vector<std::string>(out_.groups[i].members)) {
      if (has(member)) continue;
      const std::string file = (fs::path(folders_[i]) / (member + ".yaml")).string();
      if (fs::exists(file)) add(file);
      if (!has(member))
        throw Error(ErrorKind::kConfig,
                    cat(out_.groups[i].where, ": the member ", quote(member),
                        " is no task that was named, and ", file, " does not hold it"));
    }
  }

  TaskSet out_;
  std::vector<std::string> folders_;  // by group
};

}  // namespace

TaskSet read_tasks(const std::vector<std::string>& files) {
  return SetReader().read(files);
}

}  // namespace lm::eval
