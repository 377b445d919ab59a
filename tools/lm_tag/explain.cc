// What the taggers found, for people: one block per record, one line per span.

#include <algorithm>

#include "common/text_output.h"
#include "core/str.h"
#include "io/input.h"
#include "tag_tool.h"

namespace lm::tag_tool {

namespace {

constexpr i64 kExcerpt = 60;  // characters of a span that are shown

struct Worker {
  io::JsonReader json;
  tag::TagWorker tags;
};

/// The text of one record, and of every record in it.
using Blocks = std::vector<std::string>;

class Explainer {
 public:
  Explainer(cli::Tool& tool, const Chosen& chosen)
      : tool_(tool),
        plan_(chosen.plan()),
        places_(tool.options().text("field"), plan_),
        id_(places_.add("id")),
        workers_([this, &chosen] {
          return std::unique_ptr<Worker>(
              new Worker{io::JsonReader(places_.paths()), chosen.worker()});
        }) {}

  void run(i64 limit) {
    tool_options::TextOutput out(tool_);
    i64 shown = 0;
    tool_.records_only().run({{StageMode::kParallel, [this](io::Batch& batch) { read(batch); }},
                              {StageMode::kSerial, [&](io::Batch& batch) {
                                 for (const std::string& block : blocks(batch)) {
                                   if (shown == limit) break;
                                   out.write(block);
                                   ++shown;
                                 }
                                 if (shown == limit) tool_.input().stop(batch);
                               }}});
    workers_.each([](Worker& worker) { worker.tags.finish(); });
  }

 private:
  static Blocks& blocks(io::Batch& batch) {
    return *std::any_cast<std::shared_ptr<Blocks>&>(batch.user);
  }

  void read(io::Batch& batch) {
    // Shared only because std::any copies; the batch is the one owner.
    batch.user = std::make_shared<Blocks>();
    workers_.with([&](Worker& worker) {
      tool_.records_only().each_record(
          batch, worker.json, [&](io::Record& record) { return explain(record, worker, batch); });
    });
  }

  std::optional<Fault> explain(io::Record& record, Worker& worker, io::Batch& batch) {
    if (std::optional<Fault> fault = tag_record(tool_.input(), record, worker.tags, places_))
      return fault;
    // One input says the same whether it is named or comes through a pipe.
    std::string block = tool_.files().size() > 1 ? cat(tool_.input().name(record.input), ":")
                                                 : std::string("line ");
    append(block, record.line_number);
    if (record.json.has(id_)) append(block, ": id ", record.json.raw(id_));
    block += '\n';
    for (i64 key = 0; key < isize(plan_.keys()); ++key)
      for (const text::ScoredSpan& span : worker.tags.spans(key))
        append_span(block, plan_.keys()[usize(key)].key, span, worker.tags.document(),
                    plan_.type(plan_.keys()[usize(key)]).meaning);
    for (const tag::NamedSpans& named : worker.tags.named())
      for (const text::ScoredSpan& span : named.spans)
        append_span(block, named.key, span, worker.tags.document(),
                    plan_.taggers()[usize(named.tagger)].summary);
    blocks(batch).push_back(std::move(block));
    return std::nullopt;
  }

  void append_span(std::string& block, const std::string& key, const text::ScoredSpan& span,
                   tag::Document& document, const std::string& meaning) {
    append(block, "  ", key, " ");
    text::append_score(block, span.score);
    const bool whole = span.begin == 0 && span.end == document.chars();
    // Offsets of a reference may lie outside the text.
    const bool inside = span.end <= document.chars();
    if (!whole) append(block, " [", span.begin, ",", span.end, ")");
    if (!whole && inside) {
      const i64 begin = document.byte_of(span.begin);
      const i64 shown = std::min(span.end, span.begin + kExcerpt);
      const i64 end = document.byte_of(shown);
      append(block, " ", io::json_string(document.text().substr(usize(begin), usize(end - begin))),
             shown < span.end ? "..." : "");
    }
    append(block, "  ", meaning, "\n");
  }

  cli::Tool& tool_;
  const tag::TagPlan& plan_;
  tag::FieldPlaces places_;
  i64 id_;
  io::WorkerPool<Worker> workers_;
};

}  // namespace

void run_explain(cli::Tool& tool, const Chosen& chosen) {
  refuse_stream_options(tool, "explain");
  const std::string& text = tool.options().text("explain");
  const std::optional<i64> limit = parse_count(text);
  if (!limit || *limit < 1)
    throw Error(ErrorKind::kUsage, cat("--explain: ", quote(text), " is no number of records"));
  tool.input();
  Explainer(tool, chosen).run(*limit);
}

}  // namespace lm::tag_tool
