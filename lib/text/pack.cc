#include "text/pack.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "core/error.h"
#include "core/str.h"

namespace lm::text {

namespace {

// Collects segments row by row and keeps the totals right.
class PlanBuilder {
 public:
  PlanBuilder(std::span<const i64> lengths, const PackOptions& options, const Context& ctx)
      : lengths_(lengths), ctx_(ctx) {
    plan_.options = options;
    plan_.row_begin.push_back(0);
    plan_.tokens_in = std::accumulate(lengths.begin(), lengths.end(), i64{0});
  }
  ~PlanBuilder() { ctx_.memory->release(charged_); }
  PlanBuilder(const PlanBuilder&) = delete;
  PlanBuilder& operator=(const PlanBuilder&) = delete;

  /// Charges all that planning takes, in one sum, so that a refusal names what would do: the most
  /// segments that can come, and bytes for the planner itself.
  void reserve(i64 segments, i64 beside_bytes) {
    const i64 bytes = segments * static_cast<i64>(sizeof(PackSegment)) + beside_bytes;
    ctx_.memory->charge(bytes, "the packing plan");
    charged_ += bytes;
    plan_.segments.reserve(usize(segments));
  }
  void place(i64 document, i64 begin, i64 end) {
    LM_DCHECK(plan_.segments.size() < plan_.segments.capacity(), "segments were reserved");
    plan_.segments.push_back({document, begin, end});
    in_row_ += end - begin + (plan_.options.insert_bos ? 1 : 0);
  }
  void end_row() {
    plan_.row_begin.push_back(isize(plan_.segments));
    plan_.padding += plan_.width() - in_row_;
    in_row_ = 0;
  }
  i64 room() const { return plan_.width() - in_row_; }
  i64 in_row() const { return in_row_; }
  /// placed: distinct document tokens that some row holds.
  PackPlan finish(i64 placed) {
    plan_.tokens_placed = placed;
    plan_.tokens_lost = plan_.tokens_in - placed;
    return std::move(plan_);
  }
  std::span<const i64> lengths() const { return lengths_; }

 private:
  std::span<const i64> lengths_;
  const Context& ctx_;
  PackPlan plan_;
  i64 in_row_ = 0;
  i64 charged_ = 0;
};

// Row r covers stream positions [r L, r L + width). With overlap the last token of a row is the
// first of the next, so the stream moves back by one.
PackPlan plan_concat(PlanBuilder& builder, const PackOptions& options) {
  const std::span<const i64> lengths = builder.lengths();
  const i64 total = std::accumulate(lengths.begin(), lengths.end(), i64{0});
  const i64 width = options.seq_len + (options.overlap ? 1 : 0);
  // A document is cut at most once per row, and an overlap belongs to one more.
  builder.reserve(isize(lengths) + 2 * (total / options.seq_len + 1), 0);
  i64 document = 0;
  i64 document_begin = 0;  // stream position of the document's first token
  i64 placed = 0;
  // A row must bring at least one token that the row before did not have.
  for (i64 start = 0; start + (options.overlap && start > 0 ? 1 : 0) < total;
       start += options.seq_len) {
    const i64 stop = std::min(start + width, total);
    if (stop - start < width && options.drop_last) break;
    while (document_begin + lengths[usize(document)] <= start)
      document_begin += lengths[usize(document++)];
    i64 d = document;
    i64 at = document_begin;
    for (; at < stop; at += lengths[usize(d++)]) {
      const i64 begin = std::max(start, at) - at;
      const i64 end = std::min(stop, at + lengths[usize(d)]) - at;
      if (end > begin) builder.place(d, begin, end);
    }
    builder.end_row();
    placed = stop;
  }
  return builder.finish(placed);
}

// For each capacity, which rows still have that much room; answers "the fullest row with room for
// n" by a walk over a segment tree whose leaves are capacities 0..L.
class RoomTree {
 public:
  explicit RoomTree(i64 seq_len) : rows_(usize(seq_len + 1)) {
    while (leaves_ < seq_len + 1)
      leaves_ *= 2;
    any_.assign(usize(2 * leaves_), false);
  }
  void add(i64 room, i64 row) {
    rows_[usize(room)].push_back(row);
    for (i64 node = leaves_ + room; node > 0 && !any_[usize(node)]; node /= 2)
      any_[usize(node)] = true;
  }
  /// Takes out a row with the least room that is at least need, the most recently added among
  /// equals; -1 if there is none. room receives its room.
  i64 take(i64 need, i64& room) {
    i64 node = leaves_ + need;
    while (!any_[usize(node)]) {
      while (node > 1 && node % 2 == 1)
        node /= 2;  // a right child: nothing to its right here
      if (node <= 1) return -1;
      ++node;  // the right sibling of a left child
    }
    while (node < leaves_)
      node = any_[usize(2 * node)] ? 2 * node : 2 * node + 1;
    room = node - leaves_;
    std::vector<i64>& list = rows_[usize(room)];
    const i64 row = list.back();
    list.pop_back();
    if (list.empty()) {
      any_[usize(node)] = false;
      for (node /= 2; node > 0; node /= 2) {
        any_[usize(node)] = any_[usize(2 * node)] || any_[usize(2 * node + 1)];
      }
    }
    return row;
  }

 private:
  i64 leaves_ = 1;
  std::vector<std::vector<i64>> rows_;
  std::vector<bool> any_;
};

PackPlan plan_best_fit(PlanBuilder& builder, const PackOptions& options) {
  const i64 seq_len = options.seq_len;
  std::vector<PackSegment> pieces;
  i64 count = 0;
  for (const i64 length : builder.lengths())
    count += (length + seq_len - 1) / seq_len;
  builder.reserve(count, count * static_cast<i64>(sizeof(PackSegment) + 3 * sizeof(i64)));
  pieces.reserve(usize(count));
  for (i64 d = 0; d < isize(builder.lengths()); ++d) {
    const i64 length = builder.lengths()[usize(d)];
    for (i64 at = 0; at < length; at += seq_len)
      pieces.push_back({d, at, std::min(length, at + seq_len)});
  }
  // Longest first; equal lengths keep document order.
  std::stable_sort(pieces.begin(), pieces.end(), [](const PackSegment& a, const PackSegment& b) {
    return a.end - a.begin > b.end - b.begin;
  });
  RoomTree tree(seq_len);
  std::vector<i64> row_of(pieces.size());
  i64 rows = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const i64 size = pieces[i].end - pieces[i].begin;
    i64 room = 0;
    i64 row = tree.take(size, room);
    if (row < 0) {
      row = rows++;
      room = seq_len;
    }
    row_of[i] = row;
    if (room > size) tree.add(room - size, row);
  }
  std::vector<i64> order(pieces.size());
  std::iota(order.begin(), order.end(), i64{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](i64 a, i64 b) { return row_of[usize(a)] < row_of[usize(b)]; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    const PackSegment& piece = pieces[usize(order[i])];
    builder.place(piece.document, piece.begin, piece.end);
    if (i + 1 == order.size() || row_of[usize(order[i + 1])] != row_of[usize(order[i])]) {
      builder.end_row();
    }
  }
  return builder.finish(
      std::accumulate(builder.lengths().begin(), builder.lengths().end(), i64{0}));
}

PackPlan plan_bos_best_fit(PlanBuilder& builder, const PackOptions& options) {
  const std::span<const i64> lengths = builder.lengths();
  const i64 extra = options.insert_bos ? 1 : 0;
  builder.reserve(isize(lengths), 0);
  std::set<std::pair<i64, i64>> buffer;  // (length, -index): the last is the longest, earliest one
  i64 next = 0;
  i64 placed = 0;
  const auto refill = [&] {
    for (; next < isize(lengths) && isize(buffer) < options.buffer_documents; ++next) {
      if (lengths[usize(next)] > 0) buffer.emplace(lengths[usize(next)], -next);
    }
  };
  for (refill(); !buffer.empty(); refill()) {
    const i64 room = builder.room() - extra;
    if (room <= 0) {  // full, or one place that only a BOS would fit into
      builder.end_row();
      continue;
    }
    std::set<std::pair<i64, i64>>::iterator pick = buffer.upper_bound({room, 1});
    i64 size = 0;
    if (pick != buffer.begin()) {
      --pick;
      size = pick->first;
    } else {
      // Nothing fits: cut the shortest; the earliest among equals. What is cut off is lost.
      const i64 shortest = buffer.begin()->first;
      pick = std::prev(buffer.upper_bound({shortest, 1}));
      size = room;
    }
    builder.place(-pick->second, 0, size);
    placed += size;
    buffer.erase(pick);
  }
  if (builder.in_row() > 0) builder.end_row();
  return builder.finish(placed);
}

}  // namespace

PackMode parse_pack_mode(std::string_view name) {
  if (name == "concat") return PackMode::kConcat;
  if (name == "bestfit") return PackMode::kBestFit;
  if (name == "bos-bestfit") return PackMode::kBosBestFit;
  throw Error(ErrorKind::kUsage,
              cat("no packing ", quote(name), ", expected concat, bestfit or bos-bestfit"));
}

f64 PackPlan::utilisation() const {
  const i64 positions = rows() * width();
  return positions == 0 ? 1.0 : 1.0 - static_cast<f64>(padding) / static_cast<f64>(positions);
}

PackPlan plan_packing(std::span<const i64> lengths, const PackOptions& options,
                      const Context& ctx) {
  const auto need = [](bool good, const std::string& what) {
    if (!good) throw Error(ErrorKind::kUsage, what);
  };
  need(options.seq_len >= 1 && options.seq_len < (i64{1} << 30),
       cat("rows of ", options.seq_len, " tokens, expected 1 to 2^30"));
  need(options.mode == PackMode::kConcat || (!options.overlap && !options.drop_last),
       "overlapping or dropped rows exist for concat only");
  need(options.mode == PackMode::kBosBestFit || !options.insert_bos,
       "insert_bos is for bos-bestfit only");
  need(!options.insert_bos || options.seq_len >= 2, "rows of 1 token have no place beside BOS");
  need(options.buffer_documents >= 1, cat("a buffer of ", options.buffer_documents, " documents"));
  for (const i64 length : lengths)
    need(length >= 0, cat("a document of ", length, " tokens"));
  PlanBuilder builder(lengths, options, ctx);
  switch (options.mode) {
    case PackMode::kConcat:
      return plan_concat(builder, options);
    case PackMode::kBestFit:
      return plan_best_fit(builder, options);
    case PackMode::kBosBestFit:
      return plan_bos_best_fit(builder, options);
  }
  LM_CHECK(false, "a pack mode is one of three");
}

void fill_row(const PackPlan& plan, i64 r, const DocumentReader& read, i32 pad,
              std::optional<i32> bos, PackedRow& out) {
  if (r < 0 || r >= plan.rows()) {
    throw Error(ErrorKind::kUsage, cat("row ", r, " of ", plan.rows()));
  }
  const std::span<const PackSegment> segments = plan.row(r);
  if (isize(segments) > 65535) {
    throw Error(ErrorKind::kUsage, cat(segments.size(), " documents in one row, at most 65535"));
  }
  LM_CHECK(!plan.options.insert_bos || bos, "insert_bos comes with a BOS id");
  const std::size_t width = usize(plan.width());
  out.tokens.assign(width, pad);
  out.documents.assign(width, -1);
  out.segment_ids.assign(width, 0);
  out.position_ids.assign(width, 0);
  out.cu_seqlens.assign(1, 0);
  std::size_t at = 0;
  for (std::size_t s = 0; s < segments.size(); ++s) {
    const PackSegment& segment = segments[s];
    const std::size_t first = at;
    if (plan.options.insert_bos) out.tokens[at++] = *bos;
    const std::size_t size = usize(segment.end - segment.begin);
    read(segment.document, segment.begin, segment.end, std::span(out.tokens).subspan(at, size));
    at += size;
    for (std::size_t i = first; i < at; ++i) {
      out.documents[i] = segment.document;
      out.segment_ids[i] = static_cast<u16>(s + 1);
      out.position_ids[i] = static_cast<i32>(i - first);
    }
    out.cu_seqlens.push_back(static_cast<i32>(at));
  }
  if (plan.options.mode == PackMode::kBosBestFit && bos && !segments.empty() &&
      out.tokens[0] != *bos) {
    throw Error(ErrorKind::kData,
                cat("document ", segments[0].document, " begins with token ", out.tokens[0],
                    ", bos-bestfit expects BOS ", *bos),
                "write the shards with BOS, or let the packer insert it");
  }
}

}  // namespace lm::text
