// ablate train: a model for each unit, or for each set of units; what is there already stays.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <deque>
#include <filesystem>
#include <map>
#include <thread>

#include "ablate.h"
#include "ablate/sets.h"
#include "ablate/units.h"
#include "ablate_words.h"
#include "child.h"
#include "core/hash.h"
#include "core/stages.h"
#include "core/str.h"
#include "io/atomic_file.h"
#include "io/file.h"
#include "io/json_node.h"
#include "model/checkpoint.h"
#include "streams.h"
#include "text/tokenizer.h"

namespace lm::merge_tool {

namespace {

namespace fs = std::filesystem;

constexpr i64 kMaxReportBytes = i64{16} << 20;
constexpr std::chrono::milliseconds kLook{10};  // between looks for children that have ended
constexpr const char* kRuns = ".runs";          // of a pool: runs of lm-train that are not over
// Exit statuses of failures that may be over when the command is run again.
constexpr int kMayPass[] = {
    static_cast<int>(ErrorKind::kUnavailable), static_cast<int>(ErrorKind::kOs),
    static_cast<int>(ErrorKind::kCannotCreate), static_cast<int>(ErrorKind::kIo),
    static_cast<int>(ErrorKind::kTemporary)};
constexpr const char* kGoOn = "the same command goes on where it ended";

/// A model that is to be there.
struct Wanted {
  ablate::PoolModel model;
  std::vector<std::string> shards;
  i64 steps = 0;
};

class Trainer {
 public:
  explicit Trainer(cli::Tool& tool) : tool_(tool), options_(tool.options()) {}
  void run();

 private:
  void read_unit_folders();
  std::vector<ablate::UnitSet> wanted_sets() const;
  Wanted wanted(const ablate::UnitSet& set) const;
  std::deque<Wanted> missing(const std::vector<Wanted>& all) const;
  std::string run_folder(const Wanted& one) const {
    return (fs::path(pool_) / kRuns / one.model.name).string();
  }
  std::string report_file(const Wanted& one) const { return run_folder(one) + ".json"; }
  TrainRun run_of(const Wanted& one) const {
    return {program_, start_, one.shards, one.steps, jobs_, run_folder(one), report_file(one)};
  }
  void train(std::deque<Wanted> queue);
  void take(Wanted one);

  cli::Tool& tool_;
  const cli::Options& options_;
  std::string pool_;
  std::string start_;  // the seed model
  std::string start_digest_;
  std::string program_;
  std::string tokenizer_;  // digest
  std::vector<ablate::Unit> units_;
  i64 jobs_ = 1;
  i64 all_ = 0;
  std::atomic<i64> done_ = 0;
  i64 trained_tokens_ = 0;
};

void Trainer::read_unit_folders() {
  for (const std::string& folder : tool_.files()) {
    tool_.add_input_folder(folder);
    const ablate::UnitList list = ablate::read_units(folder);
    if (list.tokenizer != tokenizer_) {
      throw Error(ErrorKind::kData,
                  cat(folder, ": its tokens are of tokenizer ", list.tokenizer.substr(0, 16),
                      ", of ", start_, " they are ", tokenizer_.substr(0, 16)),
                  "ablate init --tokenizer takes the seed model's folder");
    }
    for (const ablate::Unit& unit : list.units) {
      for (const ablate::Unit& other : units_) {
        if (other.name == unit.name)
          throw Error(ErrorKind::kData,
                      cat(folder, ": unit ", quote(unit.name), " is in another folder, too"));
      }
      units_.push_back(unit);
    }
  }
  std::sort(units_.begin(), units_.end(),
            [](const ablate::Unit& a, const ablate::Unit& b) { return a.name < b.name; });
}

std::vector<ablate::UnitSet> Trainer::wanted_sets() const {
  std::vector<ablate::UnitSet> out;
  if (!options_.given("sets")) {
    for (i64 i = 0; i < isize(units_); ++i)
      out.push_back({i});
    return out;
  }
  std::vector<ablate::UnitName> names;
  for (const ablate::Unit& unit : units_)
    names.push_back({unit.name, unit.key});
  return ablate::read_sets(options_.text("sets"), names);
}

Wanted Trainer::wanted(const ablate::UnitSet& set) const {
  Wanted out;
  std::string made = cat(start_digest_, " seed=", tool_.seed());
  for (const char* const name : {"lr", "batch", "seq-len"})
    append(made, " ", name, "=", options_.text(name));
  for (const std::string& word : options_.list("train-option"))
    append(made, " ", word);
  for (const i64 number : set) {
    const ablate::Unit& unit = units_[usize(number)];
    out.model.units.push_back(unit.name);
    out.model.unit_tokens += unit.tokens;
    if (set.size() == 1) out.model.group = unit.key;
    out.shards.push_back(unit.shards);
    append(made, "\n", unit.name, " ", unit.digest);
  }
  out.steps = options_.integer("steps") * isize(set);
  const Hash128 key = xxh3_128(cat(made, "\nsteps=", out.steps));
  out.model.made_with = cat("xxh3:", hex64(key.hi), hex64(key.lo));
  out.model.name = ablate::set_name(out.model.units);
  out.model.folder = (fs::path(pool_) / out.model.name).string();
  return out;
}

std::deque<Wanted> Trainer::missing(const std::vector<Wanted>& all) const {
  std::map<std::string, std::string> there;
  for (const ablate::PoolModel& model : ablate::read_pool(pool_))
    there[model.name] = model.made_with;
  std::deque<Wanted> out;
  for (const Wanted& one : all) {
    const auto at = there.find(one.model.name);
    if (at != there.end() && at->second == one.model.made_with) continue;
    if (at != there.end() && !options_.on("replace")) {
      throw Error(ErrorKind::kCannotCreate,
                  cat(one.model.folder, ": was made of other data, or with other settings"),
                  "--replace trains it anew; or name another pool with -o");
    }
    if (at == there.end() && io::path_exists(one.model.folder))
      throw Error(ErrorKind::kCannotCreate, cat(one.model.folder, ": is no model of a pool"));
    out.push_back(one);
  }
  return out;
}

// A finished run's model to its place in the pool.
void Trainer::take(Wanted one) {
  const std::string path = report_file(one);
  const io::Json json = io::parse_object(io::read_file(path, kMaxReportBytes), path);
  one.model.trained_tokens =
      io::JsonNode(json, path).object("metrics").integer("tokens", 0, i64{1} << 60);
  const std::string final = (fs::path(run_folder(one)) / "final").string();
  io::AtomicDir out(one.model.folder, tool_.output_options(), true);
  for (const std::string& file : model::model_files(final)) {
    const std::string name = fs::path(file).filename().string();
    if (name == "manifest.json") continue;
    io::write_file(out.file(name), io::Mapping(file).bytes(), {.sync = false});
  }
  io::write_file(out.file(ablate::kModelFile), ablate::model_json(one.model), {.sync = false});
  model::write_manifest(out.temp_path());
  out.commit();
  fs::remove_all(run_folder(one));
  fs::remove(path);
  trained_tokens_ += one.model.trained_tokens;
  done_.fetch_add(1);
  tool_.console().message(LogLevel::kInfo, cat(one.model.name, ": trained"));
}

// On a stop request the children save and end; the same command then goes on with all of it.
void Trainer::train(std::deque<Wanted> queue) {
  const StageTimer timer(tool_.ctx().stages->stage("train"));
  const StopToken& stop = *tool_.ctx().stop;
  std::map<pid_t, Wanted> running;
  std::optional<Error> failure;
  const auto end_all = [&] {
    for (const auto& [child, one] : running)
      ::kill(child, SIGTERM);
  };
  const auto fail = [&](const Wanted& one, const ChildEnd& end) {
    // A child has said what is wrong; its kind of failure is this one's.
    const bool known = end.exit >= 64 && end.exit < 78;
    // What is wrong with data, options or files stays so.
    const bool may_pass = end.signal != 0 || std::find(std::begin(kMayPass), std::end(kMayPass),
                                                       end.exit) != std::end(kMayPass);
    failure.emplace(known ? static_cast<ErrorKind>(end.exit) : ErrorKind::kUnavailable,
                    cat("lm-train for ", quote(one.model.name),
                        end.signal != 0 ? cat(" was ended by signal ", end.signal)
                                        : cat(" ended with status ", end.exit)),
                    may_pass ? kGoOn : "");
    end_all();
  };
  bool told = false;
  while (!running.empty() || (!queue.empty() && !failure && !stop.requested())) {
    while (!queue.empty() && !failure && !stop.requested() && isize(running) < jobs_) {
      const pid_t child = start_child(train_words(tool_, run_of(queue.front())));
      running.emplace(child, std::move(queue.front()));
      queue.pop_front();
    }
    if (stop.requested() && !told) {
      told = true;
      end_all();
    }
    const std::optional<ChildEnd> end = running.empty() ? std::nullopt : ended_child();
    if (!end) {
      std::this_thread::sleep_for(kLook);
      continue;
    }
    const std::map<pid_t, Wanted>::iterator at = running.find(end->child);
    if (at == running.end()) continue;
    Wanted one = std::move(at->second);
    running.erase(at);
    if (end->exit == 0 && end->signal == 0) {
      take(std::move(one));
    } else if (!failure && !stop.requested()) {
      fail(one, *end);
    }
  }
  tool_.add_metric("children_cpu_s", format_fixed(children_cpu_s(), 3));
  if (failure) throw Error(*failure);
  if (done_.load() < all_)
    throw Error(ErrorKind::kTemporary,
                cat("stopped with ", done_.load(), " of ", all_, " models trained"), kGoOn);
}

void Trainer::run() {
  pool_ = options_.text("output");
  start_ = options_.text("seed-model");
  jobs_ = options_.integer("jobs");
  add_sets_input(tool_);
  tool_.add_input_folder(start_);
  const model::ModelCfg cfg = model::load_config(start_);
  start_digest_ = model::model_digest(start_);
  tokenizer_ = text::load_tokenizer(start_)->digest();
  read_unit_folders();
  std::vector<Wanted> all;
  for (const ablate::UnitSet& set : wanted_sets())
    all.push_back(wanted(set));
  tool_.claim_folder(pool_);
  io::check_replaceable(pool_, "pool", [this](const std::string& name) {
    return name == kRuns || io::path_exists((fs::path(pool_) / name / ablate::kModelFile).string());
  });
  std::error_code code;
  fs::create_directories(pool_, code);
  if (code) throw os_error(ErrorKind::kCannotCreate, pool_, "cannot be made", code.value());
  std::deque<Wanted> queue = missing(all);
  all_ = isize(all);
  done_.store(all_ - isize(queue));
  const i64 kept = done_.load();
  if (!queue.empty()) {
    program_ = find_program("lm-train");
    fs::create_directories(fs::path(pool_) / kRuns, code);
    if (code) throw os_error(ErrorKind::kCannotCreate, pool_, "cannot be written", code.value());
  }
  const cli::StatusScope status =
      tool_.set_status([this] { return cat(done_.load(), " of ", all_, " models trained"); });
  const i64 count = isize(queue);
  train(std::move(queue));
  fs::remove(fs::path(pool_) / kRuns, code);
  tool_.add_metric("models", cat(all_));
  tool_.add_metric("kept", cat(kept));
  tool_.add_metric("trained", cat(count));
  tool_.add_metric("trained_tokens", cat(trained_tokens_));
  tool_.set_summary(cat(count, " models trained, ", kept, " were there"));
}

}  // namespace

void run_ablate_train(cli::Tool& tool) {
  tool.need_input();
  const cli::Options& options = tool.options();
  if (tool.files().empty())
    throw Error(ErrorKind::kUsage, "which units? name a folder that ablate init made");
  check_train_options(options);
  Trainer(tool).run();
}

}  // namespace lm::merge_tool
