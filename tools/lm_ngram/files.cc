// convert and info: model files in, model files or a description out.

#include "core/str.h"
#include "io/json.h"
#include "ngram.h"
#include "ngram/arpa.h"
#include "ngram/model.h"
#include "ngram/scorer.h"
#include "ngram/unfold.h"

namespace lm::ngram_tool {

AskedForm asked_form(const cli::Options& options) {
  AskedForm asked;
  asked.form.unit =
      options.text("unit") == "doc" ? ngram::SentenceUnit::kDoc : ngram::SentenceUnit::kLine;
  asked.form.ccnet = options.text("normalise") == "ccnet";
  if (options.given("tokenizer")) {
    asked.tokenizer = ngram::load_cutter_tokenizer(options.text("tokenizer"));
    asked.form.words = ngram::WordKind::kPieces;
    asked.form.tokenizer = asked.tokenizer->digest();
  } else if (options.given("ids-field")) {
    asked.form.words = ngram::WordKind::kIds;
  }
  if (options.given("ids-field") && asked.form.ccnet) {
    throw Error(ErrorKind::kUsage,
                "--ids-field and --normalise exclude each other: ids are not text");
  }
  return asked;
}

bool wants_image(const cli::Options& options) {
  const std::string& path = options.text("output");
  const std::string& format = options.text("format");
  const bool image = format == "lmng" || (format == "auto" && path.ends_with(".lmng"));
  if (image && path == "-") throw Error(ErrorKind::kUsage, "an LMNG model needs -o FILE");
  return image;
}

ModelOutput::ModelOutput(cli::Tool& tool) {
  const std::string& path = tool.options().text("output");
  if (path != "-") file_ = &tool.other_output(path);
}

void ModelOutput::write(std::string_view bytes) {
  if (file_ != nullptr) {
    file_->write(bytes);
  } else {
    io::write_full(1, bytes.data(), isize(bytes), "<stdout>");
  }
}

ngram::ImageTarget& ModelOutput::image_target(const Context& ctx) {
  if (ngram::FileTarget::serves(*file_)) return direct_.emplace(*file_);
  return held_.emplace(ctx);
}

std::unique_ptr<ngram::ModelSink> ModelOutput::image_sink(const Context& ctx,
                                                          const std::string& form) {
  return std::make_unique<ngram::ImageWriter>(ctx, image_target(ctx), form);
}

std::unique_ptr<ngram::ModelSink> ModelOutput::arpa_sink() {
  return std::make_unique<ngram::ArpaWriter>([this](std::string_view bytes) { write(bytes); });
}

void ModelOutput::complete() {
  if (held_) write(held_->bytes());
}

namespace {

// The text form to store: as asked, or as the model has it.
std::string converted_form(const cli::Options& options, bool image, std::string_view known) {
  const bool asked = options.given("unit") || options.given("tokenizer") ||
                     options.given("normalise") || options.given("ids-field");
  if (!asked) return std::string(known);
  std::string form = ngram::form_text(asked_form(options).form);
  if (image) return form;
  throw Error(ErrorKind::kUsage,
              "--unit, --tokenizer, --ids-field and --normalise are stored in LMNG models only");
}

}  // namespace

void run_convert(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  if (tool.files().size() != 1) throw Error(ErrorKind::kUsage, "convert takes one model");
  const std::string& path = tool.files()[0];
  const bool image = wants_image(options);
  ModelOutput out(tool);
  if (image) {
    // Straight from text to file, without a model in between.
    const io::Mapping file(path);
    if (ngram::looks_like_arpa(file.bytes())) {
      ngram::ImageWriter writer(tool.ctx(), out.image_target(tool.ctx()),
                                converted_form(options, image, {}));
      ngram::read_arpa(tool.ctx(), file.bytes(), path, writer);
      return out.complete();
    }
  }
  const ngram::Model model = ngram::Model::load(tool.ctx(), path);
  ngram::ImageView view = model.view();
  const std::string form = converted_form(options, image, view.form);
  view.form = form;
  if (image) {
    ngram::write_image(view, *out.file());
  } else {
    ngram::unfold(tool.ctx(), view, path, *out.arpa_sink());
  }
}

void run_info(cli::Tool& tool) {
  if (tool.files().empty()) throw Error(ErrorKind::kUsage, "info needs a model file");
  std::string text;
  for (const std::string& path : tool.files()) {
    const bool image = ngram::looks_like_image(io::Mapping(path).bytes());
    const ngram::Model model = ngram::Model::load(tool.ctx(), path);
    append(text, "{\"file\":", io::json_string(path), ",\"format\":\"", image ? "lmng" : "arpa",
           "\",\"order\":", model.order(), ",\"ngrams\":[");
    for (int n = 0; n < model.order(); ++n)
      append(text, n > 0 ? "," : "", model.counts()[usize(n)]);
    append(text, "],\"form\":", model.form().empty() ? "null" : io::json_string(model.form()),
           ",\"digest\":\"sha256:", model.digest(), "\"}\n");
  }
  ModelOutput out(tool);
  out.write(text);
}

}  // namespace lm::ngram_tool
