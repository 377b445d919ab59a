// pack: records to token shards, or to rows of equal length.

#include "text/pack.h"

#include <atomic>
#include <filesystem>
#include <functional>

#include "core/str.h"
#include "io/json.h"
#include "io/made_folders.h"
#include "text/shard_set.h"
#include "text/shards.h"
#include "tokenize.h"

namespace lm::tokenize_tool {

namespace {

struct Document {
  std::vector<i32> ids;
  std::string id;
  i64 line = 0;
};

text::ShardOptions shard_options(const cli::Tool& tool) {
  const cli::Options& o = tool.options();
  text::ShardOptions shard;
  shard.layout = text::parse_shard_layout(o.text("format") == "jsonl" ? "lm" : o.text("format"));
  shard.shard_tokens = o.integer("shard-tokens");
  shard.dtype = o.text("dtype") == "u16"   ? text::TokenDtype::kU16
                : o.text("dtype") == "u32" ? text::TokenDtype::kU32
                                           : text::TokenDtype::kAuto;
  shard.keep_empty = o.on("keep-empty");
  shard.output = tool.output_options();
  return shard;
}

// Encodes records in parallel and hands their documents on in input order.
i64 each_document(cli::Tool& tool, const text::Tokenizer& tokenizer,
                  const std::function<void(const Document&, const std::string& input)>& take) {
  struct Worker {
    io::JsonReader json;
    RecordTokens tokens;
  };
  std::vector<std::string> paths = RecordTokens::paths(tool);
  paths.emplace_back("id");
  io::WorkerPool<Worker> workers([&] {
    return std::unique_ptr<Worker>(
        new Worker{io::JsonReader(paths), RecordTokens(tool, tokenizer)});
  });
  std::atomic<i64> specials{0};
  io::InputStream& input = tool.input();
  io::RecordRun& run = tool.records_only();
  run.run(
      {{StageMode::kParallel,
        [&](io::Batch& batch) {
          workers.with([&](Worker& worker) {
            std::vector<Document> documents;
            const i64 before = worker.tokens.specials_in_text();
            run.each_record(batch, worker.json, [&](io::Record& record) -> std::optional<Fault> {
              Document document;
              if (std::optional<Fault> fault = worker.tokens.read(record.json, document.ids))
                return fault;
              document.id = record.json.text_of(1).value_or("");
              document.line = record.line_number;
              documents.push_back(std::move(document));
              return std::nullopt;
            });
            specials += worker.tokens.specials_in_text() - before;
            batch.user = std::move(documents);
          });
        }},
       {StageMode::kSerial, [&](io::Batch& batch) {
          for (const Document& document : std::any_cast<const std::vector<Document>&>(batch.user)) {
            take(document, input.name(batch.input));
          }
        }}});
  return specials.load();
}

/// The tokenizer goes by its file's or folder's own name: the same work gives the same bytes
/// wherever it is.
text::TokenizerIdentity identity(const text::Tokenizer& tokenizer, const cli::Options& options) {
  const std::filesystem::path path = std::filesystem::weakly_canonical(options.text("model"));
  return text::identity_of(tokenizer, path.filename().string());
}

text::ShardTotals write_shards(cli::Tool& tool, const text::Tokenizer& tokenizer,
                               const Around& around, const std::string& prefix,
                               text::ShardOptions shard) {
  shard.add_bos = around.bos.has_value();
  shard.add_eos = around.eos.has_value();
  text::ShardWriter writer(prefix, identity(tokenizer, tool.options()), shard);
  const i64 specials =
      each_document(tool, tokenizer, [&](const Document& document, const std::string& input) {
        writer.add(document.ids, {document.id, input, document.line});
      });
  const text::ShardTotals totals = writer.commit();
  tool.add_metric("specials_in_text", cat(specials));
  tool.add_metric("documents", cat(totals.documents));
  tool.add_metric("tokens", cat(totals.tokens));
  tool.add_metric("shards", cat(totals.shards));
  tool.add_metric("empty_documents", cat(totals.empty_documents));
  if (totals.empty_documents > 0) {
    tool.console().message(
        LogLevel::kWarning,
        cat(totals.empty_documents,
            " documents without tokens were left out (--keep-empty keeps them)"));
  }
  if (totals.oversize_documents > 0) {
    tool.console().message(
        LogLevel::kWarning,
        cat(totals.oversize_documents,
            " documents are longer than --shard-tokens and have a shard of their own"));
  }
  return totals;
}

template <typename T>
void append_list(std::string& out, const char* key, const std::vector<T>& values) {
  append(out, ",\"", key, "\":[");
  for (std::size_t i = 0; i < values.size(); ++i)
    append(out, i > 0 ? "," : "", static_cast<i64>(values[i]));
  out += "]";
}

std::string row_record(i64 index, const text::PackedRow& row) {
  std::string out = cat("{\"id\":\"row-", index, "\"");
  append_list(out, "input_ids", row.tokens);
  append_list(out, "segment_ids", row.segment_ids);
  append_list(out, "position_ids", row.position_ids);
  append_list(out, "cu_seqlens", row.cu_seqlens);
  return out + "}\n";
}

void pack_rows(cli::Tool& tool, const text::Tokenizer& tokenizer) {
  const cli::Options& o = tool.options();
  text::PackOptions pack;
  pack.mode = text::parse_pack_mode(o.text("mode"));
  pack.seq_len = o.integer("seq-len");
  pack.overlap = o.on("overlap");
  pack.drop_last = o.on("drop-last");
  const Around around = around_of(tool, tokenizer);
  const bool jsonl = o.text("format") == "jsonl";
  if (jsonl) tool.output();
  std::unique_ptr<text::ShardWriter> writer;
  if (!jsonl) {
    writer = std::make_unique<text::ShardWriter>(o.text("output"), identity(tokenizer, o),
                                                 shard_options(tool));
  }
  // For the unpacked tokens: never committed, so gone at scope end, on a signal, or at the next
  // start.
  const io::AtomicDir scratch(cat(tool.ctx().tmp_dir, "/lm-pack"));
  std::filesystem::permissions(scratch.temp_path(), std::filesystem::perms::owner_all);
  text::ShardOptions unpacked;
  unpacked.output.sync = false;
  write_shards(tool, tokenizer, around, scratch.file("unpacked"), unpacked);
  const text::ShardSet set(scratch.file("unpacked.json"));
  const text::PackPlan plan = text::plan_packing(set.document_lengths(), pack, tool.ctx());
  const i32 pad = tokenizer.pad().value_or(tokenizer.eos().value_or(0));
  const text::DocumentReader reader = [&](i64 document, i64 begin, i64 end, std::span<i32> out) {
    LM_CHECK(isize(out) == end - begin, "a row asks for as many tokens as it has room for");
    set.read(set.document(document).first + begin, out);
  };
  text::PackedRow row;
  for (i64 r = 0; r < plan.rows(); ++r) {
    text::fill_row(plan, r, reader, pad, tokenizer.bos(), row);
    if (writer) {
      writer->add(row.tokens);
      continue;
    }
    const std::string line = row_record(r, row);
    io::StreamTotals totals;
    totals.add_line(std::string_view(line).substr(0, line.size() - 1));
    tool.output().write(line, totals);
  }
  if (writer) writer->commit();
  tool.add_metric("padding", cat(plan.padding));
  if (plan.padding > 0 && !tokenizer.pad()) {
    tool.console().message(LogLevel::kWarning,
                           cat(plan.padding, " places of rows hold no text: token ", pad,
                               ", as the tokenizer has no padding token"));
  }
  tool.add_metric("rows", cat(plan.rows()));
  tool.add_metric("utilisation", format_fixed(plan.utilisation(), 6));
  tool.add_metric("tokens_lost", cat(plan.tokens_lost));
  const f64 lost = plan.tokens_in > 0 ? 100.0 * static_cast<f64>(plan.tokens_lost) /
                                            static_cast<f64>(plan.tokens_in)
                                      : 0;
  tool.console().message(
      plan.tokens_lost > 0 ? LogLevel::kWarning : LogLevel::kInfo,
      cat(plan.rows(), " rows, ", format_fixed(100 * plan.utilisation(), 2), "% full, ",
          plan.tokens_lost, " tokens lost (", format_fixed(lost, 1), "%)"));
}

}  // namespace

void run_pack(cli::Tool& tool) {
  const cli::Options& o = tool.options();
  const bool rows = o.given("seq-len");
  if (o.text("format") == "jsonl" && !rows)
    throw Error(ErrorKind::kUsage, "--format jsonl writes rows: give --seq-len");
  if (o.on("from-ids") && o.asked("template"))
    throw Error(ErrorKind::kUsage, "--template and --from-ids exclude each other");
  for (const char* name : {"shard-tokens", "dtype"}) {
    if (o.text("format") == "jsonl" && o.asked(name))
      throw Error(ErrorKind::kUsage,
                  cat("--", name, " is for files of tokens, not --format jsonl"));
  }
  for (const char* name : {"overlap", "drop-last"}) {
    if (o.text("mode") != "concat" && o.on(name))
      throw Error(ErrorKind::kUsage, cat("--", name, " is for --mode concat only"));
  }
  if (o.text("format") != "jsonl" && o.text("output") == "-") {
    throw Error(ErrorKind::kUsage, "pack writes several files: give -o FOLDER/PREFIX");
  }
  tool.input();
  const std::unique_ptr<text::Tokenizer> tokenizer = load_model(tool);
  io::MadeFolders folders;
  if (o.text("output") != "-") {
    const std::filesystem::path folder = std::filesystem::path(o.text("output")).parent_path();
    if (!folder.empty()) folders.make(folder.string());
  }
  if (rows) {
    pack_rows(tool, *tokenizer);
  } else {
    write_shards(tool, *tokenizer, around_of(tool, *tokenizer), o.text("output"),
                 shard_options(tool));
  }
  folders.keep();
}

}  // namespace lm::tokenize_tool
