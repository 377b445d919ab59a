#pragma once
// Student's t distribution, for intervals from few draws.

#include "core/types.h"

namespace lm::stat {

/// The p-quantile, 0.5 <= p < 1, of `degrees` >= 1 degrees of freedom, to 1e-9 relative.
f64 student_quantile(f64 p, i64 degrees);

}  // namespace lm::stat
