// Sequences to a run: from shards, or from a stream of records.

#include <any>

#include "core/str.h"
#include "infill.h"
#include "io/held.h"
#include "train.h"

namespace lm::train_tool {

namespace {

train::DataState shard_state(const train::ShardSource& source) {
  train::DataState data;
  data.samples = source.position().samples;
  data.by_set = source.position().by_set;
  return data;
}

/// A document of the stream: its ids, and its bytes with the line end.
struct Document {
  std::vector<i32> ids;
  i64 bytes = 0;
};

/// Runs the stages. With a stop asked for, an input that gives no more, or that is cut because the
/// program before was stopped too, is as good a place to save as any.
void run_until_stop(cli::Tool& tool, train::Run& run, const std::vector<io::BatchStage>& stages) {
  try {
    tool.records_only().run(stages);
  } catch (const Error& e) {
    const bool input = e.kind() == ErrorKind::kData || e.kind() == ErrorKind::kTemporary;
    if (!input || !tool.ctx().stop->requested()) throw;
  }
  if (tool.ctx().stop->requested() && !run.finished()) run.stop();
}

}  // namespace

void feed_records(train::PackedSource& source, train::Run& run, i64 batch_size) {
  source.seek(run.data().samples);
  train::Examples batch;
  while (!run.finished()) {
    batch.clear();
    source.next(batch_size, batch);
    train::DataState data;
    data.samples = source.position();
    run.take(batch, data);
  }
}

void feed_shards(train::ShardSource& source, train::Run& run, i64 batch_size) {
  source.seek({run.data().samples, run.data().by_set});
  train::Examples batch;
  while (!run.finished()) {
    batch.clear();
    source.next(batch_size, batch);
    run.take(batch, shard_state(source));
  }
}

void feed_documents(const train::ShardSource& shards, const Setup& setup, train::Run& run) {
  train::DocumentSource::Options options;
  options.seq_len = setup.train.seq_len;
  options.seed = setup.train.seed;
  options.boundaries = setup.train.objective.doc_mask;
  if (setup.infilling)
    options.change = [&](i64 number, i64 epoch, std::vector<i32>& ids) {
      setup.infilling->change(number, epoch, ids);
    };
  train::DocumentSource source(shards.sets(), std::move(options));
  source.seek({run.data().documents, run.data().offset});
  train::Examples batch;
  while (!run.finished()) {
    batch.clear();
    source.next(setup.train.batch, batch);
    train::DataState data;
    data.documents = source.position().documents;
    data.offset = source.position().offset;
    run.take(batch, data);
  }
}

// Training happens in the serial stage of the record pipeline: the next batches are read and parsed
// meanwhile.
void feed_stream(cli::Tool& tool, const Setup& setup, train::Run& run) {
  const i64 vocab = setup.cfg.vocab;
  const i64 batch_size = setup.train.batch;
  train::StreamPacker packer(setup.train.seq_len, setup.train.objective.doc_mask,
                             {run.data().documents, run.data().offset});
  using Documents = std::vector<Document>;
  struct Reader {
    io::JsonReader json;
    std::unique_ptr<text::EncodeState> state;
  };
  io::WorkerPool<Reader> readers([&] {
    return std::make_unique<Reader>(
        Reader{io::JsonReader(std::vector<std::string>{tool.options().text("ids-field"), "id"}),
               setup.infilling ? setup.infilling->new_state() : nullptr});
  });
  io::InputStream& input = tool.input();
  io::RecordRun& records = tool.records_only();
  i64 bytes = 0;
  i64 tokens = 0;
  const auto parse = [&](io::Batch& batch) {
    Documents documents;
    readers.with([&](Reader& reader) {
      records.each_record(batch, reader.json, [&](io::Record& record) -> std::optional<Fault> {
        Document document{.ids = {}, .bytes = isize(record.line) + 1};
        if (std::optional<Fault> fault = record.json.integers(0, vocab, document.ids)) return fault;
        if (setup.infilling) {
          const Result<std::string> id = io::record_id(record.json, 1, record.ordinal);
          if (!id) return id.fault();
          if (std::optional<Fault> fault =
                  setup.infilling->infiller().apply(*id, 0, *reader.state, document.ids))
            return fault;
        }
        documents.push_back(std::move(document));
        return std::nullopt;
      });
    });
    batch.user = std::move(documents);
  };
  const auto train = [&](io::Batch& batch) {
    if (run.finished() || input.behind_stop(batch)) return;
    train::Examples sequences;
    for (const Document& document : std::any_cast<const Documents&>(batch.user)) {
      packer.push(document.ids);
      bytes += document.bytes;
      tokens += isize(document.ids);
      while (packer.ready() >= batch_size && !run.finished()) {
        sequences.clear();
        packer.take(batch_size, sequences);
        for (i64 i = 0; i < batch_size; ++i)
          sequences[usize(i)].number = run.step() * batch_size + i;
        train::DataState data;
        data.documents = packer.position().documents;
        data.offset = packer.position().offset;
        data.bytes = bytes;
        run.take(sequences, data);
      }
      if (run.finished()) return input.stop(batch);
    }
  };
  if (run.finished()) return;
  run_until_stop(tool, run, {{StageMode::kParallel, parse}, {StageMode::kSerial, train}});
  if (run.step() == 0)
    throw Error(ErrorKind::kData,
                cat("the stream holds ", tokens, " tokens, expected at least ",
                    batch_size * setup.train.seq_len + 1, " (", batch_size, " sequences of ",
                    setup.train.seq_len, " and the last target)"));
}

}  // namespace lm::train_tool
