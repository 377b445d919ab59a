// train: a vocabulary from records.

#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "core/str.h"
#include "io/json.h"
#include "text/bpe_train.h"
#include "text/pretokenize.h"
#include "text/sentencepiece.h"
#include "text/token_roles.h"
#include "tokenize.h"

namespace lm::tokenize_tool {

namespace {

text::PatternId pattern_of(const std::string& name) {
  if (name == "r50k") return text::PatternId::kR50k;
  if (name == "cl100k") return text::PatternId::kCl100kHf;
  if (name == "qwen2") return text::PatternId::kQwen2;
  if (name == "o200k") return text::PatternId::kO200k;
  return text::PatternId::kOther;
}

// Calls take(texts, weights) once per batch, in input order.
void each_batch(
    cli::Tool& tool,
    const std::function<void(const std::vector<std::string>&, const std::vector<i64>&)>& take) {
  const cli::Options& o = tool.options();
  const bool weighted = o.given("weight-field");
  std::vector<std::string> paths = {o.text("field")};
  if (weighted) paths.push_back(o.text("weight-field"));
  const i64 cap = o.maybe_integer("doc-cap").value_or(0);
  io::WorkerPool<io::JsonReader> readers([&] { return std::make_unique<io::JsonReader>(paths); });
  struct Texts {
    std::vector<std::string> texts;
    std::vector<i64> weights;
  };
  io::RecordRun& run = tool.records_only();
  run.run({{StageMode::kParallel,
            [&](io::Batch& batch) {
              readers.with([&](io::JsonReader& json) {
                Texts texts;
                run.each_record(batch, json, [&](io::Record& record) -> std::optional<Fault> {
                  Result<std::string_view> text = json.string(0);
                  if (!text) return text.fault();
                  if (weighted) {
                    const Result<i64> weight = record.json.integer(1);
                    if (!weight) return weight.fault();
                    if (*weight < 1)
                      return Fault{"range",
                                   cat("field ", quote(json.path(1)), " is ", *weight,
                                       ", expected at least 1"),
                                   -1};
                    texts.weights.push_back(*weight);
                  }
                  std::string_view kept = *text;
                  if (cap > 0 && isize(kept) > cap) {
                    kept = kept.substr(0, usize(cap));
                    // Not inside a character.
                    while (!kept.empty() && (static_cast<u8>((*text)[kept.size()]) & 0xC0) == 0x80)
                      kept.remove_suffix(1);
                  }
                  texts.texts.emplace_back(kept);
                  return std::nullopt;
                });
                batch.user = std::move(texts);
              });
            }},
           {StageMode::kSerial, [&](io::Batch& batch) {
              const Texts& texts = std::any_cast<const Texts&>(batch.user);
              take(texts.texts, texts.weights);
            }}});
}

std::string train_bpe_file(cli::Tool& tool) {
  const cli::Options& o = tool.options();
  const text::PatternId pattern = pattern_of(o.text("pattern"));
  text::WordCounter counter(text::pattern_splitter(pattern), o.integer("max-word-bytes"),
                            tool.ctx());
  each_batch(tool, [&](const std::vector<std::string>& texts, const std::vector<i64>& weights) {
    counter.add(std::vector<std::string_view>(texts.begin(), texts.end()), weights);
  });
  const text::WordCounts words = counter.finish(o.integer("min-word-count"));
  if (words.words.empty()) throw Error(ErrorKind::kData, "no text to train on");
  text::BpeTrainOptions train;
  train.vocab_size = o.integer("vocab-size");
  train.min_frequency = o.integer("min-frequency");
  train.max_token_bytes = o.integer("max-token-bytes");
  train.ties = text::parse_bpe_ties(o.text("ties"));
  train.specials = o.list("special-token");
  if (words.cut > 0) {
    tool.console().message(LogLevel::kWarning,
                           cat(words.cut,
                               " pieces longer than --max-word-bytes were cut: text without word "
                               "borders trains a weak vocabulary"));
  }
  const text::TrainedBpe model = text::train_bpe(words, train, tool.ctx());
  if (isize(model.tokens) < train.vocab_size) {
    tool.console().message(LogLevel::kWarning,
                           cat("the vocabulary has ", isize(model.tokens), " of ", train.vocab_size,
                               " tokens: no other pair occurs ", train.min_frequency, " times"));
  }
  tool.add_metric("documents", cat(words.documents));
  tool.add_metric("text_bytes", cat(words.bytes));
  tool.add_metric("distinct_words", cat(isize(words.words)));
  tool.add_metric("vocab", cat(isize(model.tokens)));
  return o.text("output").ends_with(".tiktoken") ? text::bpe_tiktoken_file(model)
                                                 : text::bpe_tokenizer_json(model, pattern);
}

text::SentencePieceOptions sentencepiece_options(const cli::Options& o) {
  text::SentencePieceOptions sp;
  if (o.given("preset")) {
    sp = text::sentencepiece_preset(o.text("preset"), o.integer("vocab-size"));
  } else {
    sp.model_type = o.text("type") == "sp-bpe" ? "bpe" : "unigram";
    sp.vocab_size = o.integer("vocab-size");
    sp.character_coverage = o.real("character-coverage");
    sp.byte_fallback = o.on("byte-fallback");
    sp.split_digits = o.on("split-digits");
    sp.normalization = o.text("normalization");
    sp.add_dummy_prefix = o.on("dummy-prefix");
    sp.remove_extra_whitespaces = o.on("remove-extra-whitespaces");
    sp.control_symbols = o.list("special-token");
  }
  sp.max_sentence_length = o.integer("max-sentence-bytes");
  sp.input_sentence_size = o.maybe_integer("sample-sentences").value_or(sp.input_sentence_size);
  return sp;
}

std::string train_sentencepiece_file(cli::Tool& tool) {
  // The library pulls sentences, the stream pushes records: a spill file stands between them.
  io::TempFile spill(tool.ctx().tmp_dir);
  std::string buf;
  each_batch(tool, [&](const std::vector<std::string>& texts, const std::vector<i64>&) {
    buf.clear();
    for (const std::string& text : texts) {
      const i64 size = isize(text);
      buf.append(reinterpret_cast<const char*>(&size), sizeof size);
      buf += text;
    }
    spill.append(buf.data(), isize(buf));
  });
  io::TempReader reader(spill, 0, spill.size());
  std::string document;
  const std::shared_ptr<i64> given = std::make_shared<i64>(0);  // shared with the memory budget
  const text::DocumentSource source = [&](std::string_view& out) {
    i64 size = 0;
    if (!reader.read(&size, sizeof size)) return false;
    document.resize(usize(size));
    if (size > 0 && !reader.read(document.data(), size))
      throw Error(ErrorKind::kIo, "spill file: ended inside a document");
    out = document;
    *given += size + static_cast<i64>(sizeof size);
    return true;
  };
  // What counts as input from here on is the spilled text.
  tool.ctx().memory->watch_input(
      [given, all = spill.size()] { return static_cast<f64>(*given) / static_cast<f64>(all); });
  text::SentencePieceReport report;
  std::string model =
      text::train_sentencepiece(source, sentencepiece_options(tool.options()), tool.ctx(), &report);
  tool.add_metric("documents", cat(report.documents));
  tool.add_metric("sentences", cat(report.sentences));
  tool.add_metric("text_bytes", cat(report.bytes));
  tool.add_metric("too_long", cat(report.too_long));
  if (report.too_long > 0) {
    tool.console().message(
        LogLevel::kWarning,
        cat(report.too_long, " lines longer than --max-sentence-bytes were left out (",
            format_bytes(report.too_long_bytes), ")"));
  }
  if (report.reserved > 0) {
    tool.console().message(
        LogLevel::kWarning,
        cat(report.reserved, " lines with U+2585, which the library reserves, were left out"));
  }
  return model;
}

// What a folder holds, the file that makes it a tokenizer last.
std::vector<std::string> folder_files(bool sentencepiece) {
  if (sentencepiece) return {"tokenizer.model"};
  return {"special_tokens_map.json", "tokenizer_config.json", "tokenizer.json"};
}

std::string folder_file(const std::string& name, const std::string& vocabulary,
                        const std::vector<std::string>& specials) {
  if (name == "special_tokens_map.json") return text::special_tokens_map_json(specials);
  if (name == "tokenizer_config.json") return text::tokenizer_config_json(specials);
  return vocabulary;
}

void check_folder(const std::string& folder) {
  io::check_replaceable(folder, "tokenizer or model", [](const std::string& name) {
    return name == "config.json" || name == "tokenizer.json" || name == "tokenizer.model" ||
           name == "tokenizer_config.json";
  });
}

// A new folder appears whole; in that of a tokenizer or a model each file is replaced, also if
// another process made it while this one trained.
void train_folder(cli::Tool& tool, const std::string& folder, bool sentencepiece) {
  const std::vector<std::string> names = folder_files(sentencepiece);
  const std::vector<std::string>& specials = tool.options().list("special-token");
  std::optional<io::AtomicDir> fresh;
  std::vector<io::AtomicFile*> files;
  check_folder(folder);
  if (std::filesystem::is_directory(folder)) {
    for (const std::string& name : names)
      files.push_back(&tool.other_output((std::filesystem::path(folder) / name).string()));
  } else {
    tool.claim_output(folder);
    fresh.emplace(folder, tool.output_options());
  }
  const std::string vocabulary =
      sentencepiece ? train_sentencepiece_file(tool) : train_bpe_file(tool);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string bytes = folder_file(names[i], vocabulary, specials);
    if (fresh) {
      io::write_file(fresh->file(names[i]), bytes, tool.output_options());
    } else {
      files[i]->write(bytes);
    }
  }
  if (!fresh) return;
  try {
    fresh->commit();
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kCannotCreate || !std::filesystem::is_directory(folder)) throw;
    check_folder(folder);
    for (const std::string& name : names)
      io::write_file((std::filesystem::path(folder) / name).string(),
                     folder_file(name, vocabulary, specials), tool.output_options());
  }
}

// Options of the other kind of vocabulary would change nothing.
void check_kind(const cli::Options& o, bool sentencepiece) {
  static constexpr const char* kBpe[] = {"weight-field",  "pattern",        "ties",
                                         "min-frequency", "min-word-count", "max-token-bytes",
                                         "max-word-bytes"};
  static constexpr const char* kSentencePiece[] = {"character-coverage", "byte-fallback",
                                                   "split-digits",       "normalization",
                                                   "dummy-prefix",       "remove-extra-whitespaces",
                                                   "max-sentence-bytes", "sample-sentences"};
  const auto refuse = [&](std::span<const char* const> names, std::string_view kind) {
    for (const char* const name : names) {
      if (o.asked(name))
        throw Error(ErrorKind::kUsage, cat("--", name, " is for ", kind),
                    "--type says which kind of vocabulary is made");
    }
  };
  if (sentencepiece)
    refuse(kBpe, "--type bpe");
  else
    refuse(kSentencePiece, "SentencePiece vocabularies");
  if (o.given("preset") && o.asked("type") && o.text("type") != "sp-bpe")
    throw Error(ErrorKind::kUsage, cat("--preset ", o.text("preset"), " is of --type sp-bpe"));
}

}  // namespace

void run_train(cli::Tool& tool) {
  const cli::Options& o = tool.options();
  check_kind(o, o.text("type") != "bpe" || o.given("preset"));
  const std::string& output = o.text("output");
  tool.input();
  const bool sentencepiece = o.text("type") != "bpe" || o.given("preset");
  if (output.ends_with('/') || std::filesystem::is_directory(output))
    return train_folder(tool, output, sentencepiece);
  io::AtomicFile* file = output == "-" ? nullptr : &tool.other_output(output);
  const std::string bytes = sentencepiece ? train_sentencepiece_file(tool) : train_bpe_file(tool);
  if (file != nullptr) {
    file->write(bytes);
  } else {
    io::write_full(1, bytes.data(), isize(bytes), "<stdout>");
  }
}

}  // namespace lm::tokenize_tool
