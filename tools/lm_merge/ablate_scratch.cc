#include "ablate_scratch.h"

#include <any>
#include <filesystem>

#include "core/str.h"
#include "io/json.h"

namespace lm::merge_tool {

namespace {
namespace fs = std::filesystem;
}

RecordScratch::RecordScratch(cli::Tool& tool)
    : tool_(tool),
      valid_(tool.options().real("valid")),
      test_(tool.options().real("test")),
      scratch_((fs::path(tool.ctx().tmp_dir) / "lm-merge-ablate").string()) {
  const cli::Options& options = tool.options();
  if (options.given("by"))
    for (const std::string_view path : split(options.text("by"), ','))
      paths_.emplace_back(path);
  paths_.push_back(options.text("field"));
  io::check_apart(paths_);
  text::LoadOptions load;
  load.add_specials = false;
  const std::string& path = options.text("tokenizer");
  tokenizer_ = text::load_tokenizer(path, load);
  eos_ = tokenizer_->eos();
  identity_ = text::identity_of(*tokenizer_, fs::weakly_canonical(path).filename().string());
}

std::optional<Fault> RecordScratch::read_one(io::Record& record, text::EncodeState& state,
                                             ReadDocument& out) const {
  io::JsonReader& json = record.json;
  const i64 text_field = isize(paths_) - 1;
  for (i64 i = 0; i < text_field; ++i) {
    const std::optional<std::string> value = json.text_of(i);
    if (!value) return Fault{"missing", cat("field ", quote(json.path(i)), " is missing"), -1};
    append(out.key, i > 0 ? "/" : "", *value);
  }
  const Result<std::string_view> text = json.string(text_field);
  if (!text) return text.fault();
  out.part = ablate::part_of(*text, valid_, test_, tool_.seed());
  if (std::optional<Fault> fault = text::encode_record(*tokenizer_, *text, state, out.ids))
    return fault;
  if (eos_ && !out.ids.empty() && out.ids.back() != *eos_) out.ids.push_back(*eos_);
  out.line = cat(record.line, "\n");
  return std::nullopt;
}

void RecordScratch::read() {
  io::WorkerPool<Worker> workers([&] {
    return std::unique_ptr<Worker>(new Worker{io::JsonReader(paths_), tokenizer_->new_state()});
  });
  text::ShardOptions unsplit;
  unsplit.keep_empty = true;
  unsplit.output.sync = false;
  text::ShardWriter tokens(scratch_.file("tokens"), identity_, unsplit);
  io::AtomicFile lines(scratch_.file("lines"), {.sync = false});
  i64 end = 0;
  io::RecordRun& run = tool_.records_only();
  const auto parse = [&](io::Batch& batch) {
    std::vector<ReadDocument> documents;
    workers.with([&](Worker& worker) {
      run.each_record(batch, worker.json, [&](io::Record& record) -> std::optional<Fault> {
        ReadDocument one;
        if (std::optional<Fault> fault = read_one(record, *worker.state, one)) return fault;
        documents.push_back(std::move(one));
        return std::nullopt;
      });
    });
    batch.user = std::move(documents);
  };
  const auto keep = [&](io::Batch& batch) {
    for (const ReadDocument& one : std::any_cast<const std::vector<ReadDocument>&>(batch.user)) {
      tokens.add(one.ids);
      lines.write(one.line);
      const i64 key = keys_.emplace(one.key, isize(keys_)).first->second;
      constexpr i64 kBytes = sizeof(Document) + sizeof(i64);
      tool_.ctx().memory->charge_growing(charged_, kBytes, "what is known of the records");
      charged_ += kBytes;
      documents_.push_back({key, one.part, false, isize(one.ids), end, isize(one.line)});
      end += isize(one.line);
    }
  };
  run.run({{StageMode::kParallel, parse}, {StageMode::kSerial, keep}});
  tokens.commit();
  lines.commit();
  tokens_.emplace(scratch_.file("tokens.json"));
  lines_.emplace(scratch_.file("lines"));
}

std::vector<i32> RecordScratch::tokens_of(i64 document) const {
  const auto [begin, end] = tokens_->document(document);
  std::vector<i32> out(usize(end - begin));
  tokens_->read(begin, out);
  return out;
}

std::string_view RecordScratch::line_of(i64 document) const {
  const Document& one = documents_[usize(document)];
  return lines_->bytes().substr(usize(one.begin), usize(one.bytes));
}

}  // namespace lm::merge_tool
