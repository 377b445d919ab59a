#include "train/stream_deal.h"

#include <algorithm>
#include <functional>
#include <queue>

#include "core/error.h"
#include "core/str.h"

namespace lm::train {

StreamDeal::StreamDeal(std::span<const text::ShardSet> sets, i64 streams, i64 seq_len)
    : sets_(sets), seq_len_(seq_len), streams_(usize(streams)) {
  LM_CHECK(streams >= 1 && seq_len >= 1, "a stream has at least one sequence");
  using Length = std::pair<i64, i64>;  // of a stream, its number
  std::priority_queue<Length, std::vector<Length>, std::greater<>> shortest;
  for (i64 s = 0; s < streams; ++s)
    shortest.emplace(0, s);
  for (i64 set = 0; set < isize(sets); ++set) {
    i64 token = 0;
    for (const i64 size : sets[usize(set)].document_lengths()) {
      if (size > 0) {
        const auto [length, stream] = shortest.top();
        shortest.pop();
        streams_[usize(stream)].push_back({length, token, set});
        shortest.emplace(length + size, stream);
      }
      token += size;
    }
  }
  sequences_ = (shortest.top().first - 1) / seq_len;
  if (sequences_ < 1)
    throw Error(
        ErrorKind::kData,
        cat("dealt to ", streams, " streams, the documents make one of ", shortest.top().first,
            " tokens, expected at least ", seq_len + 1, " (one sequence and its target)"),
        "a smaller --batch makes fewer streams, --order shuffle none");
}

void StreamDeal::read(i64 stream, i64 index, bool boundaries, Example& out) const {
  const std::vector<Part>& parts = streams_[usize(stream)];
  const i64 begin = index * seq_len_;
  const i64 end = begin + seq_len_ + 1;
  out.tokens.resize(usize(seq_len_ + 1));
  auto part = std::upper_bound(parts.begin(), parts.end(), begin,
                               [](i64 at, const Part& p) { return at < p.begin; });
  for (--part; part != parts.end() && part->begin < end; ++part) {
    const i64 from = std::max(begin, part->begin);
    const i64 to = std::min(end, part + 1 == parts.end() ? end : (part + 1)->begin);
    sets_[usize(part->set)].read(
        part->token + from - part->begin,
        std::span(out.tokens).subspan(usize(from - begin), usize(to - from)));
    if (boundaries && from > begin) out.starts.push_back(static_cast<i32>(from - begin));
  }
}

}  // namespace lm::train
