#pragma once
/// Distances between two samples of numbers that need no bins.
///
/// All are exact for the empirical distributions, symmetric, 0 only for equal distributions, and do not
/// depend on the order of the values. Values must be finite and weights finite and not negative.
/// They throw std::invalid_argument where a side is empty or has no weight.

#include <cstdint>
#include <span>
#include <vector>

namespace tracebench {

/// Wasserstein-1 (earth mover's) distance in the unit of the values, 0..infinity: the integral of
/// |F_a(x) - F_b(x)| over x. Villani, "Topics in Optimal Transportation", 2003, theorem 2.18.
double wasserstein1(std::span<const double> a, std::span<const double> b);
double wasserstein1(std::span<const double> a, std::span<const double> a_weights, std::span<const double> b,
                    std::span<const double> b_weights);

/// Two-sample Kolmogorov-Smirnov statistic, 0..1: the largest |F_a(x) - F_b(x)|.
/// Smirnov, Ann. Math. Statist. 19(2), 1948.
double kolmogorov_smirnov(std::span<const double> a, std::span<const double> b);
double kolmogorov_smirnov(std::span<const double> a, std::span<const double> a_weights,
                          std::span<const double> b, std::span<const double> b_weights);

/// Energy distance in the root of the unit of the values, 0..infinity:
/// sqrt(2 E|A - B| - E|A - A'| - E|B - B'|), which for numbers is sqrt(2 times the integral of
/// (F_a(x) - F_b(x))^2 over x), the definition of scipy.stats.energy_distance. A metric.
/// Szekely and Rizzo, J. Statist. Plann. Inference 143(8), 2013.
double energy_distance(std::span<const double> a, std::span<const double> b);
double energy_distance(std::span<const double> a, std::span<const double> a_weights,
                       std::span<const double> b, std::span<const double> b_weights);

struct OrderedDistances {
    double wasserstein = 0;
    double ks = 0;
    double energy = 0;
};

/// Values of many sessions, sorted once, so that all distances cost one sweep for any weighting of
/// sessions: what makes hundreds of resamples affordable.
class SortedSessions {
  public:
    /// `sessions[i]` is the session that value i belongs to, `counts[i]` how often it stands there (empty:
    /// once each).
    SortedSessions(std::span<const double> values, std::span<const std::uint32_t> sessions,
                   std::span<const std::uint32_t> counts = {});

    /// Session s counts `a[s]` times on one side and `b[s]` times on the other (both as long as there are
    /// sessions). False, and `result` untouched, where a side has no value.
    bool compare(std::span<const double> a, std::span<const double> b, OrderedDistances& result) const;

  private:
    /// `count` equal values of one session.
    struct Run {
        double value;
        std::uint32_t session;
        std::uint32_t count;
    };
    std::vector<Run> runs_;
    std::vector<double> counts_;  ///< values of each session
};

}  // namespace tracebench
