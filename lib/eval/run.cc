#include "eval/run.h"

#include <algorithm>
#include <cmath>
#include <exception>

#include "core/error.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/str.h"
#include "eval/dataset.h"
#include "eval/filter.h"
#include "io/json.h"

namespace lm::eval {

using text::Value;
using text::ValueList;
using text::ValueMap;

const MetricResult* TaskResult::find(const std::string& metric, const std::string& filter) const {
  for (const MetricResult& each : metrics)
    if (each.metric == metric && each.filter == filter) return &each;
  return nullptr;
}

namespace {

const DataSplit& split_of(const TaskSpec& task, const std::string& name) {
  const auto found = std::find_if(task.splits.begin(), task.splits.end(),
                                  [&](const DataSplit& split) { return split.name == name; });
  LM_CHECK(found != task.splits.end(), "splits are checked when a task is read");
  return *found;
}

/// Where few-shot examples come from: what the task says, else training, validation, test.
std::string fewshot_split(const TaskSpec& task) {
  if (!task.fewshot.split.empty()) return task.fewshot.split;
  if (!task.training_split.empty()) return task.training_split;
  return task.validation_split.empty() ? task.test_split : task.validation_split;
}

std::string numbers(std::span<const f64> row) {
  std::string out = row.size() == 1 ? "" : "[";
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) out += ',';
    io::append_json_number(out, row[i]);
  }
  return row.size() == 1 ? out : out + "]";
}

std::string compact(const Value& value) {
  return text::to_json(value, {.spaced = false});
}

/// What the requests of a document take, their copies for the source and the answers included.
i64 bytes_of(const DocRequests& doc) {
  i64 bytes = 512 + 2 * isize(doc.prompt) + (doc.form ? 2 * isize(doc.form->text) : 0);
  for (const LikelihoodRequest& request : doc.likelihoods)
    bytes += 256 + 2 * (isize(request.context) + isize(request.continuation));
  return bytes;
}

class TaskRun {
 public:
  TaskRun(const TaskSpec& task, AnswerSource& source, const RunOptions& options, const Context& ctx,
          const SampleSink& sink)
      : task_(task), source_(source), options_(options), ctx_(ctx), sink_(sink) {}

  TaskResult run() {
    // A few-shot example may be any document, so with a limit the rest are read too where both
    // come from one split.
    const std::string split = task_.evaluated_split();
    const DocSet docs = read_docs(split_of(task_, split).files, 0, ctx_);
    result_.task = task_.name;
    result_.shots = task_.num_fewshot;
    result_.original = isize(docs.docs());
    if (docs.docs().empty())
      throw Error(ErrorKind::kData, cat(split_of(task_, split).files[0], ": holds no document of ",
                                        quote(task_.name)));
    result_.evaluated = limited(result_.original);
    DocSet others(*ctx_.memory);
    const std::string shown = fewshot_split(task_);
    const bool listed = !task_.fewshot.samples.empty();
    const bool same = !listed && shown == split;
    if (task_.num_fewshot > 0 && listed) {
      for (const Value& sample : task_.fewshot.samples)
        others.add({sample, compact(sample)});
    } else if (task_.num_fewshot > 0 && !same) {
      others = read_docs(split_of(task_, shown).files, 0, ctx_);
    }
    const bool unconditional =
        std::any_of(task_.metrics.begin(), task_.metrics.end(),
                    [](const MetricSpec& metric) { return metric.name == "acc_mutual_info"; });
    const Prompts prompts(task_, docs.docs(), same ? docs.docs() : others.docs(), same,
                          options_.fewshot_seed, unconditional);
    HeldBytes held(ctx_.memory, "the prompts of a task");
    render(prompts, held);
    source_.begin(task_);
    ask(docs.docs());
    judge(docs.docs());
    return std::move(result_);
  }

 private:
  /// The requests of all documents, many at a time. The memory is charged, and what does not render
  /// is reported, in the order of the documents.
  void render(const Prompts& prompts, HeldBytes& held) {
    constexpr i64 kTogether = 1024;
    for (i64 from = 0; from < result_.evaluated; from += kTogether) {
      const i64 count = std::min(kTogether, result_.evaluated - from);
      std::vector<std::exception_ptr> failures(usize(count));
      requests_.resize(usize(from + count));
      parallel_for(count, 8, [&](i64 begin, i64 end) {
        for (i64 i = begin; i < end; ++i) {
          try {
            requests_[usize(from + i)] = prompts.requests(from + i);
          } catch (...) {  // rethrown below
            failures[usize(i)] = std::current_exception();
          }
        }
      });
      for (i64 i = 0; i < count; ++i) {
        if (failures[usize(i)]) std::rethrow_exception(failures[usize(i)]);
        held.add(bytes_of(requests_[usize(from + i)]));
      }
    }
  }

  i64 limited(i64 n) const {
    if (options_.limit_share > 0)
      return std::min(n, static_cast<i64>(std::ceil(options_.limit_share * static_cast<f64>(n))));
    return options_.limit > 0 ? std::min(n, options_.limit) : n;
  }

  void ask(const std::vector<Doc>& docs) {
    if (task_.output_type == OutputType::kGenerate) {
      std::vector<TextRequest> asked;
      for (i64 i = 0; i < isize(requests_); ++i) {
        const std::string place = docs[usize(i)].place();
        asked.push_back(
            {cat(task_.name, ":", i), requests_[usize(i)].prompt, requests_[usize(i)].form,
             task_.reading.given(),
             cat("task ", quote(task_.name), ", document ", i, place.empty() ? "" : ", ", place),
             task_.constraint.value.where});
      }
      texts_ = source_.texts(asked, task_.generation, task_.repeats);
      return;
    }
    std::vector<LikelihoodRequest> asked;
    for (const DocRequests& doc : requests_)
      asked.insert(asked.end(), doc.likelihoods.begin(), doc.likelihoods.end());
    likelihoods_ = source_.likelihoods(asked);
  }

  void judge(const std::vector<Doc>& docs) {
    std::vector<const MetricDef*> defs;
    for (const MetricSpec& metric : task_.metrics)
      defs.push_back(find_metric(metric.name, task_.output_type));
    if (task_.output_type == OutputType::kMultipleChoice)
      for (const DocRequests& doc : requests_) {
        const std::vector<i64> gold = gold_of(doc);
        result_.bad_targets += std::find(gold.begin(), gold.end(), -1) != gold.end() ? 1 : 0;
      }
    for (const FilterPipe& pipe : task_.filters) {
      const FilterChain chain(pipe);
      std::vector<MetricRows> rows(defs.size());
      for (std::size_t m = 0; m < defs.size(); ++m)
        rows[m].width = defs[m]->width;
      std::size_t next = 0;  // likelihood
      for (i64 i = 0; i < result_.evaluated; ++i) {
        const DocRequests& doc = requests_[usize(i)];
        Answer answer;
        if (task_.output_type == OutputType::kGenerate) {
          answer.text = chain.apply(texts_[usize(i)], docs[usize(i)].fields);
        } else {
          for (std::size_t k = 0; k < doc.likelihoods.size(); ++k, ++next) {
            answer.logprobs.push_back(likelihoods_[next].logprob);
            answer.greedy.push_back(likelihoods_[next].greedy ? 1 : 0);
          }
        }
        std::string measured;
        for (std::size_t m = 0; m < defs.size(); ++m) {
          std::vector<f64> row(usize(defs[m]->width));
          defs[m]->row(doc, answer, task_.metrics[m].args, row);
          rows[m].values.insert(rows[m].values.end(), row.begin(), row.end());
          append(measured, ",", io::json_string(defs[m]->name), ":", numbers(row));
        }
        if (sink_) sink_(sample_line(i, docs[usize(i)], answer, pipe.name, measured));
      }
      for (std::size_t m = 0; m < defs.size(); ++m) {
        const MetricSpec& spec = task_.metrics[m];
        result_.metrics.push_back(
            {spec.name, pipe.name, spec.higher_is_better.value_or(defs[m]->higher_is_better),
             defs[m]->is_mean(), estimate(*defs[m], rows[m], options_.draws, options_.seed)});
      }
    }
  }

  std::string sample_line(i64 i, const Doc& doc, const Answer& answer, const std::string& filter,
                          const std::string& measured) const {
    const DocRequests& asked = requests_[usize(i)];
    std::string arguments;
    std::string replies;
    std::string kept;
    const auto comma = [](const std::string& list) { return list.empty() ? "" : ","; };
    for (std::size_t k = 0; k < asked.likelihoods.size(); ++k) {
      const LikelihoodRequest& request = asked.likelihoods[k];
      append(arguments, comma(arguments), "[");
      if (!request.rolling) append(arguments, io::json_string(request.context), ",");
      append(arguments, io::json_string(request.continuation), "]");
      std::string reply = "[";
      io::append_json_number(reply, answer.logprobs[k]);
      append(reply, ",", answer.greedy[k] != 0, "]");
      append(replies, comma(replies), "[", reply, "]");
      append(kept, comma(kept), reply);
    }
    if (task_.output_type == OutputType::kGenerate) {
      ValueList until(task_.generation.until.begin(), task_.generation.until.end());
      arguments =
          cat("[", io::json_string(asked.prompt), ",{\"until\":", compact(until),
              ",\"max_gen_toks\":", task_.generation.max_tokens,
              ",\"do_sample\":", task_.generation.sample, asked.form ? ",\"constraint\":" : "",
              asked.form ? decode::constraint_json(*asked.form) : "", "}]");
      for (const std::string& text : texts_[usize(i)])
        append(replies, comma(replies), io::json_string(text));
      replies = cat("[", replies, "]");
      kept = io::json_string(answer.text);
    }
    const std::string& prompt = task_.output_type == OutputType::kGenerate ? asked.prompt
                                : asked.likelihoods[0].rolling ? asked.likelihoods[0].continuation
                                                               : asked.likelihoods[0].context;
    return cat("{\"doc_id\":", i, ",\"doc\":", doc.json, ",\"target\":", compact(asked.target),
               ",\"arguments\":[", arguments, "],\"resps\":[", replies, "],\"filtered_resps\":[",
               kept, "],\"filter\":", io::json_string(filter), ",\"doc_hash\":\"",
               sha256_hex(text::to_json(doc.fields, {.indent = 2})), "\",\"prompt_hash\":\"",
               sha256_hex(prompt), "\",\"target_hash\":\"", sha256_hex(asked.target.to_text()),
               "\"", measured, "}\n");
  }

  const TaskSpec& task_;
  AnswerSource& source_;
  const RunOptions& options_;
  const Context& ctx_;
  const SampleSink& sink_;
  TaskResult result_;
  std::vector<DocRequests> requests_;
  std::vector<Likelihood> likelihoods_;
  std::vector<std::vector<std::string>> texts_;
};

}  // namespace

TaskResult run_task(const TaskSpec& task, AnswerSource& source, const RunOptions& options,
                    const Context& ctx, const SampleSink& sink) {
  if (!options.num_fewshot) return TaskRun(task, source, options, ctx, sink).run();
  TaskSpec changed = task;
  changed.num_fewshot = *options.num_fewshot;
  return TaskRun(changed, source, options, ctx, sink).run();
}

}  // namespace lm::eval
