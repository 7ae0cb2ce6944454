#!/bin/bash
# What the fuzzers found, and what they began with, through the same harnesses: no clang needed.
exec "$top_builddir/tests/fuzz/replay" "$top_srcdir/tests/fuzz/corpus"
