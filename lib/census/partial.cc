#include "census/partial.h"

#include <map>

#include "core/error.h"
#include "core/str.h"
#include "io/json.h"
#include "io/object_fields.h"

namespace lm::census {

namespace {

constexpr i64 kVersion = 1;

std::string plan_key_that_differs(const std::string& a, const std::string& b) {
  std::map<std::string_view, std::string_view> first;
  io::each_object_field(a, [&](std::string_view key, std::string_view raw) { first[key] = raw; });
  std::string out;
  io::each_object_field(b, [&](std::string_view key, std::string_view raw) {
    if (out.empty() && first[key] != raw) out = key;
  });
  return out;
}

}  // namespace

void write_partial(const Census& census, const std::function<void(std::string_view line)>& line) {
  Xxh64Stream digest;
  i64 lines = 0;
  const auto put = [&](const std::string& text) {
    digest.update(text);
    digest.update("\n");
    ++lines;
    line(text);
  };
  put(cat("{\"lm_stats\":", kVersion, ",\"plan\":", census.plan.json(), "}"));
  census.save([&](std::string_view part, std::string_view group, std::string_view name,
                  const std::string& data) {
    put(cat("{\"part\":", io::json_string(part), ",\"group\":", io::json_string(group),
            ",\"name\":", io::json_string(name), ",\"data\":", data, "}"));
  });
  line(cat("{\"end\":", lines, ",\"digest\":\"", hex64(digest.digest()), "\"}"));
}

void PartialReader::begin(const io::JsonNode& head, std::string_view text,
                          const std::string& where) {
  if (digest_)
    throw Error(ErrorKind::kData, cat(open_, ": a partial result without its end"),
                "the file is cut, or the run that wrote it failed");
  const i64 version = head.integer("lm_stats", 1, i64{1} << 60);
  if (version > kVersion)
    throw Error(ErrorKind::kData, cat(where, ": a partial result of version ", version,
                                      ", this program reads up to ", kVersion));
  // As it is spelt: the plan is the last field.
  const std::size_t at = text.find("\"plan\":");
  const std::string plan_json(text.substr(at + 7, text.size() - at - 8));
  Plan plan = Plan::read(head.object("plan"));
  if (!plan_) {
    plan_ = std::make_unique<Plan>(std::move(plan));
    plan_json_ = plan_json;
    first_ = where;
    spill_ = std::make_unique<Spill>(dir_, *plan_);
    census_ = std::make_unique<Census>(*plan_, spill_.get());
  } else if (plan_json != plan_json_) {
    throw Error(ErrorKind::kData,
                cat(where, ": was made with other options than ", first_, ": ",
                    plan_key_that_differs(plan_json_, plan_json)),
                "results can be added up if the same was counted");
  }
  digest_ = std::make_unique<Xxh64Stream>();
  open_ = where;
  lines_ = 0;
}

void PartialReader::line(std::string_view text, const std::string& file, i64 number) {
  const std::string where = cat(file, ":", number);
  const auto refuse = [&](std::string_view why) {
    throw Error(ErrorKind::kData, cat(where, ": ", why),
                "lm-stats --partial writes what can be merged");
  };
  const io::JsonDocument document(text);
  if (!document.error().empty()) refuse(cat("is no JSON: ", document.error()));
  const io::JsonNode root = document.root(where);
  if (root.is_object() && root.has("lm_stats")) {
    begin(root, text, where);
  } else if (!digest_) {
    refuse("is no partial result");
  }
  if (root.has("end")) {
    if (root.integer("end", 0, i64{1} << 60) != lines_ ||
        root.text("digest") != hex64(digest_->digest()))
      throw Error(ErrorKind::kData, cat(where, ": the partial result that begins at ", open_,
                                        " is damaged: lines are missing or changed"));
    digest_.reset();
    ++partials_;
    return;
  }
  digest_->update(text);
  digest_->update("\n");
  ++lines_;
  if (root.has("lm_stats")) return;
  PartReader data(root.array("data"));
  census_->load(root.text("part"), root.text("group"), root.text("name"), data);
}

void PartialReader::end() {
  if (digest_)
    throw Error(ErrorKind::kData, cat(open_, ": a partial result without its end"),
                "the file is cut, or the run that wrote it failed");
}

}  // namespace lm::census
