#!/bin/sh
# Training and generation of the state-space model: our kernels (bfloat16, float32), the same model in plain LibTorch
# operations, and PyTorch; the share of time in matrix products and of memory bandwidth; memory by context length.
# About 10 minutes on a quiet machine; a busy one makes all figures worthless.
#
#     tests/speed/ssm_speed.sh [SPEED_SSM] [SECONDS]
#     SIZES=768:24 PEER_TOKENS=256 tests/speed/ssm_speed.sh       # one size, with little memory
set -eu

here=$(dirname "$0")
speed=${1:-$here/../../build/speed_ssm}
seconds=${2:-10}
python=${PYTHON:-/usr/bin/python3}
sizes=${SIZES:-128:4 256:8 768:24}  # d_model:layers

value() { printf '%s\n' "$2" | awk -v name="$1" '$1 == name { print $2 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.1f", a / b; else printf "-" }'; }

echo "load before: $(cut -d' ' -f1-3 /proc/loadavg)"
echo
echo "training, tokens/s: one row of 4096 tokens; plain and PyTorch at d=768 of ${PEER_TOKENS:-512}: 4096 need over 20 GiB there"
echo "| model | fused bf16 | fused f32 | plain LibTorch | PyTorch | best / plain | best / PyTorch | products bf16 | products f32 |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
for size in $sizes; do
    d=${size%:*} layers=${size#*:}
    fits=${PEER_TOKENS:-4096}
    if [ "$d" -ge 768 ]; then fits=${PEER_TOKENS:-512}; fi
    half=$("$speed" train "$d" "$layers" fused bfloat16 "$seconds" 4096)
    full=$("$speed" train "$d" "$layers" fused float32 "$seconds" 4096)
    plain=$("$speed" train "$d" "$layers" plain float32 "$seconds" "$fits")
    peer=$("$python" "$here/ssm_reference.py" train "$d" "$layers" "$seconds" "$fits")
    a=$(value tokens_per_second "$half") b=$(value tokens_per_second "$full")
    c=$(value tokens_per_second "$plain") e=$(value tokens_per_second "$peer")
    best=$(printf '%s\n%s\n' "$a" "$b" | sort -g | tail -n 1)
    echo "| d=$d L=$layers | $a | $b | $c | $e | $(ratio "$best" "$c") | $(ratio "$best" "$e")" \
        "| $(value product_share "$half") | $(value product_share "$full") |"
done
echo
echo "generation, tokens/s; share of the bandwidth of reading as many bytes as the weights have"
echo "| model | precision | 1 stream | bandwidth GB/s | share | 32 streams | 32 / 1 | plain, 1 | plain, 32 | PyTorch, 1 | PyTorch, 32 |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
for size in $sizes; do
    d=${size%:*} layers=${size#*:}
    p1=$(value tokens_per_second "$("$speed" generate "$d" "$layers" plain float32 "$seconds" 1)")
    p32=$(value tokens_per_second "$("$speed" generate "$d" "$layers" plain float32 "$seconds" 32)")
    r1=$(value tokens_per_second "$("$python" "$here/ssm_reference.py" generate "$d" "$layers" "$seconds" 1)")
    r32=$(value tokens_per_second "$("$python" "$here/ssm_reference.py" generate "$d" "$layers" "$seconds" 32)")
    for precision in float32 float16-states bfloat16; do
        one=$("$speed" generate "$d" "$layers" fused "$precision" "$seconds" 1)
        many=$("$speed" generate "$d" "$layers" fused "$precision" "$seconds" 32)
        a=$(value tokens_per_second "$one") b=$(value tokens_per_second "$many")
        echo "| d=$d L=$layers | $precision | $a | $(value bandwidth_gigabytes_per_second "$one")" \
            "| $(value bandwidth_share "$one") | $b | $(ratio "$b" "$a") | $p1 | $p32 | $r1 | $r32 |"
    done
done
echo
echo "peak memory of training on one sequence, d=128 L=4, segments of 2048 tokens"
echo "| tokens | peak MiB | tokens/s |"
echo "| --- | --- | --- |"
for tokens in 10000 1000000; do
    out=$("$speed" context 128 4 "$tokens" 2048)
    echo "| $tokens | $(value peak_mebibytes "$out") | $(value tokens_per_second "$out") |"
done
echo
echo "load after: $(cut -d' ' -f1-3 /proc/loadavg)"
