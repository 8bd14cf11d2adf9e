// What a plugin and the core must have been built with alike, beside the ABI number: C++ interfaces
// and objects of the standard library cross the boundary.
#pragma once

#include <cstddef>  // defines _GLIBCXX_USE_CXX11_ABI

#include <netkit/version.hpp>

#define NETKIT_TEXT_OF_(x) #x
#define NETKIT_TEXT_OF(x) NETKIT_TEXT_OF_(x)

#if defined(__clang__)
#define NETKIT_COMPILER "clang-" NETKIT_TEXT_OF(__clang_major__)
#else
#define NETKIT_COMPILER "gcc-" NETKIT_TEXT_OF(__GNUC__)
#endif

#if _GLIBCXX_USE_CXX11_ABI
#define NETKIT_CXX_ABI "cxx11"
#else
#define NETKIT_CXX_ABI "cxx98"
#endif

// "0.1.0 gcc-12 cxx11"
#define NETKIT_BUILD_TAG NETKIT_VERSION " " NETKIT_COMPILER " " NETKIT_CXX_ABI
