#include "merge/vocabulary.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"
#include "merge/inputs.h"
#include "merge/layers.h"
#include "text/vocab.h"

namespace lm::merge {

namespace {

namespace fs = std::filesystem;

constexpr i64 kMaxTokenizerBytes = i64{1} << 30;

// Not ordered_json, which looks through an object's keys one by one: vocabularies are large. Keys
// come out sorted.
using TokenizerJson = nlohmann::json;

/// The tokens of one tokenizer.json. Strings are as the file writes them.
struct Tokens {
  std::string file;
  TokenizerJson json;
  text::Vocab ids;                                    // all
  std::vector<std::pair<i64, std::string>> ordinary;  // of the model, by id
  std::vector<std::pair<i64, TokenizerJson>> added;   // by id
};

void add_token(Tokens& tokens, const std::string& token, i64 id) {
  if (id < 0 || id > text::kMaxTokenId)
    throw Error(ErrorKind::kData, cat(tokens.file, ": token ", quote(token), " has id ", id));
  const text::Vocab::Added added = tokens.ids.add(token, id);
  if (added == text::Vocab::Added::kNew || added == text::Vocab::Added::kSame) return;
  throw Error(ErrorKind::kData,
              cat(tokens.file, ": token ", quote(token), " or its id ", id, " stands twice"));
}

// A member, or null.
const TokenizerJson& member(const TokenizerJson& object, const char* key) {
  static const TokenizerJson kNull;
  if (!object.is_object()) return kNull;
  const auto at = object.find(key);
  return at != object.end() ? *at : kNull;
}

Tokens read_tokens(const std::string& folder) {
  Tokens tokens;
  tokens.file = (fs::path(folder) / "tokenizer.json").string();
  if (!io::path_exists(tokens.file)) {
    throw Error(ErrorKind::kUnavailable,
                cat(tokens.file, ": no such file, and rows are matched by its tokens"),
                "without tokenizer_source rows are merged by number");
  }
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::kData, cat(tokens.file, ": ", what));
  };
  try {
    tokens.json = TokenizerJson::parse(io::read_file(tokens.file, kMaxTokenizerBytes));
  } catch (const TokenizerJson::parse_error& e) {
    refuse(cat("not JSON at byte ", e.byte));
  }
  const TokenizerJson& vocab = member(member(tokens.json, "model"), "vocab");
  if (vocab.is_object()) {
    for (const auto& [token, id] : vocab.items()) {
      if (!id.is_number_integer()) refuse("an id in model.vocab is not a whole number");
      tokens.ordinary.emplace_back(id.get<i64>(), token);
    }
  } else if (vocab.is_array()) {  // unigram: pieces with scores
    for (const TokenizerJson& piece : vocab) {
      if (!piece.is_array() || piece.empty() || !piece[0].is_string())
        refuse("a piece in model.vocab is not a pair of text and score");
      tokens.ordinary.emplace_back(isize(tokens.ordinary), piece[0].get<std::string>());
    }
  } else {
    refuse("no model.vocab, expected tokens with ids");
  }
  std::sort(tokens.ordinary.begin(), tokens.ordinary.end());
  for (const auto& [id, token] : tokens.ordinary)
    add_token(tokens, token, id);
  for (const TokenizerJson& one : member(tokens.json, "added_tokens")) {
    const bool good = one.is_object() && one.contains("id") && one["id"].is_number_integer() &&
                      one.contains("content") && one["content"].is_string();
    if (!good) refuse("an entry of added_tokens has no id or content");
    tokens.added.emplace_back(one["id"].get<i64>(), one);
    add_token(tokens, one["content"].get<std::string>(), tokens.added.back().first);
  }
  std::sort(tokens.added.begin(), tokens.added.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return tokens;
}

bool same_ids(const Tokens& a, const Tokens& b) {
  if (a.ids.count() != b.ids.count() || a.ids.id_limit() != b.ids.id_limit()) return false;
  for (i64 id = 0; id < a.ids.id_limit(); ++id) {
    if (a.ids.has_id(id) != b.ids.has_id(id)) return false;
    if (a.ids.has_id(id) && a.ids.token(id) != b.ids.token(id)) return false;
  }
  return true;
}

// Appends to `out` what other tokenizers have more: ordinary tokens of all, then added ones.
void append_union(const std::vector<Tokens>& all, Tokens& out) {
  const auto append_token = [&](const std::string& token) {
    const i64 id = out.ids.id_limit();
    add_token(out, token, id);
    return id;
  };
  for (const Tokens& tokens : all) {
    std::set<std::string> added;
    for (const auto& [id, entry] : tokens.added)
      added.insert(entry["content"].get<std::string>());
    for (const auto& [id, token] : tokens.ordinary) {
      if (out.ids.find(token) >= 0 || added.count(token) > 0) continue;
      TokenizerJson& vocab = out.json["model"]["vocab"];
      if (!vocab.is_object()) {
        throw Error(ErrorKind::kUnavailable,
                    cat(out.file, ": a unigram model, to which token ", quote(token), " of ",
                        tokens.file, " cannot be appended"),
                    "tokenizer_source: base, or a model");
      }
      vocab[token] = append_token(token);
    }
  }
  for (const Tokens& tokens : all) {
    for (const auto& [id, entry] : tokens.added) {
      const std::string token = entry["content"].get<std::string>();
      if (out.ids.find(token) >= 0) continue;
      TokenizerJson copy = entry;
      copy["id"] = append_token(token);
      out.json["added_tokens"].push_back(copy);
    }
  }
}

// Rows of the matrix that has one for each token; ids from there on have none.
i64 embedding_rows(const InputModel& model) {
  for (const std::string& name : model.names()) {
    const SafeEntry& entry = *model.stored(name);
    if (has_token_rows(name) && !is_head(name) && entry.shape.rank == 2) return entry.shape[0];
  }
  return text::kMaxTokenId + 1;
}

class VocabularyMaker {
 public:
  VocabularyMaker(const Recipe& recipe, InputModels& inputs, std::vector<std::string>& warnings)
      : recipe_(recipe), inputs_(inputs), warnings_(warnings) {}
  std::optional<Vocabulary> make();

 private:
  i64 add_model(const std::string& path);
  void map_rows();
  void fill_rows();
  void override_row(const std::string& token, const TokenOverride& wanted);

  const Recipe& recipe_;
  InputModels& inputs_;
  std::vector<std::string>& warnings_;
  Vocabulary out_;
  std::vector<Tokens> tokens_;  // by place
  Tokens own_;                  // of the output
};

// The place of a model; models of overrides come behind those of the merge.
i64 VocabularyMaker::add_model(const std::string& path) {
  const i64 number = inputs_.open(path);
  for (std::size_t i = 0; i < out_.models.size(); ++i) {
    if (out_.models[i] == number) return static_cast<i64>(i);
  }
  out_.models.push_back(number);
  tokens_.push_back(read_tokens(inputs_[number].folder));
  return isize(out_.models) - 1;
}

void VocabularyMaker::map_rows() {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const i64 rows = embedding_rows(inputs_[out_.models[i]]);
    std::vector<i32> map(usize(own_.ids.id_limit()), -1);
    for (i64 id = 0; id < own_.ids.id_limit(); ++id) {
      if (!own_.ids.has_id(id)) continue;
      const i32 row = tokens_[i].ids.find(own_.ids.token(id));
      if (row < rows) map[usize(id)] = row;
    }
    out_.rows.push_back(std::move(map));
  }
}

void VocabularyMaker::fill_rows() {
  i64 nowhere = 0;
  out_.fill.resize(usize(own_.ids.id_limit()));
  for (i64 id = 0; id < own_.ids.id_limit(); ++id) {
    RowFill& fill = out_.fill[usize(id)];
    if (!own_.ids.has_id(id)) continue;  // a hole
    i64 having = 0;
    i32 last = -1;
    for (std::size_t i = 0; i < out_.rows.size(); ++i) {
      if (out_.rows[i][usize(id)] < 0) continue;
      ++having;
      last = static_cast<i32>(i);
    }
    const bool base_has = !recipe_.base.empty() && out_.rows[0][usize(id)] >= 0;
    if (having == 0) {
      fill.kind = RowFill::kZero;
      ++nowhere;
    } else if (having == 1 || base_has) {
      const i32 from = base_has ? 0 : last;
      fill = {RowFill::kRow, false, from, out_.rows[usize(from)][usize(id)]};
    } else {
      fill.kind = RowFill::kMean;
    }
  }
  if (nowhere > 0) warnings_.push_back(cat(nowhere, " tokens have a row in no model: zeros"));
}

void VocabularyMaker::override_row(const std::string& token, const TokenOverride& wanted) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::kConfig, cat(wanted.where, ": ", what));
  };
  const i32 id = own_.ids.find(token);
  if (id < 0) refuse(cat("the output has no token ", quote(token)));
  RowFill fill{RowFill::kZero, wanted.force, -1, -1};
  if (wanted.kind == TokenOverride::Kind::kRow) {
    fill.kind = RowFill::kRow;
    fill.model = static_cast<i32>(add_model(wanted.model));
    const Tokens& from = tokens_[usize(fill.model)];
    fill.row = wanted.id.value_or(from.ids.find(wanted.token.empty() ? token : wanted.token));
    const i64 rows = embedding_rows(inputs_[out_.models[usize(fill.model)]]);
    if (fill.row < 0 || fill.row >= rows) {
      refuse(cat(wanted.model, " has no row for ",
                 wanted.id ? cat("id ", *wanted.id)
                           : cat("token ", quote(wanted.token.empty() ? token : wanted.token))));
    }
  }
  out_.fill[usize(id)] = fill;
}

std::optional<Vocabulary> VocabularyMaker::make() {
  const RecipeTokenizer& wanted = recipe_.tokenizer;
  if (wanted.source.empty()) return std::nullopt;
  if (!recipe_.base.empty()) add_model(recipe_.base);
  for (const RecipeModel& model : recipe_.models)
    add_model(model.path);
  for (const RecipeSlice& slice : recipe_.slices)
    for (const RecipeModel& model : slice.sources)
      add_model(model.path);
  const bool one_model = wanted.source != "base" && wanted.source != "union";
  own_ = tokens_[0];
  out_.source = inputs_[out_.models[0]].folder;
  if (one_model) {
    own_ = read_tokens(wanted.source);
    out_.source = wanted.source;
  }
  const bool all_same = std::all_of(tokens_.begin(), tokens_.end(),
                                    [&](const Tokens& one) { return same_ids(one, own_); });
  if (all_same && wanted.tokens.empty() && wanted.pad_to_multiple_of <= 1) return std::nullopt;
  if (wanted.source == "union") {
    const i64 before = own_.ids.id_limit();
    append_union(tokens_, own_);
    if (own_.ids.id_limit() > before) out_.tokenizer_json = own_.json.dump(2) + "\n";
  }
  map_rows();
  fill_rows();
  const std::size_t mapped = out_.rows.size();
  for (const auto& [token, one] : wanted.tokens)
    override_row(token, one);
  // Models that only overrides name lend rows, and have no tokens of their own here.
  for (std::size_t i = mapped; i < tokens_.size(); ++i)
    out_.rows.emplace_back(usize(own_.ids.id_limit()), -1);
  const i64 multiple = std::max<i64>(1, wanted.pad_to_multiple_of);
  const i64 padded = (out_.size() + multiple - 1) / multiple * multiple;
  out_.fill.resize(usize(padded));
  for (std::vector<i32>& rows : out_.rows)
    rows.resize(usize(padded), -1);
  return std::move(out_);
}

}  // namespace

i64 Vocabulary::place(i64 model) const {
  const auto at = std::find(models.begin(), models.end(), model);
  LM_CHECK(at != models.end(), "a model of the merge has a place in its vocabulary");
  return at - models.begin();
}

std::optional<Vocabulary> make_vocabulary(const Recipe& recipe, InputModels& inputs,
                                          std::vector<std::string>& warnings) {
  return VocabularyMaker(recipe, inputs, warnings).make();
}

}  // namespace lm::merge
