// The same cases in every run, so that a failure in CI is due to what changed. To look for new ones:
//     RC_PARAMS="max_success=10000" build/property --gtest_filter=...

#include <cstdlib>

namespace {
[[maybe_unused]] const int done = setenv("RC_PARAMS", "seed=20261201", 0);  // does not replace what is set
}
