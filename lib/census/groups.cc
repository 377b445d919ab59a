#include "census/groups.h"

#include <optional>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/json_node.h"

namespace lm::census {

namespace {

constexpr i64 kHeldBytes = 200;  // of a key and its place

// A cell as lines "PART NAME-SIZE:NAME DATA".
std::string cell_text(const Cell& cell) {
  std::string out;
  cell.save([&out](std::string_view part, std::string_view name, const std::string& data) {
    append(out, part, " ", name.size(), ":", name, " ", data, "\n");
  });
  return out;
}

void load_cell(std::string_view text, Cell& cell) {
  while (!text.empty()) {
    const std::size_t blank = text.find(' ');
    const std::size_t colon = text.find(':', blank);
    const std::size_t size = usize(*parse_int(text.substr(blank + 1, colon - blank - 1)));
    const std::size_t data = colon + 1 + size + 1;
    const std::size_t end = text.find('\n', data);
    const io::JsonDocument document(text.substr(data, end - data));
    PartReader in(document.root("spilled groups"));
    LM_CHECK(cell.load(text.substr(0, blank), text.substr(colon + 1, size), in), "its own parts");
    text.remove_prefix(end + 1);
  }
}

}  // namespace

void Groups::know(u64 key_hash) {
  known_.insert(key_hash);
  if (isize(known_) > kMost)
    throw Error(ErrorKind::kData,
                cat("field ", quote(plan_->group), " has more than ", kMost, " values"),
                "--group needs a field that names parts of a corpus; --top counts any");
}

Cell& Groups::at(std::string_view key) {
  auto found = held_.find(key);
  if (found == held_.end()) {
    know(xxh3_64(key));
    found = held_.emplace(key, Held{Cell(*plan_)}).first;
    touched_.push_back(&found->second);
    bytes_ += kHeldBytes + isize(key);
  } else if (!found->second.touched) {
    found->second.touched = true;
    touched_.push_back(&found->second);
  }
  return found->second.cell;
}

void Groups::add(Groups&& other) {
  for (const u64 key_hash : other.known_)
    know(key_hash);
  for (auto& [key, theirs] : other.held_)
    at(key).add(std::move(theirs.cell));
  other.held_.clear();
  other.touched_.clear();
  other.bytes_ = 0;
}

i64 Groups::bytes() {
  for (Held* const held : touched_) {
    const i64 bytes = held->cell.bytes();
    bytes_ += bytes - held->bytes;
    held->bytes = bytes;
    held->touched = false;
  }
  touched_.clear();
  return bytes_;
}

void Groups::spill() {
  if (held_.empty()) return;
  runs_->add([this](const Runs::Put& put) {
    for (const auto& [key, held] : held_)
      put(key, cell_text(held.cell));
  });
  held_.clear();
  touched_.clear();
  bytes_ = 0;
}

void Groups::each(const std::function<void(std::string_view key, const Cell& cell)>& visit) const {
  if (runs_ == nullptr || runs_->empty()) {
    for (const auto& [key, held] : held_)
      visit(key, held.cell);
    return;
  }
  LM_CHECK(held_.empty(), "either all groups are in memory or none");
  std::optional<Cell> cell;
  std::string open;
  runs_->each([&](std::string_view key, std::string_view data) {
    if (cell && key != open) {
      visit(open, *cell);
      cell.reset();
    }
    if (!cell) {
      cell.emplace(*plan_);
      open = key;
    }
    load_cell(data, *cell);
  });
  if (cell) visit(open, *cell);
}

}  // namespace lm::census
