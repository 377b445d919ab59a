// noise: the words and labels of a record.

#include "core/str.h"
#include "io/held.h"
#include "io/json.h"
#include "io/json_node.h"
#include "noise.h"
#include "text/segment.h"
#include "transform.h"

namespace lm::transform_tool {

namespace {

/// The strings of a list. Faults "missing" and "type".
Result<std::vector<std::string>> read_strings(const io::JsonReader& json, i64 field) {
  const std::string name = quote(json.path(field));
  if (!json.has(field)) return Fault{"missing", cat("field ", name, " is missing"), -1};
  const io::JsonDocument document(json.raw(field));
  std::vector<std::string> out;
  bool good = document.error().empty();
  if (good) {
    const io::JsonNode root = document.root(json.path(field));
    good = root.is_array();
    if (good) {
      root.each_item([&](const io::JsonNode& item) {
        const std::optional<std::string_view> text = item.as_string();
        good = good && text;
        if (good) out.emplace_back(*text);
      });
    }
  }
  if (!good)
    return Fault{"type", cat("field ", name, " is no list of strings"), json.field(field).begin};
  return out;
}

void append_strings(std::string& out, const std::vector<std::string>& values) {
  out += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    io::append_json_string(out, values[i]);
  }
  out += ']';
}

std::string edits_json(std::span<const tf::NoiseEdit> edits) {
  std::string out;
  for (const tf::NoiseEdit& edit : edits) {
    append(out, out.empty() ? "" : ",", "{\"op\":\"", tf::noise_name(edit.op),
           "\",\"pos\":", edit.pos, ",\"from\":");
    append_strings(out, edit.from);
    out += ",\"to\":";
    append_strings(out, edit.to);
    out += '}';
  }
  return out;
}

class NoiseMapper final : public io::RecordMapper {
 public:
  NoiseMapper(const NoiseSetup& setup, NoiseTotals& totals) : setup_(setup), totals_(totals) {}
  ~NoiseMapper() override {
    const std::lock_guard<std::mutex> lock(totals_.mutex);
    for (const auto& [name, count] : edits_)
      totals_.edits[name] += count;
    totals_.slots.merge(slots_);
  }

  std::optional<Fault> map(io::Record& record, std::string& out) override {
    io::JsonReader& json = record.json;
    const Result<std::string> id = io::record_id(json, kNoiseId, record.ordinal);
    if (!id) return id.fault();
    words_.clear();
    tail_.clear();
    const bool listed = json.has(kWords);
    const std::optional<MemoryCharge> charge = charge_words(json, listed);
    std::optional<Fault> fault = listed ? read_words(json) : read_text(json);
    if (!fault && setup_.log) fault = check_log(json);
    if (fault) return fault;
    if (setup_.marks) return write_marks(json, out);
    count_words();
    std::vector<tf::NoiseEdit> edits;
    if (setup_.rewordings)
      if (fault = take_rewording(json, edits); fault) return fault;
    tf::apply_noise(setup_.steps, setup_.strength, setup_.knowledge,
                    tf::Draws(setup_.seed, *id, setup_.epoch), words_, edits);
    count_edits(edits);
    io::RecordEdit edit(json);
    // What nothing happened to stays as it is spelt.
    if (!edits.empty() && listed) set_words(json, edit);
    if (!edits.empty() && !listed) edit.set(kText, io::json_string(text_of_words()));
    if (setup_.log) set_log(json, edits, edit);
    edit.write(out);
    return std::nullopt;
  }

 private:
  /// For records of so many words that they weigh: each is there twice, with label and white space.
  std::optional<MemoryCharge> charge_words(const io::JsonReader& json, bool listed) const {
    constexpr i64 kLight = 100'000;
    constexpr i64 kBytesOfWord = 2 * (sizeof(tf::Word) + 32);
    const i64 field = listed ? kWords : kText;
    if (!json.has(field)) return std::nullopt;
    // A word takes four bytes of a list, and two of a text.
    const i64 most = isize(json.raw(field)) / (listed ? 4 : 2);
    if (most < kLight) return std::nullopt;
    const i64 words = listed ? most : text::count_words_ws(json.raw(field));
    return std::optional<MemoryCharge>(std::in_place, *setup_.memory, words * kBytesOfWord,
                                       "the words of a record");
  }

  std::optional<Fault> write_marks(const io::JsonReader& json, std::string& out) const {
    if (std::optional<Fault> fault = json.settable(kMarked)) return fault;
    io::RecordEdit edit(json);
    edit.set(kMarked, io::json_string(tf::with_marks(words_)));
    edit.write(out);
    return std::nullopt;
  }

  /// One that lost a slot changes nothing and is counted.
  std::optional<Fault> take_rewording(io::JsonReader& json, std::vector<tf::NoiseEdit>& edits) {
    const Result<std::string_view> rewording = json.string(kMarked);
    if (!rewording) return rewording.fault();
    if (!tf::reword(*rewording, words_, edits)) ++totals_.rejected;
    return std::nullopt;
  }

  std::optional<Fault> read_words(io::JsonReader& json) {
    const Result<std::vector<std::string>> texts = read_strings(json, kWords);
    if (!texts) return texts.fault();
    std::vector<std::string> labels(texts->size(), "O");
    if (json.has(kLabels)) {
      Result<std::vector<std::string>> read = read_strings(json, kLabels);
      if (!read) return read.fault();
      labels = std::move(*read);
      if (labels.size() != texts->size())
        return Fault{"range",
                     cat("field ", quote(json.path(kLabels)), " has ", labels.size(),
                         " labels for ", texts->size(), " words"),
                     -1};
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::string& label = labels[i];
      const bool slot = (label.starts_with("B-") || label.starts_with("I-")) && label.size() > 2;
      if (label != "O" && !slot)
        return Fault{"range", cat("label ", quote(label), " is none of O, B-NAME, I-NAME"), -1};
      if ((*texts)[i].empty())
        return Fault{"range", cat("field ", quote(json.path(kWords)), " has an empty word"), -1};
      if (slot) slots_.insert(label.substr(2));
      words_.push_back({(*texts)[i], label, ""});
    }
    return std::nullopt;
  }

  std::optional<Fault> read_text(io::JsonReader& json) {
    const Result<std::string_view> text = json.string(kText);
    if (!text)
      return text.fault().code == "missing"
                 ? Fault{"missing",
                         cat("the record has neither ", quote(json.path(kWords)), " nor ",
                             quote(json.path(kText))),
                         -1}
                 : text.fault();
    text::WordCursor cursor(*text);
    i64 at = 0;
    for (std::string_view word; cursor.next(word);) {
      const i64 begin = word.data() - text->data();
      words_.push_back(
          {std::string(word), "O", std::string(text->substr(usize(at), usize(begin - at)))});
      at = begin + isize(word);
    }
    tail_ = text->substr(usize(at));
    return std::nullopt;
  }

  std::optional<Fault> check_log(const io::JsonReader& json) const {
    if (json.has(kLog) && json.field(kLog).type != io::JsonType::kArray)
      return Fault{"type",
                   cat("field ", quote(json.path(kLog)), " is no list, to which edits could go"),
                   json.field(kLog).begin};
    return json.settable(kLog);
  }

  void count_words() {
    totals_.words += isize(words_);
    for (const tf::Word& word : words_)
      totals_.characters += text::CodePointIndex(word.text).size();
  }

  void count_edits(std::span<const tf::NoiseEdit> edits) {
    if (!edits.empty()) ++totals_.records;
    for (const tf::NoiseEdit& edit : edits) {
      totals_.changed += isize(edit.from);
      totals_.edited += tf::edited_characters(edit);
      ++edits_[std::string(tf::noise_name(edit.op))];
    }
  }

  void set_words(const io::JsonReader& json, io::RecordEdit& edit) const {
    std::vector<std::string> texts, labels;
    for (const tf::Word& word : words_) {
      texts.push_back(word.text);
      labels.push_back(word.label);
    }
    std::string list;
    append_strings(list, texts);
    edit.set(kWords, std::move(list));
    if (!json.has(kLabels)) return;
    list.clear();
    append_strings(list, labels);
    edit.set(kLabels, std::move(list));
  }

  std::string text_of_words() const {
    std::string out;
    for (const tf::Word& word : words_)
      append(out, word.gap, word.text);
    return out + tail_;
  }

  /// Edits go behind those that an earlier run listed.
  static void set_log(const io::JsonReader& json, std::span<const tf::NoiseEdit> edits,
                      io::RecordEdit& edit) {
    std::string list = json.has(kLog) ? std::string(json.raw(kLog)) : "[]";
    if (edits.empty() && json.has(kLog)) return;
    list.pop_back();
    const std::size_t last = list.find_last_not_of(" \t\r\n");
    const bool empty = list[last] == '[' && text::strip(list) == "[";
    edit.set(kLog, cat(list, empty || edits.empty() ? "" : ",", edits_json(edits), "]"));
  }

  const NoiseSetup& setup_;
  NoiseTotals& totals_;
  std::vector<tf::Word> words_;
  std::string tail_;  // white space behind the last word of a text
  std::map<std::string, i64> edits_;
  std::set<std::string> slots_;
};

}  // namespace

std::unique_ptr<io::RecordMapper> make_noise(const NoiseSetup& setup, NoiseTotals& totals) {
  return std::make_unique<NoiseMapper>(setup, totals);
}

}  // namespace lm::transform_tool
