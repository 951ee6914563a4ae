#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>

#include "base/error.h"
#include "classifiers/models.h"
#include "classifiers/preparation.h"

namespace tracebench {
namespace {

struct Entry {
    std::string name;
    std::function<std::unique_ptr<Classifier>()> make;
};

const std::vector<Entry>& entries() {
    static const std::vector<Entry> list{
        {"xgboost", make_xgboost},
        {"forest", make_forest},
        {"tree", make_tree},
        {"svm", [] { return standardised(make_svm()); }},
        {"mlp", [] { return standardised(make_mlp()); }},
    };
    return list;
}

}  // namespace

std::unique_ptr<Classifier> make_classifier(const std::string& name) {
    for (const Entry& entry : entries())
        if (entry.name == name) return prepared(entry.make());
    throw InputError("model", fmt::format("'{}' is not a classifier", name),
                     fmt::format("there are {}", fmt::join(classifier_names(), ", ")));
}

std::vector<std::string> classifier_names() {
    std::vector<std::string> names;
    for (const Entry& entry : entries())
        if (entry.name != "mlp" || mlp_available()) names.push_back(entry.name);
    return names;
}

}  // namespace tracebench
