# tracebench_module(NAME [DEPENDS ...] [SYSTEM ...] [EXCLUDE regex] [COLD] [JSON])
#
# Makes the static library tb_NAME from every .cpp below the calling folder. Public headers are
# included as "NAME/file.h" from the root. DEPENDS are our own modules, SYSTEM are libraries that
# stay private to this one. COLD says that nothing in the module is worth the optimiser's time; JSON that most of
# its files read JSON, so that its large header is compiled once.

add_library(tb_options INTERFACE)
target_compile_options(tb_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  # GCC 12 sees overlapping copies in `"text" + std::string` once it inlines (its bug 105651).
  $<$<CONFIG:Release>:-Wno-restrict>)
if(TRACEBENCH_SANITIZE)
  target_compile_options(tb_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(tb_options INTERFACE -fsanitize=address,undefined)
endif()

function(tracebench_module name)
  cmake_parse_arguments(ARG "COLD;JSON" "EXCLUDE" "DEPENDS;SYSTEM" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(ARG_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${ARG_EXCLUDE}")
  endif()
  if(NOT sources)
    add_library(tb_${name} INTERFACE)
    return()
  endif()
  add_library(tb_${name} STATIC ${sources})
  target_include_directories(tb_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  list(TRANSFORM ARG_DEPENDS PREPEND tb_)
  target_link_libraries(tb_${name} PUBLIC ${ARG_DEPENDS} nlohmann_json::nlohmann_json fmt::fmt
                                   PRIVATE tb_options ${ARG_SYSTEM})
  if(ARG_COLD)
    target_compile_options(tb_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  if(ARG_JSON AND CMAKE_BUILD_TYPE STREQUAL Release)
    target_precompile_headers(tb_${name} PRIVATE <nlohmann/json.hpp> <fmt/format.h>)
    # ccache asks for the first; through a precompiled header GCC 12 no longer sees that <string> is a system
    # header and reports its own inlining there.
    target_compile_options(tb_${name} PRIVATE -fpch-preprocess -Wno-array-bounds -Wno-stringop-overflow
                           -Wno-stringop-overread)
  endif()
endfunction()
