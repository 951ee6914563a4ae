// The decoding step for any processor.

#include "generators/ssm/kernels/decode_context.h"

#define TRACEBENCH_DECODE_NAMESPACE portable
#include "generators/ssm/kernels/decode_pass.h"
