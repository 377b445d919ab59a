#include "recipe.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "core/str.h"
#include "io/glob.h"
#include "io/input.h"
#include "mix/sidecar.h"
#include "text/config_node.h"

namespace lm::mix_tool {

namespace {

using text::ConfigNode;
constexpr i64 kPartBytes = i64{2} << 30;  // as other mixers have it

/// Options that a stream may have as keys, with _ for -.
constexpr std::string_view kOptions[] = {
    "where",     "drop",          "include",         "exclude",    "syntax",     "on-missing",
    "field",     "allow-missing", "lax-attributes",  "attr-merge", "cut",        "keep-attributes",
    "bad-spans", "min-left",      "min-text-length", "discard",    "provenance", "sample",
    "weights",   "budget",        "count",           "reservoir",  "top",        "by",
    "group",     "shuffle",       "shuffle-buffer",  "unique-ids", "clean",      "as-attributes",
    "require"};

std::string key_of(std::string_view option) {
  std::string out(option);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

/// A value as the command line would have it.
std::string option_text(const ConfigNode& node) {
  if (node.value.is_bool()) return node.flag() ? "true" : "false";
  if (node.value.is_real()) {
    const f64 value = node.number();
    if (value == std::floor(value) && std::fabs(value) < 1e15) return cat(static_cast<i64>(value));
    return cat(value);
  }
  return node.text();
}

class RecipeReader {
 public:
  RecipeReader(cli::Tool& tool, const std::string& path) : tool_(tool), path_(path) {}

  std::vector<Stream> read() {
    const ConfigNode root = text::read_config(path_);
    refuse_variables(root);
    known(root, {"streams", "processes", "work_dir", "shuffle", "dryrun"}, "a recipe");
    for (const auto& [key, option] :
         {std::pair("processes", "--threads"), std::pair("work_dir", "--tmp-dir")}) {
      if (const ConfigNode* node = root.find(key))
        tool_.console().message(LogLevel::kInfo,
                                cat(node->where, ": ", key, " has no effect, ", option, " has"));
    }
    if (const ConfigNode* dry = root.find("dryrun"); dry != nullptr && dry->flag())
      dry->fail("dryrun is an option here", "--report-only writes no records");
    if (const ConfigNode* shuffle = root.find("shuffle")) {
      if (!shuffle->flag())
        shuffle->fail("\"shuffle: false\" asks for an output for every file of documents",
                      "leave it out: records stay in their order, outputs end at max_size");
      shuffle_ = cat(shuffle->where, ": shuffle");
    }
    const ConfigNode* const streams = root.find("streams");
    if (streams == nullptr)
      root.fail("has no \"streams\"", "a list of maps with name, documents, output");
    if (streams->items.empty()) streams->fail("\"streams\" is no list of streams");
    std::vector<Stream> out;
    for (const ConfigNode& node : streams->items) {
      out.push_back(stream(node));
      for (std::size_t i = 0; i + 1 < out.size(); ++i) {
        if (out[i].parts->path(0) == out.back().parts->path(0))
          node.fail(
              cat("two streams write ", out[i].parts->path(0), ", the other at ", out[i].where));
      }
    }
    return out;
  }

 private:
  static void known(const ConfigNode& node, const std::vector<std::string>& names,
                    std::string_view what) {
    if (!node.value.is_map()) node.fail(cat(what, " is ", node.shown(), ", expected keys"));
    for (const text::ConfigField& field : node.fields) {
      if (std::find(names.begin(), names.end(), field.key) != names.end()) continue;
      const std::string near = nearest_name(field.key, names, 3);
      field.node.fail(
          cat("unknown key ", quote(field.key), " of ", what),
          near.empty() ? cat("known keys: ", join(names, ", ")) : cat("did you mean ", near, "?"));
    }
  }

  /// OmegaConf would put something in their place.
  static void refuse_variables(const ConfigNode& node) {
    if (node.value.is_string()) {
      const std::string& text = node.value.str();
      const std::size_t at = text.find("${");
      if (at != std::string::npos && at + 2 < text.size() &&
          ((text[at + 2] >= 'a' && text[at + 2] <= 'z') ||
           (text[at + 2] >= 'A' && text[at + 2] <= 'Z')))
        node.fail(cat("holds the variable ", quote(text.substr(at, text.find('}', at) + 1 - at))),
                  "write its value: no variables are read here");
    }
    for (const text::ConfigField& field : node.fields)
      refuse_variables(field.node);
    for (const ConfigNode& item : node.items)
      refuse_variables(item);
  }

  /// Texts of a key, none of them a place that is no file.
  static std::vector<ConfigNode> places(const ConfigNode& node) {
    std::vector<ConfigNode> out = node.value.is_list() ? node.items : std::vector<ConfigNode>{node};
    for (const ConfigNode& one : out) {
      const std::string text = one.text();
      const std::size_t scheme = text.find("://");
      if (scheme != std::string::npos)
        one.fail(cat(quote(text), " is no file of this machine"),
                 text.starts_with("s3://") ? "copy it first: aws s3 sync s3://BUCKET/PATH PATH"
                                           : "copy it first, then name the copy");
    }
    return out;
  }

  void set(Stream& stream, std::string option, const ConfigNode& node, std::string_view key) const {
    std::vector<std::string> texts;
    std::vector<std::string> wheres;
    const cli::Flag& flag = *stream.options.options.find(option);
    const bool list = node.value.is_list();
    if ((list && flag.kind != cli::FlagKind::kList) || node.value.is_map())
      node.fail(cat(key, " is ", node.shown(), ", expected one value"));
    for (const ConfigNode& one : list ? node.items : std::vector<ConfigNode>{node}) {
      texts.push_back(option_text(one));
      wheres.push_back(cat(one.where, ": ", key));
    }
    if (texts.empty()) return;
    stream.options.options.set(option, texts, cli::Origin::kConfig, wheres.front());
    stream.options.places[std::move(option)] = std::move(wheres);
  }

  Stream stream(const ConfigNode& node) {
    std::vector<std::string> names = {"name",   "documents",        "attributes",
                                      "filter", "span_replacement", "discard_fields",
                                      "output", "compression"};
    for (const std::string_view option : kOptions)
      names.push_back(key_of(option));
    known(node, names, "a stream");
    Stream out{{}, node.where, {tool_.options(), ErrorKind::kConfig}, {}, {}, {}, kPartBytes};
    out.name = required(node, "name").text();
    if (out.name.empty() || out.name.find('/') != std::string::npos || out.name.starts_with('.'))
      required(node, "name").fail(cat(quote(out.name), " is no beginning of a file name"));
    if (!shuffle_.empty()) {
      out.options.options.set("shuffle", {"true"}, cli::Origin::kConfig, shuffle_);
      out.options.places["shuffle"] = {shuffle_};
    }
    for (const std::string_view option : kOptions) {
      if (const ConfigNode* value = node.find(key_of(option)))
        set(out, std::string(option), *value, key_of(option));
    }
    if (const ConfigNode* fields = node.find("discard_fields"))
      set(out, "discard", *fields, "discard_fields");
    if (const ConfigNode* filter = node.find("filter")) read_filter(*filter, out);
    if (const ConfigNode* spans = node.find("span_replacement")) {
      if (!spans->value.is_list()) spans->fail("\"span_replacement\" is no list");
      for (const ConfigNode& one : spans->items)
        out.options.replacements.push_back(replacement(one));
    }
    read_documents(node, out);
    read_output(node, out);
    check_together(out.options);
    return out;
  }

  static const ConfigNode& required(const ConfigNode& node, std::string_view key) {
    const ConfigNode* const found = node.find(key);
    if (found == nullptr) node.fail(cat("a stream has no ", quote(key)));
    return *found;
  }

  void read_filter(const ConfigNode& node, Stream& out) const {
    known(node, {"include", "exclude", "syntax"}, "a filter");
    for (const char* const key : {"include", "exclude", "syntax"}) {
      if (const ConfigNode* value = node.find(key)) set(out, key, *value, key);
    }
  }

  StreamOptions::Replacement replacement(const ConfigNode& node) const {
    known(node, {"span", "min_score", "max_score", "replacement", "syntax"}, "a span_replacement");
    StreamOptions::Replacement out{{}, cat(node.where, ": span_replacement")};
    const ConfigNode* const span = node.find("span");
    if (span == nullptr) node.fail("a span_replacement has no \"span\"");
    out.spec.span = span->text();
    if (const ConfigNode* min = node.find("min_score")) out.spec.min = min->number();
    if (const ConfigNode* max = node.find("max_score")) out.spec.max = max->number();
    if (const ConfigNode* text = node.find("replacement")) out.spec.replacement = text->text();
    if (const ConfigNode* syntax = node.find("syntax")) {
      if (syntax->text() != "jq" && syntax->text() != "jsonpath")
        syntax->fail(cat("the syntax ", quote(syntax->text()), " is not jsonpath or jq"));
      if (syntax->text() == "jq") out.spec.syntax = mix::Syntax::kJq;
    }
    return out;
  }

  void read_documents(const ConfigNode& node, Stream& out) const {
    std::set<std::string> seen;
    for (const ConfigNode& pattern : places(required(node, "documents"))) {
      std::string text = pattern.text();
      std::error_code error;
      if (!io::is_glob(text) && std::filesystem::is_directory(text, error))
        text += text.ends_with('/') ? "**" : "/**";
      const std::vector<std::string> files = io::glob(text);
      if (files.empty())
        pattern.fail(
            cat(quote(pattern.text()), io::is_glob(text) ? " matches no file" : " is no file"));
      for (const std::string& file : files) {
        if (!seen.insert(file).second)
          pattern.fail(cat(file, " is named twice: its documents would be written twice"),
                       "sample: 2 writes documents twice");
        out.documents.push_back(file);
      }
    }
    for (const std::string& folder : tool_.options().list("sidecar"))
      add_sidecar(out, [&](const std::string& file) { return mix::sidecar_path(folder, file); });
    const ConfigNode* const attributes = node.find("attributes");
    if (attributes == nullptr) return;
    for (const ConfigNode& one : places(*attributes)) {
      const std::string name = one.text();
      const bool folder =
          name.starts_with('/') || name.starts_with("./") || name.starts_with("../");
      try {
        add_sidecar(out, [&](const std::string& file) {
          return folder ? mix::sidecar_path(name, file) : mix::named_sidecar_path(name, file);
        });
      } catch (const Error& e) {
        one.fail(e.message(), e.hint());
      }
    }
  }

  template <typename Path>
  static void add_sidecar(Stream& out, Path path) {
    std::vector<std::string>& files = out.sidecars.emplace_back();
    for (const std::string& document : out.documents)
      files.push_back(path(document));
  }

  void read_output(const ConfigNode& node, Stream& out) const {
    const ConfigNode& output = required(node, "output");
    known(output, {"path", "max_size", "max_size_in_bytes", "discard_fields", "min_text_length"},
          "an output");
    const ConfigNode* const path = output.find("path");
    if (path == nullptr) output.fail("an output has no \"path\"");
    if (path->value.is_list()) path->fail("path is a list, expected one folder");
    std::string folder = places(*path).front().text();
    if (!folder.ends_with('/')) folder += '/';
    for (const char* const key : {"max_size", "max_size_in_bytes"}) {
      const ConfigNode* const size = output.find(key);
      if (size == nullptr) continue;
      const std::optional<i64> bytes = parse_size(option_text(*size));
      if (!bytes || *bytes < 1)
        size->fail(cat(key, " is ", quote(option_text(*size)), ", expected a size such as 2G"));
      out.max_bytes = *bytes;
    }
    if (const ConfigNode* fields = output.find("discard_fields"))
      set(out, "discard", *fields, "discard_fields");
    if (const ConfigNode* length = output.find("min_text_length"))
      set(out, "min-text-length", *length, "min_text_length");
    const std::optional<io::Compression> asked =
        io::parse_compression(tool_.options().text("compress"));
    std::string suffix = asked && asked->codec == io::Codec::kNone ? "" : ".zst";
    if (const ConfigNode* compression = node.find("compression")) {
      known(*compression, {"input", "output"}, "compression");
      if (const ConfigNode* how = compression->find("output")) {
        const std::string name = how->text();
        if (name != "" && name != "zst" && name != "zstd")
          how->fail(cat(quote(name), " is not written: outputs are zst or \"\", plain lines"),
                    "gzip -c of plain lines makes .gz");
        suffix = name.empty() ? "" : ".zst";
      }
    }
    out.parts = PartNames{folder, out.name + "-", 5, ".jsonl" + suffix};
  }

  cli::Tool& tool_;
  const std::string& path_;
  std::string shuffle_;  // where the whole recipe asks for it
};

}  // namespace

std::vector<Stream> read_recipe(cli::Tool& tool, const std::string& path) {
  return RecipeReader(tool, path).read();
}

}  // namespace lm::mix_tool
