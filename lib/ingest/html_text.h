#pragma once
// The text of a web page as a reader sees it: parsed by libgumbo (HTML5), without scripts, menus,
// headers, footers, asides and forms; blocks and <br> end lines; white space collapses as browsers
// do it, but for <pre>; cells of a table row are separated by tabs.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/types.h"

namespace lm::ingest {

/// Elements that may stand in each other, and memory for one page. Beyond, a page is no page.
inline constexpr i64 kMaxHtmlDepth = 2000;
inline constexpr i64 kMaxHtmlBytes = i64{256} << 20;

/// Not for several threads at once; keeps its memory between pages.
class HtmlText {
 public:
  HtmlText();
  ~HtmlText();
  HtmlText(const HtmlText&) = delete;
  HtmlText& operator=(const HtmlText&) = delete;

  /// html: UTF-8. Text without line end at its end, or "". Of a page whose text all stands in forms
  /// (some frameworks wrap it whole), those are kept. nullopt for pages beyond the limits.
  std::optional<std::string> extract(std::string_view html);

 private:
  class Arena;
  struct Page;
  Page parse(std::string_view html);
  std::unique_ptr<Arena> arena_;
};

}  // namespace lm::ingest
