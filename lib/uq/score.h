#pragma once
// The scores of one record as the JSON object that `score` adds. One Scorer per worker.

#include <string>
#include <vector>

#include "uq/estimators.h"
#include "uq/evidence.h"
#include "uq/record.h"

namespace lm::uq {

class Scorer {
 public:
  /// chosen: which estimators, in the order of the output.
  Scorer(const ScoreOptions& options, std::vector<const Estimator*> chosen)
      : evidence_(options), chosen_(std::move(chosen)) {}
  /// {"scores":{..},"samples":m,"votes":k,"rewordings":n,"flags":[..]}. An estimator without its
  /// ingredients is absent; an infinite score is null with the flag "infinite". Counts of zero and
  /// an empty list of flags are left out.
  void score(const UqRecord& record, std::string& json);

 private:
  Evidence evidence_;
  std::vector<const Estimator*> chosen_;
};

}  // namespace lm::uq
