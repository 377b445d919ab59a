// permute --inverse: what stood in a record before.

#include "core/str.h"
#include "io/json.h"
#include "io/json_node.h"
#include "permute.h"
#include "transform.h"

namespace lm::transform_tool {

namespace {

/// What --meta-field says of a record.
struct Meta {
  std::vector<tf::Moved> moved;
  std::string digest;
};

Result<Meta> read_meta(const io::JsonReader& json, bool ids) {
  const std::string& name = json.path(kMeta);
  const auto wrong = [&](std::string_view what) {
    return Fault{"type", cat("field ", quote(name), " ", what), json.field(kMeta).begin};
  };
  if (!json.has(kMeta))
    return Fault{"missing", cat("field ", quote(name), " is missing: nothing says what was moved"),
                 -1};
  const io::JsonDocument document(json.raw(kMeta));
  if (!document.error().empty()) return wrong(document.error());
  const io::JsonNode root = document.root(name);
  if (!root.is_object()) return wrong("is no object");
  const std::optional<io::JsonNode> level = root.maybe("level");
  const std::optional<io::JsonNode> digest = root.maybe("digest");
  if (!level || !level->as_string() || !digest || !digest->as_string())
    return wrong("has no level and digest of a permutation");
  if ((*level->as_string() == "token") != ids)
    return wrong(ids ? "is of a text: --level text undoes it"
                     : "is of token ids: --level token undoes it");
  const std::optional<io::JsonNode> moved = root.maybe("moved");
  if (!moved) return wrong("has no list of what was moved");
  Result<std::vector<tf::Moved>> list = tf::read_moved(*moved, name);
  if (!list) return list.fault();
  return Meta{std::move(*list), std::string(*digest->as_string())};
}

class Restorer final : public io::RecordMapper {
 public:
  explicit Restorer(const PermuteSetup& setup) : setup_(setup) {}

  std::optional<Fault> map(io::Record& record, std::string& out) override {
    io::JsonReader& json = record.json;
    const Result<Meta> meta = read_meta(json, setup_.ids);
    if (!meta) return meta.fault();
    io::RecordEdit edit(json);
    std::optional<Fault> fault =
        setup_.ids ? restore_ids(json, *meta, edit) : restore_text(json, *meta, edit);
    if (fault) return fault;
    edit.remove(kMeta);
    edit.write(out);
    return std::nullopt;
  }

 private:
  std::optional<Fault> restore_text(io::JsonReader& json, const Meta& meta, io::RecordEdit& edit) {
    const Result<std::string_view> text = json.string(kProduct);
    if (!text) return text.fault();
    const Result<std::string> was = tf::restore_text(*text, meta.moved);
    if (!was) return was.fault();
    if (hex64(tf::digest_of(*was)) != meta.digest) return changed(json);
    if (!meta.moved.empty()) edit.set(kProduct, io::json_string(*was));
    return std::nullopt;
  }

  std::optional<Fault> restore_ids(io::JsonReader& json, const Meta& meta, io::RecordEdit& edit) {
    std::vector<i32> ids;
    if (std::optional<Fault> fault = json.integers(kProduct, i64{1} << 31, ids)) return fault;
    const Result<std::vector<i32>> was = tf::restore_ids(ids, meta.moved);
    if (!was) return was.fault();
    if (hex64(tf::digest_of(*was)) != meta.digest) return changed(json);
    std::string list;
    append_list(list, *was);
    if (!meta.moved.empty()) edit.set(kProduct, std::move(list));
    return std::nullopt;
  }

  static Fault changed(const io::JsonReader& json) {
    return {"digest",
            cat("field ", quote(json.path(kProduct)), " is not what ", quote(json.path(kMeta)),
                " was written for: it was changed since"),
            -1};
  }

  const PermuteSetup& setup_;
};

}  // namespace

std::unique_ptr<io::RecordMapper> make_restorer(const PermuteSetup& setup) {
  return std::make_unique<Restorer>(setup);
}

}  // namespace lm::transform_tool
