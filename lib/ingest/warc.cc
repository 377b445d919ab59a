#include "ingest/warc.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "core/str.h"
#include "ingest/charset.h"
#include "ingest/html_text.h"
#include "ingest/http.h"
#include "ingest/warc_reader.h"
#include "io/json.h"
#include "io/run.h"

namespace lm::ingest {

namespace {

constexpr i64 kGroupBytes = i64{4} << 20;  // of blocks that are converted together
constexpr i64 kGroupRecords = 1000;

// One record that may be a document, and what became of it.
struct Job {
  WarcReader::Record record;
  std::string filename;
  std::string block;
  bool http = false;
  // Set by make_document.
  std::string line;
  const char* reason = nullptr;  // it was left out
  bool repaired = false;
};

struct Worker {
  CharsetDecoder charsets;
  HtmlText html;
};

std::string_view without_angles(std::string_view text) {
  if (text.starts_with('<') && text.ends_with('>') && text.size() > 1)
    return text.substr(1, text.size() - 2);
  return text;
}

bool looks_like_html(std::string_view content) {
  const std::string start = ascii_lower(trim(content.substr(0, 512)));
  return start.starts_with("<!doctype html") || start.starts_with("<html");
}

void write_document(Job& job, std::string_view text, std::string_view content_type,
                    const DocumentOptions& options) {
  const HeadFields& head = job.record.fields;
  std::string_view id = head.get("warc-payload-digest");
  if (id.empty()) id = without_angles(head.get("warc-record-id"));
  const std::string place = cat(job.filename, ":", job.record.offset);
  if (id.empty()) id = place;
  begin_document(job.line, id, text, options.source);
  job.line += ",\"metadata\":{";
  const auto field = [&](std::string_view key, std::string_view value) {
    if (value.empty()) return;
    append(job.line, "\"", key, "\":");
    io::append_json_string(job.line, is_utf8(value) ? std::string(value) : repair_utf8(value));
    job.line.push_back(',');
  };
  field("url", without_angles(head.get("warc-target-uri")));
  field("warc_date", head.get("warc-date"));
  field("content_type", content_type);
  field("warc_filename", job.filename);
  append(job.line, "\"offset\":", job.record.offset, "}}\n");
}

// Text of a page or of plain text; null with job.reason set.
std::optional<std::string> content_text(Job& job, std::string_view content,
                                        const std::pair<std::string, std::string>& type,
                                        Worker& worker) {
  const bool page = type.first == "text/html" || type.first == "application/xhtml+xml" ||
                    (type.first.empty() && looks_like_html(content));
  if (!page && type.first != "text/plain") {
    job.reason = "content_type";
    return std::nullopt;
  }
  std::vector<std::string> labels = {type.second};
  if (page) labels.push_back(meta_charset(content));
  CharsetDecoder::Decoded decoded = worker.charsets.decode(content, labels);
  job.repaired = decoded.repaired;
  if (!page) return std::move(decoded.text);
  std::optional<std::string> text = worker.html.extract(decoded.text);
  if (!text) job.reason = "html";
  return text;
}

void make_document(Job& job, const DocumentOptions& options, Worker& worker) {
  std::string_view content = job.block;
  std::pair<std::string, std::string> type =
      parse_content_type(job.record.fields.get("content-type"));
  std::optional<std::string> unpacked;
  if (job.http) {
    const std::optional<HttpResponse> response = parse_http(job.block);
    if (!response || response->status != 200) {
      job.reason = response ? "status" : "http";
      return;
    }
    type = parse_content_type(response->fields.get("content-type"));
    unpacked = http_content(*response, options.max_record_bytes);
    if (!unpacked) {
      job.reason = "packed";
      return;
    }
    content = *unpacked;
  }
  const std::optional<std::string> text = content_text(job, content, type, worker);
  if (!text) return;
  if (trim(*text).empty()) {
    job.reason = "no_text";
    return;
  }
  write_document(job, *text, type.first, options);
}

class WarcConverter final : public io::Converter {
 public:
  WarcConverter(std::unique_ptr<io::ByteSource> bytes, const WarcOptions& options)
      : bytes_(std::move(bytes)),
        options_(options),
        reader_(*bytes_),
        workers_([] { return std::make_unique<Worker>(); }) {
    const std::string& name = bytes_->name();
    filename_ = name.substr(name.rfind('/') + 1);  // npos + 1 is 0
  }

  i64 bytes_read() const override { return bytes_->bytes_read(); }

  bool next(std::string& out) override {
    const std::size_t before = out.size();
    while (!ended_ && out.size() == before) {
      std::vector<Job> jobs;
      std::optional<Error> error;
      try {
        ended_ = !read_group(jobs);
      } catch (const Error& e) {  // goes behind the documents before it
        error = e;
      }
      convert(jobs, out);
      if (error) throw Error(*error);
    }
    return out.size() > before;
  }

 private:
  // False at the end of the input.
  bool read_group(std::vector<Job>& jobs) {
    for (i64 bytes = 0; bytes < kGroupBytes && isize(jobs) < kGroupRecords;) {
      if (bytes_->drained() && !jobs.empty()) return true;  // rather than wait for a pipe
      Job job;
      if (!reader_.next(job.record)) return false;
      const char* const reason = judge(job);
      if (reason != nullptr) {
        reader_.skip(job.record);
        options_.document.counts->leave(reason);
        continue;
      }
      job.filename = filename_;
      reader_.block(job.record, job.block);
      bytes += isize(job.block);
      jobs.push_back(std::move(job));
    }
    return true;
  }

  // Why the record is left out without a look at its block, or null.
  const char* judge(Job& job) {
    const HeadFields& head = job.record.fields;
    const std::string type = ascii_lower(head.get("warc-type"));
    if (type == "warcinfo" && !head.get("warc-filename").empty())
      filename_ = head.get("warc-filename");
    const bool wanted =
        type == "conversion" || (options_.responses && (type == "response" || type == "resource"));
    if (!wanted) {
      for (const char* const known :
           {"warcinfo", "request", "response", "resource", "metadata", "revisit", "continuation"})
        if (type == known) return known;
      return "other_type";
    }
    if (!head.get("warc-segment-number").empty()) return "segment";
    if (job.record.length > options_.document.max_record_bytes) return "too_long";
    const std::string content = parse_content_type(head.get("content-type")).first;
    job.http =
        content == "application/http" ||
        (type == "response" && without_angles(head.get("warc-target-uri")).starts_with("http"));
    if (type == "response" && !job.http) return "content_type";
    return nullptr;
  }

  void convert(std::vector<Job>& jobs, std::string& out) {
    parallel_for(isize(jobs), 1, [&](i64 begin, i64 end) {
      workers_.with([&](Worker& worker) {
        for (i64 i = begin; i < end; ++i)
          make_document(jobs[usize(i)], options_.document, worker);
      });
    });
    Counts& counts = *options_.document.counts;
    for (const Job& job : jobs) {
      if (job.reason != nullptr) {
        counts.leave(job.reason);
        continue;
      }
      ++counts.read;
      ++counts.kept;
      counts.repaired += job.repaired;
      out += job.line;
    }
  }

  std::unique_ptr<io::ByteSource> bytes_;
  WarcOptions options_;
  WarcReader reader_;
  io::WorkerPool<Worker> workers_;
  std::string filename_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<io::Converter> convert_warc(std::unique_ptr<io::ByteSource> bytes,
                                            const WarcOptions& options) {
  return std::make_unique<WarcConverter>(std::move(bytes), options);
}

std::unique_ptr<io::Converter> convert_warc(const std::string& file, const WarcOptions& options,
                                            const Context& ctx) {
  return convert_warc(io::open_bytes(file, ctx), options);
}

}  // namespace lm::ingest
