// lm-embed embed: a vector for each record's text.

#include "embed.h"

#include <cmath>

#include "common/held_run.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/str.h"
#include "embed/vector_file.h"
#include "embed/whitening.h"
#include "io/json.h"
#include "tensor/convert.h"

namespace lm::embed_tool {
namespace {

enum Field : i64 { kId, kText, kVector, kModel, kLm };

struct EmbedWork : io::HeldWork {
  embed::PreparedText text;
  std::vector<f32> vectors;
};

std::string id_json(const io::JsonReader& json, const std::string& id) {
  return json.has(kId) ? std::string(json.raw(kId)) : io::json_string(id);
}

/// What becomes of a vector behind pooling.
struct Shaping {
  bool normalize = false;
  DType store = DType::kF32;
  std::optional<embed::Whitening> whiten;
  std::unique_ptr<embed::WhiteningFit> fit;
};

class EmbedMode : public io::HeldMapper {
 public:
  EmbedMode(cli::Tool& tool, OpenedEmbedder& opened, Shaping& shaping, embed::VectorFile* file)
      : tool_(tool),
        options_(tool.options()),
        opened_(opened),
        embedder_(*opened.embedder),
        shaping_(shaping),
        file_(file),
        base64_(options_.text("encoding") == "base64"),
        text_(options_.text("field") == "id" ? kId : kText) {
    std::string layers;
    for (const i64 layer : embedder_.layers())
      append(layers, layers.empty() ? "" : ",", layer);
    if (opened.model != nullptr)
      made_ =
          cat(",\"layers\":[", layers, "],\"pool\":\"", embed::pooling_name(opened.pools[0]), "\"");
  }

  std::vector<std::string> paths() const override {
    const std::string field = text_ == kId ? "text" : options_.text("field");
    return {"id", field, options_.text("output-field"), "model", "lm"};
  }

  std::optional<Fault> prepare(io::Record& record, io::Prepared& out) override {
    io::JsonReader& json = record.json;
    const Result<std::string> id = io::record_id(json, kId, record.ordinal);
    if (!id) return id.fault();
    const Result<std::string_view> text = json.string(text_);
    if (!text) return text.fault();
    if (std::optional<Fault> fault = json.settable(kVector)) return fault;
    Result<embed::PreparedText> prepared = embedder_.prepare(*text);
    if (!prepared) {
      Fault fault = prepared.fault();
      fault.detail = cat("field ", quote(json.path(text_)), ": ", fault.detail);
      return fault;
    }
    std::unique_ptr<EmbedWork> work = std::make_unique<EmbedWork>();
    work->id = *id;
    work->text = std::move(*prepared);
    out.work = std::move(work);
    return std::nullopt;
  }

  void add(io::HeldWork& base) override {
    EmbedWork& work = own(base);
    long_.note(work.text);
    tokens_ += work.text.tokens;
    embedder_.add(std::move(work.text));
  }
  i64 pending() const override { return embedder_.pending(); }
  bool step() override { return embedder_.step(); }
  bool poll(io::HeldWork& base) override {
    std::optional<std::vector<f32>> vectors = embedder_.take();
    if (!vectors) return false;
    own(base).vectors = std::move(*vectors);
    return true;
  }

  std::optional<Fault> finish(io::JsonReader& json, io::HeldWork& base, std::string& out) override {
    EmbedWork& work = own(base);
    for (const f32 x : work.vectors)
      if (!std::isfinite(x)) return Fault{"vector", "the model's states are not numbers", -1};
    ++records_;
    if (shaping_.fit) shaping_.fit->add(work.vectors);
    const std::vector<f32> vectors = shaped(work.vectors);
    for (const f32 x : vectors)
      if (!std::isfinite(x)) return Fault{"vector", "a number is too large for --store", -1};
    if (file_ != nullptr) {
      file_->add(id_json(json, work.id), vectors);
      return std::nullopt;
    }
    const bool drop = options_.on("drop-extra");
    io::ResultLine line(json, drop);
    if (drop || !json.has(kId)) line.set(kId, "id", id_json(json, work.id));
    line.set(kVector, options_.text("output-field"), vectors_json(vectors));
    line.set(kModel, "model", io::json_string(embedder_.digest()));
    line.set(kLm, "lm", tool_options::made_by(tool_, work, made_));
    line.write(out);
    return std::nullopt;
  }

  void count_reused(io::JsonReader&, std::string_view) override { ++records_; }

  i64 width() const { return shaping_.whiten ? shaping_.whiten->dim() : embedder_.width(); }
  const std::string& made() const { return made_; }

  void report(f64 wall_s) const {
    long_.report(tool_, opened_.model);
    std::string json = cat("{\"records\":", records_, ",\"tokens\":", tokens_,
                           ",\"wall_s\":", format_fixed(wall_s, 3));
    if (opened_.model != nullptr) {
      const decode::PassStats& s = opened_.model->stats();
      append(json, ",\"rows\":", s.rows, ",\"passes\":", s.passes,
             ",\"forward_s\":", format_fixed(s.forward_s, 3));
    }
    json += "}";
    tool_.add_metric("throughput", json);
    tool_.console().message(LogLevel::kInfo, json);
  }

 private:
  static EmbedWork& own(io::HeldWork& work) { return static_cast<EmbedWork&>(work); }

  std::vector<f32> shaped(std::vector<f32>& given) const {
    std::vector<f32> out;
    if (shaping_.whiten) {
      out.resize(usize(shaping_.whiten->dim()));
      shaping_.whiten->apply(given, out);
    } else {
      out = std::move(given);
    }
    if (shaping_.normalize)
      for (i64 at = 0; at < isize(out); at += width())
        embed::normalize(std::span(out).subspan(usize(at), usize(width())));
    if (shaping_.store == DType::kF16)
      for (f32& x : out)
        x = f16_to_f32(f32_to_f16(x));
    return out;
  }

  /// A list or a base64 string; a list of them when several layers are asked for.
  std::string vectors_json(std::span<const f32> vectors) const {
    std::string out;
    const i64 count = isize(embedder_.layers());
    if (count > 1) out += '[';
    for (i64 i = 0; i < count; ++i) {
      const std::span<const f32> one = vectors.subspan(usize(i * width()), usize(width()));
      if (i > 0) out += ',';
      if (base64_) {
        std::string bytes;
        embed::append_numbers(bytes, one, shaping_.store);
        append(out, "\"", io::base64(bytes), "\"");
        continue;
      }
      out += '[';
      for (std::size_t c = 0; c < one.size(); ++c) {
        if (c > 0) out += ',';
        io::append_json_number(out, one[c]);
      }
      out += ']';
    }
    if (count > 1) out += ']';
    return out;
  }

  cli::Tool& tool_;
  const cli::Options& options_;
  OpenedEmbedder& opened_;
  embed::TextEmbedder& embedder_;
  Shaping& shaping_;
  embed::VectorFile* file_;
  bool base64_;
  Field text_;
  std::string made_;  // further fields of "lm"
  LongTextCount long_;
  i64 records_ = 0;
  i64 tokens_ = 0;
};

bool wants_file(const cli::Options& options) {
  const std::string& path = options.text("output");
  const std::string& form = options.text("form");
  const bool file = form == "safetensors" ||
                    (form == "auto" && (path.ends_with(".safetensors") || path.ends_with(".st")));
  if (!file) return false;
  if (path == "-") throw Error(ErrorKind::kUsage, "a safetensors file needs -o FILE");
  for (const char* name : {"encoding", "output-field", "drop-extra", "resume"})
    if (options.asked(name))
      throw Error(ErrorKind::kUsage,
                  cat("--", name, " is of records, and ", path, " is a safetensors file"));
  return true;
}

/// What a whitening is fitted to: it is of no use for other vectors.
std::map<std::string, std::string> source_of(const OpenedEmbedder& opened) {
  std::map<std::string, std::string> out = {{"model", opened.embedder->digest()}};
  if (opened.model == nullptr) return out;
  out["layer"] = cat(opened.embedder->layers()[0]);
  out["pool"] = embed::pooling_name(opened.pools[0]);
  return out;
}

void check_source(cli::Tool& tool, const std::string& path, const embed::Whitening& whiten,
                  const OpenedEmbedder& opened) {
  if (whiten.source().empty()) {
    tool.console().message(LogLevel::kWarning,
                           cat(path, ": does not say which model's vectors it is for"));
    return;
  }
  for (const auto& [name, mine] : source_of(opened)) {
    const auto found = whiten.source().find(name);
    const std::string theirs = found == whiten.source().end() ? "" : found->second;
    if (theirs == mine) continue;
    throw Error(ErrorKind::kData,
                cat(path, ": was fitted to vectors of ", name, " ", quote(theirs),
                    ", these are of ", quote(mine)),
                "--whiten-fit FILE fits one to these vectors");
  }
}

Shaping shaping_of(cli::Tool& tool, const OpenedEmbedder& opened) {
  const cli::Options& options = tool.options();
  Shaping out;
  out.normalize =
      options.explicitly("normalize") ? options.on("normalize") : opened.settings.normalize;
  out.store = options.text("store") == "f16" ? DType::kF16 : DType::kF32;
  const bool fits = options.given("whiten-fit");
  if (!options.given("whiten") && !fits) return out;
  if (opened.embedder->layers().size() > 1)
    throw Error(ErrorKind::kUsage, "whitening is of the vectors of one layer (--layer)");
  if (fits) {
    if (options.given("resume"))
      throw Error(ErrorKind::kUsage, "--whiten-fit needs all vectors, --resume has some already");
    out.fit = std::make_unique<embed::WhiteningFit>(opened.embedder->width(), *tool.ctx().memory);
    return out;
  }
  const std::string& path = options.text("whiten");
  out.whiten.emplace(path, options.maybe_integer("whiten-dim").value_or(0));
  if (out.whiten->width() != opened.embedder->width())
    throw Error(ErrorKind::kUsage, cat(path, ": is for vectors of ", out.whiten->width(),
                                       " numbers, the model makes ", opened.embedder->width()));
  check_source(tool, path, *out.whiten, opened);
  tool.set_param("whiten", io::json_string(hex64(out.whiten->key())));
  return out;
}

}  // namespace

void run_embed(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const bool to_file = wants_file(options);
  tool.input();
  OpenedEmbedder opened =
      open_embedder(tool, options.text("layer"), {options.text("pool")}, {embed::Pooling::kLast});
  Shaping shaping = shaping_of(tool, opened);
  io::AtomicFile* const fit =
      shaping.fit ? &tool.other_output(options.text("whiten-fit")) : nullptr;
  io::AtomicFile* const file = to_file ? &tool.other_output(options.text("output")) : nullptr;
  std::optional<embed::VectorFile> vectors;
  const i64 layers = isize(opened.embedder->layers());
  const i64 width = shaping.whiten ? shaping.whiten->dim() : opened.embedder->width();
  if (to_file)
    vectors.emplace(tool.ctx(), layers > 1 ? Shape{layers, width} : Shape{width}, shaping.store);
  EmbedMode mode(tool, opened, shaping, vectors ? &*vectors : nullptr);
  const f64 start = monotonic_s();
  const i64 queue = 4 * options.integer("batch");
  const u64 whitened = shaping.whiten ? shaping.whiten->key() : 0;
  tool_options::run_held(
      tool, mode, queue, {opened.embedder->key(), whitened},
      to_file ? tool_options::HeldOutput::kNone : tool_options::HeldOutput::kRecords);
  mode.report(monotonic_s() - start);
  if (fit != nullptr) shaping.fit->write(*fit, source_of(opened));
  if (vectors)
    vectors->write(*file, {{"model", opened.embedder->digest()},
                           {"lm", cat("{\"tool\":\"", tool.name(), "\",\"version\":\"",
                                      cli::kToolkitVersion, "\"", mode.made(), "}")}});
}

}  // namespace lm::embed_tool
