#include "text/shards.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include <zlib.h>

#include "catch.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"
#include "core/str.h"
#include "io/atomic_file.h"
#include "io/file.h"
#include "text/shard_set.h"

namespace lm::text {
namespace {

using Document = std::vector<i32>;
using Catch::Matchers::ContainsSubstring;

TokenizerIdentity identity(i64 vocab) {
  return {"toy", std::string(64, 'a'), vocab, 1, 2, std::nullopt};
}

ShardOptions options_for(ShardLayout layout) {
  ShardOptions options;
  options.layout = layout;
  options.output.sync = false;
  return options;
}

ShardTotals write_all(const std::string& prefix, const std::vector<Document>& documents, i64 vocab,
                      const ShardOptions& options) {
  ShardWriter writer(prefix, identity(vocab), options);
  i64 line = 0;
  for (const Document& document : documents) {
    const std::string id = cat("doc,", line);
    writer.add(document, {id, "a \"b\".jsonl", ++line});
  }
  return writer.commit();
}

std::string bytes_of(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values)
    out.push_back(static_cast<char>(value));
  return out;
}

std::string zeros(int count) {
  return std::string(static_cast<std::size_t>(count), '\0');
}

// The obvious reader of little-endian integers, for the byte layouts below.
u64 le(const std::string& bytes, i64 at, int width) {
  u64 value = 0;
  for (int i = width; i-- > 0;)
    value = value << 8 | static_cast<u8>(bytes.at(usize(at + i)));
  return value;
}

std::string gunzip_file(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  std::string out(100000, '\0');
  const int got = gzread(file, out.data(), 100000);
  gzclose(file);
  REQUIRE(got >= 0);
  out.resize(static_cast<std::size_t>(got));
  return out;
}

std::vector<Document> random_documents(u64 seed, i64 count, i64 longest, u64 vocab) {
  const RandomStream draws(seed, RandomPurpose::kOther);
  u64 next = 0;
  std::vector<Document> documents;
  for (i64 d = 0; d < count; ++d) {
    Document document(draws.below(next++, static_cast<u64>(longest) + 1));
    for (i32& id : document)
      id = static_cast<i32>(3 + draws.below(next++, vocab - 3));
    documents.push_back(document);
  }
  return documents;
}

std::vector<std::string> files_in(const test::TempDir& dir) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.message();
  }
  return "no error";
}

constexpr ShardLayout kAll[] = {ShardLayout::kLm, ShardLayout::kDolma, ShardLayout::kMegatron,
                                ShardLayout::kNpy, ShardLayout::kDatatrove};

}  // namespace

TEST_CASE("lm shards have exactly the bytes of their description", "[text]") {
  const test::TempDir dir;
  ShardOptions options = options_for(ShardLayout::kLm);
  options.add_eos = true;
  write_all(dir.file("p"), {{5, 258}, {}, {7, 2}}, 300, options);
  CHECK(files_in(dir) == std::vector<std::string>{"p-00000.bin", "p-00000.idx", "p.json"});
  // 5 258 2(added) 7 2(already there)
  const std::string bin = bytes_of({5, 0, 2, 1, 2, 0, 7, 0, 2, 0});
  CHECK(io::read_file(dir.file("p-00000.bin")) == bin);
  CHECK(io::read_file(dir.file("p-00000.idx")) ==
        "LMTIDX1" + bytes_of({0, 2, 0, 0, 0, 2, 0, 0, 0}) + bytes_of({2}) + zeros(7) +
            bytes_of({5}) + zeros(7) + bytes_of({3}) + zeros(7) + bytes_of({5}) + zeros(7));
  const std::string manifest = io::read_file(dir.file("p.json"));
  CHECK_THAT(manifest, ContainsSubstring("\"dtype\": \"u16\""));
  CHECK_THAT(manifest, ContainsSubstring(hex64(xxh64(bin))));
  CHECK_THAT(manifest, ContainsSubstring("\"empty_documents_skipped\": 1"));
}

TEST_CASE("dolma shards are raw tokens and a table of token ranges", "[text]") {
  const test::TempDir dir;
  write_all(dir.file("p"), {{5, 6}, {7}}, 70000, options_for(ShardLayout::kDolma));
  CHECK(io::read_file(dir.file("p-00000.npy")) == bytes_of({5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0}));
  CHECK(gunzip_file(dir.file("p-00000.csv.gz")) ==
        "0,2,\"doc,0\",\"a \"\"b\"\".jsonl\",1\n2,3,\"doc,1\",\"a \"\"b\"\".jsonl\",2\n");
  const std::string packed = io::read_file(dir.file("p-00000.csv.gz"));
  CHECK(le(packed, 4, 4) == 0);  // the gzip time field: no clock in the output
}

TEST_CASE("megatron shards have lengths, byte offsets and document numbers", "[text]") {
  const test::TempDir dir;
  write_all(dir.file("p"), {{5, 6}, {7}}, 300, options_for(ShardLayout::kMegatron));
  CHECK(io::read_file(dir.file("p-00000.bin")) == bytes_of({5, 0, 6, 0, 7, 0}));
  const std::string index = io::read_file(dir.file("p-00000.idx"));
  CHECK(index == "MMIDIDX" + zeros(2) + bytes_of({1}) + zeros(7) + bytes_of({8, 2}) + zeros(7) +
                     bytes_of({3}) + zeros(7) + bytes_of({2, 0, 0, 0, 1, 0, 0, 0}) + zeros(8) +
                     bytes_of({4}) + zeros(7) + zeros(8) + bytes_of({1}) + zeros(7) +
                     bytes_of({2}) + zeros(7));
  // 65,500 is where this format's own rule leaves u16; the wide type is i32, code 4.
  write_all(dir.file("q"), {{5}}, 65499, options_for(ShardLayout::kMegatron));
  write_all(dir.file("r"), {{5}}, 65500, options_for(ShardLayout::kMegatron));
  CHECK(le(io::read_file(dir.file("q-00000.idx")), 17, 1) == 8);
  CHECK(le(io::read_file(dir.file("r-00000.idx")), 17, 1) == 4);
  CHECK(io::read_file(dir.file("r-00000.bin")).size() == 4);
}

TEST_CASE("npy shards carry a NumPy header with the final shape", "[text]") {
  const test::TempDir dir;
  write_all(dir.file("p"), {{5, 6}, {7}}, 300, options_for(ShardLayout::kNpy));
  const std::string file = io::read_file(dir.file("p-00000.npy"));
  REQUIRE(file.size() == 128 + 6);
  CHECK(file.substr(0, 10) == "\x93NUMPY" + bytes_of({1, 0, 118, 0}));
  CHECK_THAT(file,
             ContainsSubstring("{'descr': '<u2', 'fortran_order': False, 'shape': (3,), }  "));
  CHECK(file[127] == '\n');
  CHECK(file.substr(128) == bytes_of({5, 0, 6, 0, 7, 0}));
}

TEST_CASE("datatrove shards have cumulative ends and a three-line description", "[text]") {
  const test::TempDir dir;
  write_all(dir.file("p"), {{5, 6}, {7}}, 300, options_for(ShardLayout::kDatatrove));
  CHECK(io::read_file(dir.file("p-00000.ds")) == bytes_of({5, 0, 6, 0, 7, 0}));
  CHECK(io::read_file(dir.file("p-00000.ds.index")) ==
        bytes_of({2}) + zeros(7) + bytes_of({3}) + zeros(7));
  CHECK(io::read_file(dir.file("p-00000.ds.metadata")) == "toy|2\n3\n3.00 T");
  write_all(dir.file("q"), {Document(12345, 9)}, 300, options_for(ShardLayout::kDatatrove));
  CHECK(io::read_file(dir.file("q-00000.ds.metadata")) == "toy|2\n12345\n12.3 kT");
}

TEST_CASE("the element type changes between vocabularies of 65536 and 65537", "[text]") {
  const test::TempDir dir;
  ShardOptions options = options_for(ShardLayout::kLm);
  write_all(dir.file("a"), {{65535}}, 65536, options);
  write_all(dir.file("b"), {{65536}}, 65537, options);
  CHECK(io::read_file(dir.file("a-00000.bin")) == bytes_of({255, 255}));
  CHECK(io::read_file(dir.file("b-00000.bin")) == bytes_of({0, 0, 1, 0}));
  options.dtype = TokenDtype::kU32;
  write_all(dir.file("c"), {{65535}}, 65536, options);
  CHECK(io::read_file(dir.file("c-00000.bin")) == bytes_of({255, 255, 0, 0}));

  const test::TempDir empty;
  options.dtype = TokenDtype::kU16;
  CHECK_NOTHROW(ShardWriter(empty.file("d"), identity(65536), options));
  CHECK_THAT(message_of([&] { ShardWriter(empty.file("d"), identity(65537), options); }),
             ContainsSubstring("needs u32"));
  CHECK(files_in(empty).empty());
}

TEST_CASE("BOS and EOS are added once and only where they are missing", "[text]") {
  const test::TempDir dir;
  ShardOptions options = options_for(ShardLayout::kLm);
  options.add_bos = true;
  options.add_eos = true;
  write_all(dir.file("p"), {{9}, {1, 9}, {9, 2}, {1, 9, 2}, {1}, {2}}, 300, options);
  const ShardSet set(dir.file("p"));
  std::vector<i32> all(static_cast<std::size_t>(set.tokens()));
  set.read(0, all);
  CHECK(all == std::vector<i32>{1, 9, 2, 1, 9, 2, 1, 9, 2, 1, 9, 2, 1, 2, 1, 2});
  CHECK_NOTHROW(set.verify());

  TokenizerIdentity without = identity(300);
  without.bos.reset();
  CHECK_THROWS_AS(ShardWriter(dir.file("q"), without, options), Error);
}

TEST_CASE("documents never span files and an oversize one is alone", "[text]") {
  const test::TempDir dir;
  ShardOptions options = options_for(ShardLayout::kLm);
  options.shard_tokens = 4;
  // 3 | 2 2 | 9 (oversize) | 1 3 | 2: a file closes before it would exceed 4 tokens
  const ShardTotals totals =
      write_all(dir.file("p"),
                {Document(3, 5), Document(2, 5), Document(2, 5), Document(9, 5), Document(1, 5),
                 Document(3, 5), Document(2, 5)},
                300, options);
  CHECK(totals.shards == 5);
  CHECK(totals.oversize_documents == 1);
  CHECK(totals.tokens == 22);
  CHECK(totals.bytes == 44);
  const i64 sizes[] = {6, 8, 18, 8, 4};
  for (i64 i = 0; i < 5; ++i) {
    CHECK(std::filesystem::file_size(dir.file(cat("p-0000", i, ".bin"))) ==
          static_cast<u64>(sizes[i]));
  }
}

TEST_CASE("every layout reads back what was written, for random documents", "[text]") {
  for (const ShardLayout layout : kAll) {
    for (const u64 vocab : {300, 70000}) {
      const test::TempDir dir;
      const std::vector<Document> documents = random_documents(vocab, 200, 30, vocab);
      ShardOptions options = options_for(layout);
      options.shard_tokens = 500;
      options.keep_empty = vocab == 300;
      const ShardTotals totals =
          write_all(dir.file("p"), documents, static_cast<i64>(vocab), options);
      CHECK(totals.shards > 4);
      const ShardSet set(dir.file("p.json"));
      CHECK_NOTHROW(set.verify());
      CHECK(set.layout() == layout);
      CHECK(set.shards() == totals.shards);
      CHECK(set.tokens() == totals.tokens);
      CHECK(set.tokenizer().vocab_size == static_cast<i64>(vocab));
      CHECK(set.tokenizer().eos == 2);
      CHECK_FALSE(set.tokenizer().pad);
      i64 d = 0;
      i64 token = 0;
      for (const Document& document : documents) {
        if (document.empty() && !options.keep_empty) continue;
        const auto [begin, end] = set.document(d);
        CHECK(begin == token);
        REQUIRE(end - begin == isize(document));
        Document read(document.size());
        set.read(begin, read);
        CHECK(read == document);
        for (i64 at = begin; at < end; at += 7)
          CHECK(set.document_of(at) == d);
        token = end;
        ++d;
      }
      CHECK(d == set.documents());
      i64 sum_of_lengths = 0;
      for (const i64 length : set.document_lengths())
        sum_of_lengths += length;
      CHECK(isize(set.document_lengths()) == d);
      CHECK(sum_of_lengths == set.tokens());
      std::vector<i32> all(static_cast<std::size_t>(set.tokens()));  // across shard borders
      set.read(0, all);
      i64 sum = 0;
      for (const i32 id : all)
        sum += id;
      i64 expected = 0;
      for (const Document& document : documents) {
        for (const i32 id : document)
          expected += id;
      }
      CHECK(sum == expected);
      CHECK_THROWS_AS(set.read(set.tokens(), std::span<i32>(all).first(1)), Error);
      CHECK_THROWS_AS(set.document(set.documents()), Error);
    }
  }
}

TEST_CASE("the same documents give the same bytes in every file", "[text]") {
  const std::vector<Document> documents = random_documents(9, 100, 20, 300);
  for (const ShardLayout layout : kAll) {
    ShardOptions options = options_for(layout);
    options.shard_tokens = 300;
    const test::TempDir a, b;
    write_all(a.file("p"), documents, 300, options);
    write_all(b.file("p"), documents, 300, options);
    REQUIRE(files_in(a) == files_in(b));
    for (const std::string& name : files_in(a)) {
      CHECK(io::read_file(a.file(name)) == io::read_file(b.file(name)));
    }
  }
}

TEST_CASE("a writer without commit leaves nothing and keeps an older set", "[text]") {
  const test::TempDir dir;
  const ShardOptions options = options_for(ShardLayout::kMegatron);
  write_all(dir.file("p"), {{5, 6}}, 300, options);
  const std::vector<std::string> before = files_in(dir);
  {
    ShardWriter writer(dir.file("p"), identity(300), options);
    writer.add(Document(1000, 7));
    CHECK_THROWS_AS(writer.add(Document{300}), Error);
    CHECK(files_in(dir).size() > before.size());
  }
  CHECK(files_in(dir) == before);
  CHECK(ShardSet(dir.file("p")).tokens() == 2);
  write_all(dir.file("p"), {{5, 6, 7}}, 300, options);
  CHECK(files_in(dir) == before);
  CHECK(ShardSet(dir.file("p")).tokens() == 3);
}

TEST_CASE("files that only an older set has go with its manifest", "[text]") {
  for (const ShardLayout older : {ShardLayout::kLm, ShardLayout::kDolma, ShardLayout::kMegatron,
                                  ShardLayout::kNpy, ShardLayout::kDatatrove}) {
    for (const ShardLayout newer : {ShardLayout::kLm, ShardLayout::kDatatrove}) {
      const test::TempDir dir;
      const std::string prefix = dir.file("s");
      ShardOptions options = options_for(older);
      options.shard_tokens = 2;
      write_all(prefix, {{3, 4}, {5, 6}, {7, 8}}, 100, options);
      // Not of the set: what somebody else put beside it, whatever its name.
      for (const char* name : {"s-00007.bin", "s-notes.txt", "t-00000.bin"})
        io::write_file(dir.file(name), "kept");
      write_all(prefix, {{9, 10}}, 100, options_for(newer));
      std::vector<std::string> want = {"s-00007.bin", "s-notes.txt", "s.json", "t-00000.bin"};
      if (newer == ShardLayout::kLm)
        want.insert(want.end(), {"s-00000.bin", "s-00000.idx"});
      else
        want.insert(want.end(), {"s-00000.ds", "s-00000.ds.index", "s-00000.ds.metadata"});
      std::sort(want.begin(), want.end());
      CHECK(files_in(dir) == want);
      CHECK(ShardSet(prefix + ".json").document_lengths() == std::vector<i64>{2});
    }
  }
}

TEST_CASE("a manifest cannot name files elsewhere, and no other file is taken for one", "[text]") {
  const test::TempDir dir;
  std::filesystem::create_directory(dir.file("sub"));
  const std::string prefix = dir.file("sub/s");
  for (const char* name : {"s-00001.bin", "sub/s-00001.bin"})
    io::write_file(dir.file(name), "kept");
  io::write_file(prefix + ".json",
                 "{\n \"format\": \"lm-token-shards\", \"shards\": [{\"file\": \"../s-00001.bin\","
                 " \"index\": 7}, 5, {\"file\": \"s-00001.bin\"}]}");
  write_all(prefix, {{9, 10}}, 100, options_for(ShardLayout::kLm));
  CHECK(io::path_exists(dir.file("s-00001.bin")));
  CHECK_FALSE(io::path_exists(prefix + "-00001.bin"));

  for (const char* other : {"{}", "{\"format\":\"x\"}", "notes"}) {
    io::write_file(prefix + ".json", other);
    CHECK_THROWS_AS(write_all(prefix, {{1}}, 100, options_for(ShardLayout::kLm)), Error);
    CHECK(io::read_file(prefix + ".json") == other);
  }
  // What a run that wrote in place left when it was killed.
  for (const char* cut : {"", "{\n \"format\": \"lm-token-shards\",\n \"vers"}) {
    io::write_file(prefix + ".json", cut);
    CHECK(write_all(prefix, {{1}}, 100, options_for(ShardLayout::kLm)).documents == 1);
  }
}

TEST_CASE("a failure among the renames leaves no manifest", "[text]") {
  const test::TempDir dir;
  ShardOptions options = options_for(ShardLayout::kLm);
  options.shard_tokens = 2;
  write_all(dir.file("p"), {{5, 6}}, 300, options);
  {
    ShardWriter writer(dir.file("p"), identity(300), options);
    for (i32 id = 3; id < 9; ++id)
      writer.add(Document{id, id});
    std::filesystem::create_directories(dir.file("p-00001.bin/in the way"));
    CHECK_THROWS_AS(writer.commit(), Error);
  }
  // The older manifest went before the first rename, so it cannot describe the new first shard.
  CHECK(files_in(dir) == std::vector<std::string>{"p-00000.bin", "p-00000.idx", "p-00001.bin"});
  CHECK_THROWS_AS(ShardSet(dir.file("p")), Error);
}

TEST_CASE("ids outside the vocabulary are refused with their place", "[text]") {
  const test::TempDir dir;
  ShardWriter writer(dir.file("p"), identity(300), options_for(ShardLayout::kLm));
  writer.add(Document{1});
  CHECK_THAT(message_of([&] {
               writer.add(Document{5, -1});
             }),
             ContainsSubstring("token id -1 at position 1 of document 1"));
  CHECK_THAT(message_of([&] { writer.add(Document{300}); }),
             ContainsSubstring("vocabulary of 300"));
}

TEST_CASE("a set without tokens is a manifest without shards", "[text]") {
  const test::TempDir dir;
  const ShardTotals totals =
      write_all(dir.file("p"), {{}, {}}, 300, options_for(ShardLayout::kNpy));
  CHECK(totals.shards == 0);
  CHECK(totals.empty_documents == 2);
  CHECK(files_in(dir) == std::vector<std::string>{"p.json"});
  const ShardSet set(dir.file("p"));
  CHECK(set.tokens() == 0);
  CHECK_NOTHROW(set.read(0, {}));
  CHECK_THROWS_AS(set.document_of(0), Error);
}

TEST_CASE("every corruption of a set is found and names the file", "[text]") {
  const auto damage = [](ShardLayout layout, const std::string& name,
                         const std::function<void(std::string&)>& change) {
    const test::TempDir dir;
    ShardOptions options = options_for(layout);
    options.add_eos = true;
    write_all(dir.file("p"), {{5, 6}, {7, 8, 9}}, 300, options);
    std::string bytes = io::read_file(dir.file(name));
    change(bytes);
    io::write_file(dir.file(name), bytes);
    const std::string message = message_of([&] { ShardSet(dir.file("p")).verify(); });
    CHECK_THAT(message, ContainsSubstring(name));
    return message;
  };
  const auto cut = [](std::string& bytes) { bytes.pop_back(); };
  const auto grow = [](std::string& bytes) { bytes.push_back('x'); };
  for (const ShardLayout layout : kAll) {
    const std::string token_file = layout == ShardLayout::kDatatrove ? "p-00000.ds"
                                   : layout == ShardLayout::kDolma || layout == ShardLayout::kNpy
                                       ? "p-00000.npy"
                                       : "p-00000.bin";
    const std::string index_file = layout == ShardLayout::kDatatrove ? "p-00000.ds.index"
                                   : layout == ShardLayout::kDolma   ? "p-00000.csv.gz"
                                                                     : "p-00000.idx";
    for (const std::string& name : {token_file, index_file}) {
      damage(layout, name, cut);
      damage(layout, name, grow);
    }
    CHECK_THAT(damage(layout, token_file, [](std::string& b) { b[b.size() - 3] ^= 1; }),
               ContainsSubstring("xxh64"));
    damage(layout, index_file, [](std::string& b) { b[b.size() - 8] ^= 1; });
  }
  CHECK_THAT(damage(ShardLayout::kLm, "p-00000.idx", [](std::string& b) { b[0] = 'X'; }),
             ContainsSubstring("LMTIDX1"));
  CHECK_THAT(damage(ShardLayout::kNpy, "p-00000.npy", [](std::string& b) { b[20] = 'X'; }),
             ContainsSubstring("NumPy header"));
  CHECK_THAT(damage(ShardLayout::kLm, "p.json", [](std::string& b) { b[0] = '['; }),
             ContainsSubstring("JSON"));
  const auto edit = [&](const std::string& from, const std::string& to) {
    return damage(ShardLayout::kLm, "p.json", [&](std::string& bytes) {
      const std::size_t at = bytes.find(from);
      REQUIRE(at != std::string::npos);
      bytes.replace(at, from.size(), to);
    });
  };
  CHECK_THAT(edit("\"p-00000.bin\"", "\"../p-00000.bin\""), ContainsSubstring("plain file name"));
  CHECK_THAT(edit("\"u16\"", "\"u8\""), ContainsSubstring("u16 or u32"));
  CHECK_THAT(edit("\"layout\": \"lm\"", "\"layout\": \"ml\""),
             ContainsSubstring("no shard format"));
  CHECK_THAT(edit("\"tokens\": 7", "\"tokens\": 8"), ContainsSubstring("totals"));
  CHECK_THAT(edit("\"tokens\": 7", "\"tokens\": -7"), ContainsSubstring("expected 0 to"));
  CHECK_THAT(edit("\"shards\"", "\"sharks\""), ContainsSubstring("no field"));
}

TEST_CASE("ids beyond the vocabulary and a missing EOS are found when read", "[text]") {
  const test::TempDir dir;
  write_all(dir.file("p"), {{5, 6}, {7, 8}}, 300, options_for(ShardLayout::kLm));
  std::string bytes = io::read_file(dir.file("p-00000.bin"));
  bytes[5] = 2;  // the third token becomes 7 + 512
  io::write_file(dir.file("p-00000.bin"), bytes);
  const ShardSet set(dir.file("p"));  // ids are checked when read, not at the start
  std::vector<i32> two(2);
  CHECK_NOTHROW(set.read(0, two));
  CHECK_THAT(message_of([&] { set.read(1, two); }),
             ContainsSubstring("token 2 is id 519, expected less than 300"));
  CHECK_THROWS_AS(ShardSet(dir.file("absent")), Error);
}

TEST_CASE("shard format names parse, and a near miss is suggested", "[text]") {
  for (const ShardLayout layout : kAll)
    CHECK(parse_shard_layout(shard_layout_name(layout)) == layout);
  try {
    parse_shard_layout("dolmo");
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kUsage);
    CHECK_THAT(e.hint(), ContainsSubstring("dolma"));
  }
}

}  // namespace lm::text
