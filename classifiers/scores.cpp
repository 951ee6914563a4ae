#include "classifiers/scores.h"

namespace tracebench {
namespace {

double ratio(std::size_t part, std::size_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Scores score(const ConfusionMatrix& confusion) {
    const std::size_t classes = confusion.size();
    Scores scores;
    std::size_t right = 0, all = 0, occurring = 0;
    double f1_sum = 0;
    for (std::size_t c = 0; c < classes; ++c) {
        std::size_t support = 0, predicted = 0;
        for (std::size_t other = 0; other < classes; ++other) {
            support += confusion[c][other];
            predicted += confusion[other][c];
        }
        const std::size_t hits = confusion[c][c];
        right += hits;
        all += support;
        scores.support.push_back(support);
        scores.precision.push_back(ratio(hits, predicted));
        scores.recall.push_back(ratio(hits, support));
        scores.f1.push_back(ratio(2 * hits, support + predicted));
        if (support + predicted > 0) {
            ++occurring;
            f1_sum += scores.f1.back();
        }
    }
    scores.accuracy = ratio(right, all);
    scores.macro_f1 = occurring == 0 ? 0 : f1_sum / static_cast<double>(occurring);
    return scores;
}

}  // namespace tracebench
