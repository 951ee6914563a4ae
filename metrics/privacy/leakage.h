#pragma once
/// Names, numbers and bytes of the training samples that synthetic samples hold. What held-out samples hold
/// too (a public resolver, a protocol's constant bytes) is no secret of the training samples and not counted.

#include "metrics/privacy/finding.h"

namespace tracebench {

/// Values:
/// - `privacy.leaked_identifiers`, group: kind of identifier. Of all pairs of a synthetic sample and an
///   identifier in it, the share whose identifier is in training samples and in no held-out one.
/// - `privacy.recovered_identifiers`, group likewise: share of the training samples' secret identifiers that
///   any synthetic sample holds. Without floor and interval: it grows with the number of samples.
/// - `privacy.verbatim_payload`: of synthetic flows with payload, those with 16 bytes in a row among the
///   first 256 captured of a direction that are in a training flow's and in no held-out one's.
/// - `privacy.longest_verbatim`: the longest run of such bytes, in bytes.
/// Floors: one half of the held-out sessions in the synthetic ones' place, the other half says what is
/// public, and the other way round, both together.
/// Details: `leaks`, by kind counts and at most eight examples.
Findings measure_leakage(const PrivacyComparison& comparison);

}  // namespace tracebench
