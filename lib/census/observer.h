#pragma once
// Counts records: the plan compiled against the fields that it names, and one worker's reading of
// records into its Census. A record that is bad counts nowhere.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "census/census.h"
#include "io/run.h"
#include "mix/expression.h"
#include "mix/rules.h"
#include "mix/values.h"

namespace lm::census {

/// A rule as it is written. option: what messages call it by.
struct RuleText {
  mix::RuleKind kind = mix::RuleKind::kDrop;
  std::string text;  // [NAME=]EXPR
  std::string option;
};

/// Rules of a file: one a line, "NAME=EXPR" or "drop NAME=EXPR" for what removes records, "where
/// NAME=EXPR" for what they have to hold; blank lines and lines that begin with # are skipped.
std::vector<RuleText> read_rules(std::string_view text, const std::string& file);

/// Read-only once made; shared by workers.
struct Survey {
  /// plan: all but numbers, rules and attributes, which are made here. numbers: "[NAME=]EXPR".
  /// allowed: whole names of attributes that may be missing; lax: all may. Throws Error{kUsage}.
  Survey(Plan the_plan, mix::OnMissing on_missing, const std::vector<RuleText>& rule_texts,
         const std::vector<std::string>& number_texts);
  /// Which attributes have to be in some record: those named but for allowed (as attribute_name()
  /// has them).
  void require_attributes(const std::vector<std::string>& allowed);

  struct Key {
    FieldKey::Part part;
    i64 field;  // index of names
  };
  Plan plan;
  mix::Names names;
  mix::RuleSet rules;
  std::vector<mix::Expression> numbers;
  std::vector<i64> number_edges;  // by number: index of plan.edges, or -1
  std::optional<mix::Expression> tokens;
  std::vector<Key> tops;
  std::optional<Key> group;
  std::vector<Key> cross;
  std::vector<i64> required;            // attributes of names, by plan.attributes
  std::vector<std::string> edge_paths;  // of plan.edges that are of no number asked for
  i64 id;
  i64 source;
  i64 attributes;
  i64 metadata;

 private:
  Key key(std::string_view text, std::string_view option);
};

class Observer {
 public:
  explicit Observer(const Survey& survey, Spill* spill = nullptr);
  io::JsonReader& json() { return json_; }
  Census& census() { return census_; }
  /// Counts a record whose line json() has parsed. line_bytes: of the line as it was read, with its
  /// newline. ids: the hash of its source and id is appended if it has an id.
  std::optional<Fault> observe(const io::Record& record, i64 line_bytes, std::vector<u64>& ids);

 private:
  struct Seen {  // of the record at hand
    std::string_view text;
    bool has_text = false;
    std::string_view id;
    bool has_id = false;
    std::string_view source;
    u64 key = 0;
    i64 chars = 0;
    i64 words = 0;
    i64 tokens = 0;
    i64 line_bytes = 0;
    bool kept = true;
  };
  struct KeyValue {
    std::string text;
    bool none = true;
  };
  /// A field that is described without being asked for.
  struct Found {
    std::size_t begin;  // of its path in paths_
    std::size_t size;
    std::string_view raw;
  };
  std::optional<Fault> read(const io::Record& record, i64 line_bytes);
  std::optional<Fault> find_fields();
  std::optional<Fault> find_fields(std::string_view object, std::string_view prefix, bool lists);
  std::optional<Fault> read_key(const Survey::Key& key, KeyValue& value);
  void count();
  void count_cell(Cell& cell, bool whole);
  void count_fields(Cell& cell, bool whole);
  void count_field(Cell& cell, bool whole, std::string_view path, std::string_view raw);
  void count_edge(i64 edge, f64 value);
  void show_rules();
  Example example(std::string text, std::string notes) const;

  const Survey& survey_;
  io::JsonReader json_;
  mix::Values values_;
  Census census_;
  Seen seen_;
  std::vector<std::optional<f64>> numbers_;
  std::vector<KeyValue> tops_;
  KeyValue group_;
  std::vector<KeyValue> cross_;
  std::vector<text::ScoredSpan> spans_;
  std::vector<text::ScoredSpan> sorted_;
  std::string paths_;  // of fields that are found, one after the other
  std::vector<Found> found_;
  std::vector<u64> key_hashes_;  // of an object
  std::string key_;
};

/// At most `chars` characters of a text: around character `at`, or for -1 its beginning and its
/// end; "..." stands for what is left out.
std::string extract(std::string_view text, i64 chars, i64 at);

/// Throws Error{kData} for an attribute that the plan names and no record has.
void check_seen(const Census& census);

}  // namespace lm::census
