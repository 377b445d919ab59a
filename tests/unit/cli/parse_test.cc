#include <filesystem>

#include "catch.h"
#include "cli/settings.h"
#include "core/error.h"
#include "core/str.h"
#include "io/atomic_file.h"
#include "spec.h"

using namespace lm;
using namespace lm::cli;
using test::parse;

namespace {

Error error_of(const std::vector<std::string>& args,
               const char* (*environment)(const char*) = test::no_environment) {
  try {
    parse(args, environment);
  } catch (const Error& e) {
    return e;
  }
  return Error(ErrorKind::kInternal, "no error");
}

}  // namespace

TEST_CASE("the verb comes first and the first verb is the default", "[cli]") {
  CHECK(parse({}).verb == "look");
  CHECK(parse({"leap", "--height", "2"}).options.real("height") == 2);
  const CommandLine late = parse({"x", "leap"});  // a file of that name
  CHECK(late.verb == "look");
  CHECK(late.operands == std::vector<std::string>{"x", "leap"});
}

TEST_CASE("an option stands for its verb where none is named", "[cli]") {
  ToolSpec spec = test::two_verbs();
  spec.verbs[1].chosen_by = "height";
  const auto verb_of = [&](const std::vector<std::string>& args) {
    return parse_command_line(spec, args, test::no_environment).verb;
  };
  CHECK(verb_of({"--height", "2"}) == "leap");
  CHECK(verb_of({"-q", "x", "--height=2"}) == "leap");
  CHECK(verb_of({"leap", "--height=2"}) == "leap");
  CHECK(verb_of({"x"}) == "look");
  CHECK(verb_of({"--", "--height"}) == "look");
  CHECK_THROWS_AS(verb_of({"look", "--height", "2"}), Error);
  CHECK_THROWS_AS(verb_of({"--heights", "2"}), Error);
}

TEST_CASE("options and operands mix until two dashes", "[cli]") {
  const CommandLine line = parse({"a", "-k2", "b", "--keep=x", "-", "--", "--keep", "-k"});
  CHECK(line.operands == std::vector<std::string>{"a", "b", "-", "--keep", "-k"});
  CHECK(line.options.integer("depth") == 2);
  CHECK(line.options.text("keep") == "x");
}

TEST_CASE("a value is a value whatever it looks like", "[cli]") {
  CHECK(parse({"--keep", "-5:3"}).options.text("keep") == "-5:3");
  CHECK(parse({"--keep", "--no-tidy"}).options.text("keep") == "--no-tidy");
  CHECK(parse({"--keep", "--no-tidy"}).options.on("tidy"));
  CHECK(parse({"--keep", "--"}).options.text("keep") == "--");
  CHECK(parse({"--keep="}).options.text("keep").empty());
  CHECK(parse({"--keep=a=b"}).options.text("keep") == "a=b");
  CHECK(parse({"-o", "-"}).options.text("output") == "-");
}

TEST_CASE("switches: the last of --x and --no-x in the order written", "[cli]") {
  CHECK_FALSE(parse({"--no-tidy"}).options.on("tidy"));
  CHECK(parse({"--no-tidy", "--tidy"}).options.on("tidy"));
  CHECK_FALSE(parse({"--tidy", "--no-tidy"}).options.on("tidy"));
  CHECK(error_of({"--tidy=true"}).kind() == ErrorKind::kUsage);
  CHECK(error_of({"--no-depth"}).kind() == ErrorKind::kUsage);
}

TEST_CASE("letters may be bundled, the last with its value", "[cli]") {
  const CommandLine line = parse({"-qvvk7"});
  CHECK(line.options.on("quiet"));
  CHECK(line.options.integer("verbose") == 2);
  CHECK(line.options.integer("depth") == 7);
  CHECK(parse({"-qk", "7"}).options.integer("depth") == 7);
  CHECK(error_of({"-qk"}).message() == "-k: needs a value");
}

TEST_CASE("an optional value must be attached, bare -z looks at the next word", "[cli]") {
  CHECK(parse({"--note", "file"}).options.text("note") == "yes");
  CHECK(parse({"--note=file"}).options.text("note") == "file");
  CHECK(parse({"-z", "in"}).options.text("compress") == "zstd:3");
  CHECK(parse({"-z", "in"}).operands == std::vector<std::string>{"in"});
  CHECK(parse({"-z", "zstd:9"}).options.text("compress") == "zstd:9");
  CHECK(parse({"-zstored"}).options.text("compress") == "stored");
}

TEST_CASE("lists keep every value in order", "[cli]") {
  CHECK(parse({"--field", "a", "x", "--field=b"}).options.list("field") ==
        std::vector<std::string>{"a", "b"});
}

TEST_CASE("unknown options are named, with the nearest, before any other mistake", "[cli]") {
  const Error near = error_of({"--depth", "many", "--kep", "x"});
  CHECK(near.kind() == ErrorKind::kUsage);
  CHECK(near.message() == "unknown option --kep");
  CHECK(near.hint() == "did you mean --keep?");
  CHECK(error_of({"--dep", "1"}).message() == "unknown option --dep");  // no abbreviations
  CHECK(error_of({"-x"}).message() == "unknown option -x");
  CHECK(error_of({"--height", "1"}).hint() == "--height belongs to 'lm-probe leap'");
}

TEST_CASE("command line before file before environment before default", "[cli]") {
  const test::TempDir dir;
  const std::string file = dir.file("run.toml");
  io::write_file(file, "[lm-probe]\nthreads = 4\n[lm-cat]\nnonsense = 1\n");
  const auto threads = [&](std::vector<std::string> args) {
    return parse(args, test::six_threads).options.integer("threads");
  };
  CHECK_FALSE(parse({}).options.given("threads"));
  CHECK(threads({}) == 6);
  CHECK(threads({"--config", file}) == 4);
  CHECK(threads({"--config", file, "-t", "2"}) == 2);
}

TEST_CASE("mistakes in a settings file name file and line", "[cli]") {
  const test::TempDir dir;
  const std::string file = dir.file("run.toml");
  const auto message = [&](const std::string& text) {
    io::write_file(file, text);
    const Error e = error_of({"--config", file});
    CHECK(e.kind() == ErrorKind::kConfig);
    return e.message().substr(std::min(e.message().size(), file.size()));
  };
  CHECK(message("# first\n[lm-probe]\ndepht = 3\n") == ":3: unknown key \"depht\" for lm-probe");
  CHECK(message("[lm-probe]\n[lm-prob]\n") == ":2: no program is called \"lm-prob\"");
  CHECK(message("# none has it\n[depth]\nx = 1\n") == ":2: no program is called \"depth\"");
  CHECK(message("[lm-probe]\n\ndepth = 30\n") ==
        ":3: depth: \"30\" is not a whole number from 1 to 9");
  CHECK(message("[lm-probe]\nkeep = [\"a\", \"b\"]\n") ==
        ":2: keep: is an array, expected one value");
}

TEST_CASE("printed settings read back as the same settings", "[cli]") {
  const test::TempDir dir;
  const ToolSpec spec = test::two_verbs();
  const std::vector<std::string> args = {"--keep",    "a #b = [c]",
                                         "--field",   "x y",
                                         "--field",   "it's",
                                         "--no-tidy", "-k4",
                                         "--tmp-dir", "with \"quotes\"",
                                         "--seed",    "18446744073709551615",
                                         "-vv"};
  const CommandLine line = parse(args);
  const std::string file = dir.file("run.toml");
  io::write_file(file, print_config(spec, line.options));
  const CommandLine again = parse({"--config", file});
  for (const Flag& flag : line.options.flags()) {
    CAPTURE(flag.name);
    if (flag.name != "config") CHECK(again.options.list(flag.name) == line.options.list(flag.name));
  }
}

TEST_CASE("an empty value after the sign is a value and takes no other word", "[cli]") {
  const CommandLine line = parse({"--keep=", "a", "--field=", "--field", "", "--", "--keep="});
  CHECK(line.options.text("keep").empty());
  CHECK(line.options.given("keep"));
  CHECK(line.options.list("field") == std::vector<std::string>{"", ""});
  CHECK(line.operands == std::vector<std::string>{"a", "--keep="});
  CHECK(parse({"--note="}).options.text("note").empty());
  CHECK(parse({"--keep", "--keep="}).options.text("keep") == "--keep=");
}

TEST_CASE("words that the parser marks are had back as written", "[cli]") {
  CHECK(parse({"--keep", "-z"}).options.text("keep") == "-z");
  CHECK(parse({"--keep", "-q-x"}).options.text("keep") == "-q-x");
  CHECK(parse({"--keep", "--note={}"}).options.text("keep") == "--note={}");
  CHECK(parse({"--note={}"}).options.text("note") == "{}");
  CHECK(parse({"-k", "4", "--", "-z", "-q-x", "--a=b"}).operands ==
        std::vector<std::string>{"-z", "-q-x", "--a=b"});
  CHECK(error_of({"-k-5"}).message() == "--depth: \"-5\" is not a whole number from 1 to 9");
  CHECK(error_of({"-kz"}).message() == "--depth: \"z\" is not a whole number from 1 to 9");
}

TEST_CASE("operands are taken as they are", "[cli]") {
  const std::vector<std::string> files = {"++", "[a,b]", "a,b", "", "/tidy", "%%", "look"};
  std::vector<std::string> args = {"look"};
  args.insert(args.end(), files.begin(), files.end());
  CHECK(parse(args).operands == files);
  CHECK(parse({"--field", "[a,b]", "--field", "{}"}).options.list("field") ==
        std::vector<std::string>{"[a,b]", "{}"});
}

TEST_CASE("letters stay letters: no dash among them makes a long option", "[cli]") {
  for (const char* word : {"-q-", "-q-help", "-q-keep=x", "-q-tidy=x"}) {
    CAPTURE(word);
    CHECK(error_of({word, "x"}).message() == "unknown option --");
  }
  CHECK(error_of({"-q5"}).message() == "unknown option -5");
  CHECK(error_of({"-q=x"}).message() == "unknown option -=");
  CHECK(error_of({"-\xC3\xA9x"}).message() == "unknown option -\xC3\xA9x");
  CHECK(error_of({"-5:3"}).message() == "unknown option -5");
  CHECK(error_of({"---keep"}).message() == "unknown option ---keep");
}

TEST_CASE("switches and counters take no value, not even the one they stand for", "[cli]") {
  for (const char* word : {"--tidy=true", "--tidy=", "--tidy={}", "--verbose=1"}) {
    CAPTURE(word);
    const Error e = error_of({word, "x"});
    CHECK(e.kind() == ErrorKind::kUsage);
    CHECK(e.message().ends_with(": takes no value"));
  }
  CHECK(error_of({"--no-tidy=false"}).message() == "--no-tidy: takes no value");
  CHECK(error_of({"--tidy=true"}).hint() == "--tidy turns it on, --no-tidy off");
  CHECK(error_of({"--bogus", "--tidy=true"}).message() == "unknown option --bogus");
  CHECK(error_of({"--bogus", "--keep"}).message() == "unknown option --bogus");
  CHECK(error_of({"--keep"}).message() == "--keep: needs a value");
}

TEST_CASE("of a repeated option only the last value is judged", "[cli]") {
  CHECK(parse({"-k", "x", "--depth", "077", "-k", "010", "--depth=05"}).options.integer("depth") ==
        5);
  CHECK(error_of({"-k", "010"}).message() == "--depth: \"010\" is not a whole number from 1 to 9");
}

TEST_CASE("a first word that is nearly a verb and no file is taken for that verb", "[cli]") {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"loak", "x"}, {"loak", "--bogus"}, {"loak"}}) {
    const Error e = error_of(args);
    CHECK(e.kind() == ErrorKind::kUsage);
    CHECK(e.message() == "\"loak\" is neither a verb nor a file");
    CHECK(e.hint() == "did you mean lm-probe look?");
  }
  CHECK(error_of({"lep", "--height", "2"}).hint() == "did you mean lm-probe leap?");
  CHECK(parse({"loak", "--help"}).options.on("help"));
  CHECK(parse({"x", "loak"}).operands.size() == 2);   // only the first word
  CHECK(parse({"lo"}).operands.size() == 1);          // too short to tell
  CHECK(parse({"--", "loak"}).operands.size() == 1);  // a file, it says
  const test::TempDir dir;
  const std::filesystem::path before = std::filesystem::current_path();
  io::write_file(dir.file("loak"), "");
  std::filesystem::current_path(dir.path());
  const std::size_t operands = parse({"loak"}).operands.size();
  std::filesystem::current_path(before);
  CHECK(operands == 1);
}

TEST_CASE("options that need or exclude others, whatever they come from", "[cli]") {
  ToolSpec spec = test::two_verbs();
  spec.verbs[0].flags[0].env = "LM_THREADS";
  spec.verbs[0].flags[1].needs = {"depth"};  // --keep needs --depth
  spec.verbs[0].flags[4].def = "false";
  spec.verbs[0].flags[4].excludes = {"note", "leap"};  // --tidy excludes
  spec.verbs[0].flags.push_back({.name = "leap", .kind = FlagKind::kSwitch, .excludes = {"keep"}});
  const test::TempDir dir;
  const std::string file = dir.file("run.toml");
  const auto result = [&](const std::vector<std::string>& args,
                          const char* (*environment)(const char*) = test::no_environment) {
    try {
      parse_command_line(spec, args, environment);
    } catch (const Error& e) {
      return cat(static_cast<int>(e.kind()), " ", e.message());
    }
    return std::string("ok");
  };
  CHECK(result({"--keep", "a"}) == "64 --keep needs --depth");  // its default is not enough
  CHECK(result({"--keep", "a", "-k3"}) == "ok");
  CHECK(result({"--keep", "a"}, test::six_threads) == "ok");
  CHECK(result({"--tidy", "--note"}) == "64 --note and --tidy exclude each other");
  CHECK(result({"--no-tidy", "--note"}) == "ok");
  CHECK(result({"--note", "--leap"}) == "ok");
  CHECK(result({"--keep", "a", "--help"}) == "ok");
  CHECK(result({"--keep", "a", "-k", "x"}).starts_with("64 --depth: "));  // the value first
  io::write_file(file, "keep = \"a\"\n");
  CHECK(result({"--config", file}) == "78 --keep needs --depth");
  CHECK(result({"--config", file, "-k1"}) == "ok");
  CHECK(result({"--config", file, "-k1", "--leap"}) == "64 --keep and --leap exclude each other");
  io::write_file(file, "keep = \"a\"\ndepth = 2\nleap = true\n");
  CHECK(result({"--config", file}) == "78 --keep and --leap exclude each other");
  CHECK(result({"--config", file, "--no-leap"}) == "ok");
}

TEST_CASE("options that need a value of another, or one of several", "[cli]") {
  ToolSpec spec = test::two_verbs();
  std::vector<Flag>& flags = spec.verbs[0].flags;
  flags.push_back(
      {.name = "how", .kind = FlagKind::kChoice, .def = "a", .choices = {"a", "b", "c"}});
  flags[1].needs = {"how=b,c,x"};    // --keep
  flags[2].needs = {"note|how=a"};   // --field
  flags[4].needs = {"depth|how=c"};  // --tidy, which is on by default
  const test::TempDir dir;
  const std::string file = dir.file("run.toml");
  const auto result = [&](const std::vector<std::string>& args) {
    try {
      parse_command_line(spec, args, test::no_environment);
    } catch (const Error& e) {
      return cat(static_cast<int>(e.kind()), " ", e.message());
    }
    return std::string("ok");
  };
  CHECK(result({"--keep", "a"}) == "64 --keep needs --how b or c");  // x is not offered
  CHECK(result({"--keep", "a", "--how", "c"}) == "ok");
  CHECK(result({"--field", "x"}) == "ok");  // the default is one of the values
  CHECK(result({"--field", "x", "--how", "b"}) == "64 --field needs --note or --how a");
  CHECK(result({"--field", "x", "--how", "b", "--note"}) == "ok");
  CHECK(result({"--tidy"}) == "ok");  // as by default: asks for nothing
  CHECK(result({"--no-tidy"}) == "64 --no-tidy needs --depth or --how c");
  CHECK(result({"--no-tidy", "-k2"}) == "ok");
  CHECK(result({"--keep", "a", "--help"}) == "ok");
  io::write_file(file, "keep = \"a\"\n");
  CHECK(result({"--config", file}) == "78 --keep needs --how b or c");
  io::write_file(file, "keep = \"a\"\nhow = \"b\"\n");
  CHECK(result({"--config", file}) == "ok");
  flags[1].needs = {"who=b"};
  CHECK(result({"--keep", "a"}).starts_with("70 "));
}

TEST_CASE("a table that names an option twice or needs one it has not is our own mistake",
          "[cli]") {
  ToolSpec spec = test::two_verbs();
  spec.verbs[0].flags[0].needs = {"nothing"};
  const auto kind = [&] {
    try {
      parse_command_line(spec, {}, test::no_environment);
    } catch (const Error& e) {
      return e.kind();
    }
    return ErrorKind::kUsage;
  };
  CHECK(kind() == ErrorKind::kInternal);
  spec = test::two_verbs();
  spec.verbs[0].flags[1].letter = 'k';
  CHECK(kind() == ErrorKind::kInternal);
}

TEST_CASE("settings files: texts, numbers, arrays, comments", "[cli]") {
  const Settings all = parse_settings(
      "\xEF\xBB\xBF top = 1 # one\r\n[ a ]\r\nx = \"q # \\\" \\u00e9\\U0001F600[\" # c\n'y z' = "
      "'C:\\n'\n"
      "list = [ 1.5, \"a,]\", # first\n  true, ]\nnone = []\n[empty]",
      "f");
  REQUIRE(all.sections.size() == 2);
  CHECK(all.sections[0].name == "a");
  CHECK(all.sections[0].line == 2);
  CHECK(all.sections[1].name == "empty");
  CHECK(all.sections[1].line == 8);
  const std::vector<Setting>& s = all.values;
  REQUIRE(s.size() == 5);
  CHECK(s[0].section.empty());
  CHECK(s[0].values == std::vector<std::string>{"1"});
  CHECK(s[1].section == "a");
  CHECK(s[1].values[0] == "q # \" \xC3\xA9\xF0\x9F\x98\x80[");
  CHECK(s[2].key == "y z");
  CHECK(s[2].values[0] == "C:\\n");
  CHECK(s[3].values == std::vector<std::string>{"1.5", "a,]", "true"});
  CHECK(s[3].line == 5);
  CHECK(s[4].array);
  CHECK(s[4].line == 7);
}

TEST_CASE("what is no settings file is refused with its line", "[cli]") {
  for (const char* bad : {"\na", "\na =", "\na = word", "\n= 1", "\na = \"x", "\na = 'x\n'", "\n[a",
                          "\n[]", "\na = 1 2", "\na = \"\\q\"", "\na = \"\\ud800\"", "\na = [1 2]",
                          "\na = [1", "a = 1\na = 2", "\n[a] b = 1", "\na = 1,"}) {
    CAPTURE(bad);
    try {
      parse_settings(bad, "f");
      FAIL("accepted");
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::kConfig);
      CHECK(e.message().substr(0, 4) == "f:2:");
    }
  }
}

TEST_CASE("help needs nothing else to be right", "[cli]") {
  const auto broken = [](const char*) -> const char* { return "broken"; };
  CHECK(error_of({}, broken).kind() == ErrorKind::kUsage);
  const CommandLine line = parse({"--depth", "x", "-h", "--config", "/nonexistent"}, broken);
  CHECK(line.options.on("help"));
  CHECK(line.short_help);
  CHECK_FALSE(parse({"--help"}).short_help);
}

TEST_CASE("steps of one verb have names of two words, and streams of their own", "[cli]") {
  ToolSpec spec = test::two_verbs();
  spec.streams = false;
  spec.verbs.push_back({.name = "walk up", .summary = "walks", .flags = {}, .streams = true});
  spec.verbs.push_back({.name = "walk down", .summary = "walks back", .flags = {}});
  const auto parsed = [&](const std::vector<std::string>& args) {
    return parse_command_line(spec, args, test::no_environment);
  };
  const CommandLine up = parsed({"walk", "up", "hill", "walk"});
  CHECK(up.verb == "walk up");
  CHECK(up.operands == std::vector<std::string>{"hill", "walk"});
  CHECK(up.options.find("shard") != nullptr);
  const CommandLine down = parsed({"walk", "down", "-t", "2"});
  CHECK(down.verb == "walk down");
  CHECK(down.options.find("shard") == nullptr);
  CHECK(parsed({"walk", "--help"}).verb == "walk up");
  CHECK(parsed({"look", "walk", "up"}).verb == "look");
  try {
    parsed({"walk", "hill"});
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.message() == "\"walk\" needs the name of a step: up, down");
    CHECK(e.hint() == "lm-probe walk up --help");
  }
}
