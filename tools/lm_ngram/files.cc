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

void run_convert(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  if (tool.files().size() != 1) throw Error(ErrorKind::kUsage, "convert takes one model");
  const std::string& path = tool.files()[0];
  const bool image = wants_image(options);
  ModelOutput out(tool);
  const ngram::Model model = ngram::Model::load(path);
  ngram::ImageView view = model.view();
  std::string form(view.form);
  if (options.given("unit") || options.given("tokenizer") || options.given("normalise") ||
      options.given("ids-field")) {
    form = ngram::form_text(asked_form(options).form);
    if (!image) {
      throw Error(
          ErrorKind::kUsage,
          "--unit, --tokenizer, --ids-field and --normalise are stored in LMNG models only");
    }
  }
  view.form = form;
  if (image) {
    ngram::write_image(view, *out.file());
  } else {
    ngram::ArpaWriter writer([&out](std::string_view bytes) { out.write(bytes); });
    ngram::unfold(view, path, writer);
  }
}

void run_info(cli::Tool& tool) {
  if (tool.files().empty()) throw Error(ErrorKind::kUsage, "info needs a model file");
  std::string text;
  for (const std::string& path : tool.files()) {
    const bool image = ngram::looks_like_image(io::Mapping(path).bytes());
    const ngram::Model model = ngram::Model::load(path);
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
