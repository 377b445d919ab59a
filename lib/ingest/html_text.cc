#include "ingest/html_text.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include <gumbo.h>

#include "core/str.h"
#include "ingest/html_slim.h"
#include "text/utf8.h"

namespace lm::ingest {

namespace {

struct TooMuch {};

}  // namespace

// What the parser allocates lives until the page is done: it frees trees by recursion, which a page
// could make as deep as it likes.
class HtmlText::Arena {
 public:
  void reset() {
    block_ = 0;
    used_ = 0;
    total_ = 0;
    large_.clear();
    if (blocks_.size() > kKeptBlocks) blocks_.resize(kKeptBlocks);
  }
  void* take(std::size_t bytes) {
    bytes = (bytes + 15) & ~std::size_t{15};
    total_ += static_cast<i64>(bytes);
    if (total_ > kMaxHtmlBytes) throw TooMuch{};
    if (bytes > kBlock / 4) {
      large_.push_back(std::make_unique<std::byte[]>(bytes));
      return large_.back().get();
    }
    if (block_ < blocks_.size() && used_ + bytes > kBlock) {
      ++block_;
      used_ = 0;
    }
    if (block_ == blocks_.size()) blocks_.push_back(std::make_unique<std::byte[]>(kBlock));
    void* const out = blocks_[block_].get() + used_;
    used_ += bytes;
    return out;
  }

 private:
  static constexpr std::size_t kBlock = std::size_t{256} << 10;
  static constexpr std::size_t kKeptBlocks = 64;
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::vector<std::unique_ptr<std::byte[]>> large_;
  std::size_t block_ = 0;
  std::size_t used_ = 0;
  i64 total_ = 0;
};

namespace {

// Lines of text with white space collapsed.
class Lines {
 public:
  void text(std::string_view text, bool pre) {
    if (pre) return verbatim(text);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find_first_of(kSpaces, at), text.size());
      if (end > at) {
        if (space_ && !at_start()) out_.push_back(' ');
        space_ = false;
        out_ += text.substr(at, end - at);
      }
      if (end < text.size()) space_ = true;
      at = end + 1;
    }
  }
  /// A block begins or ends.
  void block() {
    if (!at_start()) out_.push_back('\n');
    space_ = false;
  }
  /// <br>: of several in a row, the second leaves an empty line.
  void line_break() {
    const bool empty_line = out_.ends_with("\n\n") || out_.empty();
    if (!empty_line) out_.push_back('\n');
    space_ = false;
  }
  void cell() {
    if (!at_start()) out_.push_back('\t');
    space_ = false;
  }
  std::string take() {
    const std::size_t last = out_.find_last_not_of(" \t\n\r\f");
    out_.resize(last == std::string::npos ? 0 : last + 1);
    return std::move(out_);
  }

 private:
  static constexpr std::string_view kSpaces = " \t\n\f\r";
  bool at_start() const { return out_.empty() || out_.back() == '\n' || out_.back() == '\t'; }
  void verbatim(std::string_view text) {
    if (space_ && !at_start()) out_.push_back(' ');
    space_ = false;
    out_ += text;
  }
  std::string out_;
  bool space_ = false;  // white space is owed before the next word
};

enum class Kind { kInline, kBlock, kCell, kBreak, kSkip, kHeader, kForm };

Kind kind_of(GumboTag tag) {
  switch (tag) {
    case GUMBO_TAG_HEAD:
    case GUMBO_TAG_SCRIPT:
    case GUMBO_TAG_STYLE:
    case GUMBO_TAG_NOSCRIPT:
    case GUMBO_TAG_TEMPLATE:
    case GUMBO_TAG_NAV:
    case GUMBO_TAG_FOOTER:
    case GUMBO_TAG_ASIDE:
    case GUMBO_TAG_IFRAME:
    case GUMBO_TAG_OBJECT:
    case GUMBO_TAG_SVG:
    case GUMBO_TAG_SELECT:
    case GUMBO_TAG_TEXTAREA:
    case GUMBO_TAG_BUTTON:
    case GUMBO_TAG_CANVAS:
    case GUMBO_TAG_AUDIO:
    case GUMBO_TAG_VIDEO:
    case GUMBO_TAG_NOFRAMES:
    case GUMBO_TAG_NOEMBED:
    case GUMBO_TAG_APPLET:
    case GUMBO_TAG_DATALIST:
      return Kind::kSkip;
    case GUMBO_TAG_HEADER:
      return Kind::kHeader;
    case GUMBO_TAG_FORM:
      return Kind::kForm;
    case GUMBO_TAG_BR:
      return Kind::kBreak;
    case GUMBO_TAG_TD:
    case GUMBO_TAG_TH:
      return Kind::kCell;
    case GUMBO_TAG_ADDRESS:
    case GUMBO_TAG_ARTICLE:
    case GUMBO_TAG_BLOCKQUOTE:
    case GUMBO_TAG_BODY:
    case GUMBO_TAG_CAPTION:
    case GUMBO_TAG_CENTER:
    case GUMBO_TAG_DD:
    case GUMBO_TAG_DETAILS:
    case GUMBO_TAG_DIR:
    case GUMBO_TAG_DIV:
    case GUMBO_TAG_DL:
    case GUMBO_TAG_DT:
    case GUMBO_TAG_FIELDSET:
    case GUMBO_TAG_FIGCAPTION:
    case GUMBO_TAG_FIGURE:
    case GUMBO_TAG_H1:
    case GUMBO_TAG_H2:
    case GUMBO_TAG_H3:
    case GUMBO_TAG_H4:
    case GUMBO_TAG_H5:
    case GUMBO_TAG_H6:
    case GUMBO_TAG_HGROUP:
    case GUMBO_TAG_HR:
    case GUMBO_TAG_HTML:
    case GUMBO_TAG_LEGEND:
    case GUMBO_TAG_LI:
    case GUMBO_TAG_LISTING:
    case GUMBO_TAG_MAIN:
    case GUMBO_TAG_MENU:
    case GUMBO_TAG_OL:
    case GUMBO_TAG_P:
    case GUMBO_TAG_PLAINTEXT:
    case GUMBO_TAG_PRE:
    case GUMBO_TAG_SECTION:
    case GUMBO_TAG_SUMMARY:
    case GUMBO_TAG_TABLE:
    case GUMBO_TAG_TBODY:
    case GUMBO_TAG_TFOOT:
    case GUMBO_TAG_THEAD:
    case GUMBO_TAG_TR:
    case GUMBO_TAG_UL:
    case GUMBO_TAG_XMP:
      return Kind::kBlock;
    default:
      return Kind::kInline;
  }
}

bool is_block_left_out(GumboTag tag) {
  return tag == GUMBO_TAG_NAV || tag == GUMBO_TAG_FOOTER || tag == GUMBO_TAG_ASIDE;
}

// Walks a tree without recursion.
class Walk {
 public:
  explicit Walk(bool forms) : forms_(forms) {}

  std::string text(const GumboNode* root) {
    enter(root);
    while (!open_.empty()) {
      Open& top = open_.back();
      const GumboVector& children = top.node->v.element.children;
      if (top.next == children.length) {
        leave(top);
        open_.pop_back();
        continue;
      }
      enter(static_cast<const GumboNode*>(children.data[top.next++]));
    }
    return lines_.take();
  }

 private:
  struct Open {
    const GumboNode* node;
    unsigned next;
    Kind kind;
    bool pre;
    bool article;
  };

  void enter(const GumboNode* node) {
    const bool pre = !open_.empty() && open_.back().pre;
    const bool article = !open_.empty() && open_.back().article;
    if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE ||
        node->type == GUMBO_NODE_CDATA) {
      return lines_.text(node->v.text.text, pre);
    }
    if (node->type != GUMBO_NODE_ELEMENT) return;
    const GumboElement& element = node->v.element;
    const Kind kind = kind_of(element.tag);
    const bool skipped = kind == Kind::kSkip || (kind == Kind::kForm && !forms_) ||
                         (kind == Kind::kHeader && !article) ||
                         gumbo_get_attribute(&element.attributes, "hidden") != nullptr;
    const bool in_line = kind == Kind::kInline || kind == Kind::kBreak || kind == Kind::kSkip;
    if (skipped && in_line && !is_block_left_out(element.tag)) return;
    if (skipped) return lines_.block();
    if (kind == Kind::kBreak) {
      lines_.line_break();
    } else if (kind == Kind::kCell) {
      lines_.cell();
    } else if (kind != Kind::kInline) {
      lines_.block();
    }
    const GumboTag tag = element.tag;
    open_.push_back({node, 0, kind,
                     pre || tag == GUMBO_TAG_PRE || tag == GUMBO_TAG_LISTING ||
                         tag == GUMBO_TAG_XMP || tag == GUMBO_TAG_PLAINTEXT,
                     article || tag == GUMBO_TAG_ARTICLE || tag == GUMBO_TAG_MAIN});
  }

  void leave(const Open& open) {
    if (open.kind == Kind::kBlock || open.kind == Kind::kHeader || open.kind == Kind::kForm)
      lines_.block();
  }

  bool forms_;
  Lines lines_;
  std::vector<Open> open_;
};

}  // namespace

HtmlText::HtmlText() : arena_(std::make_unique<Arena>()) {}
HtmlText::~HtmlText() = default;

struct HtmlText::Page {
  const GumboNode* root;
};

HtmlText::Page HtmlText::parse(std::string_view html) {
  arena_->reset();
  GumboOptions options = kGumboDefaultOptions;
  options.allocator = [](void* arena, std::size_t bytes) {
    return static_cast<Arena*>(arena)->take(bytes);
  };
  options.deallocator = [](void*, void*) {};
  options.userdata = arena_.get();
  options.max_errors = 0;
  return {gumbo_parse_with_options(&options, html.data(), html.size())->root};
}

std::optional<std::string> HtmlText::extract(std::string_view html) {
  const std::optional<std::string> page = slim_html(html, kMaxHtmlDepth);
  if (!page) return std::nullopt;
  try {
    const GumboNode* const root = parse(*page).root;
    std::string text = Walk(false).text(root);
    if (text.empty()) text = Walk(true).text(root);
    return text;
  } catch (const TooMuch&) {
    return std::nullopt;
  }
}

}  // namespace lm::ingest
