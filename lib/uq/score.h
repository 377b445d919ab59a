#pragma once
// The scores of one record as the JSON object that `score` adds. One Scorer per worker.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "uq/estimators.h"
#include "uq/evidence.h"
#include "uq/record.h"

namespace lm::uq {

class Scorer {
 public:
  /// chosen: which estimators, in the order of the output; claims: which of statements.
  Scorer(const ScoreOptions& options, std::vector<const Estimator*> chosen,
         std::vector<const ClaimEstimator*> claims = {})
      : evidence_(options),
        chosen_(std::move(chosen)),
        of_claims_(std::move(claims)),
        given_(chosen_.size() + of_claims_.size(), 0) {}
  /// {"scores":{..},"claims":[{..}..],"samples":m,"votes":k,"rewordings":n,"flags":[..]}, claims
  /// where the record has any and estimators of them were chosen. An estimator without its
  /// ingredients is absent; an infinite score is null with the flag "infinite". Counts of zero and
  /// an empty list of flags are left out. Fault "range": embeddings so large that what is computed
  /// of them is not finite.
  std::optional<Fault> score(const UqRecord& record, std::string& json);

  /// 1 for estimators that had their ingredients in a record so far: the chosen ones, then those of
  /// claims.
  std::span<const u8> given() const { return given_; }

 private:
  Evidence evidence_;
  std::vector<const Estimator*> chosen_;
  std::vector<const ClaimEstimator*> of_claims_;
  std::vector<u8> given_;
};

}  // namespace lm::uq
