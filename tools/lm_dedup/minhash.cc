// lm-dedup minhash: near duplicates. Pass 1 signs and spools, pass 2 reads the candidates again for
// exact verification, pass 3 writes.

#include <memory>

#include "core/str.h"
#include "dedup.h"
#include "dedup/near.h"
#include "io/spool.h"
#include "near_params.h"
#include "prefer.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace lm::dedup_tool {

namespace {

using dedup::ClusterMember;

class MinhashRun {
 public:
  explicit MinhashRun(cli::Tool& tool)
      : tool_(tool),
        preference_(tool.options().text("prefer")),
        fields_(tool.options(), paths_of(preference_)),
        params_(near_params(tool)),
        action_(action_of(tool.options())),
        info_(tool.options().on("cluster-info")),
        missing_passes_(tool.options().text("on-missing") == "keep"),
        copies_(tool.options().integer("max-copies")),
        spool_(tool.ctx()),
        readers_([paths = fields_.paths()] { return std::make_unique<io::JsonReader>(paths); }) {
    const std::string& path = tool.options().text("tokenizer");
    if (!path.empty()) {
      if (params_.minhash.unit != dedup::ShingleUnit::kToken)
        throw Error(ErrorKind::kUsage, "--tokenizer needs --unit token, or a preset of tokens");
      tokenizer_ = text::load_tokenizer(path);
      tool.set_param("tokenizer_digest", io::json_string(tokenizer_->digest()));
    }
    near_ = std::make_unique<dedup::NearDedup>(tool.ctx(), params_, tokenizer_.get());
    describe();
  }

  void run() {
    tool_.input();
    if (tool_.options().given("table")) table_ = &tool_.other_output(tool_.options().text("table"));
    tool_.output();  // writes the header before the first pass
    tool_.records_only().run({{StageMode::kParallel, [this](io::Batch& b) { read(b); }},
                              {StageMode::kSerial, [this](io::Batch& b) { sign(b); }}});
    near_->find_candidates();
    if (params_.verify == dedup::Verify::kExact && near_->stats().candidates > 0) {
      next_ = 0;
      spool_.replay({{StageMode::kSerial, [this](io::Batch& b) { verify(b); }}}, nullptr);
    }
    clusters_ = near_->cluster();
    next_ = 0;
    member_ = 0;
    spool_.replay({{StageMode::kSerial, [this](io::Batch& b) { number(b); }},
                   {StageMode::kParallel, [this](io::Batch& b) { apply(b); }},
                   {StageMode::kSerial, [this](io::Batch& b) { write_table(b); }}},
                  &tool_.output());
    add_metrics();
  }

 private:
  struct Batch {
    std::vector<std::string_view> lines;
    std::vector<std::pair<i64, i64>> places;  // line number and byte of each record
    std::vector<std::string> texts;
    std::vector<u64> priorities;  // per text; empty: the first of a cluster is kept
    i64 first_member = 0;         // of clusters_, the first at or after the batch's first record
    i64 first = 0;                // ordinal of the first line
    i64 dropped = 0;
    std::string table;
  };
  static Batch& own(io::Batch& batch) {
    return *std::any_cast<std::shared_ptr<Batch>&>(batch.user);
  }

  static std::vector<std::string> paths_of(const Preference& preference) {
    std::vector<std::string> paths = {"metadata", "metadata.lm_dedup", "id"};
    if (!preference.path().empty()) paths.push_back(preference.path());
    return paths;
  }

  void describe() {
    const dedup::MinhashParams& m = params_.minhash;
    const auto at = [&m](f64 j) {
      return format_fixed(dedup::candidate_probability(j, m.bands, m.rows), 3);
    };
    tool_.console().message(LogLevel::kInfo, cat("MinHash: ", m.bands, " bands of ", m.rows,
                                                 " rows; candidates at J 0.5 ", at(0.5), ", 0.7 ",
                                                 at(0.7), ", 0.8 ", at(0.8), ", 0.9 ", at(0.9)));
    tool_.set_param("bands", cat(m.bands));
    tool_.set_param("rows", cat(m.rows));
  }

  void read(io::Batch& batch) {
    batch.user = std::make_shared<Batch>();
    Batch& b = own(batch);
    readers_.with([&](io::JsonReader& json) {
      tool_.records_only().each_record(
          batch, json, [&](io::Record& record) -> std::optional<Fault> {
            if (std::optional<Fault> fault = fields_.check(record.json)) return fault;
            if (info_) {
              const i64 info = fields_.index("metadata.lm_dedup");
              if (std::optional<Fault> fault = record.json.settable(info)) return fault;
            }
            Result<std::string_view> text = record.json.string(fields_.text());
            const bool passes = !record.json.has(fields_.text()) && missing_passes_;
            if (!text && !passes) return text.fault();
            if (!preference_.first()) {
              const Result<u64> priority = preference_.of(record.json, fields_);
              if (!priority) return priority.fault();
              b.priorities.push_back(*priority);
            }
            b.lines.push_back(record.line);
            b.places.emplace_back(record.line_number, record.byte);
            b.texts.emplace_back(text ? *text : std::string_view());
            return std::nullopt;
          });
    });
  }

  void sign(io::Batch& batch) {
    Batch& b = own(batch);
    const std::vector<std::pair<i64, Fault>> refused =
        near_->add(std::vector<std::string_view>(b.texts.begin(), b.texts.end()), b.priorities);
    for (auto r = refused.rbegin(); r != refused.rend(); ++r) {
      const i64 i = r->first;  // by name: clang 14 lets no lambda use a structured binding
      const Fault& fault = r->second;
      const std::string text = quote(fields_.paths()[usize(fields_.text())]);
      const std::pair<i64, i64>& place = b.places[usize(i)];
      readers_.with([&](io::JsonReader& json) {
        const io::Record record{json, b.lines[usize(i)], batch.input, place.first, place.second, 0};
        tool_.records_only().add_bad(
            batch, record, {fault.code, cat("field ", text, ": ", fault.detail), fault.offset});
      });
      b.lines.erase(b.lines.begin() + i);
    }
    spool_.append(b.lines);
  }

  static std::vector<std::string_view> lines_of(const io::Batch& batch) {
    std::vector<std::string_view> lines = split(batch.lines(), '\n');
    lines.pop_back();  // what follows the last newline
    return lines;
  }

  void verify(io::Batch& batch) {
    std::vector<i64> ordinals;
    std::vector<std::string> texts;
    readers_.with([&](io::JsonReader& json) {
      for (const std::string_view line : lines_of(batch)) {
        const i64 ordinal = next_++;
        if (!near_->needs_text(ordinal)) continue;
        LM_CHECK(!json.parse(line), "spooled records are good");
        ordinals.push_back(ordinal);
        texts.emplace_back(*json.string(fields_.text()));
      }
    });
    near_->add_texts(ordinals, std::vector<std::string_view>(texts.begin(), texts.end()));
  }

  void number(io::Batch& batch) {
    batch.user = std::make_shared<Batch>();
    Batch& b = own(batch);
    b.lines = lines_of(batch);
    b.first = next_;
    next_ += isize(b.lines);
    b.first_member = member_;
    while (member_ < isize(clusters_.members) &&
           clusters_.members[usize(member_)].ordinal < next_) {
      ++member_;
    }
  }

  void apply(io::Batch& batch) {
    Batch& b = own(batch);
    i64 at = b.first_member;
    readers_.with([&](io::JsonReader& json) {
      for (i64 i = 0; i < isize(b.lines); ++i) {
        const ClusterMember* member = nullptr;
        if (at < isize(clusters_.members) && clusters_.members[usize(at)].ordinal == b.first + i) {
          member = &clusters_.members[usize(at++)];
        }
        apply_one(json, b.lines[usize(i)], member, b, batch.out);
      }
    });
  }

  void apply_one(io::JsonReader& json, std::string_view line, const ClusterMember* member, Batch& b,
                 std::string& out) const {
    const bool kept = member == nullptr || member->rank < copies_;
    b.dropped += !kept;
    if (member == nullptr && action_ != Action::kAnnotate) {
      append(out, line, "\n");
      return;
    }
    LM_CHECK(!json.parse(line), "spooled records are good");
    if (table_ != nullptr && member != nullptr) {
      append(b.table,
             "{\"id\":", json.has(fields_.index("id")) ? json.raw(fields_.index("id")) : "null",
             ",", member_json(*member, kept), "}\n");
    }
    if (action_ == Action::kRemove && !kept) return;
    io::RecordEdit edit(json);
    if (action_ == Action::kAnnotate) {
      const i64 length = kept ? 0 : text::count_code_points(*json.string(fields_.text()));
      edit.set(fields_.attribute(),
               kept ? "[]" : document_span(length, static_cast<f64>(member->similarity)));
    }
    if (info_ && member != nullptr) {
      edit.set(fields_.index("metadata.lm_dedup"), cat("{", member_json(*member, kept), "}"));
    }
    edit.write(out);
  }

  static std::string member_json(const ClusterMember& m, bool kept) {
    return cat("\"cluster\":\"", hex64(static_cast<u64>(m.root)), "\",\"size\":", m.size,
               ",\"rank\":", m.rank, ",\"kept\":", kept);
  }

  void write_table(io::Batch& batch) {
    const Batch& b = own(batch);
    dropped_ += b.dropped;
    if (table_ != nullptr) table_->write(b.table);
  }

  void add_metrics() {
    const dedup::NearStats& s = near_->stats();
    const std::vector<std::pair<const char*, i64>> figures = {
        {"documents", s.documents},         {"without_shingles", s.without_shingles},
        {"shingles", s.shingles},           {"groups", s.groups},
        {"hot_groups", s.hot_groups},       {"candidates", s.candidates},
        {"compared", s.compared},           {"accepted", s.accepted},
        {"unlinked", s.unlinked},           {"clusters", s.clusters},
        {"clustered", s.clustered},         {"duplicates", dropped_},
        {"spilled_bytes", s.spilled_bytes}, {"spool_bytes", spool_.bytes()}};
    for (const auto& [name, value] : figures)
      tool_.add_metric(name, cat(value));
    // Scripts without spaces turn whole lines into one word, and nothing matches any more.
    const bool words = params_.minhash.unit == dedup::ShingleUnit::kWord;
    if (words && s.unit_count > 0 && s.unit_bytes > 20 * s.unit_count) {
      tool_.console().message(LogLevel::kWarning,
                              cat("words have ", s.unit_bytes / s.unit_count,
                                  " bytes on average: text without spaces? (--unit char --n 24)"));
    }
  }

  cli::Tool& tool_;
  Preference preference_;
  Fields fields_;
  dedup::NearParams params_;
  Action action_;
  bool info_;
  bool missing_passes_;
  i64 copies_;
  io::Spool spool_;
  io::WorkerPool<io::JsonReader> readers_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::unique_ptr<dedup::NearDedup> near_;
  dedup::Clusters clusters_;
  io::AtomicFile* table_ = nullptr;
  i64 next_ = 0;    // ordinal of the next spooled line
  i64 member_ = 0;  // first cluster member not before it
  i64 dropped_ = 0;
};

}  // namespace

void run_minhash(cli::Tool& tool) {
  MinhashRun(tool).run();
}

}  // namespace lm::dedup_tool
