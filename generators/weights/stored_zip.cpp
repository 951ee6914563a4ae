#include "generators/weights/stored_zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <locale.h>

#include <new>
#include <string_view>

#include "base/error.h"

namespace tracebench {
namespace {

/// libarchive gives names in the thread's character set, or not at all; archives are named as the file once
/// was, in any language.
class Utf8Names {
  public:
    Utf8Names()
        : utf8_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)),
          before_(utf8_ == nullptr ? nullptr : ::uselocale(utf8_)) {}
    ~Utf8Names() {
        if (utf8_ == nullptr) return;
        ::uselocale(before_);
        ::freelocale(utf8_);
    }
    Utf8Names(const Utf8Names&) = delete;
    Utf8Names& operator=(const Utf8Names&) = delete;

  private:
    locale_t utf8_, before_;
};

}  // namespace

StoredZip::StoredZip(std::span<const std::uint8_t> bytes, const std::string& name)
    : name_(name), archive_size_(bytes.size()), reader_(archive_read_new(), &archive_read_free) {
    if (!reader_) throw std::bad_alloc();
    // By the directory at the end: members' own headers may leave their sizes open.
    archive_read_support_format_zip_seekable(reader_.get());
    if (archive_read_open_memory(reader_.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
        throw InputError(name_, "is not a zip archive",
                         "save it with torch.save() of PyTorch 1.6 or later, and copy it whole");
}

void StoredZip::fail(const char* problem) const {
    throw InputError(name_, fmt::format("damaged archive: {}", problem == nullptr ? "unreadable" : problem),
                     "copy or download it again");
}

std::optional<StoredZip::Member> StoredZip::next() {
    const Utf8Names names;
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(reader_.get(), &entry);
    if (status == ARCHIVE_EOF) return std::nullopt;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) fail(archive_error_string(reader_.get()));

    const char* const name = archive_entry_pathname(entry);
    const std::int64_t size = archive_entry_size(entry);
    if (name == nullptr || size < 0) fail("a member without name or size");
    member_ = {name, static_cast<std::uint64_t>(size)};

    const char* const format = archive_format_name(reader_.get());
    if (archive_entry_is_encrypted(entry) != 0)
        throw InputError(name_, fmt::format("member '{}' is encrypted", member_.name));
    if (format == nullptr || !std::string_view(format).ends_with("(uncompressed)"))
        throw InputError(name_, fmt::format("member '{}' is compressed", member_.name),
                         "torch.save() stores members as they are: save it with that");
    if (member_.size > archive_size_ - claimed_)
        throw InputError(name_,
                         fmt::format("member '{}' claims more bytes than the archive has", member_.name),
                         "copy or download it again");
    claimed_ += member_.size;
    return member_;
}

std::vector<std::uint8_t> StoredZip::read(std::uint64_t limit) {
    if (member_.size > limit)
        throw InputError(name_, fmt::format("member '{}' is larger than {} bytes", member_.name, limit));
    std::vector<std::uint8_t> content(member_.size);
    std::size_t done = 0;
    while (done < content.size()) {
        const la_ssize_t got = archive_read_data(reader_.get(), content.data() + done, content.size() - done);
        if (got < 0) fail(archive_error_string(reader_.get()));
        if (got == 0) fail("a member ends early");
        done += static_cast<std::size_t>(got);
    }
    // The checksum is compared when the end is met.
    std::uint8_t beyond = 0;
    if (archive_read_data(reader_.get(), &beyond, 1) != 0) fail(archive_error_string(reader_.get()));
    return content;
}

}  // namespace tracebench
