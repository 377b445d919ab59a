#pragma once
// One record as raw bytes plus the slices of the fields a program reads. Nothing a program does not
// own is ever re-serialised: edits are splices of the original line (key order, number spelling and
// escapes of foreign fields survive). Parsing is simdjson On-Demand, one parser per worker.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/types.h"

namespace lm::io {

/// Bytes that must be readable after the end of every line handed to JsonReader::parse.
inline constexpr i64 kJsonPadding = 64;

/// Appends text as a JSON string with quotes: escapes '"', '\' and bytes below 0x20, the rest raw.
void append_json_string(std::string& out, std::string_view text);
/// Shortest round-trip number; NaN and infinities become null.
void append_json_number(std::string& out, f64 value);
void append_json_number(std::string& out, f32 value);
std::string json_string(std::string_view text);
/// Standard base64 with padding.
std::string base64(std::string_view bytes);

enum class JsonType : u8 { kMissing, kNull, kBool, kNumber, kString, kArray, kObject };

const char* json_type_name(JsonType type);

/// Where one field of interest lies in the line. Offsets are bytes from the line's start.
struct JsonField {
  JsonType type = JsonType::kMissing;
  i64 key_begin = -1;  // at the key's opening quote
  i64 begin = -1;      // first byte of the value
  i64 end = -1;        // one past its last byte
  std::string_view raw(std::string_view line) const {
    return line.substr(usize(begin), usize(end - begin));
  }
};

/// Where a missing field would be added: at the closing brace of the deepest object on its path
/// that exists, or in place of the null that stands where an object should. Anything else there
/// leaves no place for the field (JsonReader::settable).
struct JsonAnchor {
  i64 begin = 0;       // the brace, or the first byte of the value that is no object
  i64 end = 0;         // begin for a brace, else one past the value
  bool empty = false;  // the object has no fields
  i64 depth = 0;       // how many path components it stands for
  JsonType type = JsonType::kObject;
};

/// Parses lines for a fixed list of dot paths ("text", "metadata.url"). Not thread-safe: one per
/// worker. The views it returns live until the next parse().
class JsonReader {
 public:
  explicit JsonReader(std::vector<std::string> paths);
  ~JsonReader();
  JsonReader(JsonReader&&) noexcept;
  JsonReader& operator=(JsonReader&&) noexcept;

  /// line: one JSON object without its newline; kJsonPadding more bytes are readable behind it.
  /// nullopt when good; else the fault (codes json, utf8, depth, duplicate_key).
  std::optional<Fault> parse(std::string_view line);

  i64 path_count() const { return isize(paths_); }
  const std::string& path(i64 i) const { return paths_[usize(i)]; }
  std::string_view line() const { return line_; }
  const JsonField& field(i64 i) const { return fields_[usize(i)]; }
  /// False for a missing field and for null: where a field may be missing, null is no value either.
  bool has(i64 i) const {
    return field(i).type != JsonType::kMissing && field(i).type != JsonType::kNull;
  }
  std::string_view raw(i64 i) const { return field(i).raw(line_); }

  /// The field as an unescaped string; Fault missing / type / utf8 (lone surrogate).
  Result<std::string_view> string(i64 i);
  /// A whole number; Fault missing / type / range.
  Result<i64> integer(i64 i) const;
  Result<f64> number(i64 i) const;
  /// An array of whole numbers in [0, limit); Fault missing / type / range. Appends to out.
  std::optional<Fault> integers(i64 i, i64 limit, std::vector<i32>& out) const;
  /// A string is unescaped, any other value is given as its raw token; nullopt if missing or null.
  std::optional<std::string> text_of(i64 i);

  /// Fault "type" if field i is missing and cannot be added, because what stands on its path is
  /// neither an object nor null. To be asked of every field that RecordEdit::set() gets while the
  /// record can still be a bad one.
  std::optional<Fault> settable(i64 i) const;
  /// Fault "type" if field i is there and is neither an object nor null.
  std::optional<Fault> object_or_none(i64 i) const;

  /// The root object itself, as the place where new fields go.
  JsonAnchor root() const { return {root_close_, root_close_, root_empty_, 0, JsonType::kObject}; }
  const JsonAnchor& anchor(i64 i) const { return anchors_[usize(i)]; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::vector<std::string> paths_;
  std::vector<JsonField> fields_;
  std::vector<JsonAnchor> anchors_;
  std::vector<std::string> strings_;  // unescaped values, by field
  std::string_view line_;
  i64 root_close_ = 0;
  bool root_empty_ = false;
};

/// Throws Error{kUsage} if two of the paths are equal or one lies below another: fields that one
/// record cannot all be given.
void check_apart(std::span<const std::string> paths);

/// Collects edits of one parsed line and writes the result in one pass.
class RecordEdit {
 public:
  explicit RecordEdit(const JsonReader& record) : record_(&record) {}
  /// Replaces field i's value, or adds it when missing: objects on its path are made as needed, a
  /// null there becomes one. value_json is the new value's JSON text. Needs settable(i).
  void set(i64 i, std::string value_json);
  /// Adds a new root field; the caller knows the key is absent.
  void append(std::string_view key, std::string value_json);
  /// Removes a root-level field and one adjoining comma. No effect when missing.
  void remove(i64 i);
  /// Appends the edited line and a newline to out.
  void write(std::string& out) const;

 private:
  struct Splice {
    i64 begin;
    i64 end;
    std::string text;
  };
  struct NewField {
    JsonAnchor anchor;
    std::vector<std::string> keys;  // components below the anchor, at least one
    std::string value;
  };
  const JsonReader* record_;
  std::vector<Splice> splices_;
  std::vector<NewField> added_;
};

/// Sets one field as RecordEdit does, without a copy of the value: out has what stands before it
/// when the object is made, then the caller appends the value, then end() appends the rest and a
/// newline.
class FieldEdit {
 public:
  FieldEdit(const JsonReader& record, i64 i, std::string& out);
  void end();

 private:
  std::string& out_;
  std::string_view rest_;
  i64 braces_ = 0;  // to close before the rest
};

}  // namespace lm::io
