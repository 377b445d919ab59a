#include "mix/sidecar.h"

#include "core/error.h"
#include "core/str.h"

namespace lm::mix {

namespace {

constexpr std::string_view kFolder = "documents/";

/// Where what follows the last "documents" folder of the path begins; npos without one.
std::size_t behind_documents(std::string_view path) {
  for (std::size_t at = path.rfind(kFolder); at != std::string_view::npos;
       at = path.rfind(kFolder, at - 1)) {
    if (at == 0 || path[at - 1] == '/') return at + kFolder.size();
  }
  return std::string_view::npos;
}

}  // namespace

std::string sidecar_path(std::string_view folder, std::string_view documents) {
  if (documents == "-")
    throw Error(ErrorKind::kUsage,
                cat(folder, ": standard input has no name to find its attributes by"),
                "name the files of documents");
  const std::size_t at = behind_documents(documents);
  const std::string_view rest =
      documents.substr(at != std::string_view::npos ? at : documents.rfind('/') + 1);
  return cat(folder, folder.ends_with('/') ? "" : "/", rest);
}

std::string named_sidecar_path(std::string_view name, std::string_view documents) {
  const std::size_t at = behind_documents(documents);
  if (at == std::string_view::npos)
    throw Error(ErrorKind::kUsage,
                cat(documents,
                    ": lies in no folder \"documents\", beside which "
                    "attributes ",
                    quote(name), " would be"),
                "a path with / at its beginning, or ./, names a folder of attributes itself");
  return cat(documents.substr(0, at - kFolder.size()), "attributes/", name, "/",
             documents.substr(at));
}

/// Lines of one file that are no blank ones.
class SidecarRows::Reader {
 public:
  Reader(const std::string& path, i64 max_record_bytes, const Context& ctx)
      : in_(options(path, max_record_bytes), ctx) {}

  /// False at the end of the file.
  bool next(std::string_view& line, i64& number) {
    while (true) {
      while (at_ < lines_.size()) {
        const std::size_t lf = lines_.find('\n', at_);
        line = lines_.substr(at_, lf - at_);
        at_ = lf + 1;
        number = ++number_;
        if (number == 1 && line.starts_with(io::kByteOrderMark))
          line.remove_prefix(io::kByteOrderMark.size());
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
        batch_->in.add_line(line);
        return true;
      }
      if (batch_) in_.account(*batch_);
      batch_ = in_.next();
      if (!batch_) return false;
      in_.decode(*batch_);
      if (!batch_->error) in_.stitch(*batch_);
      if (batch_->error) in_.account(*batch_);  // throws it
      lines_ = batch_->lines();
      at_ = 0;
    }
  }

 private:
  static io::InputOptions options(const std::string& path, i64 max_record_bytes) {
    io::InputOptions out;
    out.files = {path};
    out.max_record_bytes = max_record_bytes;
    return out;
  }

  io::InputStream in_;
  std::unique_ptr<io::Batch> batch_;
  std::string_view lines_;
  std::size_t at_ = 0;
  i64 number_ = 0;
};

SidecarRows::SidecarRows(std::vector<std::string> paths, std::vector<std::string> documents,
                         i64 max_record_bytes, const Context& ctx)
    : ctx_(&ctx),
      max_record_bytes_(max_record_bytes),
      documents_(std::move(documents)),
      paths_(std::move(paths)) {
  for (const std::string& path : paths_)
    io::open_input(path);
}

SidecarRows::~SidecarRows() = default;

void SidecarRows::open(i64 input) {
  while (at_ < input) {
    end(at_);
    reader_ = std::make_unique<Reader>(paths_[usize(++at_)], max_record_bytes_, *ctx_);
  }
}

void SidecarRows::take(i64 input, i64 count, std::vector<std::string>& rows,
                       std::vector<i64>& lines) {
  open(input);
  std::string_view row;
  i64 number = 0;
  for (i64 i = 0; i < count; ++i) {
    if (!reader_->next(row, number))
      throw Error(ErrorKind::kData,
                  cat(paths_[usize(input)], ": ends before ", documents_[usize(input)],
                      ", whose further documents have no row"),
                  "attributes are made anew when documents change");
    rows.emplace_back(row);
    lines.push_back(number);
  }
}

void SidecarRows::end(i64 input) {
  if (input < 0 || ended_ >= input) return;
  open(input);
  ended_ = input;
  std::string_view row;
  i64 number = 0;
  if (reader_->next(row, number))
    throw Error(ErrorKind::kData,
                cat(paths_[usize(input)], ":", number,
                    ": a row without a document: ", documents_[usize(input)], " has no more"),
                "attributes are made anew when documents change");
}

}  // namespace lm::mix
