#!/usr/bin/env bash
# Runs a command as on the machine of the record, whose processor has AVX2 but not AVX-512:
#     envs/avx2.sh snakemake all
# Libraries choose kernels by the processor, and kernels differ in the last digit. Embree can only
# be told through a library in between, which needs a C compiler.
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: envs/avx2.sh COMMAND..." >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
between=${XDG_CACHE_HOME:-$HOME/.cache}/poseloop/avx2/embree.so
if [ ! "$between" -nt "$here/avx2/embree.c" ]; then
    command -v cc >/dev/null ||
        { echo "envs/avx2.sh needs a C compiler, for example: apt-get install gcc libc6-dev" >&2; exit 2; }
    mkdir -p "$(dirname "$between")"
    cc -shared -fPIC -O2 -Wall -Werror -o "$between.$$" "$here/avx2/embree.c" -ldl
    mv "$between.$$" "$between"
fi
# Not MKL_CBWR: the kernels that it chooses are others than those of a processor with AVX2.
export ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2 ONEDNN_MAX_CPU_ISA=AVX2
export OPENBLAS_CORETYPE=Haswell NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR"
export LD_PRELOAD=$between${LD_PRELOAD:+:$LD_PRELOAD}
exec "$@"
