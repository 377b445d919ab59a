#pragma once
// The writing side of record.h: the parts of a record as JSON, for programs that sample, reword and
// measure. What is absent is not written; RecordReader reads back what was written, number for
// number (shortest round-trip form). Numbers are finite.

#include <span>
#include <string>

#include "uq/record.h"

namespace lm::uq {

/// {"text","logp","relevance","emb"}: an element of samples.
void append_answer(std::string& out, const Answer& answer);
/// The value of greedy.
void append_greedy(std::string& out, const GreedyAnswer& answer);
/// The value of samples.
void append_samples(std::string& out, std::span<const Answer> samples);
/// An element of perturb.
void append_perturbation(std::string& out, const Perturbation& one);
/// The value of perturb.
void append_perturb(std::string& out, std::span<const Perturbation> perturb);
/// The measures of an ensemble: the value of ensemble.
void append_ensemble(std::string& out, const GivenEnsemble& measures);
/// Rows inside rows by the table's shape: the value of a matrix of sim, of ensemble, attn_prev.
void append_table(std::string& out, const Table& table);

}  // namespace lm::uq
