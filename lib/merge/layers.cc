#include "merge/layers.h"

#include <algorithm>
#include <array>

#include "core/str.h"

namespace lm::merge {

namespace {

constexpr std::array<std::string_view, 4> kLists = {"layers", "h", "blocks", "layer"};
constexpr std::array<std::string_view, 6> kEmbeddings = {
    "embed_tokens", "wte", "embed_in", "word_embeddings", "tok_embeddings", "token_embedding"};
constexpr std::array<std::string_view, 3> kHeads = {"lm_head", "embed_out", "output_embeddings"};

struct Place {
  std::size_t begin = 0;  // of the number
  std::size_t end = 0;
  i64 layer = 0;
};

std::optional<Place> find_layer(std::string_view tensor) {
  std::string_view before;
  for (std::size_t begin = 0; begin < tensor.size();) {
    const std::size_t end = std::min(tensor.find('.', begin), tensor.size());
    const std::string_view part = tensor.substr(begin, end - begin);
    if (std::find(kLists.begin(), kLists.end(), before) != kLists.end() && end < tensor.size()) {
      if (const std::optional<i64> number = parse_int(part); number && *number >= 0)
        return Place{begin, end, *number};
    }
    before = part;
    begin = end + 1;
  }
  return std::nullopt;
}

template <std::size_t N>
bool has_part(std::string_view tensor, const std::array<std::string_view, N>& parts) {
  const std::vector<std::string_view> own = split(tensor, '.');
  return std::any_of(own.begin(), own.end(), [&](std::string_view part) {
    return std::find(parts.begin(), parts.end(), part) != parts.end();
  });
}

}  // namespace

std::optional<i64> layer_of(std::string_view tensor) {
  const std::optional<Place> place = find_layer(tensor);
  return place ? std::optional<i64>(place->layer) : std::nullopt;
}

std::string with_layer(std::string_view tensor, i64 layer) {
  const Place place = find_layer(tensor).value();
  return cat(tensor.substr(0, place.begin), layer, tensor.substr(place.end));
}

bool is_head(std::string_view tensor) {
  return has_part(tensor, kHeads);
}

bool before_layers(std::string_view tensor) {
  if (is_head(tensor)) return false;
  return has_part(tensor, kEmbeddings) || tensor.find("embed") != std::string_view::npos ||
         has_part(tensor, std::array<std::string_view, 1>{"wpe"});
}

bool has_token_rows(std::string_view tensor) {
  return is_head(tensor) || has_part(tensor, kEmbeddings);
}

}  // namespace lm::merge
